package database

import (
	"context"
	"fmt"
)

// InRanges walks a table along an indexed column of integers above nought, in
// ranges of about n rows, each in a snapshot of its own: check is asked of the
// rows with after < column <= upto. It says how many rows there were.
func (db *DB) InRanges(ctx context.Context, table, column string, n int, check func(q *Query, after, upto int64) error) (int64, error) {
	walked := int64(0)
	for after, last := int64(0), false; !last; {
		err := db.Snapshot(ctx, func(q *Query) error {
			rows, upto := int64(n), int64(0)
			err := q.Raw("SELECT "+column+" FROM "+table+" WHERE "+column+" > ? ORDER BY "+column+" LIMIT 1 OFFSET ?", after, n-1).Scan(&upto).Error
			if err != nil {
				return err
			}
			if last = upto == 0; last {
				err := q.Raw("SELECT COUNT(*), COALESCE(MAX("+column+"), 0) FROM "+table+" WHERE "+column+" > ?", after).Row().Scan(&rows, &upto)
				if err != nil || rows == 0 {
					return err
				}
			}
			if err := check(q, after, upto); err != nil {
				return err
			}
			walked, after = walked+rows, upto
			return nil
		})
		if err != nil {
			return walked, fmt.Errorf("database: walk %s: %w", table, err)
		}
	}
	return walked, nil
}
