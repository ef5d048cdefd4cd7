package wallet_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/wallet"
)

func earn(t *testing.T, db *database.DB, m id.Member, reference string, n money.Amount, day int) {
	t.Helper()
	if err := (&wallet.Service{DB: db}).EarnPoints(bg, wallet.EarnPoints{Member: m, Reference: reference, Points: n, ExpiresDay: day}); err != nil {
		t.Fatal(err)
	}
}

// lots are what the member has as day, left, frozen.
func lots(t *testing.T, db *database.DB, m id.Member) (out [][3]int64) {
	t.Helper()
	p, err := (&wallet.Service{DB: db}).MemberPoints(bg, m)
	if err != nil {
		t.Fatal(err)
	}
	var available, frozen money.Amount
	for _, l := range p.Lots {
		out = append(out, [3]int64{int64(l.ExpiresDay), int64(l.Left), int64(l.Frozen)})
		available, frozen = available+l.Left, frozen+l.Frozen
	}
	if p.Available != available || p.Frozen != frozen {
		t.Errorf("%d available and %d frozen are not the sum of %v", p.Available, p.Frozen, out)
	}
	return out
}

func wantLots(t *testing.T, db *database.DB, m id.Member, want ...[3]int64) {
	t.Helper()
	if diff := cmp.Diff(want, lots(t, db, m), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("lots: %s", diff)
	}
	provenPoints(t, db)
}

func provenPoints(t *testing.T, db *database.DB) {
	t.Helper()
	for _, verify := range []func() ([]database.Proof, error){
		func() ([]database.Proof, error) { return wallet.VerifyPoints(bg, db) },
		func() ([]database.Proof, error) { return wallet.Verify(bg, db) },
	} {
		proofs, err := verify()
		if err != nil || len(proofs) != 1 || proofs[0].Checked == 0 || len(proofs[0].Broken) > 0 {
			t.Errorf("got %+v, %v", proofs, err)
		}
	}
}

