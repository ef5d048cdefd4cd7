package task

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"siyu/internal/database"
)

// turn is the right of one process to work the due rows of a kind, for
// leaseFor of wall time and renewed while it works. It keeps processes out of
// each other's way and nothing else: who works without it does no harm.
type turn struct {
	db           *database.DB
	kind, holder string
	over         atomic.Bool
	stop         chan struct{}
	done         sync.WaitGroup
}

// takeTurn is nil if another process has the turn.
func takeTurn(ctx context.Context, db *database.DB, kind string) (*turn, error) {
	var until int64
	err := db.Read(ctx).Raw("SELECT COALESCE(MAX(held_until), -1) FROM turns WHERE kind = ?", kind).Scan(&until).Error
	wall := time.Now()
	if err != nil || until > wall.UnixMilli() {
		return nil, err
	}
	t := &turn{db: db, kind: kind, holder: rand.Text(), stop: make(chan struct{})}
	ours := false
	err = db.Tx(ctx, func(tx *database.Tx) error {
		if until < 0 { // the first ever
			err := tx.Exec("INSERT INTO turns (kind, holder, held_until) VALUES (?, ?, ?)", kind, t.holder, wall.Add(leaseFor).UnixMilli()).Error
			ours = err == nil
			if database.IsDuplicate(err) {
				return nil
			}
			return err
		}
		res := tx.Exec("UPDATE turns SET holder = ?, held_until = ? WHERE kind = ? AND held_until <= ?",
			t.holder, wall.Add(leaseFor).UnixMilli(), kind, wall.UnixMilli())
		ours = res.RowsAffected == 1
		return res.Error
	})
	if err != nil || !ours {
		return nil, err
	}
	t.done.Go(t.renewing)
	return t, nil
}

// ours says whether the turn has not been lost, as far as this process knows.
func (t *turn) ours() bool { return !t.over.Load() }

func (t *turn) renewing() {
	tick := time.NewTicker(leaseFor / 3)
	defer tick.Stop()
	for {
		select {
		case <-t.stop:
			return
		case <-tick.C:
		}
		matched, err := t.hold(time.Now().Add(leaseFor).UnixMilli())
		if err != nil {
			slog.Warn("turn not renewed", "kind", t.kind, "error", err)
		} else if !matched {
			t.over.Store(true)
			return
		}
	}
}

// end lets another process have the turn.
func (t *turn) end() {
	close(t.stop)
	t.done.Wait()
	if _, err := t.hold(0); err != nil {
		slog.Warn("turn not given back; it will run out", "kind", t.kind, "error", err)
	}
}

// hold keeps the turn until a moment, and says whether it was still ours.
func (t *turn) hold(until int64) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), leaseFor/2)
	defer cancel()
	matched := false
	err := t.db.Tx(ctx, func(tx *database.Tx) error {
		res := tx.Exec("UPDATE turns SET held_until = ? WHERE kind = ? AND holder = ?", until, t.kind, t.holder)
		matched = res.RowsAffected == 1
		return res.Error
	})
	return matched, err
}
