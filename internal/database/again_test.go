package database_test

import (
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
)

// Each code that says "again" makes the whole transaction run again, at most
// so many times; the server raises the codes itself.
func TestAgain(t *testing.T) {
	db := leased(t, dbtest.URL(t, "mariadb"), 1)
	signal := func(code int) string {
		return fmt.Sprintf("SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = %d, MESSAGE_TEXT = 'again'", code)
	}
	for _, code := range []int{1213, 1205, 1020, 8002, 8005, 9007} {
		ran := 0
		err := db.Tx(bg, func(tx *database.Tx) error {
			ran++
			if err := tx.Exec("INSERT INTO store_clock (id, now_at, wall_at) VALUES (?, ?, 0)", code, ran).Error; err != nil {
				return err
			}
			if ran < database.Tries {
				return tx.Exec(signal(code)).Error
			}
			return nil
		})
		got := number(t, db, "SELECT now_at FROM store_clock WHERE id = ?", code)
		if err != nil || ran != database.Tries || got != database.Tries {
			t.Errorf("%d: ran %d times, wrote attempt %d (%v); want %d and the last", code, ran, got, err, database.Tries)
		}
	}
	t.Run("gives up after so many", func(t *testing.T) {
		ran := 0
		err := db.Tx(bg, func(tx *database.Tx) error {
			ran++
			return tx.Exec(signal(1213)).Error
		})
		if ran != database.Tries || !errors.Is(err, fault.Unavailable) {
			t.Errorf("ran %d times and gave %v; want %d and unavailable", ran, err, database.Tries)
		}
	})
	t.Run("another error ends it at once", func(t *testing.T) {
		ran := 0
		err := db.Tx(bg, func(tx *database.Tx) error {
			ran++
			return tx.Exec(signal(1690)).Error
		})
		if ran != 1 || err == nil {
			t.Errorf("ran %d times and gave %v", ran, err)
		}
	})
}

// Fifty workers lock two rows in opposite order. Every deadlock must be
// resolved by running the whole transaction again, with nothing half-written.
func TestDeadlockStorm(t *testing.T) {
	const workers = 50
	url := dbtest.URL(t, "mariadb")
	db := leased(t, url, 1)
	do(t, db, "INSERT INTO store_clock (id, now_at, wall_at) VALUES (1, 1000, 0), (2, 1000, 0)")
	before := deadlocks(t, url)
	var wg sync.WaitGroup
	most := make([]int, workers)
	for w := range workers {
		wg.Go(func() {
			first, second := 1+w%2, 2-w%2
			err := db.Tx(bg, func(tx *database.Tx) error {
				most[w]++
				move := "UPDATE store_clock SET now_at = now_at + ?, wall_at = wall_at + 1 WHERE id = ?"
				if err := tx.Exec(move, -1, first).Error; err != nil {
					return err
				}
				if err := tx.Exec("INSERT INTO identities (id, kind, app, value, member_id, created_at) VALUES (?, 'storm', '', ?, ?, 0)",
					tx.Next(), fmt.Sprint(w), most[w]).Error; err != nil {
					return err
				}
				return tx.Exec(move, 1, second).Error
			})
			if err != nil {
				t.Errorf("worker %d, after %d tries: %v", w, most[w], err)
			}
		})
	}
	wg.Wait()
	again := 0
	for w, n := range most {
		again += n - 1
		if n > database.Tries {
			t.Errorf("worker %d took %d tries", w, n)
		}
	}
	if met := deadlocks(t, url) - before; met == 0 {
		t.Error("no deadlock arose, so the test shows nothing")
	} else {
		t.Logf("%d deadlocks, %d transactions run again", met, again)
	}
	if sum := number(t, db, "SELECT SUM(now_at) FROM store_clock"); sum != 2000 {
		t.Errorf("sum: got %d, want 2000", sum)
	}
	if n := number(t, db, "SELECT SUM(wall_at) FROM store_clock"); n != 2*workers {
		t.Errorf("updates: got %d, want %d", n, 2*workers)
	}
	if n := number(t, db, "SELECT COUNT(*) FROM identities WHERE kind = 'storm'"); n != workers {
		t.Errorf("rows: got %d, want %d", n, workers)
	}
}

func deadlocks(t *testing.T, url string) (n int) {
	t.Helper()
	row := raw(t, url, "").QueryRow("SELECT count FROM information_schema.innodb_metrics WHERE name = 'lock_deadlocks'")
	if err := row.Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A lock wait rolls back only its statement on the server; Tx must roll back
// the rest itself and begin again. The row is held longer than one wait.
func TestLockWait(t *testing.T) {
	if testing.Short() {
		t.Skip("holds a row for 6 s")
	}
	url := dbtest.URL(t, "mariadb")
	db := leased(t, url, 1)
	do(t, db, "INSERT INTO store_clock (id, now_at, wall_at) VALUES (1, 0, 0), (2, 0, 0)")
	holder, err := raw(t, url, "").BeginTx(bg, nil)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, holder, "UPDATE store_clock SET now_at = 0 WHERE id = 2")
	time.AfterFunc(6*time.Second, func() { holder.Rollback() })
	ran := 0
	err = db.Tx(bg, func(tx *database.Tx) error {
		ran++
		if err := tx.Exec("UPDATE store_clock SET wall_at = wall_at + 1 WHERE id = 1").Error; err != nil {
			return err
		}
		return tx.Exec("UPDATE store_clock SET wall_at = wall_at + 1 WHERE id = 2").Error
	})
	if err != nil || ran != 2 {
		t.Errorf("ran %d times (%v), want 2", ran, err)
	}
	if n := number(t, db, "SELECT SUM(wall_at) FROM store_clock"); n != 2 {
		t.Errorf("the two rows were raised %d times, want 2", n)
	}
}

// MariaDB from 11.6 on answers a stale read followed by a write with 1020.
// READ COMMITTED never meets it; should one arrive, it means again.
func TestSnapshotIsolation(t *testing.T) {
	url := dbtest.URL(t, "mariadb")
	db := leased(t, url, 1)
	do(t, db, "INSERT INTO store_clock (id, now_at, wall_at) VALUES (1, 0, 0)")
	pool := raw(t, url, "?innodb_snapshot_isolation=1")
	if err := pool.Ping(); err != nil {
		dbtest.Lacks(t, "this server has no innodb_snapshot_isolation: "+err.Error())
	}
	race := func(level sql.IsolationLevel) error {
		tx, err := pool.BeginTx(bg, &sql.TxOptions{Isolation: level})
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		var v int
		if err := tx.QueryRow("SELECT now_at FROM store_clock WHERE id = 1").Scan(&v); err != nil {
			t.Fatal(err)
		}
		do(t, db, "UPDATE store_clock SET now_at = now_at + 1 WHERE id = 1")
		_, err = tx.Exec("UPDATE store_clock SET now_at = now_at + 1 WHERE id = 1")
		return err
	}
	if err := race(sql.LevelRepeatableRead); !database.IsAgain(err) {
		t.Errorf("REPEATABLE READ: got %v, want an error that says again", err)
	}
	if err := race(sql.LevelReadCommitted); err != nil {
		t.Errorf("READ COMMITTED: %v", err)
	}
}
