package database_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
)

// A store that can hold no more refuses what it cannot keep as unavailable,
// keeps what it has whole, can still be read, and goes on when there is room.
// The file is given a most number of pages, which SQLite answers as it answers
// a full disk.
func TestFullDisk(t *testing.T) {
	db := leased(t, dbtest.URL(t, "sqlite"), 1)
	wide := strings.Repeat("x", 60)
	fill := func(from, to int) error {
		return db.Tx(bg, func(tx *database.Tx) error {
			for i := from; i < to; i++ {
				err := tx.Exec("INSERT INTO identities (id, kind, app, value, member_id, created_at) VALUES (?, 'full', '', ?, 0, 0)", tx.Next(), fmt.Sprint(wide, i)).Error
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	most := func(pages int64) {
		t.Helper()
		var set int64
		err := db.Tx(bg, func(tx *database.Tx) error {
			return tx.Raw(fmt.Sprintf("PRAGMA max_page_count = %d", pages)).Scan(&set).Error
		})
		if err != nil || set < pages {
			t.Fatalf("set to %d (%v), want %d", set, err, pages)
		}
	}
	if err := fill(0, 100); err != nil {
		t.Fatal(err)
	}
	pages := number(t, db, "SELECT page_count FROM pragma_page_count()")
	most(pages + 4)
	err := fill(100, 5_000)
	if f, ok := fault.As(err); !errors.Is(err, fault.Unavailable) || !ok || f.RetryAfter == 0 {
		t.Fatalf("got %v, want unavailable and when to come again", err)
	}
	if n := number(t, db, "SELECT COUNT(*) FROM identities WHERE kind = 'full'"); n != 100 {
		t.Errorf("%d rows stand, want the 100 from before", n)
	}
	if err := fill(100, 101); err != nil {
		t.Errorf("one row that fits: %v", err)
	}
	most(pages + 10_000)
	if err := fill(101, 5_000); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if text := db.Read(bg).Raw("PRAGMA integrity_check"); text.Error != nil {
		t.Error(text.Error)
	} else if ok := ""; text.Scan(&ok).Error != nil || ok != "ok" {
		t.Errorf("the file: %q", ok)
	}
}
