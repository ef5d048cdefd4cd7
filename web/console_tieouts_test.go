package web

import (
	"net/http"
	"testing"
	"time"

	"siyu/access"
	"siyu/campaign/tieout"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/task"
)

// TestConsoleTieOuts: finance and cashiers see days and what differs on them.
func TestConsoleTieOuts(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		h.consoleOf(h.staffKey(access.Marketer)).get("/console/tieouts").is(t, http.StatusForbidden)
		h.consoleOf(h.staffKey(access.Marketer)).get("/console").lacks(t, "/console/tieouts")
		key := h.staffKey(access.Cashier)
		h.consoleOf(key).get("/console").is(t, 200).has(t, `href="/console/tieouts"`)
		h.consoleOf(key).get("/console/tieouts").is(t, 200).has(t, "还没有对账")
		me, err := h.s.Access.Authenticate(h.system, key)
		must(t, err)
		as := database.WithActor(h.system, me)
		now := db.Clock.Now()
		tid, err := h.s.TieOut.Open(as, tieout.OpenIn{Day: clock.Day(now, shop)})
		must(t, err)
		must(t, h.s.TieOut.Deliver(as, tid, tieout.Delivery{Side: tieout.SideMall, Part: 1, SHA256: "a", Lines: []tieout.Line{{Kind: tieout.KindPayment, No: "p-1", Amount: 9900, At: clock.MilliOf(now)}}}))
		must(t, h.s.TieOut.Deliver(as, tid, tieout.Delivery{Side: tieout.SideStatement, Part: 1, SHA256: "b", Lines: []tieout.Line{{Kind: tieout.KindPayment, No: "p-1", Amount: 9000, At: clock.MilliOf(now)}}}))
		db.Clock.Jump(26 * time.Hour)
		must(t, h.s.TieOut.Start(as, tid))
		reg := task.NewRegistry()
		h.s.TieOut.Register(reg)
		must(t, task.Drain(h.system, db, reg))
		p := h.consoleOf(key)
		p.get("/console/tieouts").is(t, 200).has(t, "有差异", "1 笔差异，1 笔未说明", tid.String())
		p.get("/console/tieouts?id="+tid.String()).is(t, 200).has(t, "金额不符", "¥99.00", "¥90.00", "p-1")
		p.get("/console/tieouts?lang=en&id="+tid.String()).is(t, 200).has(t, "amounts differ", "Totals")
		// One explains by number, somebody else approves; then the day never changes.
		at, explain, approve := "/console/tieouts?id="+tid.String(), "/console/tieouts/"+tid.String()+"/explain", "/console/tieouts/"+tid.String()+"/approve"
		shownNow := p.get(at+"&lang=zh").is(t, 200)
		shownNow.lacks(t, approve)
		form := shownNow.form(t, explain)
		form.Set("reason", "渠道券抵扣")
		form.Set("sort", "")
		form.Del("n")
		p.post(explain, form).is(t, http.StatusUnprocessableEntity) // nothing is named
		form.Set("n", "1")
		form.Set("run", "9")
		p.post(explain, form).is(t, http.StatusConflict)
		form.Set("run", "1")
		h.consoleOf(h.staffKey(access.Marketer)).post(explain, form).is(t, http.StatusForbidden)
		p.post(explain, form).is(t, http.StatusSeeOther)
		own := p.get(at).is(t, 200)
		own.has(t, "渠道券抵扣", "须由没有写过说明的同事复核")
		own.lacks(t, approve)
		p.post(approve, form).is(t, http.StatusForbidden)
		second := h.consoleOf(h.staffKey(access.Finance))
		second.post(approve, second.get(at).is(t, 200).form(t, approve)).is(t, http.StatusSeeOther)
		final := second.get(at).is(t, 200)
		final.has(t, "差异已说明")
		final.lacks(t, explain, approve)
		p.get("/console/tieouts?id=tie_0000000000007").is(t, http.StatusNotFound)
		p.get("/console/tieouts?id=x").is(t, http.StatusNotFound)
	})
}

func sampleTieOuts(lang string) tieOutsPage {
	p := tieOutsPage{page: base(lang, choose(lang, "三方对账", "Tie-out"))}
	x := tieout.TieOut{ID: 7, Day: 20260301, Status: tieout.StatusDiffers, Run: 2, Matched: 182345, Differences: 214, Open: 3, Totals: []tieout.Total{
		{Side: tieout.SideMall, Kind: tieout.KindPayment, Lines: 182004, Amount: 1820040000}, {Side: tieout.SideSiyu, Kind: tieout.KindPayment, Lines: 182003, Amount: 1820030100},
		{Side: tieout.SideStatement, Kind: tieout.KindPayment, Lines: 182001, Amount: 1820010300}, {Side: tieout.SideStatement, Kind: tieout.KindOther, Lines: 1, Amount: 50000000},
	}}
	v := tieOutViewOf(lang, x, "晨光文化传播（上海）有限公司", []tieout.Difference{
		{DiffNo: 1, Sort: tieout.Amounts, Kind: tieout.KindPayment, No: "2026030110000100001234567890123456", MallLines: 1, Mall: 9900, SiyuLines: 1, Siyu: 9900, PaperLines: 1, Paper: 9000, Reason: "渠道券抵扣，已与商城核对"},
		{DiffNo: 2, Sort: tieout.OtherDay, Kind: tieout.KindRefund, No: "ref-1", MallLines: 1, Mall: 900, SiyuLines: 1, Siyu: 900, OtherDay: 20260302},
	})
	v.Form, v.Later = "f", "#"
	p.Day = &v
	p.Days = []tieOutRow{v.tieOutRow, tieOutRowOf(lang, tieout.TieOut{ID: 6, Day: 20260228, Status: tieout.StatusTied}, "晨光文化")}
	return p
}