func TestPoints(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &wallet.Service{DB: db}
		order := func(ref string, n money.Amount) wallet.OrderPoints {
			return wallet.OrderPoints{Member: 1, OrderRef: ref, Points: n}
		}
		want := func(err, want error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		}
		for range 2 { // the same reference is one fact
			earn(t, db, 1, "late", 100, 20260401)
			earn(t, db, 1, "soon", 30, 20260303)
		}
		earn(t, db, 1, "soon again", 20, 20260303)
		wantLots(t, db, 1, [3]int64{20260303, 50, 0}, [3]int64{20260401, 100, 0})
		want(s.EarnPoints(bg, wallet.EarnPoints{Member: 1, Reference: "late", Points: 99, ExpiresDay: 20260401}), wallet.ErrPointsReused)
		want(s.EarnPoints(bg, wallet.EarnPoints{Member: 2, Reference: "late", Points: 100, ExpiresDay: 20260401}), wallet.ErrPointsReused)
		for _, ref := range []string{"reward:rwd_0000000000007", "invite:srw_0000000000007"} { // a reward's own, from outside
			want(s.EarnPoints(bg, wallet.EarnPoints{Member: 1, Reference: ref, Points: 1, ExpiresDay: 20260401}), fault.Invalid)
		}
		want(s.RefundPoints(bg, wallet.RefundPoints{Member: 1, OrderRef: "o", RefundNo: wallet.OwnRef(7), Points: 1}), fault.Invalid)
		want(s.EarnPoints(bg, wallet.EarnPoints{Member: 1, Reference: "past", Points: 1, ExpiresDay: 20260301}), fault.Invalid)
		want(s.EarnPoints(bg, wallet.EarnPoints{Member: 1, Reference: "odd", Points: 1, ExpiresDay: 20260230}), fault.Invalid)

		// What expires first is taken first.
		for range 2 {
			want(s.FreezePoints(bg, order("a", 70)), nil)
		}
		wantLots(t, db, 1, [3]int64{20260303, 0, 50}, [3]int64{20260401, 80, 20})
		want(s.FreezePoints(bg, order("a", 71)), wallet.ErrPointsReused)
		// Somebody else's order: neither taken for his own nor ended by him.
		for _, do := range []func(context.Context, wallet.OrderPoints) error{s.FreezePoints, s.SpendPoints, s.UnfreezePoints} {
			want(do(bg, wallet.OrderPoints{Member: 2, OrderRef: "a", Points: 70}), wallet.ErrPointsReused)
			want(do(bg, wallet.OrderPoints{Member: 2, OrderRef: "a"}), wallet.ErrPointsReused)
		}
		want(s.FreezePoints(bg, order("b", 81)), wallet.ErrPointsShort)
		want(s.SpendPoints(bg, order("b", 81)), wallet.ErrPointsShort)
		wantLots(t, db, 1, [3]int64{20260303, 0, 50}, [3]int64{20260401, 80, 20})

		// Unfrozen they go back to where they came from.
		for range 2 {
			want(s.UnfreezePoints(bg, order("a", 0)), nil)
		}
		wantLots(t, db, 1, [3]int64{20260303, 50, 0}, [3]int64{20260401, 100, 0})
		want(s.SpendPoints(bg, order("a", 0)), wallet.ErrPointsState)
		want(s.UnfreezePoints(bg, order("c", 0)), wallet.ErrPointsOrder)

		// Frozen then spent, and spent at once.
		want(s.FreezePoints(bg, order("d", 60)), nil)
		for range 2 {
			want(s.SpendPoints(bg, order("d", 60)), nil)
			want(s.SpendPoints(bg, order("e", 40)), nil)
		}
		wantLots(t, db, 1, [3]int64{20260401, 50, 0})
		want(s.UnfreezePoints(bg, order("d", 0)), wallet.ErrPointsState)

		// Refunds go back to the original lots, the longest lasting first.
		back := wallet.RefundPoints{Member: 1, OrderRef: "d", RefundNo: "r1", Points: 15}
		for range 2 {
			want(s.RefundPoints(bg, back), nil)
		}
		wantLots(t, db, 1, [3]int64{20260303, 5, 0}, [3]int64{20260401, 60, 0})
		back.RefundNo, back.Points = "r2", 46
		want(s.RefundPoints(bg, back), wallet.ErrPointsOverback)

		// After its last day a lot counts no more, whether the task ran or not.
		want(s.FreezePoints(bg, order("f", 10)), nil)
		db.Clock.Jump(2 * 24 * time.Hour)
		wantLots(t, db, 1, [3]int64{20260303, 0, 5}, [3]int64{20260401, 55, 5})
		back.Points = 45
		want(s.RefundPoints(bg, back), nil) // into an expired lot
		wantLots(t, db, 1, [3]int64{20260303, 0, 5}, [3]int64{20260401, 55, 5})
		for range 2 {
			want(s.ExpirePoints(bg), nil)
			want(s.UnfreezePoints(bg, order("f", 0)), nil) // it expires too
		}
		wantLots(t, db, 1, [3]int64{20260401, 60, 0})
		want(s.SpendPoints(bg, order("g", 61)), wallet.ErrPointsShort)
	})
}

// TestLastDayOfPoints: on the day they expire points are seen, spent and earned
// still, and a look at what has expired leaves them; at midnight in Shanghai
// they are gone.
func TestLastDayOfPoints(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &wallet.Service{DB: db}
		for day, want := range map[int]error{20260302: nil, 20360302: nil, 20360303: fault.Invalid} {
			err := s.EarnPoints(bg, wallet.EarnPoints{Member: 2, Reference: fmt.Sprint(day), Points: 1, ExpiresDay: day})
			if !errors.Is(err, want) {
				t.Errorf("expiring on %d: got %v, want %v", day, err, want)
			}
		}
		earn(t, db, 1, "today", 10, 20260302)
		if err := s.ExpirePoints(bg); err != nil {
			t.Fatal(err)
		}
		wantLots(t, db, 1, [3]int64{20260302, 10, 0})
		db.Clock.Jump(time.Date(2026, 3, 2, 16, 0, 0, 0, time.UTC).Sub(db.Clock.Now()) - time.Millisecond)
		if err := s.FreezePoints(bg, wallet.OrderPoints{Member: 1, OrderRef: "held", Points: 4}); err != nil {
			t.Fatal(err)
		}
		if err := s.RefundPoints(bg, wallet.RefundPoints{Member: 1, OrderRef: "held", RefundNo: "r", Points: 1}); !errors.Is(err, wallet.ErrPointsState) {
			t.Errorf("a refund of what was not spent: got %v", err)
		}
		wantLots(t, db, 1, [3]int64{20260302, 6, 4})
		db.Clock.Jump(time.Millisecond)
		wantLots(t, db, 1, [3]int64{20260302, 0, 4})
		if err := s.SpendPoints(bg, wallet.OrderPoints{Member: 1, OrderRef: "late", Points: 1}); !errors.Is(err, wallet.ErrPointsShort) {
			t.Errorf("spent at midnight: got %v", err)
		}
	})
}

