package settlement_test

import (
	"errors"
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral/settlement"
)

// TestABillIsCalledOff: what is called off comes back once the channel says
// so; who confirmed before the channel heard of it stays paid; what nobody can
// confirm is not called off.
func TestABillIsCalledOff(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newBilled(t, db)
		p := h.given(3)
		call := func(no string) error { return h.CallOff(as(cashier), p.ID, no) }
		first := h.bills(p.ID)
		if err := call(first[0].No); !errors.Is(err, settlement.ErrBillState) {
			t.Errorf("a bill that was not asked for: %v", err)
		}
		h.work()
		h.stands(p.ID, "1/1 waiting", "2/1 waiting", "3/1 waiting")
		for _, b := range []settlement.Bill{first[0], first[0], first[1]} { // one of them twice
			h.must(call(b.No))
		}
		if got := h.bills(p.ID)[0]; got.CalledBy != cashier || got.CalledAt == 0 {
			t.Errorf("called off by %s at %s", got.CalledBy, got.CalledAt)
		}
		list, err := h.ToConfirm(bg, first[0].MemberID)
		if h.must(err); len(list) != 0 {
			t.Errorf("the member still sees %+v", list)
		}
		h.pay.Confirm(t, first[1].No) // before the channel is asked
		for range 3 {                 // heard, then done: the channel takes its time
			h.later(time.Minute)
		}
		h.stands(p.ID, "1/1 cancelled", "2/1 paid", "3/1 waiting")
		for _, no := range []string{first[1].No, "P0"} {
			if err := call(no); no == "P0" && !errors.Is(err, fault.NotFound) || no != "P0" && err != nil {
				t.Errorf("%s: %v", no, err)
			}
		}
		if err := h.CallOff(as(cashier), id.Payout(7), first[2].No); !errors.Is(err, fault.NotFound) {
			t.Errorf("a bill of another payout: %v", err)
		}
		h.pay.Confirm(t, first[2].No)
		h.later(time.Hour)
		if err := call(first[2].No); !errors.Is(err, settlement.ErrBillState) {
			t.Errorf("a bill that is paid: %v", err)
		}
		h.stands(p.ID, "1/1 cancelled", "2/1 paid", "3/1 paid")
		lines, err := h.ListPayoutLines(bg, p.ID, database.Page{})
		h.must(err)
		if got := lines.Items[0]; got.Status != settlement.PayoutLineFailed || got.Reason != "cancelled" || got.ReturnedBy == 0 {
			t.Errorf("the line of the bill that was called off: %+v", got)
		}
	})
}
