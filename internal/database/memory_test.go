package database

import (
	"context"
	"sync"
	"testing"
)

// TestMemory: a store in memory has one state for all its connections, shows
// nobody what is not committed, and is gone once it is closed.
func TestMemory(t *testing.T) {
	ctx := context.Background()
	url := Memory()
	open := func() *DB {
		db, err := Open(ctx, Config{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		if err := db.Lease(ctx); err != nil {
			t.Fatal(err)
		}
		return db
	}
	count := func(db *DB) (n int) {
		if err := db.Read(ctx).Raw("SELECT COUNT(*) FROM audit").Scan(&n).Error; err != nil {
			t.Fatal(err)
		}
		return n
	}
	db := open()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				err := db.Tx(ctx, func(tx *Tx) error {
					for range 2 { // two rows or none
						if err := AuditTx(tx, "memory.test", tx.Actor.Unit, nil, nil); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
				var n int
				if err := db.Read(ctx).Raw("SELECT COUNT(*) FROM audit").Scan(&n).Error; err != nil || n%2 != 0 {
					t.Errorf("a reader saw %d rows (%v)", n, err)
				}
			}
		})
	}
	all.Wait()
	if n := count(db); n != 320 {
		t.Errorf("%d rows, want 320", n)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open()
	defer db.Close()
	if n := count(db); n != 0 {
		t.Errorf("a closed store still has %d rows", n)
	}
}