func TestMergePoints(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &wallet.Service{DB: db}
		earn(t, db, 1, "a", 100, 20260401)
		earn(t, db, 1, "b", 10, 20260501)
		earn(t, db, 2, "c", 5, 20260401)
		for ref, n := range map[string]money.Amount{"spent": 40, "held": 20} {
			if err := s.FreezePoints(bg, wallet.OrderPoints{Member: 1, OrderRef: ref, Points: n}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.SpendPoints(bg, wallet.OrderPoints{Member: 1, OrderRef: "spent"}); err != nil {
			t.Fatal(err)
		}
		merge(t, db, 1, 2)
		wantLots(t, db, 2, [3]int64{20260401, 45, 20}, [3]int64{20260501, 10, 0})
		earn(t, db, 1, "a", 100, 20260401) // told again for the old id
		earn(t, db, 1, "d", 1, 20260501)
		if err := s.UnfreezePoints(bg, wallet.OrderPoints{Member: 1, OrderRef: "held"}); err != nil {
			t.Error(err)
		}
		if err := s.RefundPoints(bg, wallet.RefundPoints{Member: 2, OrderRef: "spent", RefundNo: "r", Points: 40}); err != nil {
			t.Error(err)
		}
		wantLots(t, db, 2, [3]int64{20260401, 105, 0}, [3]int64{20260501, 11, 0})
		wantLots(t, db, 1)
	})
}

// TestPointsUnderLoad spends one member's points by 64 orders at once: they
// end exactly at zero, and go below when nothing holds them.
func TestPointsUnderLoad(t *testing.T) {
	spend := func(t *testing.T, db *database.DB) (granted int) {
		t.Helper()
		s := &wallet.Service{DB: db}
		earn(t, db, 1, "a", 30, 20260401)
		earn(t, db, 1, "b", 20, 20260501)
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				take := s.SpendPoints
				if i%2 == 0 {
					take = s.FreezePoints
				}
				err := take(bg, wallet.OrderPoints{Member: 1, OrderRef: fmt.Sprintf("o%d", i), Points: 5})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					granted++
				case !errors.Is(err, wallet.ErrPointsShort) && !errors.Is(err, wallet.ErrInsufficient):
					t.Errorf("spend: %v", err)
				}
			})
		}
		all.Wait()
		return granted
	}
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		if got := spend(t, db); got != 10 {
			t.Errorf("granted %d, want 10", got)
		}
		if got, err := (&wallet.Service{DB: db}).MemberPoints(bg, 1); err != nil || got.Available != 0 {
			t.Errorf("got %+v, %v", got, err)
		}
		provenPoints(t, db)
	})
	for _, engine := range dbtest.Engines {
		t.Run(engine+"/breaks without its locks", func(t *testing.T) {
			for range 20 {
				if spend(t, dbtest.Unlocked(t, engine)) > 10 {
					return
				}
			}
			t.Error("the balance held without locks: the test cannot fail")
		})
	}
}

// TestPointsMergedWhenUsedUp merges a member whose points are all spent or set
// aside into one who never had any.
func TestPointsMergedWhenUsedUp(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &wallet.Service{DB: db}
		for one, use := range map[id.Member]func(context.Context, wallet.OrderPoints) error{1: s.SpendPoints, 3: s.FreezePoints} {
			earn(t, db, one, one.String(), 5, 20260401)
			if err := use(bg, wallet.OrderPoints{Member: one, OrderRef: one.String(), Points: 5}); err != nil {
				t.Fatal(err)
			}
			if err := db.Tx(bg, func(tx *database.Tx) error { _, err := wallet.MergeTx(tx, one, one+1); return err }); err != nil {
				t.Fatal(err)
			}
		}
		provenPoints(t, db)
	})
}

