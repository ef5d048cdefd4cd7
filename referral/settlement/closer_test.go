package settlement_test

import (
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral/settlement"
)

// One person opens a settlement and another closes it: both have prepared it,
// so neither reviews nor pays it.
func TestWhoClosesHasPrepared(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.clear(reward{member: 1, amount: 1000})
		h.jump(time.Hour)
		const closer id.Staff = 104
		sid := h.open()
		h.must(h.Close(as(closer), sid))
		h.work()
		in := settlement.ReviewIn{Digest: h.find(sid).Digest}
		for _, who := range []id.Staff{maker, closer} {
			h.refused(h.Review(as(who), sid, in), settlement.ErrSamePerson)
		}
		h.must(h.Review(as(reviewer), sid, in))
		pid, err := h.CreatePayout(as(cashier), settlement.PayoutIn{SettlementID: sid})
		h.must(err)
		for _, who := range []id.Staff{maker, closer, reviewer} {
			h.refused(h.Pay(as(who), pid), settlement.ErrSamePerson)
		}
		h.must(h.Pay(as(cashier), pid))
		h.work()
		h.proven()
	})
}
