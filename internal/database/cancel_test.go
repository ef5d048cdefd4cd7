package database_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// Contexts end at random moments of a transaction. What was answered with nil
// stands whole, what was answered with an error is wholly absent, and the pool
// goes on with fresh connections.
func TestCancelled(t *testing.T) {
	rounds := 500
	if testing.Short() {
		rounds = 100
	}
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		do(t, db, "INSERT INTO store_clock (id, now_at, wall_at) VALUES (1, 0, 0), (2, 0, 0)")
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		rng := rand.New(rand.NewPCG(seed, 0))
		stands := make([]bool, rounds)
		ended := 0
		var wg sync.WaitGroup
		var mu sync.Mutex
		gate := make(chan struct{}, 4)
		for i := range rounds {
			delay := time.Duration(rng.Int64N(int64(4 * time.Millisecond)))
			gate <- struct{}{}
			wg.Go(func() {
				defer func() { <-gate }()
				ctx, cancel := context.WithTimeout(bg, delay)
				defer cancel()
				err := db.Tx(ctx, func(tx *database.Tx) error { return transfer(tx, i) })
				if errors.Is(err, database.ErrCommitUnknown) {
					t.Errorf("round %d: a COMMIT that was never sent is reported unknown: %v", i, err)
				}
				mu.Lock()
				defer mu.Unlock()
				if stands[i] = err == nil; err != nil {
					ended++
				}
			})
		}
		wg.Wait()
		t.Logf("%d of %d were cut off", ended, rounds)
		for i, want := range stands {
			n := number(t, db, "SELECT COUNT(*) FROM identities WHERE kind = 'c' AND value = ?", fmt.Sprint(i))
			if (n == 1) != want || n > 1 {
				t.Errorf("round %d: answered %v, found %d rows", i, want, n)
			}
		}
		if n := number(t, db, "SELECT SUM(now_at) FROM store_clock"); n != 0 {
			t.Errorf("half a transfer stands: sum %d", n)
		}
		if n, want := number(t, db, "SELECT now_at FROM store_clock WHERE id = 2"), int64(rounds-ended); n != want {
			t.Errorf("transfers: got %d, want %d", n, want)
		}
		for range 40 { // more than the pool holds
			do(t, db, "UPDATE store_clock SET wall_at = wall_at + 1")
		}
	})
}

func transfer(tx *database.Tx, i int) error {
	for _, row := range []struct{ id, by int }{{1, -1}, {2, 1}} {
		if err := tx.Exec("UPDATE store_clock SET now_at = now_at + ? WHERE id = ?", row.by, row.id).Error; err != nil {
			return err
		}
	}
	return tx.Exec("INSERT INTO identities (id, kind, app, value, member_id, created_at) VALUES (?, 'c', '', ?, 0, 0)", tx.Next(), fmt.Sprint(i)).Error
}
