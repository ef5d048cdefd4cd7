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

// A handle that gives way hears of what others commit, and a snapshot of it
// still reads.
func TestGiveWay(t *testing.T) {
	url := dbtest.URL(t, "mariadb")
	other, db := leased(t, url, 1), leased(t, url, 2)
	db.GiveWay()
	if db.SeesBusy(bg) {
		t.Error("busy at the first look, which has nothing to compare with")
	}
	for range 20 {
		if err := other.MarkNow(bg); err != nil {
			t.Fatal(err)
		}
	}
	if !db.SeesBusy(bg) {
		t.Error("20 commits in 200 ms, and not busy")
	}
	var n int
	err := db.Snapshot(bg, func(q *database.Query) error { return q.Raw("SELECT COUNT(*) FROM store_clock").Scan(&n).Error })
	if err != nil || n != 1 {
		t.Errorf("read %d, %v", n, err)
	}
}
