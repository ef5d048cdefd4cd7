package campaign

import (
	"errors"
	"testing"
	"time"

	"siyu/internal/clock"
	"siyu/internal/money"
)

func TestAffordable(t *testing.T) {
	for _, tc := range []struct {
		name           string
		amount         money.Amount
		rate           money.Bps
		coupon, points money.Amount
		want           error
	}{
		{"a coupon alone", 1000, 0, 999, 0, nil},
		{"a coupon of everything", 1000, 0, 1000, 0, ErrNothingToPay},
		{"points up to the part", 1000, 3000, 0, 300, nil},
		{"points beyond the part", 1000, 3000, 0, 301, ErrPointsLimit},
		{"the part is floored", 999, 3333, 0, 333, ErrPointsLimit},
		{"all by points", 1000, 10_000, 0, 1000, ErrNothingToPay},
		{"one fen is left", 1000, 10_000, 500, 499, nil},
		{"both take all", 1000, 10_000, 500, 500, ErrNothingToPay},
	} {
		if err := affordable(tc.amount, tc.rate, tc.coupon, tc.points); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", tc.name, err, tc.want)
		}
	}
}

func TestBurn(t *testing.T) {
	const now = clock.Milli(1_800_000_000_000)
	hours := func(n int64) clock.Milli { return clock.Milli(n * time.Hour.Milliseconds()) }
	for _, tc := range []struct {
		name       string
		left, used money.Amount
		window     clock.Milli
		rate       money.Amount
		at         clock.Milli
	}{
		{"half in six hours", 600, 600, hours(6), 100, now + hours(6)},
		{"nothing used", 600, 0, hours(6), 0, 0},
		{"more came back than went", 600, -5, hours(6), 0, 0},
		{"all used", 0, 600, hours(6), 100, now},
		{"a slow drip is floored", 10, 1, hours(6), 0, now + hours(60)},
		{"it began this moment", 100, 100, 0, 6000, now + 60_000},
		{"farther than a forecast goes", 1_000_000_000_000, 1, hours(6), 0, now + clock.Milli(forecastMost)},
	} {
		if rate, at := burn(tc.left, tc.used, now-tc.window, now); rate != tc.rate || at != tc.at {
			t.Errorf("%s: got %d an hour until %d, want %d until %d", tc.name, rate, at-now, tc.rate, tc.at-now)
		}
	}
}

func TestPartOf(t *testing.T) {
	for refunded, want := range map[money.Amount]money.Amount{0: 0, 1: 0, 2: 1, 9: 6, 10: 7} {
		if got := partOf(7, Order{Goods: 10, RefundedGoods: refunded}); got != want {
			t.Errorf("%d of 10 refunded: got %d of 7, want %d", refunded, got, want)
		}
	}
}