// TestVerifyPoints breaks each part of the proof by hand.
func TestVerifyPoints(t *testing.T) {
	for name, sql := range map[string]string{
		"a lot with more than its account": "UPDATE point_lots SET left_qty = left_qty + 1",
		"frozen by nobody":                 "UPDATE point_orders SET status = 'released'",
		"a use that is gone":               "DELETE FROM point_uses",
		"given back by half":               "UPDATE point_orders SET back_qty = 1",
		"a lot without an account":         "UPDATE point_lots SET member_id = 99",
		"no account of what is left":       "DELETE FROM accounts WHERE stage = 'points'",
		"no account of what is set aside":  "DELETE FROM accounts WHERE stage = 'frozen'",
		"more set aside than in lots":      "UPDATE accounts SET balance = balance + 1 WHERE stage = 'frozen'",
		"spent for nobody":                 "UPDATE point_lots SET spent_qty = 1",
		"an order of more than its uses":   "UPDATE point_orders SET qty = qty + 1",
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Run(t, func(t *testing.T, db *database.DB) {
				earn(t, db, 1, "a", 30, 20260401)
				if err := (&wallet.Service{DB: db}).FreezePoints(bg, wallet.OrderPoints{Member: 1, OrderRef: "o", Points: 5}); err != nil {
					t.Fatal(err)
				}
				provenPoints(t, db)
				if err := db.Tx(bg, func(tx *database.Tx) error { return tx.Exec(sql).Error }); err != nil {
					t.Fatal(err)
				}
				proofs, err := wallet.VerifyPoints(bg, db)
				if err != nil || len(proofs[0].Broken) == 0 {
					t.Errorf("got %+v, %v", proofs, err)
				}
			})
		})
	}
}

// TestPointsProperty moves points at random, repeats, refusals, merges and
// passing days included, and proves the books after each story.
func TestPointsProperty(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &wallet.Service{DB: db}
		round := 0
		rapid.Check(t, func(rt *rapid.T) {
			round++
			today := clock.Day(db.Clock.Now(), time.UTC)
			one, two := id.Member(round*10), id.Member(round*10+1)
			for range rapid.IntRange(1, 8).Draw(rt, "moves") {
				m := rapid.SampledFrom([]id.Member{one, two}).Draw(rt, "member")
				n := money.Amount(rapid.IntRange(1, 9).Draw(rt, "points"))
				ref := fmt.Sprintf("%d-%d", round, rapid.IntRange(1, 3).Draw(rt, "reference"))
				in := wallet.OrderPoints{Member: m, OrderRef: ref, Points: n}
				var err error
				switch rapid.IntRange(0, 7).Draw(rt, "move") {
				case 0, 1:
					err = s.EarnPoints(bg, wallet.EarnPoints{Member: m, Reference: ref, Points: n, ExpiresDay: today + 1 + int(n)%2*100})
				case 2:
					err = s.FreezePoints(bg, in)
				case 3:
					err = s.SpendPoints(bg, in)
				case 4:
					err = s.UnfreezePoints(bg, wallet.OrderPoints{Member: m, OrderRef: ref})
				case 5:
					err = s.RefundPoints(bg, wallet.RefundPoints{Member: m, OrderRef: ref, RefundNo: ref + fmt.Sprint(n), Points: n})
				case 6:
					err = db.Tx(bg, func(tx *database.Tx) error { _, err := wallet.MergeTx(tx, one, two); return err })
				case 7:
					err = s.ExpirePoints(bg)
				}
				if _, refused := fault.As(err); err != nil && !refused {
					rt.Fatalf("move: %v", err)
				}
			}
			p, err := s.MemberPoints(bg, two)
			if err != nil || p.Available < 0 || p.Frozen < 0 {
				rt.Fatalf("got %+v, %v", p, err)
			}
		})
		db.Clock.Jump(365 * 24 * time.Hour)
		if err := s.ExpirePoints(bg); err != nil {
			t.Fatal(err)
		}
		provenPoints(t, db)
	})
}
