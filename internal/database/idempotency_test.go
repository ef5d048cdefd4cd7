package database_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// Fifty calls with one key at once, over two handles: one effect, everybody
// else hears of it or is told that it is still running.
func TestTwins(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			url := dbtest.URL(t, engine)
			handles := []*database.DB{leased(t, url, 1), leased(t, url, 2)}
			call := func(db *database.DB, hash string) error {
				ctx := database.WithKey(bg, database.Key{Principal: "p", Route: "POST /things", Key: "k", Hash: hash})
				return db.Tx(ctx, func(tx *database.Tx) error {
					made := tx.Next()
					tx.SetResult("thing", made, 201)
					return tx.Exec("INSERT INTO identities (id, kind, app, value, member_id, created_at) VALUES (?, 't', '', ?, 0, 0)", made, made).Error
				})
			}
			var made, replayed, running atomic.Int64
			var replayOf sync.Map
			var wg sync.WaitGroup
			for i := range 50 {
				wg.Go(func() {
					err := call(handles[i%2], "h")
					var r *database.Replayed
					switch {
					case err == nil:
						made.Add(1)
					case errors.As(err, &r):
						replayed.Add(1)
						replayOf.Store(r.ID, true)
					case errors.Is(err, database.ErrKeyInFlight):
						running.Add(1)
					default:
						t.Errorf("call %d: %v", i, err)
					}
				})
			}
			wg.Wait()
			t.Logf("%d made, %d replayed, %d told to come back", made.Load(), replayed.Load(), running.Load())
			if made.Load() != 1 {
				t.Errorf("%d calls had the effect", made.Load())
			}
			stands := number(t, handles[0], "SELECT id FROM identities WHERE kind = 't'")
			if n := number(t, handles[0], "SELECT COUNT(*) FROM identities WHERE kind = 't'"); n != 1 {
				t.Errorf("%d rows stand", n)
			}
			replayOf.Range(func(was, _ any) bool {
				if was != stands {
					t.Errorf("replay of %v, but %d stands", was, stands)
				}
				return true
			})
			if err := call(leased(t, url, 3), "other input"); !errors.Is(err, database.ErrKeyReused) {
				t.Errorf("other input after a restart: got %v", err)
			}
		})
	}
}

// While the first call holds its key, a twin waits 2 s, is told so, and is not
// tried again.
func TestTwinInFlight(t *testing.T) {
	if testing.Short() {
		t.Skip("waits 2 s")
	}
	url := dbtest.URL(t, "mariadb")
	first, second := leased(t, url, 1), leased(t, url, 2)
	keyed := database.Key{Principal: "p", Route: "r", Key: "k", Hash: "h"}
	ran := 0
	err := first.Tx(database.WithKey(bg, keyed), func(tx *database.Tx) error {
		tx.SetResult("thing", 1, 201)
		err := second.Tx(database.WithKey(bg, keyed), func(*database.Tx) error { ran++; return nil })
		if !errors.Is(err, database.ErrKeyInFlight) {
			t.Errorf("got %v, want in flight", err)
		}
		return nil
	})
	if err != nil || ran != 0 {
		t.Errorf("first: %v; the twin's body ran %d times", err, ran)
	}
}

// A key is bound by the first transaction that commits under it; later ones of
// the same call are not replays of it.
func TestKeyServesOneTransaction(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		ctx := database.WithKey(bg, database.Key{Principal: "p", Route: "r", Key: "k", Hash: "h"})
		for range 2 {
			if err := db.Tx(ctx, func(tx *database.Tx) error { tx.SetResult("thing", 1, 200); return nil }); err != nil {
				t.Error(err)
			}
		}
		ctx = database.WithKey(bg, database.Key{Principal: "p", Route: "r", Key: "k2", Hash: "h"})
		if err := db.Tx(ctx, func(*database.Tx) error { return nil }); err == nil {
			t.Error("a keyed call without a result was accepted")
		}
		if n := number(t, db, "SELECT COUNT(*) FROM idempotency"); n != 1 {
			t.Errorf("%d keys are bound, want 1", n)
		}
	})
}
