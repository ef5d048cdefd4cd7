package wallet_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/wallet"
)

func codesOf(t *testing.T, db *database.DB, c id.Coupon, n int) []string {
	t.Helper()
	_, codes, err := (&wallet.Service{DB: db}).MakeCodes(bg, c, wallet.CodesIn{Qty: n})
	if err != nil || len(codes) != n {
		t.Fatalf("got %d codes, %v", len(codes), err)
	}
	return codes
}

func TestCodes(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &wallet.Service{DB: db}
		c := coupon(t, db, func(in *wallet.CouponIn) { in.Claimable, in.PerMember = false, 2 })
		batch, codes, err := s.MakeCodes(bg, c, wallet.CodesIn{Qty: 500})
		if err != nil {
			t.Fatal(err)
		}
		typed := strings.ToLower(strings.ReplaceAll(codes[0], "-", "　"))
		typed = strings.ReplaceAll(strings.ReplaceAll(typed, "1", "l"), "0", "o")
		first, err := s.UseCode(bg, typed, 1)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := s.UseCode(bg, codes[0], 1); err != nil || again != first {
			t.Errorf("again: got %s, %v; want %s", again, err, first)
		}
		if _, err := s.UseCode(bg, codes[0], 2); !errors.Is(err, wallet.ErrCodeUsed) {
			t.Errorf("by another: got %v", err)
		}
		wrong := codes[1][:18] + string(codes[1][18]^1)
		for _, bad := range []string{"", wrong, codes[1] + "0", "ABCD-EFGH-JKMN-PQRS", strings.Repeat("é", 16)} {
			if _, err := s.UseCode(bg, bad, 1); !errors.Is(err, wallet.ErrCodeUnknown) {
				t.Errorf("%q: got %v", bad, err)
			}
		}
		if _, err := s.UseCode(bg, codes[1], 1); err != nil {
			t.Error(err)
		}
		t.Run("a refusal leaves the code unused", func(t *testing.T) {
			if _, err := s.UseCode(bg, codes[2], 1); !errors.Is(err, wallet.ErrCouponLimit) {
				t.Errorf("got %v", err)
			}
			if _, err := s.UseCode(bg, codes[2], 3); err != nil {
				t.Error(err)
			}
		})
		t.Run("after a merge he still finds what it gave", func(t *testing.T) {
			merge(t, db, 1, 2)
			if again, err := s.UseCode(bg, codes[0], 1); err != nil || again != first {
				t.Errorf("got %s, %v", again, err)
			}
		})
		t.Run("outside the window it gives nothing", func(t *testing.T) {
			shut := coupon(t, db, func(in *wallet.CouponIn) { in.ClaimUntil = clock.MilliOf(db.Clock.Now()) })
			if _, err := s.UseCode(bg, codesOf(t, db, shut, 1)[0], 1); !errors.Is(err, wallet.ErrCouponWindow) {
				t.Errorf("got %v", err)
			}
		})
		if b, err := s.FindBatch(bg, batch); err != nil || b.Used != 3 || b.Qty != 500 {
			t.Errorf("got %+v, %v", b, err)
		}
		provenCoupons(t, db)
	})
}

// TestCodeOnce has 64 members use one code at once.
func TestCodeOnce(t *testing.T) {
	use := func(t *testing.T, db *database.DB) (granted int) {
		t.Helper()
		s := &wallet.Service{DB: db}
		code := codesOf(t, db, coupon(t, db), 1)[0]
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				_, err := s.UseCode(bg, code, id.Member(i+1))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					granted++
				case !errors.Is(err, wallet.ErrCodeUsed) && !database.IsDuplicate(err):
					t.Errorf("use: %v", err)
				}
			})
		}
		all.Wait()
		return granted
	}
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		if got := use(t, db); got != 1 {
			t.Errorf("used %d times", got)
		}
		provenCoupons(t, db)
	})
	for _, engine := range dbtest.Engines {
		t.Run(engine+"/breaks without its locks", func(t *testing.T) {
			for range 20 {
				if use(t, dbtest.Unlocked(t, engine, "coupon_code_uses.coupon_code_uses_code", "member_coupons.member_coupons_stock")) > 1 {
					return
				}
			}
			t.Error("it was used once without locks: the test cannot fail")
		})
	}
}
