package database

import "context"

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
