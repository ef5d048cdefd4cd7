package settlement_test

import (
	"testing"
	"time"

	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/settlement"
	"siyu/wallet"
)

// TestRequestsSurviveKills kills the closing of requests and the freeing of a
// rejected settlement between their transactions: each request ends whole on
// one settlement, its fee charged once.
func TestRequestsSurviveKills(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			url := dbtest.URL(t, engine)
			h := newAsking(t, dbtest.At(t, url), settlement.TermsIn{Mode: settlement.ModeOnRequest, Least: 100, Most: 1000, FeeFixed: 10, PerDay: 1})
			const people = 120 // of which a transaction takes 50
			for m := range people {
				h.clear(reward{member: id.Member(m + 1), amount: 500}, reward{member: id.Member(m + 1), amount: 500})
				h.ask(id.Member(m + 1))
			}
			fees := func() money.Amount {
				n, err := wallet.Balance(h.DB.Read(bg), wallet.StageFee, wallet.Brand(), money.CNY)
				h.must(err)
				return n
			}
			sealed := func() settlement.Settlement {
				sid := h.open()
				h.must(h.Close(as(maker), sid))
				for _, point := range []string{"settlement:lines:1", "settlement:lines:1", "settlement:before_seal:1"} {
					killed(t, url, "close", int64(sid), point)
				}
				h.work()
				st := h.find(sid)
				if st.Status != settlement.StatusClosed || st.LineCount != 3*people || st.Net != 990*people || fees() != 10*people {
					t.Fatalf("%s: %d lines, net %s, fees %s", st.Status, st.LineCount, st.Net, fees())
				}
				return st
			}
			first := sealed()
			h.must(h.Reject(as(reviewer), first.ID, settlement.RejectIn{Reason: "test"}))
			for _, point := range []string{"settlement:free:1", "settlement:reopen:1", "settlement:reopen:1"} {
				killed(t, url, "free", int64(first.ID), point)
			}
			h.work()
			if n := fees(); n != 0 {
				t.Errorf("fees of %s are left", n)
			}
			h.proven()
			h.jump(time.Hour)
			h.paid(sealed())
			if n := h.balance(wallet.StagePaid, 7); n != 990 {
				t.Errorf("paid %s", n)
			}
			h.proven()
		})
	}
}
