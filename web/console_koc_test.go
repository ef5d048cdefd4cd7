package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"siyu/access"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral"
)

// star makes a group of which one member did more than the others every day of
// a month.
func (h *house) star() (id.Group, id.Member) {
	h.t.Helper()
	now := h.db.Clock.Now()
	gid, err := h.s.Community.CreateGroup(h.staff, community.GroupIn{Name: "跑步群", BornAt: clock.MilliOf(now.AddDate(0, 0, -60))})
	must(h.t, err)
	m := []id.Member{h.member("星星", "m-star"), h.member("甲", "m-a"), h.member("乙", "m-b")}
	var joined []community.MembershipIn
	for _, x := range m {
		joined = append(joined, community.MembershipIn{MemberID: x, JoinedAt: clock.MilliOf(now.AddDate(0, 0, -50))})
	}
	_, err = h.s.Community.PutMemberships(h.staff, gid, joined)
	must(h.t, err)
	var in community.ActivityBatch
	for i := 1; i <= 30; i++ {
		at := now.AddDate(0, 0, -i)
		in.CompleteDays = append(in.CompleteDays, clock.Day(at, shop))
		for k, a := range []community.ActivityIn{{Kind: community.ActivityCheckin}, {Kind: community.ActivityPost}, {Kind: community.ActivityAnswer, ToID: m[1+i%2]}} {
			a.EventID, a.MemberID, a.At = fmt.Sprintf("%d-%d", i, k), m[0], clock.MilliOf(at)
			in.Events = append(in.Events, a)
		}
	}
	_, err = h.s.Community.PutActivity(h.staff, gid, in)
	must(h.t, err)
	must(h.t, h.s.Health.RollUp(h.system))
	return gid, m[0]
}

// TestConsoleKOC: one proposes a group's candidates, another approves, and a
// second tap does neither twice; who proposed cannot approve.
func TestConsoleKOC(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		gid, _ := h.star()
		const at = "/console/koc-proposals"
		h.consoleOf(h.staffKey(access.Cashier)).get(at).is(t, http.StatusForbidden)
		marketer, finance := h.consoleOf(h.staffKey(access.Marketer)), h.consoleOf(h.staffKey(access.Finance))
		marketer.get("/console").is(t, 200).has(t, `href="/console/koc-proposals"`)
		mine := at + "?group=" + gid.String()
		marketer.get("/console/groups/"+gid.String()+"/health").is(t, 200).has(t, "KOC 候选", mine)
		marketer.get(mine).is(t, 200).has(t, "还没有 month_end 触发的启用方案")
		_, err := h.s.Referral.CreateProgram(h.staff, referral.ProgramIn{Name: "KOC 月末奖励", Budget: 100_000, Rules: referral.RulesIn{Trigger: referral.TriggerMonthEnd,
			Rewards: []referral.Promise{{Rule: "koc", To: referral.SideKOC, Mode: referral.ModeFixed, Amount: 5000}}}})
		must(t, err)
		page := marketer.get(mine).is(t, 200)
		page.has(t, "KOC 月末奖励", "提交本月候选人")
		form := page.form(t, at)
		form.Set("program", programIn(t, page.body))
		finance.post(at, form).is(t, http.StatusForbidden)
		for range 2 { // a double tap
			marketer.post(at, form).is(t, http.StatusSeeOther)
		}
		own := marketer.get(at).is(t, 200)
		own.has(t, "跑步群", "待批准", "至多 ¥50.00", "由你提交", "撤回", "星")
		_, which, _ := strings.Cut(own.body, `action="/console/koc-proposals/`)
		which, _, _ = strings.Cut(which, "/")
		approve := at + "/" + which + "/approve"
		own.lacks(t, approve)
		waits := finance.get(at).is(t, 200)
		waits.has(t, "驳回", "同事 提交")
		word := waits.form(t, approve)
		marketer.post(approve, own.form(t, at+"/"+which+"/refuse")).is(t, http.StatusForbidden)
		finance.post(at+"/"+which+"/x", word).is(t, http.StatusNotFound)
		finance.post(at+"/kpr_0000000000007/approve", word).is(t, http.StatusNotFound)
		finance.post(approve, word).is(t, http.StatusSeeOther)
		finance.post(approve, word).is(t, http.StatusConflict)
		finance.get(at).is(t, 200).lacks(t, "跑步群")
		finance.get(at+"?status=approved").is(t, 200).has(t, "已批准", "1 笔奖励")
		if en := finance.get(at+"?status=all&lang=en").is(t, 200); strings.Contains(en.body, "%!") {
			t.Error("a text of the page has a wrong argument")
		}
	})
}

// programIn is the only program that the page offers.
func programIn(t *testing.T, body string) string {
	t.Helper()
	_, rest, ok := strings.Cut(body, `<select name="program"`)
	_, rest, ok2 := strings.Cut(rest, `<option value="`)
	value, _, _ := strings.Cut(rest, `"`)
	if !ok || !ok2 {
		t.Fatal("the page offers no program")
	}
	return value
}

func sampleKOC(lang string) kocPage {
	p := kocPage{page: base(lang, choose(lang, "KOC 月度奖励", "KOC rewards of a month")), Group: longName, GroupID: 7 << 40, Proposes: true, Programs: []referral.Program{{ID: 1, Name: "KOC 月末奖励 · 现金 50 元与 100 积分"}}, Next: "#"}
	for i, one := range kocTabs {
		p.Tabs = append(p.Tabs, tab{choose(lang, one.zh, one.en), "#", i == 0})
	}
	lines := []referral.KOCLine{{MemberID: 1, KOCFacts: referral.KOCFacts{Score: 92, ActiveDays: 27, Helped: 12, Kept: 3}}, {MemberID: 2, KOCFacts: referral.KOCFacts{Score: 78, ActiveDays: 15, Helped: 4}}}
	x := referral.KOCProposal{ID: 9 << 40, GroupID: 7 << 40, Month: 202603, Day: 20260331, Status: referral.KOCProposed, Cost: 10_200, ProposedBy: 5 << 40, ProposedAt: clock.MilliOf(noon()), Lines: lines}
	names := map[id.Member]string{1: "王小明", 2: "李雷"}
	waits, refused := kocCardOf(lang, x, longName, "KOC 月末奖励", "陈静", names), x
	waits.Approves, waits.Refuses = true, true
	refused.Status, refused.Reason = referral.KOCRefused, "本月活动已单独奖励"
	own := kocCardOf(lang, x, "跑步群", "KOC 月末奖励", "陈静", names)
	own.Own, own.Refuses = true, true
	p.Cards = []kocCard{waits, own, kocCardOf(lang, refused, "跑步群", "KOC 月末奖励", "陈静", names)}
	return p
}
