package database

import (
	"context"
	"fmt"
	"time"

	"siyu/internal/id"
)

// InRanges walks a table along an indexed column of integers above nought, in
// ranges of about n rows, each in a snapshot of its own: check is asked of the
// rows with after < column <= upto. It says how many rows there were.
func (db *DB) InRanges(ctx context.Context, table, column string, n int, check func(q *Query, after, upto int64) error) (int64, error) {
	walked := int64(0)
	for after, last := int64(0), false; !last; {
		err := db.Snapshot(ctx, func(q *Query) error {
			r, err := rangeAfter(q, table, column, after, n)
			if err != nil {
				return err
			}
			if last = r.last; r.rows == 0 {
				return nil
			}
			if err := check(q, after, r.upto); err != nil {
				return err
			}
			walked, after = walked+r.rows, r.upto
			return nil
		})
		if err != nil {
			return walked, fmt.Errorf("database: walk %s: %w", table, err)
		}
	}
	return walked, nil
}

// Ranges walks on from a value as InRanges does, all of it in the snapshot q:
// short statements where the whole must be of one moment.
func Ranges(q *Query, table, column string, from int64, n int, check func(after, upto int64) error) error {
	for after := from; ; {
		r, err := rangeAfter(q, table, column, after, n)
		if err != nil {
			return fmt.Errorf("database: walk %s: %w", table, err)
		}
		if r.rows == 0 {
			return nil
		}
		if err := check(after, r.upto); err != nil || r.last {
			return err
		}
		after = r.upto
	}
}

// span is one range: how many rows it has, its upper end, whether it is the
// last.
type span struct {
	rows, upto int64
	last       bool
}

func rangeAfter(q *Query, table, column string, after int64, n int) (span, error) {
	r := span{rows: int64(n)}
	err := q.Raw("SELECT "+column+" FROM "+table+" WHERE "+column+" > ? ORDER BY "+column+" LIMIT 1 OFFSET ?", after, n-1).Scan(&r.upto).Error
	if err != nil || r.upto != 0 {
		return r, err
	}
	r.last = true
	err = q.Raw("SELECT COUNT(*), COALESCE(MAX("+column+"), 0) FROM "+table+" WHERE "+column+" > ?", after).Row().Scan(&r.rows, &r.upto)
	return r, err
}

// restedFor is for how long an id must be old before no transaction is expected
// to write it any more: they last 200 ms, and wait for locks for at most 50 s.
const restedFor = time.Minute

// Rested is an id up to which rows are on record that will be, as far as clocks
// agree. It is a guess: what rests on it must be read again in one snapshot
// before it counts as a breach.
func Rested() int64 { return id.At(time.Now().Add(-restedFor)) }
