package campaign

import (
	"context"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// verifySpan is how many orders a snapshot of verify reads, so that a store of
// any size is proven by many short ones.
const verifySpan = 200_000

// Verify proves V1, V2, V12, V13 and the orders' part of V9.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	return verifyBy(ctx, db, verifySpan)
}

func verifyBy(ctx context.Context, db *database.DB, span int) ([]database.Proof, error) {
	var stock, limits, swept, lines, prices database.Proof
	count, err := newCount(ctx, db)
	if err != nil {
		return nil, err
	}
	excess := map[id.Member]bool{} // who holds more than one of his orders allows
	for at := (walk{column: "id"}); !at.done; {
		err := at.step(ctx, db, span, func(q *database.Query) error {
			if err := count.add(q, at.after, at.upTo); err != nil {
				return err
			}
			if err := odd(q, at.after, at.upTo, &swept, excess); err != nil {
				return err
			}
			return proveKept(q, at.after, at.upTo, &swept)
		})
		if err != nil {
			return nil, err
		}
	}
	if err := count.prove(ctx, db, &stock); err != nil {
		return nil, err
	}
	limits.Checked = count.orders
	if err := proveLimits(ctx, db, span, excess, &limits); err != nil {
		return nil, err
	}
	err = db.Snapshot(ctx, func(q *database.Query) error { return proveAlerts(q, &swept) })
	if err == nil {
		err = db.Snapshot(ctx, func(q *database.Query) error { return proveLate(q, &swept) })
	}
	if err == nil {
		err = db.Snapshot(ctx, func(q *database.Query) error { return proveLines(q, &lines) })
	}
	if err == nil {
		err = db.Snapshot(ctx, func(q *database.Query) error { return provePrices(q, &prices) })
	}
	return []database.Proof{stock, limits, swept, lines, prices}, err
}

// VerifyStrict proves that the sweeps are at most 60 s behind the store's
// time; teams are swept as often as orders.
func VerifyStrict(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V9+", Says: "sweeps at most 60 s behind the store's time"}
	err := db.Snapshot(ctx, func(q *database.Query) error {
		now, err := database.StoreNow(q)
		if err != nil {
			return err
		}
		var rows []struct {
			Name  string
			Swept clock.Milli
		}
		if err := q.Raw("SELECT name, swept FROM sweeps").Scan(&rows).Error; err != nil {
			return err
		}
		for _, r := range rows {
			p.Checked++
			if r.Name != refundsAlerted && now-r.Swept > clock.Milli(time.Minute.Milliseconds()) {
				p.Break("the %s sweep is %s behind", r.Name, time.Duration(now-r.Swept)*time.Millisecond)
			}
		}
		return nil
	})
	return []database.Proof{p}, err
}
