package database_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
)

func TestLease(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			url := dbtest.URL(t, engine)
			lease := func(t *testing.T) *database.DB {
				t.Helper()
				db := handle(t, url)
				if err := db.Lease(bg); err != nil {
					t.Fatal(err)
				}
				return db
			}
			t.Run("processes get different numbers", func(t *testing.T) {
				handles := make([]*database.DB, 4)
				for i := range handles {
					handles[i] = handle(t, url)
				}
				var wg sync.WaitGroup
				for _, db := range handles {
					wg.Go(func() {
						if err := db.Lease(bg); err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
				seen := map[int]bool{}
				for _, db := range handles {
					seen[db.IDs.Node()] = true
				}
				if len(seen) != len(handles) {
					t.Errorf("%d handles share %d numbers", len(handles), len(seen))
				}
				if n, err := handles[0].LiveNodes(bg); n != len(handles) || err != nil {
					t.Errorf("live: got %d (%v), want %d", n, err, len(handles))
				}
			})
			t.Run("a number is given away only after twice the lease", func(t *testing.T) {
				ended := func(ago time.Duration) {
					do(t, handle(t, url), "DELETE FROM node_leases")
					err := handle(t, url).Tx(bg, func(tx *database.Tx) error {
						return tx.Exec("INSERT INTO node_leases (node, holder, until_at) VALUES (0, 'gone', ?)", time.Now().Add(-ago).UnixMilli()).Error
					})
					if err != nil {
						t.Fatal(err)
					}
				}
				ended(database.LeaseFor - 5*time.Second) // renewed 115 s ago
				if n := lease(t).IDs.Node(); n != 1 {
					t.Errorf("within twice the lease: got node %d, want 1", n)
				}
				ended(database.LeaseFor + time.Second)
				if n := lease(t).IDs.Node(); n != 0 {
					t.Errorf("after it: got node %d, want 0", n)
				}
			})
			t.Run("a number given back is free at once, but not to an older clock", func(t *testing.T) {
				do(t, handle(t, url), "DELETE FROM node_leases")
				db := lease(t)
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
				if db.IDs.Live() {
					t.Error("a closed handle still makes ids")
				}
				free := time.Now().Add(-database.LeaseFor).UnixMilli()
				until := number(t, handle(t, url), "SELECT until_at FROM node_leases WHERE node = 0")
				if until > free+10 || until < free-5000 {
					t.Errorf("until_at is %d ms off; want a lease before the moment it was given back", until-free)
				}
			})
			t.Run("lost to somebody else it is not extended", func(t *testing.T) {
				db := lease(t)
				db.IDs.Extend(time.Now().Add(time.Hour))
				do(t, db, "UPDATE node_leases SET holder = 'thief'")
				db.IDs.Extend(time.Now().Add(-time.Second))
				database.ExtendLease(bg, db, "me")
				if db.IDs.Live() {
					t.Error("the lease was extended without its row")
				}
				database.ExtendLease(bg, db, "thief")
				if !db.IDs.Live() {
					t.Error("the holder of the row cannot extend")
				}
			})
		})
	}
}

// An id that cannot be made safely ends the transaction as unavailable, with
// nothing written; so does a transaction begun after the lease is over.
func TestLeaseOver(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		err := db.Tx(bg, func(tx *database.Tx) error {
			if err := tx.Exec("INSERT INTO store_clock (id, now_at, wall_at) VALUES (1, 0, 0)").Error; err != nil {
				return err
			}
			db.IDs.Extend(time.Now().Add(-time.Second))
			tx.Next()
			t.Error("an id was made after the lease")
			return nil
		})
		if !errors.Is(err, fault.Unavailable) {
			t.Errorf("within: got %v, want unavailable", err)
		}
		err = db.Tx(bg, func(*database.Tx) error {
			t.Error("a transaction began after the lease")
			return nil
		})
		if !errors.Is(err, fault.Unavailable) {
			t.Errorf("after: got %v, want unavailable", err)
		}
		if n := count(t, db); n != 0 {
			t.Errorf("%d rows stand", n)
		}
	})
}

func TestPanicRollsBack(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		func() {
			defer func() {
				if r := recover(); r != "boom" {
					t.Errorf("recovered %v, want boom", r)
				}
			}()
			_ = db.Tx(bg, func(tx *database.Tx) error {
				if err := tx.Exec("INSERT INTO store_clock (id, now_at, wall_at) VALUES (1, 0, 0)").Error; err != nil {
					return err
				}
				panic("boom")
			})
		}()
		if n := count(t, db); n != 0 {
			t.Errorf("%d rows stand", n)
		}
		do(t, db, "INSERT INTO store_clock (id, now_at, wall_at) VALUES (1, 0, 0)") // the connection is usable
	})
}
