package database_test

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// collide lets 50 writers read and then write for a while and returns how many
// transactions succeeded and the first errors.
func collide(d time.Duration, write func(ctx context.Context) error) (done int64, failed []error) {
	ctx, cancel := context.WithTimeout(bg, d)
	defer cancel()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var ok atomic.Int64
	for range 50 {
		wg.Go(func() {
			for ctx.Err() == nil {
				err := write(bg)
				if err == nil {
					ok.Add(1)
					continue
				}
				mu.Lock()
				failed = append(failed, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return ok.Load(), failed
}

// Two handles stand for two processes: each has its own writer connection, so
// they truly collide on the file.
func TestSQLiteWritersCollide(t *testing.T) {
	d := 10 * time.Second
	if testing.Short() {
		d = time.Second
	}
	url := dbtest.URL(t, "sqlite")
	handles := []*database.DB{leased(t, url, 1), leased(t, url, 2)}
	do(t, handles[0], "INSERT INTO store_clock (id, now_at, wall_at) VALUES (1, 0, 0)")
	var turn atomic.Int64
	done, failed := collide(d, func(ctx context.Context) error {
		db := handles[turn.Add(1)%2]
		return db.Tx(ctx, func(tx *database.Tx) error {
			var v int64
			if err := tx.Raw("SELECT now_at FROM store_clock WHERE id = 1").Scan(&v).Error; err != nil {
				return err
			}
			return tx.Exec("UPDATE store_clock SET now_at = ? WHERE id = 1", v+1).Error
		})
	})
	if len(failed) > 0 {
		t.Errorf("%d of %d writes failed, the first with %v", len(failed), int64(len(failed))+done, failed[0])
	}
	if n := number(t, handles[0], "SELECT now_at FROM store_clock WHERE id = 1"); n != done || done == 0 {
		t.Errorf("counted to %d in %d writes", n, done)
	}
	t.Logf("%d writes", done)
}

// The same load with deferred transactions, which is what a driver does by
// default, must fail; otherwise the test above would prove nothing.
func TestSQLiteDeferredWritersFail(t *testing.T) {
	url := dbtest.URL(t, "sqlite")
	do(t, handle(t, url), "INSERT INTO store_clock (id, now_at, wall_at) VALUES (1, 0, 0)")
	pool, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(url, "sqlite:")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	pool.SetMaxOpenConns(8)
	_, failed := collide(500*time.Millisecond, func(ctx context.Context) error {
		tx, err := pool.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		var v int64
		if err := tx.QueryRow("SELECT now_at FROM store_clock WHERE id = 1").Scan(&v); err != nil {
			return err
		}
		if _, err := tx.Exec("UPDATE store_clock SET now_at = ? WHERE id = 1", v+1); err != nil {
			return err
		}
		return tx.Commit()
	})
	if len(failed) == 0 {
		t.Error("deferred transactions collided without an error")
	} else if !database.IsAgain(failed[0]) {
		t.Errorf("got %v, want a busy error", failed[0])
	}
}
