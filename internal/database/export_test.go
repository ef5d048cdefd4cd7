package database

import (
	"context"
	"time"
)

// LeaseFor and Tries are the bounds the tests measure against.
const (
	LeaseFor = leaseFor
	Tries    = tries
)

// IsAgain tells the tests how an error is classed.
func IsAgain(err error) bool { return isAgain(err) }

// ExtendLease is one turn of the renewal, for the holder the store names.
func ExtendLease(ctx context.Context, db *DB, holder string) {
	db.extend(ctx, db.IDs.Node(), holder)
}

// MigrateTo brings the schema up as far as an older binary did.
func MigrateTo(ctx context.Context, db *DB, last int) error {
	_, err := db.migrateTo(ctx, last)
	return err
}

// Busy says what a handle that gives way makes of so many commits in so long.
func Busy(commits int64, since time.Duration) bool { return busy(commits, since) }

// SeesBusy lets the handle look now, as if its last look was long ago.
func (db *DB) SeesBusy(ctx context.Context) bool {
	y := db.yields
	y.mu.Lock()
	if !y.looked.IsZero() {
		y.looked = time.Now().Add(-lookEvery)
	}
	y.mu.Unlock()
	return y.look(db.Read(ctx))
}
