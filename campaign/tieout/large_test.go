package tieout_test

import (
	"fmt"
	"testing"
	"time"

	"siyu/campaign/tieout"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// TestALargeDay: a day of more payments than a step takes, all of one millisecond,
// is taken whole, and each once.
func TestALargeDay(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		d := newDesk(t, db, 1)
		const more = 1100
		d.must(db.Tx(t.Context(), func(tx *database.Tx) error {
			for n := range more {
				err := tx.Exec(`INSERT INTO payments (id, provider, payment_no, order_id, goods, freight, discount, points, amount, paid_at, noted_at)
					SELECT ?, provider, ?, order_id, goods, freight, discount, points, amount, paid_at, noted_at FROM payments WHERE payment_no = 'pay-1'`,
					tx.Next(), fmt.Sprintf("more-%d", n)).Error
				if err != nil {
					return err
				}
			}
			return nil
		}))
		tid := d.begin(d.day)
		d.over()
		d.mall(tid)
		d.paper(tid)
		x, _ := d.run(tid)
		if x.Taken != more+1 || x.Matched != more+1 || x.Differences != more+1 {
			t.Errorf("taken %d, judged %d, differ %d; want %d of each", x.Taken, x.Matched, x.Differences, more+1)
		}
		if b := d.broken(); len(b) != 0 {
			t.Error(b)
		}
	})
}

// TestWhatCostNothing: the mall may list what was bought for nothing, and less
// than nothing is refused by its line.
func TestWhatCostNothing(t *testing.T) {
	at := clock.MilliOf(time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC))
	line := tieout.MallLine{Kind: tieout.KindPayment, No: "free-1", At: at}
	if lines, err := tieout.MallLines([]tieout.MallLine{line}, 20260301); err != nil || len(lines) != 1 {
		t.Errorf("nothing: %v, %v", lines, err)
	}
	line.Amount = -1
	if _, err := tieout.MallLines([]tieout.MallLine{line}, 20260301); err == nil {
		t.Error("less than nothing was taken")
	}
}
