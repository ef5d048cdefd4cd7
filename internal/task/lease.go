package task

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// leaseFor is how long a row belongs to a process without renewal, in wall
// time. The relay looks every second, so the rows of a process that died are
// worked on again within 8 s.
const leaseFor = 6 * time.Second

// leaseMost bounds one lease, so that a lost process takes few rows with it.
const leaseMost = 500

// take leases up to most due rows of a kind. It needs no SKIP LOCKED: the
// candidates are read without a lock and the conditional update decides, so of
// two processes that saw the same rows one gets them. That one of the two then
// gets none is why an empty hand with candidates left is tried again.
func take(ctx context.Context, db *database.DB, kind string, most int) ([]Job, error) {
	return takeOf(ctx, db, kind, most, candidates)
}

// look finds rows that may be leased.
type look func(ctx context.Context, db *database.DB, kind string, most int) ([]id.Task, error)

func takeOf(ctx context.Context, db *database.DB, kind string, most int, candidates look) ([]Job, error) {
	for range 3 {
		ids, err := candidates(ctx, db, kind, most)
		if err != nil || len(ids) == 0 {
			return nil, err
		}
		jobs, err := leaseRows(ctx, db, ids)
		database.KillPoint("task:leased")
		if err != nil || len(jobs) > 0 {
			return jobs, err
		}
	}
	return nil, nil // others are at it; the relay looks again in a second
}

// candidates are those whose lease ran out, then due rows.
func candidates(ctx context.Context, db *database.DB, kind string, most int) ([]id.Task, error) {
	over, err := overdue(ctx, db, kind, most)
	if err != nil {
		return nil, err
	}
	ids, err := dueRows(ctx, db, kind, most-len(over))
	return append(over, ids...), err
}

// overdue are rows whose lease ran out.
func overdue(ctx context.Context, db *database.DB, kind string, most int) ([]id.Task, error) {
	var ids []id.Task
	err := db.Read(ctx).Raw(`SELECT id FROM outbox WHERE status = ? AND kind = ? AND leased_until <= ? ORDER BY id LIMIT ?`,
		statusLeased, kind, time.Now().UnixMilli(), most).Scan(&ids).Error
	if err != nil {
		return nil, fmt.Errorf("task: look for %s: %w", kind, err)
	}
	return ids, nil
}

// dueRows are those nobody has leased yet.
func dueRows(ctx context.Context, db *database.DB, kind string, most int) ([]id.Task, error) {
	var ids []id.Task
	err := db.Read(ctx).Raw(`SELECT id FROM outbox WHERE status = ? AND kind = ? AND next_at <= ? ORDER BY next_at, id LIMIT ?`,
		statusWaiting, kind, clock.MilliOf(db.Clock.Now()), most).Scan(&ids).Error
	if err != nil {
		return nil, fmt.Errorf("task: look for %s: %w", kind, err)
	}
	return ids, nil
}

func leaseRows(ctx context.Context, db *database.DB, ids []id.Task) ([]Job, error) {
	token := rand.Text()
	var rows []struct {
		ID        id.Task
		Kind      string
		Payload   string
		Attempts  int
		CreatedAt clock.Milli
	}
	err := db.Tx(ctx, func(tx *database.Tx) error {
		wall := time.Now()
		err := tx.Exec(`UPDATE outbox SET status = ?, lease = ?, leased_until = ?
			WHERE id IN ? AND (status = ? AND next_at <= ? OR status = ? AND leased_until <= ?)`,
			statusLeased, token, wall.Add(leaseFor).UnixMilli(),
			ids, statusWaiting, tx.Now, statusLeased, wall.UnixMilli()).Error
		if err != nil {
			return err
		}
		return tx.Raw(`SELECT id, kind, payload, attempts, created_at FROM outbox
			WHERE id IN ? AND lease = ? ORDER BY next_at, id`, ids, token).Scan(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("task: lease: %w", err)
	}
	jobs := make([]Job, len(rows))
	for i, r := range rows {
		jobs[i] = newJob(db, r.Kind, r.ID, r.Payload, r.Attempts, r.CreatedAt)
		jobs[i].lease = token
	}
	return jobs, nil
}

// hold is what a batch of leased rows still has to work off. While rows are
// left it renews their lease; a row that was lost anyway has its run's context
// ended, so that it stops early (the fence stops it in any case).
type hold struct {
	db    *database.DB
	lease string

	mu   sync.Mutex
	rows map[id.Task]context.CancelFunc // nil until its run starts
	stop chan struct{}
	done sync.WaitGroup
}

func holdOf(db *database.DB, jobs []Job) *hold {
	h := &hold{db: db, lease: jobs[0].lease, rows: map[id.Task]context.CancelFunc{}, stop: make(chan struct{})}
	for _, j := range jobs {
		h.rows[j.ID] = nil
	}
	h.done.Go(h.renewing)
	return h
}

// run runs those of the rows that were not lost meanwhile. One that is lost
// ends the run of all: what they did together is rolled back.
func (h *hold) run(ctx context.Context, by handler, jobs []Job) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var ours []Job
	h.mu.Lock()
	for _, j := range jobs {
		if _, held := h.rows[j.ID]; held {
			h.rows[j.ID] = cancel
			ours = append(ours, j)
		}
	}
	h.mu.Unlock()
	defer func() {
		for _, j := range jobs {
			h.end(j.ID)
		}
	}()
	if len(ours) == 0 {
		return nil
	}
	return runAll(ctx, by, ours)
}

// end forgets the row; the last one ends the renewal.
func (h *hold) end(t id.Task) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if cancel := h.rows[t]; cancel != nil {
		cancel()
	}
	delete(h.rows, t)
	if len(h.rows) == 0 && h.stop != nil {
		close(h.stop)
		h.stop = nil
	}
}

// giveBack frees rows that were not begun.
func (h *hold) giveBack(jobs []Job) {
	ids := idsOf(jobs)
	for _, t := range ids {
		h.end(t)
	}
	if err := release(h.db, h.lease, ids); err != nil {
		slog.Warn("tasks not given back; their lease will run out", "rows", len(ids), "error", err)
	}
}

func (h *hold) renewing() {
	h.mu.Lock()
	stop := h.stop
	h.mu.Unlock()
	if stop == nil {
		return
	}
	t := time.NewTicker(leaseFor / 3)
	defer t.Stop()
	for {
		select {
		case <-stop:
			return
		case <-t.C:
			h.renew()
		}
	}
}

func (h *hold) renew() {
	h.mu.Lock()
	ids := make([]id.Task, 0, len(h.rows))
	for t := range h.rows {
		ids = append(ids, t)
	}
	h.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaseFor/2)
	defer cancel()
	var ours []id.Task
	err := h.db.Tx(ctx, func(tx *database.Tx) error {
		err := tx.Exec("UPDATE outbox SET leased_until = ? WHERE id IN ? AND status = ? AND lease = ?",
			time.Now().Add(leaseFor).UnixMilli(), ids, statusLeased, h.lease).Error
		if err != nil {
			return err
		}
		return tx.Raw("SELECT id FROM outbox WHERE id IN ? AND status = ? AND lease = ?", ids, statusLeased, h.lease).Scan(&ours).Error
	})
	if err != nil {
		slog.Warn("task lease not renewed", "rows", len(ids), "error", err)
		return
	}
	h.keep(ids, ours)
}

// keep drops what was asked for and is no longer ours.
func (h *hold) keep(asked, ours []id.Task) {
	still := make(map[id.Task]bool, len(ours))
	for _, t := range ours {
		still[t] = true
	}
	for _, t := range asked {
		if !still[t] {
			h.end(t)
		}
	}
}
