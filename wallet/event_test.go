package wallet_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/wallet"
)

// TestEvents moves coupons and points with somebody listening; what is told
// again, or runs out long before, is not.
func TestEvents(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &wallet.Service{DB: db}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		old := coupon(t, db, func(in *wallet.CouponIn) { in.ValidDays = 1 })
		issued(t, db, old, 1, "unheard")
		must(db.Tx(t.Context(), func(tx *database.Tx) error {
			return tx.Exec("INSERT INTO webhooks (id, unit_id, url, events, secret, status, version, created_at) VALUES (?, 0, 'https://mall.example', '*', '', 'active', 1, ?)", tx.Next(), tx.Now).Error
		}))
		c := coupon(t, db, func(in *wallet.CouponIn) { in.ValidDays = 1 })
		end := clock.MilliOf(db.Clock.Now()).Add(time.Hour)
		fixed := coupon(t, db, func(in *wallet.CouponIn) { in.ValidDays, in.ValidUntil = 0, end })
		used := issued(t, db, c, 1, "r1")
		issued(t, db, c, 1, "r1")
		issued(t, db, c, 2, "r2")
		issued(t, db, fixed, 3, "r3")
		use := wallet.Redeem{Coupon: used, OrderRef: "o1", Lines: []wallet.Line{{SKU: "a", Amount: 10000}}}
		for range 2 {
			_, err := s.RedeemCoupon(t.Context(), use)
			must(err)
		}
		for range 2 {
			_, err := s.ReturnCoupon(t.Context(), used, "o1")
			must(err)
		}
		today := clock.Day(db.Clock.Now(), time.UTC)
		for range 2 {
			must(s.EarnPoints(t.Context(), wallet.EarnPoints{Member: 1, Reference: "e1", Points: 100, ExpiresDay: today + 1}))
			must(s.SpendPoints(t.Context(), wallet.OrderPoints{Member: 1, OrderRef: "p1", Points: 30}))
			must(s.RefundPoints(t.Context(), wallet.RefundPoints{Member: 1, OrderRef: "p1", RefundNo: "b1", Points: 10}))
		}
		must(s.FreezePoints(t.Context(), wallet.OrderPoints{Member: 1, OrderRef: "p2", Points: 5}))
		must(s.SpendPoints(t.Context(), wallet.OrderPoints{Member: 1, OrderRef: "p2"}))
		db.Clock.Jump(2 * time.Hour)
		must(s.TellExpiredCoupons(t.Context()))
		db.Clock.Jump(70 * time.Hour)
		for range 2 {
			must(s.TellExpiredCoupons(t.Context()))
			must(s.ExpirePoints(t.Context()))
		}
		var types []string
		must(db.Read(t.Context()).Raw("SELECT type FROM events").Scan(&types).Error)
		got := map[string]int{}
		for _, e := range types {
			got[e]++
		}
		want := map[string]int{
			"coupon.issued": 3, "coupon.used": 1, "coupon.returned": 1, "coupon.expired": 4,
			"points.earned": 1, "points.spent": 2, "points.refunded": 1, "points.expired": 1,
		}
		if !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		provenCoupons(t, db)
	})
}

// TestToldWhenItRunsOut: a coupon is told as expired at the first moment at
// which it cannot be used, with the end it had, by days or by date; one that was
// taken back is not.
func TestToldWhenItRunsOut(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &wallet.Service{DB: db}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(db.Tx(bg, func(tx *database.Tx) error {
			return tx.Exec("INSERT INTO webhooks (id, unit_id, url, events, secret, status, version, created_at) VALUES (?, 0, 'https://mall.example', 'coupon.expired', '', 'active', 1, ?)", tx.Next(), tx.Now).Error
		}))
		until := clock.MilliOf(time.Date(2026, 3, 3, 16, 0, 0, 0, time.UTC))
		days := coupon(t, db, func(in *wallet.CouponIn) { in.ValidDays = 1 })
		dated := coupon(t, db, func(in *wallet.CouponIn) { in.ValidDays, in.ValidUntil = 0, until })
		for _, c := range []id.Coupon{days, dated} {
			issued(t, db, c, 1, "kept")
			issued(t, db, c, 1, "taken back")
			must(db.Tx(bg, func(tx *database.Tx) error {
				_, err := wallet.WithdrawTx(tx, wallet.Issue{Coupon: c, Member: 1, SourceKind: "reward", SourceID: "taken back"})
				return err
			}))
		}
		told := func() (ends []clock.Milli) {
			t.Helper()
			must(s.TellExpiredCoupons(bg))
			var list []string
			must(db.Read(bg).Raw("SELECT payload FROM events WHERE type = 'coupon.expired'").Scan(&list).Error)
			for _, text := range list {
				var e struct {
					ValidUntil clock.Milli `json:"valid_until"`
				}
				must(json.Unmarshal([]byte(text), &e))
				ends = append(ends, e.ValidUntil)
			}
			return ends
		}
		db.Clock.Jump(until.Time().Sub(db.Clock.Now()) - time.Millisecond)
		if got := told(); len(got) != 0 {
			t.Errorf("while it can be used: %v", got)
		}
		db.Clock.Jump(time.Millisecond)
		if got := told(); !slices.Equal(got, []clock.Milli{until, until}) {
			t.Errorf("got %v, want the two that were kept, until %v", got, until)
		}
	})
}
