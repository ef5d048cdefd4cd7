package tieout_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/campaign/tieout"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// TestAReasonIsOfWhatItExplained: a difference of the same sort whose sums or
// whose other day changed is another one, and wants a reason of its own.
func TestAReasonIsOfWhatItExplained(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		d := newDesk(t, db, 1)
		day := func(n int) int {
			return clock.Day(d.from.Add(time.Duration(n)*24*time.Hour).Time(), time.FixedZone("", 8*3600))
		}
		d.over()
		d.over()
		before, tid, after := d.begin(day(-1)), d.begin(d.day), d.begin(day(1))
		run := 0
		says := func(want string) {
			t.Helper()
			run++
			if x, got := d.run(tid); !cmp.Equal(got, []string{want}) || x.Open != 1 {
				t.Errorf("run %d: got %v with %d open, want %q", run, got, x.Open, want)
			}
			d.must(d.Explain(as(1), tid, tieout.ExplainIn{Run: run, Numbers: []int{1}, Reason: "已核"}))
		}
		for _, c := range []struct{ mall, paper, want string }{
			{"payment lost-1 900", "payment lost-1 900", "no_siyu payment lost-1 900/0/900"},
			{"payment lost-1 900", "payment lost-1 950", "no_siyu payment lost-1 900/0/950"},
			{"payment lost-1 901", "payment lost-1 950", "no_siyu payment lost-1 901/0/950"},
		} {
			d.mall(tid, "payment pay-1 9900", c.mall)
			d.paper(tid, "payment pay-1 9900", c.paper)
			says(c.want)
		}
		d.mall(tid, "payment pay-1 9900")
		d.paper(tid)
		d.paper(before, "payment pay-1 9900")
		says("day_differs payment pay-1 9900/9900/0 other day")
		d.paper(before)
		d.paper(after, "payment pay-1 9900")
		says("day_differs payment pay-1 9900/9900/0 other day")
	})
}

// TestWhoExplainedOneApprovesNone: a sort explained at once leaves the reasons
// that stand, and nobody approves a day of which he explained anything.
func TestWhoExplainedOneApprovesNone(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		d := newDesk(t, db, 3)
		tid := d.begin(d.day)
		d.mall(tid)
		d.paper(tid, "payment pay-1 9900", "payment pay-2 9900", "payment pay-3 9900")
		until := d.from.Add(24 * time.Hour).Time()
		db.Clock.Jump(until.Sub(db.Clock.Now()) - time.Millisecond)
		d.refuses(d.Start(as(1), tid), tieout.ErrNotOver)
		db.Clock.Jump(time.Millisecond)
		d.run(tid) // its last moment is over
		d.must(d.Explain(as(1), tid, tieout.ExplainIn{Run: 1, Numbers: []int{2}, Reason: "补报"}))
		d.must(d.Explain(as(2), tid, tieout.ExplainIn{Run: 1, Sort: tieout.NoMall, Reason: "漏报"}))
		want := []string{"no_mall payment pay-1 0/9900/9900 漏报", "no_mall payment pay-2 0/9900/9900 补报", "no_mall payment pay-3 0/9900/9900 漏报"}
		if x, got := d.result(tid); !cmp.Equal(want, got) || x.Open != 0 {
			t.Errorf("explained: %s, %d open", cmp.Diff(want, got), x.Open)
		}
		d.refuses(d.Approve(as(1), tid, tieout.ApproveIn{Run: 1}), tieout.ErrSame)
		d.refuses(d.Approve(as(2), tid, tieout.ApproveIn{Run: 1}), tieout.ErrSame)
		d.must(d.Approve(as(3), tid, tieout.ApproveIn{Run: 1}))
	})
}
