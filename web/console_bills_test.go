package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/referral/settlement"
)

// TestConsoleBills: a cashier sees the bills of a payout and calls off the one
// that waits, once; others do not see that there are any.
func TestConsoleBills(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := open(t, db)
		h.consoleOf(h.staffKey(access.Marketer)).get("/console/bills").is(t, http.StatusForbidden)
		key := h.staffKey(access.Cashier)
		desk := h.consoleOf(key)
		desk.get("/console").is(t, 200).has(t, `href="/console/bills"`)
		desk.get("/console/bills").is(t, 200).has(t, "还没有用微信转账单付款的批次")
		me, err := h.s.Access.Authenticate(h.system, key)
		must(t, err)
		sid, err := h.s.Settlement.Create(database.WithActor(h.system, me), settlement.CreateIn{Label: "3月"})
		must(t, err)
		now := clock.MilliOf(db.Clock.Now())
		payout := func(tx *database.Tx, pid int, channel settlement.Channel, status settlement.PayoutStatus) error {
			return tx.Exec(`INSERT INTO payouts (id, settlement_id, unit_id, payer_id, channel, status, owed, limit_fen, carry_held, gross, tax, net, line_count, failed_count,
				created_by, created_at, paid_by, paying_at, paid_at) VALUES (?, ?, ?, 0, ?, ?, 4000, 0, 0, 4000, 0, 4000, 2, 0, 0, ?, 0, 0, 0)`, pid, sid, me.Unit, channel, status, now).Error
		}
		must(t, db.Tx(h.system, func(tx *database.Tx) error {
			if err := payout(tx, 6, settlement.ChannelBills, "sent"); err != nil {
				return err
			}
			for i, status := range []settlement.BillStatus{settlement.BillPaid, settlement.BillWaiting} {
				b := settlement.Bill{ID: int64(70 + i), No: fmt.Sprintf("P%d", i+1), PayoutID: 6, LineID: int64(i + 1), LineNo: i + 1, Try: 1, Net: 2000, Status: status, UntilAt: now.Add(time.Hour)}
				if err := tx.Create(&b).Error; err != nil {
					return err
				}
			}
			return nil
		}))
		// However many payouts of other channels are newer, it is found.
		must(t, db.Tx(h.system, func(tx *database.Tx) error {
			for i := range 250 {
				if err := payout(tx, 1000+i, settlement.ChannelManual, "sent"); err != nil {
					return err
				}
			}
			for i := range payoutsShown {
				if err := payout(tx, 2000+i, settlement.ChannelBills, "sent"); err != nil {
					return err
				}
			}
			return nil
		}))
		newest := desk.get("/console/bills").is(t, 200)
		newest.lacks(t, "pay_0000000000006")
		_, older, _ := strings.Cut(newest.body, `href="/console/bills?before=`)
		older, _, _ = strings.Cut(older, `"`)
		desk.get("/console/bills?before="+older).is(t, 200).has(t, "pay_0000000000006")
		at := "/console/bills?payout=pay_0000000000006"
		page := desk.get(at).is(t, 200)
		page.has(t, "待收款人确认", "已到账", "撤销")
		desk.get("/console/bills?lang=en").is(t, 200).has(t, "Transfer bills", "waiting for confirmations")
		desk.get("/console/bills?lang=zh").is(t, 200)
		const call = "/console/payouts/pay_0000000000006/bills/P2/cancel"
		form := page.form(t, call)
		for range 2 {
			desk.post(call, form).is(t, http.StatusSeeOther)
		}
		again := desk.get(at).is(t, 200)
		again.has(t, "撤销中")
		again.lacks(t, call)
		desk.post("/console/payouts/pay_0000000000006/bills/P1/cancel", form).is(t, http.StatusConflict)
		desk.get("/console/bills?payout=pay_0000000000007").is(t, http.StatusNotFound)
	})
}

func sampleBills(lang string) billsPage {
	p := billsPage{page: base(lang, choose(lang, "微信转账单", "Transfer bills")), ID: 6}
	at := p.Now
	p.Payouts = []billsRow{{6, 351200, at, choose(lang, "打款中，待确认", "waiting for confirmations"), ""}, {5, 99123456, at, choose(lang, "已完成", "done"), "good"}}
	for i, status := range []settlement.BillStatus{settlement.BillWaiting, settlement.BillMoving, settlement.BillPaid, settlement.BillFailed, settlement.BillExpired} {
		b := settlement.Bill{No: fmt.Sprintf("P38441243803805696%dR2", i), LineNo: i + 1, Try: 2, Net: 256000, Status: status, UntilAt: clock.MilliOf(at)}
		if status == settlement.BillFailed {
			b.Code = "REAL_NAME_CHECK_FAIL"
		}
		if status == settlement.BillMoving {
			b.CalledAt = 1
		}
		p.Bills = append(p.Bills, billRowOf(lang, b, "王*明"))
	}
	return p
}
