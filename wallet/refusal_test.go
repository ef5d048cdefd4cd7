package wallet_test

import (
	"errors"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/wallet"
)

// A refused issue leaves nothing behind in a transaction that goes on, as one
// that clears rewards does: a coupon refused by the day's limit is not counted
// as issued, nor by the limits before that one.
func TestRefusedIssueWritesNothing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		for name, x := range map[string]struct {
			change  func(*wallet.CouponIn)
			refusal *fault.Fault
		}{
			"the stock":  {func(in *wallet.CouponIn) { in.Total = 1 }, wallet.ErrCouponGone},
			"the member": {func(in *wallet.CouponIn) { in.PerMember = 1 }, wallet.ErrCouponLimit},
			"the day":    {func(in *wallet.CouponIn) { in.PerMember, in.PerDay = 5, 1 }, wallet.ErrCouponDay},
		} {
			t.Run(name, func(t *testing.T) {
				c := coupon(t, db, x.change)
				issued(t, db, c, 1, "first")
				err := db.Tx(bg, func(tx *database.Tx) error {
					if _, err := wallet.IssueTx(tx, wallet.Issue{Coupon: c, Member: 1, SourceKind: "reward", SourceID: "second"}); !errors.Is(err, x.refusal) {
						t.Errorf("got %v, want %v", err, x.refusal)
					}
					return nil // the caller goes on
				})
				if err != nil {
					t.Fatal(err)
				}
				got, err := (&wallet.Service{DB: db}).FindCoupon(bg, c)
				if err != nil || got.Issued != 1 {
					t.Errorf("issued: got %d, %v", got.Issued, err)
				}
				var counted int
				if err := db.Read(bg).Raw("SELECT COALESCE(SUM(qty), 0) FROM coupon_counts WHERE coupon_id = ?", c).Scan(&counted).Error; err != nil || counted > 2 { // ever and the day
					t.Errorf("counted %d, %v", counted, err)
				}
			})
		}
		proofs, err := wallet.VerifyCoupons(bg, db)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range proofs {
			for _, b := range p.Broken {
				t.Errorf("%s: %s", p.ID, b)
			}
		}
	})
}
