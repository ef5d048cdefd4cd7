package database_test

import (
	"context"
	"errors"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
)

var bg = context.Background()

func TestTx(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		t.Run("commits and runs what follows", func(t *testing.T) {
			after := false
			err := db.Tx(bg, func(tx *database.Tx) error {
				tx.AfterCommit(func() { after = true })
				return tx.Exec("INSERT INTO store_clock (id, now_at, wall_at) VALUES (7, ?, 0)", tx.Now).Error
			})
			if err != nil || !after {
				t.Fatalf("Tx: %v, after commit ran: %v", err, after)
			}
			if n := count(t, db); n != 1 {
				t.Fatalf("rows: got %d, want 1", n)
			}
		})
		t.Run("rolls back on an error", func(t *testing.T) {
			boom := errors.New("boom")
			err := db.Tx(bg, func(tx *database.Tx) error {
				tx.AfterCommit(func() { t.Error("after commit ran") })
				if err := tx.Exec("INSERT INTO store_clock (id, now_at, wall_at) VALUES (8, 0, 0)").Error; err != nil {
					return err
				}
				return boom
			})
			if !errors.Is(err, boom) {
				t.Fatalf("Tx: got %v, want boom", err)
			}
			if n := count(t, db); n != 1 {
				t.Fatalf("rows: got %d, want 1", n)
			}
		})
		t.Run("refuses nesting", func(t *testing.T) {
			err := db.Tx(bg, func(tx *database.Tx) error {
				return db.Tx(tx.Context(), func(*database.Tx) error { return nil })
			})
			if err == nil {
				t.Fatal("a nested transaction was accepted")
			}
		})
		t.Run("a duplicate is told alike", func(t *testing.T) {
			err := db.Tx(bg, func(tx *database.Tx) error {
				return tx.Exec("INSERT INTO store_clock (id, now_at, wall_at) VALUES (7, 0, 0)").Error
			})
			if !database.IsDuplicate(err) {
				t.Fatalf("got %v, want a duplicate", err)
			}
		})
		t.Run("an unchanged row counts as matched", func(t *testing.T) {
			err := db.Tx(bg, func(tx *database.Tx) error {
				for range 2 {
					res := tx.Exec("UPDATE store_clock SET wall_at = 5 WHERE id = 7")
					if err := database.One(res, fault.NotFound); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
		t.Run("a staff write needs an audit row", func(t *testing.T) {
			ctx := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 1})
			write := func(audit bool) error {
				return db.Tx(ctx, func(tx *database.Tx) error {
					if audit {
						if err := database.AuditTx(tx, "test.write", tx.Actor.Staff, nil, nil); err != nil {
							return err
						}
					}
					return tx.Exec("UPDATE store_clock SET wall_at = 6 WHERE id = 7").Error
				})
			}
			if err := write(false); err == nil {
				t.Error("a write without audit was accepted")
			}
			if err := write(true); err != nil {
				t.Errorf("a write with audit: %v", err)
			}
		})
	})
}

func TestIdempotencyKey(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		call := func(key, hash string, fail error) error {
			ctx := database.WithKey(bg, database.Key{Principal: "p", Route: "r", Key: key, Hash: hash})
			return db.Tx(ctx, func(tx *database.Tx) error {
				tx.SetResult("thing", 42, 201)
				return fail
			})
		}
		if err := call("a", "h1", nil); err != nil {
			t.Fatalf("first call: %v", err)
		}
		var replay *database.Replayed
		if err := call("a", "h1", nil); !errors.As(err, &replay) || replay.ID != 42 || replay.Status != 201 {
			t.Errorf("second call: got %v, want a replay of thing 42", err)
		}
		if err := call("a", "h2", nil); !errors.Is(err, database.ErrKeyReused) {
			t.Errorf("other input: got %v, want key reused", err)
		}
		if err := call("b", "h1", fault.NotFound); !errors.Is(err, fault.NotFound) {
			t.Errorf("refusal: got %v, want not found", err)
		}
		if err := call("b", "h1", nil); err != nil {
			t.Errorf("a refusal must bind no key, got %v", err)
		}
	})
}

func TestSnapshot(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		if err := db.MarkNow(bg); err != nil {
			t.Fatal(err)
		}
		err := db.Snapshot(bg, func(q *database.Query) error {
			before, err := database.StoreNow(q)
			if err != nil {
				return err
			}
			db.Clock.Jump(1e9)
			if err := db.MarkNow(bg); err != nil {
				return err
			}
			after, err := database.StoreNow(q)
			if err != nil {
				return err
			}
			if before != after || before == 0 {
				t.Errorf("the snapshot moved from %v to %v", before, after)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func count(t *testing.T, db *database.DB) (n int) {
	t.Helper()
	if err := db.Read(bg).Raw("SELECT COUNT(*) FROM store_clock").Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}
