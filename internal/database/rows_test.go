package database_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// Every row comes as it lies, of a snapshot as of a single read; an error of
// the reader ends the statement, and the connection serves the next.
func TestEachRow(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		err := db.Tx(bg, func(tx *database.Tx) error {
			for i := range 300 {
				if err := tx.Exec(`INSERT INTO outbox (id, kind, payload, status, next_at, lease, leased_until, attempts, last_error, created_at, done_at)
					VALUES (?, 'a:b', ?, 0, 1, '', 0, 0, '', 1, 0)`, i+1, fmt.Sprintf(`"元 %d"`, i+1)).Error; err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		const query = "SELECT id, payload, lease FROM outbox WHERE id > ? AND kind = ? ORDER BY id"
		read := func(q *database.Query, after int64) error {
			next := after
			err := database.EachRow(q, query, []any{after, "a:b"}, func(row []driver.Value) error {
				next++
				if got, want := fmt.Sprintf("%d %s %q", row[0], row[1], row[2]), fmt.Sprintf(`%d "元 %d" ""`, next, next); got != want {
					return fmt.Errorf("got %s, want %s", got, want)
				}
				return nil
			})
			if err == nil && next != 300 {
				err = fmt.Errorf("%d rows after %d", next-after, after)
			}
			return err
		}
		stop := errors.New("stop")
		for range 3 {
			if err := read(db.Read(bg), 0); err != nil {
				t.Error(err)
			}
			if err := db.Snapshot(bg, func(q *database.Query) error { return errors.Join(read(q, 0), read(q, 290)) }); err != nil {
				t.Error(err)
			}
			if err := database.EachRow(db.Read(bg), query, []any{0, "a:b"}, func([]driver.Value) error { return stop }); !errors.Is(err, stop) {
				t.Errorf("got %v, want what the reader said", err)
			}
		}
		if err := database.EachRow(db.Read(bg), "SELECT id FROM nowhere", nil, nil); err == nil || !strings.Contains(err.Error(), "nowhere") {
			t.Errorf("a wrong statement: %v", err)
		}
		over, cancel := context.WithCancel(bg)
		cancel()
		if err := read(db.Read(over), 0); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		err = db.Tx(bg, func(tx *database.Tx) error { return read(tx.DB, 0) })
		if err == nil {
			t.Error("read within a transaction")
		}
	})
}
