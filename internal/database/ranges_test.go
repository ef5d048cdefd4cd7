package database_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// Every row is in one range, whatever the rows and the length of a range, and
// rows of one value are in one together.
func TestInRanges(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		for _, c := range []struct {
			values []int64
			n      int
			want   string
		}{
			{nil, 3, ""},
			{[]int64{7}, 3, "[7]"},
			{[]int64{1, 2, 3}, 3, "[1 2 3]"},
			{[]int64{1, 2, 3, 4}, 3, "[1 2 3] [4]"},
			{[]int64{5, 5, 5, 9}, 2, "[5 5 5] [9]"},
			{[]int64{2, 4, 6, 8, 10}, 2, "[2 4] [6 8] [10]"},
		} {
			err := db.Tx(bg, func(tx *database.Tx) error {
				if err := tx.Exec("DELETE FROM outbox").Error; err != nil {
					return err
				}
				for i, v := range c.values {
					if err := tx.Exec(`INSERT INTO outbox (id, kind, payload, status, next_at, lease, leased_until, attempts, last_error, created_at, done_at)
						VALUES (?, 'a:b', '', 0, 1, '', 0, 0, '', ?, 0)`, i+1, v).Error; err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			_, err = db.InRanges(bg, "outbox", "created_at", c.n, func(q *database.Query, after, upto int64) error {
				seen := []int64{}
				err := q.Raw("SELECT created_at FROM outbox WHERE created_at > ? AND created_at <= ? ORDER BY created_at", after, upto).Scan(&seen).Error
				if got != "" {
					got += " "
				}
				got += fmt.Sprint(seen)
				return err
			})
			if err != nil || got != c.want {
				t.Errorf("%v by %d: got %q (%v), want %q", c.values, c.n, got, err, c.want)
			}
		}
		for from, want := range map[int64]string{0: "[2 4] [6 8] [10]", 4: "[6 8] [10]", 9: "[10]", 10: ""} {
			got := ""
			err := db.Snapshot(bg, func(q *database.Query) error {
				return database.Ranges(q, "outbox", "created_at", from, 2, func(after, upto int64) error {
					seen := []int64{}
					err := q.Raw("SELECT created_at FROM outbox WHERE created_at > ? AND created_at <= ? ORDER BY created_at", after, upto).Scan(&seen).Error
					got = strings.TrimSpace(got + " " + fmt.Sprint(seen))
					return err
				})
			})
			if err != nil || got != want {
				t.Errorf("from %d on: got %q (%v), want %q", from, got, err, want)
			}
		}
		stop := errors.New("stop")
		if _, err := db.InRanges(bg, "outbox", "created_at", 2, func(*database.Query, int64, int64) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("got %v, want what the check said", err)
		}
	})
}
