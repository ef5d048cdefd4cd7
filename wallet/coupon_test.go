package wallet_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/wallet"
)

// couponIn is a coupon of 5 yuan that anybody may take for a week.
func couponIn(change ...func(*wallet.CouponIn)) wallet.CouponIn {
	in := wallet.CouponIn{
		NameZH: "满减券", NameEN: "5 off", Kind: wallet.DiscountAmount, Amount: 500, Claimable: true,
		ValidDays: 7, Total: 100, ReturnOnRefund: true,
	}
	for _, f := range change {
		f(&in)
	}
	return in
}

func coupon(t *testing.T, db *database.DB, change ...func(*wallet.CouponIn)) id.Coupon {
	t.Helper()
	made, err := (&wallet.Service{DB: db}).CreateCoupon(bg, couponIn(change...))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func issue(db *database.DB, in wallet.Issue) (made id.MemberCoupon, err error) {
	if in.SourceKind == "" {
		in.SourceKind = "reward"
	}
	err = db.Tx(bg, func(tx *database.Tx) error {
		made, err = wallet.IssueTx(tx, in)
		return err
	})
	return made, err
}

func issued(t *testing.T, db *database.DB, c id.Coupon, m id.Member, source string) id.MemberCoupon {
	t.Helper()
	made, err := issue(db, wallet.Issue{Coupon: c, Member: m, SourceID: source})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestIssue(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &wallet.Service{DB: db}
		t.Run("one source gives one coupon", func(t *testing.T) {
			c := coupon(t, db)
			first := issued(t, db, c, 1, "r1")
			if again := issued(t, db, c, 1, "r1"); again != first {
				t.Errorf("got %s, want %s", again, first)
			}
			if other := issued(t, db, c, 1, "r2"); other == first {
				t.Error("another source gave the same coupon")
			}
			got, err := s.FindCoupon(bg, c)
			if err != nil || got.Issued != 2 {
				t.Errorf("issued: got %d, %v", got.Issued, err)
			}
		})
		t.Run("it is valid for the days after that of issue", func(t *testing.T) {
			got, err := s.FindMemberCoupon(bg, issued(t, db, coupon(t, db), 1, "r1"))
			// Monday 10:00 in Shanghai and seven days: the end of next Monday.
			want := clock.MilliOf(time.Date(2026, 3, 9, 16, 0, 0, 0, time.UTC))
			if err != nil || got.Status != wallet.HoldIssued || got.ValidUntil != want || got.Amount != 500 {
				t.Errorf("got %+v, %v", got, err)
			}
		})
		t.Run("refusals", func(t *testing.T) {
			now := clock.MilliOf(db.Clock.Now())
			paused := coupon(t, db)
			status := wallet.CouponPaused
			if err := s.EditCoupon(bg, paused, 1, wallet.CouponEdit{Status: &status}); err != nil {
				t.Fatal(err)
			}
			fixed := func(in *wallet.CouponIn) { in.ValidDays, in.ValidUntil = 0, now }
			for name, x := range map[string]struct {
				coupon id.Coupon
				by     wallet.SourceKind
				want   error
			}{
				"unknown":     {7, "reward", fault.NotFound},
				"paused":      {paused, "reward", wallet.ErrCouponPaused},
				"past":        {coupon(t, db, fixed), "reward", wallet.ErrCouponExpired},
				"not open":    {coupon(t, db, func(in *wallet.CouponIn) { in.Claimable = false }), wallet.SourceClaim, wallet.ErrCouponWindow},
				"not yet":     {coupon(t, db, func(in *wallet.CouponIn) { in.ClaimFrom = now + 1 }), wallet.SourceClaim, wallet.ErrCouponWindow},
				"from now":    {coupon(t, db, func(in *wallet.CouponIn) { in.ClaimFrom = now }), wallet.SourceClaim, nil},
				"no more":     {coupon(t, db, func(in *wallet.CouponIn) { in.ClaimUntil = now }), wallet.SourceClaim, wallet.ErrCouponWindow},
				"by a reward": {coupon(t, db, func(in *wallet.CouponIn) { in.ClaimUntil = now }), "reward", nil},
			} {
				if _, err := issue(db, wallet.Issue{Coupon: x.coupon, Member: 3, SourceKind: x.by, SourceID: "x"}); !errors.Is(err, x.want) {
					t.Errorf("%s: got %v, want %v", name, err, x.want)
				}
			}
		})
		t.Run("the day of the limit is that of the zone", func(t *testing.T) {
			c := coupon(t, db, func(in *wallet.CouponIn) { in.PerDay = 1 })
			issued(t, db, c, 4, "r1")
			if _, err := issue(db, wallet.Issue{Coupon: c, Member: 4, SourceID: "r2"}); !errors.Is(err, wallet.ErrCouponDay) {
				t.Errorf("got %v", err)
			}
			db.Clock.Jump(14 * time.Hour) // midnight in Shanghai
			issued(t, db, c, 4, "r2")
		})
		provenCoupons(t, db)
	})
}

