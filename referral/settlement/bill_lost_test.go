package settlement_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/wechat/wechattest"
	"siyu/referral/settlement"
	"siyu/wallet"
)

// TestLostAnswers loses, forges and spoils every kind of answer: each member is
// paid once, under the numbers that were kept.
func TestLostAnswers(t *testing.T) {
	for _, m := range []wechattest.Mishap{wechattest.LostAfter, wechattest.LostBefore, wechattest.Unsigned, wechattest.Forged, wechattest.SystemAfter, wechattest.SystemBefore, wechattest.UnknownCode} {
		t.Run(string(m), func(t *testing.T) {
			dbtest.Run(t, func(t *testing.T, db *database.DB) {
				h := newBilled(t, db)
				p := h.given(2)
				h.pay.Next(m, m, m)
				h.work()
				for _, b := range h.bills(p.ID) {
					if b.Status == settlement.BillPaid || b.Try != 1 {
						t.Errorf("after a mishap: %+v", b)
					}
				}
				h.proven()
				for range 5 {
					h.later(time.Minute)
				}
				h.stands(p.ID, "1/1 waiting", "2/1 waiting")
				for m := range id.Member(2) {
					list, err := h.ToConfirm(bg, m+1)
					if h.must(err); len(list) != 1 {
						t.Fatalf("member %d can confirm %+v", m+1, list)
					}
					h.pay.Confirm(t, list[0].No)
				}
				h.later(10 * time.Minute)
				h.stands(p.ID, "1/1 paid", "2/1 paid")
				if diff := cmp.Diff(map[string]int64{openid(1): 2000, openid(2): 2000}, h.pay.Paid()); diff != "" || len(h.pay.Numbers()) != 2 {
					t.Errorf("left the merchant by %v (-want +got):\n%s", h.pay.Numbers(), diff)
				}
			})
		})
	}
}

func TestTheChannelRefuses(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newBilled(t, db)
		h.pay.SetBalance(30_00)
		p := h.given(2)
		h.work()
		h.later(time.Hour)
		stand := h.stand(p.ID) // one is paid for; which of them is the channel's choice
		if n := len(slices.DeleteFunc(slices.Clone(stand), func(s string) bool { return !strings.HasSuffix(s, "waiting") })); n != 1 {
			t.Errorf("with money for one: %v", stand)
		}
		h.pay.SetBalance(100_00)
		h.later(2 * time.Hour)
		h.stands(p.ID, "1/1 waiting", "2/1 waiting")
	})
}

// What is refused is asked for again for a day, so that a setting can be
// mended; then the next settlement carries it.
func TestWhatIsRefusedForADayComesBack(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newBilled(t, db)
		h.Bills.Scene = "1009"
		p := h.given(1)
		h.work()
		h.stands(p.ID, "1/1 asked INVALID_REQUEST")
		if err := h.PayoutResults(as(cashier), p.ID, settlement.ResultsIn{Failed: []settlement.FailedLine{{Line: 1, Reason: "x"}}}); !errors.Is(err, settlement.ErrBillOpen) {
			t.Errorf("reported by hand while its bill may be made: %v", err)
		}
		for range 25 {
			h.later(time.Hour)
		}
		h.stands(p.ID, "1/1 failed INVALID_REQUEST")
		if l := h.payoutLines(p.ID)[0]; l.Reason != "INVALID_REQUEST" || h.balance(wallet.StagePayable, 1) != 20_00 {
			t.Errorf("refused for a day: %+v", l)
		}
	})
}

func TestASettingIsMended(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newBilled(t, db)
		h.Bills.Scene = "1009"
		p := h.given(1)
		h.work()
		h.Bills.Scene = "1000"
		h.later(time.Hour)
		h.stands(p.ID, "1/1 waiting")
	})
}

func TestTheChannelsRate(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newBilled(t, db)
		h.pay.SetRate(3)
		p := h.given(12)
		h.work()
		limited := slices.DeleteFunc(h.stand(p.ID), func(s string) bool { return !strings.HasSuffix(s, "asked FREQUENCY_LIMITED") })
		if len(limited) == 0 {
			t.Errorf("nobody met the limit: %v", h.stand(p.ID))
		}
		h.pay.SetRate(1_000_000)
		h.later(time.Hour)
		for _, b := range h.bills(p.ID) {
			if b.Status != settlement.BillWaiting || b.Try != 1 {
				t.Errorf("after the limit: %+v", b)
			}
		}
		h.proven()
	})
}

// TestTwoWorkersPayOnce runs the job of one payout in two processes' stead at
// once, over and over.
func TestTwoWorkersPayOnce(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			h := newBilled(t, dbtest.Open(t, engine))
			h.pay.SetRate(1_000_000)
			p := h.given(60)
			h.pay.Next(wechattest.LostAfter, wechattest.SystemAfter, wechattest.LostBefore)
			for range 4 {
				var both sync.WaitGroup
				for range 2 {
					both.Go(func() {
						if err := h.RunBills(bg, p.ID); err != nil {
							t.Error(err)
						}
					})
				}
				both.Wait()
				h.jump(time.Minute)
			}
			if n := len(h.pay.Numbers()); n != 60 {
				t.Errorf("%d bills for 60 lines", n)
			}
			for _, b := range h.bills(p.ID) {
				h.pay.Confirm(t, b.No)
			}
			h.later(10 * time.Minute)
			for m := range id.Member(60) {
				if got := h.balance(wallet.StagePaid, m+1); got != 20_00 || h.pay.Paid()[openid(m+1)] != 20_00 {
					t.Errorf("member %d: the ledger says %s, the channel %d", m+1, got, h.pay.Paid()[openid(m+1)])
				}
			}
			h.proven()
		})
	}
}

// TestBillsKilledAnywhere kills the job between record and call and between
// call and record, and goes on.
func TestBillsKilledAnywhere(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			url := dbtest.URL(t, engine)
			h := newBilled(t, dbtest.At(t, url))
			dir := t.TempDir()
			h.pay.WriteKeys(t, dir)
			t.Setenv(payEnv, h.pay.URL+"|"+dir)
			h.pay.SetRate(1_000_000)
			p := h.given(70)
			h.jump(dbtest.Start.Add(24 * time.Hour).Sub(h.DB.Clock.Now())) // the child's time
			for _, point := range []string{"settlement:bill_kept:1", "settlement:bill_told:1"} {
				killed(t, url, "bills", int64(p.ID), point)
				h.proven()
				h.jump(3 * time.Minute)
			}
			for range 3 {
				h.later(3 * time.Minute)
			}
			if n := len(h.pay.Numbers()); n != 70 {
				t.Errorf("%d bills for 70 lines", n)
			}
			for _, b := range h.bills(p.ID) {
				if b.Try != 1 {
					t.Errorf("a second number: %+v", b)
				}
				h.pay.Confirm(t, b.No)
			}
			h.later(10 * time.Minute)
			if got := h.find(p.SettlementID); got.Status != settlement.StatusPaid || len(h.pay.Paid()) != 70 {
				t.Errorf("%s, %d persons paid", got.Status, len(h.pay.Paid()))
			}
			h.proven()
		})
	}
}
