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

// Busy says what work that gives way makes of so many commits in so long.
func Busy(commits int64, since time.Duration) bool { return busy(commits, since) }

// SeesBusy lets the work look now, as if its last look was lookEvery ago.
func (p *Pace) SeesBusy(ctx context.Context, commits int) bool {
	p.mu.Lock()
	if !p.looked.IsZero() {
		p.looked = time.Now().Add(-lookEvery)
	}
	p.mu.Unlock()
	return p.look(ctx, commits)
}
