package database_test

import (
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

func TestBusy(t *testing.T) {
	for _, c := range []struct {
		commits int64
		since   time.Duration
		want    bool
	}{
		{0, time.Second, false}, {25, time.Second, false}, {26, time.Second, true},
		{5, 200 * time.Millisecond, false}, {6, 200 * time.Millisecond, true},
		{1000, time.Hour, false}, {0, 0, false},
	} {
		if got := database.Busy(c.commits, c.since); got != c.want {
			t.Errorf("%d commits in %s: got %t", c.commits, c.since, got)
		}
	}
}

// Work that gives way hears of what others commit, and not of its own commits.
func TestPace(t *testing.T) {
	url := dbtest.URL(t, "mariadb")
	other, db := leased(t, url, 1), leased(t, url, 2)
	commit := func(by *database.DB, n int) {
		t.Helper()
		for range n {
			if err := by.MarkNow(bg); err != nil {
				t.Fatal(err)
			}
		}
	}
	pace := db.Pace()
	if pace.SeesBusy(bg, 0) {
		t.Error("busy at the first look, which has nothing to compare with")
	}
	commit(other, 20)
	if !pace.SeesBusy(bg, 0) {
		t.Error("20 commits in 200 ms, and not busy")
	}
	commit(db, 20)
	if pace.SeesBusy(bg, 20) {
		t.Error("busy by its own 20 commits")
	}
	commit(other, 20)
	commit(db, 20)
	if !pace.SeesBusy(bg, 20) {
		t.Error("20 commits of others beside its own, and not busy")
	}
}

// A snapshot of a handle that gives way still reads, and a pace that never
// rests takes no time.
func TestGiveWay(t *testing.T) {
	db := leased(t, dbtest.URL(t, "mariadb"), 2)
	db.GiveWay()
	began := time.Now()
	(*database.Pace)(nil).Rest(bg, time.Minute, 0)
	if took := time.Since(began); took > time.Second {
		t.Errorf("no pace, and a rest of %s", took)
	}
	if err := db.MarkNow(bg); err != nil {
		t.Fatal(err)
	}
	var n int
	err := db.Snapshot(bg, func(q *database.Query) error { return q.Raw("SELECT COUNT(*) FROM store_clock").Scan(&n).Error })
	if err != nil || n != 1 {
		t.Errorf("read %d, %v", n, err)
	}
}
