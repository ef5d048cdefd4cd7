package database_test

import (
	"testing"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

func TestPages(t *testing.T) {
	self := func(n int64) int64 { return n }
	fetch := func(p database.Page, newest int64) []int64 {
		rows := []int64{}
		for n := min(newest, p.Bound()-1); n > 0 && len(rows) < p.Fetch(); n-- {
			rows = append(rows, n)
		}
		return rows
	}
	for _, c := range []struct{ rows, limit, pages int }{
		{0, 0, 1}, {1, 0, 1}, {50, 0, 1}, {51, 0, 2}, {10, 3, 4}, {9, 3, 3}, {201, 999, 2}, {5, -1, 1},
	} {
		p := database.Page{Limit: c.limit}
		next, pages := int64(c.rows), 0
		for {
			got := database.Cut(p, fetch(p, int64(c.rows)), self)
			pages++
			for _, n := range got.Items {
				if n != next {
					t.Fatalf("%+v: got row %d, want %d", c, n, next)
				}
				next--
			}
			if got.NextCursor == "" {
				break
			}
			before, err := database.ParseCursor(got.NextCursor)
			if err != nil {
				t.Fatal(err)
			}
			p.Before = before
		}
		if next != 0 || pages != c.pages {
			t.Errorf("%+v: %d rows missing, %d pages", c, next, pages)
		}
	}
	if got := database.Cut(database.Page{}, nil, self); got.Items == nil {
		t.Error("an empty page has no list")
	}
}

func FuzzParseCursor(f *testing.F) {
	first := database.Cut(database.Page{Limit: 1}, []int64{7, 6}, func(n int64) int64 { return n })
	for _, s := range []string{"", "AAAAAAAAAAE", "AAAAAAAAAAF", "_________88", first.NextCursor, "x", "AAAA AAAAAAE"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := database.ParseCursor(s)
		if err != nil || s == "" {
			return
		}
		rows := []int64{n, n - 1}
		if again := database.Cut(database.Page{Limit: 1}, rows, func(n int64) int64 { return n }).NextCursor; n <= 0 || again != s {
			t.Errorf("%q reads as %d, which is written %q", s, n, again)
		}
	})
}

func TestStoreNow(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		if now, err := database.StoreNow(db.Read(bg)); now != 0 || err != nil {
			t.Errorf("a store never served: got %v, %v", now, err)
		}
		for range 2 {
			db.Clock.Jump(time.Hour)
			if err := db.MarkNow(bg); err != nil {
				t.Fatal(err)
			}
		}
		now, err := database.StoreNow(db.Read(bg))
		if want := clock.MilliOf(dbtest.Start.Add(2 * time.Hour)); now != want || err != nil {
			t.Errorf("got %v, %v; want %v", now, err, want)
		}
	})
}
