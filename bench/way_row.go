package main

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// rowUpdate is the usual way: one transaction per request, which updates the
// item's row and inserts the claim. Statements go over one connection as text,
// which is what database/sql's own transactions do, and is the fewest round
// trips.
type rowUpdate struct {
	pool  *sql.DB
	begin string
}

var errNoStock = errors.New("no stock")

const insertClaim = "INSERT INTO bench_claims (id, item_id, member_id, idem_key, created_at) VALUES (?, ?, ?, ?, ?)"

func (r *rowUpdate) claim(ctx context.Context, a asked) error {
	return r.tx(ctx, func(c *sql.Conn) error {
		if err := one(c.ExecContext(ctx, "UPDATE bench_items SET left_qty = left_qty - 1 WHERE id = ? AND left_qty >= 1", a.item)); err != nil {
			return err
		}
		_, err := c.ExecContext(ctx, insertClaim, serial.Add(1)+process0, a.item, a.member, a.key, time.Now().UnixMilli())
		return err
	})
}

// join is a seat in a team of the one item: stock, seat and claim in one
// transaction, the item's row first.
func (r *rowUpdate) join(ctx context.Context, a asked) error {
	return r.tx(ctx, func(c *sql.Conn) error {
		if err := one(c.ExecContext(ctx, "UPDATE bench_items SET left_qty = left_qty - 1 WHERE id = 1 AND left_qty >= 1")); err != nil {
			return err
		}
		if err := one(c.ExecContext(ctx, "UPDATE bench_teams SET live_seats = live_seats + 1 WHERE id = ? AND live_seats < ?", a.item, teamSize)); err != nil {
			return err
		}
		_, err := c.ExecContext(ctx, insertClaim, serial.Add(1)+process0, a.item+baseItems, a.member, a.key, time.Now().UnixMilli())
		return err
	})
}

// process0 keeps the ids of two front processes on one store apart.
var process0 = time.Now().UnixMilli() << 20

func one(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(errNoStock, err)
	}
	return nil
}

func (r *rowUpdate) tx(ctx context.Context, fn func(c *sql.Conn) error) error {
	c, err := r.pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.ExecContext(ctx, r.begin); err != nil {
		return err
	}
	if err := fn(c); err != nil {
		_, undone := c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return errors.Join(err, undone)
	}
	_, err = c.ExecContext(ctx, "COMMIT")
	return err
}