func TestEditCoupon(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &wallet.Service{DB: db}
		end := clock.MilliOf(db.Clock.Now().Add(time.Hour))
		c := coupon(t, db, func(in *wallet.CouponIn) { in.ValidDays, in.ValidUntil, in.Include.SKUs = 0, end, []string{"a"} })
		held := issued(t, db, c, 1, "r1")
		later, total := end+1000, int64(99)
		if err := s.EditCoupon(bg, c, 1, wallet.CouponEdit{Total: &total}); !errors.Is(err, fault.Invalid) {
			t.Errorf("less: got %v", err)
		}
		if err := s.EditCoupon(bg, c, 2, wallet.CouponEdit{ValidUntil: &later}); !errors.Is(err, fault.Stale) {
			t.Errorf("another version: got %v", err)
		}
		if err := s.EditCoupon(bg, c, 1, wallet.CouponEdit{ValidUntil: &later}); err != nil {
			t.Fatal(err)
		}
		if got, err := s.FindMemberCoupon(bg, held); err != nil || got.ValidUntil != later || len(got.Include.SKUs) != 1 {
			t.Errorf("what is out has the later end: got %+v, %v", got, err)
		}
		east := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 5, Units: []id.Unit{9}})
		if err := s.EditCoupon(east, c, 2, wallet.CouponEdit{}); !errors.Is(err, fault.NotFound) {
			t.Errorf("of another unit: got %v", err)
		}
	})
}

// rush lets 64 callers take the coupon at once and says how many got one.
func rush(t *testing.T, db *database.DB, c id.Coupon, who func(i int) id.Member, refusals ...error) (granted int) {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			_, err := issue(db, wallet.Issue{Coupon: c, Member: who(i), SourceID: fmt.Sprintf("rush%d", i)})
			mu.Lock()
			defer mu.Unlock()
			for _, r := range refusals {
				if errors.Is(err, r) {
					return
				}
			}
			if err == nil {
				granted++
			} else if !database.IsDuplicate(err) {
				t.Errorf("issue: %v", err)
			}
		})
	}
	all.Wait()
	return granted
}

// TestCouponLimits takes one coupon by 64 parallel calls: every limit is
// reached and none is passed, and each breaks when nothing holds it.
func TestCouponLimits(t *testing.T) {
	somebody := func(i int) id.Member { return id.Member(1000 + i) }
	oneself := func(int) id.Member { return 7 }
	for _, x := range []struct {
		name    string
		change  func(*wallet.CouponIn)
		who     func(int) id.Member
		want    int
		refusal error
	}{
		{"total", func(in *wallet.CouponIn) { in.Total = 5 }, somebody, 5, wallet.ErrCouponGone},
		{"per member", func(in *wallet.CouponIn) { in.PerMember = 3 }, oneself, 3, wallet.ErrCouponLimit},
		{"per day", func(in *wallet.CouponIn) { in.PerDay = 2 }, oneself, 2, wallet.ErrCouponDay},
	} {
		t.Run(x.name, func(t *testing.T) {
			dbtest.Run(t, func(t *testing.T, db *database.DB) {
				c := coupon(t, db, x.change)
				if got := rush(t, db, c, x.who, x.refusal); got != x.want {
					t.Errorf("got %d, want %d", got, x.want)
				}
				provenCoupons(t, db)
			})
			for _, engine := range dbtest.Engines {
				t.Run(engine+"/breaks without its locks", func(t *testing.T) {
					for range 20 {
						db := dbtest.Unlocked(t, engine, "member_coupons.member_coupons_stock", "member_coupons.member_coupons_taken", "member_coupons.member_coupons_day")
						if rush(t, db, coupon(t, db, x.change), x.who, x.refusal) > x.want {
							return
						}
					}
					t.Error("the limit held without locks: the test cannot fail")
				})
			}
		})
	}
}

func provenCoupons(t *testing.T, db *database.DB) {
	t.Helper()
	if broken := couponBreaches(t, db); len(broken) > 0 {
		t.Errorf("broken: %v", broken)
	}
}

func couponBreaches(t *testing.T, db *database.DB) []string {
	t.Helper()
	proofs, err := wallet.VerifyCoupons(context.Background(), db)
	if err != nil || len(proofs) != 1 || proofs[0].Checked == 0 {
		t.Fatalf("got %+v, %v", proofs, err)
	}
	return proofs[0].Broken
}
