package tieout_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/campaign/tieout"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// TestMain lets another process work a run.
func TestMain(m *testing.M) {
	dbtest.Main(m, func(ctx context.Context, db *database.DB, words []string) error {
		var tid id.TieOut
		var run int
		if _, err := fmt.Sscan(words[0]+" "+words[1], (*int64)(&tid), &run); err != nil {
			return err
		}
		return (&tieout.Service{DB: db}).Work(ctx, tid, run)
	})
}

// TestRunKilled kills a run at every step of it, once before each is committed
// and once after; it says what a run says that nothing disturbed.
func TestRunKilled(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			url := dbtest.URL(t, engine)
			db := dbtest.At(t, url)
			d := newDesk(t, db, 3)
			tid := d.begin(d.day)
			d.over()
			mall, paper := []string{"payment pay-1 9900", "payment pay-2 9000"}, []string{"payment pay-1 9900", "other 1 7"}
			for i := range 603 {
				mall = append(mall, fmt.Sprintf("payment own-%04d 100", i))
				if i%9 != 0 {
					paper = append(paper, fmt.Sprintf("payment own-%04d 100", i))
				}
			}
			d.mall(tid, mall...)
			d.paper(tid, paper...)
			want, differ := d.run(tid)
			// Each process dies in the first step after the one it could end, or
			// after the first.
			for _, point := range []string{"tieout:step:2", "tieout:stepped:1"} {
				d.must(d.Start(as(1), tid))
				run, kills := fmt.Sprint(d.find(tid).Run), 0
				for dbtest.Killed(t, dbtest.Child(t, url, point, db.Clock.Now(), fmt.Sprint(int64(tid)), run)) {
					kills++
				}
				if kills < 8 { // as many as there are phases, or more
					t.Errorf("%s killed the run %d times", point, kills)
				}
				x, got := d.result(tid)
				if diff := cmp.Diff(differ, got); diff != "" || x.Status != want.Status || x.Taken != want.Taken || x.Matched != want.Matched || x.Differences != want.Differences {
					t.Errorf("%s: got %+v, want %+v %s", point, x, want, diff)
				}
				if diff := cmp.Diff(want.Totals, x.Totals); diff != "" {
					t.Errorf("%s: %s", point, diff)
				}
				if b := d.broken(); len(b) != 0 {
					t.Error(b)
				}
			}
		})
	}
}

func (d *desk) find(tid id.TieOut) tieout.TieOut {
	d.t.Helper()
	x, err := d.Find(as(1), tid)
	d.must(err)
	return x
}

// TestOneDayOnce: however many begin a payer's day at once, there is one
// tie-out of it; without its key and locks there are more.
func TestOneDayOnce(t *testing.T) {
	const day, hands = 20260302, 16
	// begun begins the days from the first one on and gives the most tie-outs
	// that one of them has.
	begun := func(t *testing.T, db *database.DB, tries int) int {
		s := &tieout.Service{DB: db}
		if _, err := s.Open(as(1), tieout.OpenIn{Day: day - 1}); err != nil { // makes the default payer
			t.Fatal(err)
		}
		for range tries {
			var all sync.WaitGroup
			start, errs := make(chan struct{}), make([]error, hands)
			for i := range hands {
				all.Go(func() {
					<-start
					_, errs[i] = s.Open(as(1), tieout.OpenIn{Day: day})
				})
			}
			close(start)
			all.Wait()
			for _, err := range errs {
				if err != nil {
					t.Fatal(err)
				}
			}
			var n int
			if err := db.Read(context.Background()).Raw("SELECT COUNT(*) FROM tieouts WHERE day_no = ?", day).Scan(&n).Error; err != nil {
				t.Fatal(err)
			}
			if n != 1 {
				return n
			}
			if err := db.Tx(context.Background(), func(tx *database.Tx) error { return tx.Exec("DELETE FROM tieouts WHERE day_no = ?", day).Error }); err != nil {
				t.Fatal(err)
			}
		}
		return 1
	}
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			if n := begun(t, dbtest.At(t, dbtest.URL(t, engine)), 3); n != 1 {
				t.Errorf("the day has %d tie-outs", n)
			}
			if n := begun(t, dbtest.Unlocked(t, engine, "tieouts.tieouts_day"), 20); n == 1 {
				t.Error("without key and locks the day still has one: the load proves nothing")
			}
		})
	}
}
