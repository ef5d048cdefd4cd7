package task

import (
	"context"
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// chunk is how many rows one snapshot of verify reads.
const chunk = 20_000

// Verify proves V10: every outbox row is in one of its four states, and no
// inbox key is without its done row.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V10", Says: "every task is waiting, leased, done with its inbox key, or dead with its error"}
	err := each(ctx, db, &p, `SELECT o.id, o.kind, o.status, o.next_at, o.lease, o.leased_until, o.last_error,
			CASE WHEN i.task_id IS NULL THEN 0 ELSE 1 END AS keyed
		FROM outbox o LEFT JOIN inbox i ON i.task_id = o.id WHERE o.id > ? ORDER BY o.id LIMIT ?`, row.unsound)
	if err != nil {
		return nil, err
	}
	err = each(ctx, db, &p, `SELECT i.task_id AS id, i.kind, COALESCE(o.status, -1) AS status, 1 AS keyed
		FROM inbox i LEFT JOIN outbox o ON o.id = i.task_id WHERE i.task_id > ? ORDER BY i.task_id LIMIT ?`, row.orphan)
	return []database.Proof{p}, err
}

// VerifyStrict adds what holds after a minute of quiet: nothing is due for
// more than 60 s, no lease is over for more than 10 s.
func VerifyStrict(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	proofs, err := Verify(ctx, db)
	if err != nil {
		return nil, err
	}
	now, err := storeNow(ctx, db)
	if err != nil {
		return nil, err
	}
	p := database.Proof{ID: "V10+", Says: "no task is due for more than 60 s, no lease is over for more than 10 s"}
	err = each(ctx, db, &p, `SELECT id, kind, status, next_at, leased_until FROM outbox
		WHERE status IN (0, 1) AND id > ? ORDER BY id LIMIT ?`, func(r row) string {
		switch {
		case r.Status == statusWaiting && r.NextAt < now.Add(-time.Minute):
			return fmt.Sprintf("was due at %s and waits", r.NextAt)
		case r.Status == statusLeased && r.LeasedUntil < time.Now().Add(-10*time.Second).UnixMilli():
			return fmt.Sprintf("has a lease over since %s", clock.Milli(r.LeasedUntil))
		}
		return ""
	})
	return append(proofs, p), err
}

type row struct {
	ID          id.Task
	Kind        string
	Status      int
	NextAt      clock.Milli
	Lease       string
	LeasedUntil int64
	LastError   string
	Keyed       int
}

// unsound says what is wrong with an outbox row, "" if nothing.
func (r row) unsound() string {
	free := r.Lease == "" && r.LeasedUntil == 0
	switch {
	case r.Status == statusWaiting && r.NextAt > 0 && free && r.Keyed == 0,
		r.Status == statusLeased && r.Lease != "" && r.LeasedUntil > 0 && r.Keyed == 0,
		r.Status == statusDone && free && r.Keyed == 1,
		r.Status == statusDead && free && r.LastError != "" && r.Keyed == 0:
		return ""
	}
	return fmt.Sprintf("status %d, next_at %d, lease %q until %d, error %q, %d inbox keys", r.Status, r.NextAt, r.Lease, r.LeasedUntil, r.LastError, r.Keyed)
}

// orphan says what is wrong with an inbox key.
func (r row) orphan() string {
	if r.Status == statusDone {
		return ""
	}
	return fmt.Sprintf("has an inbox key and status %d", r.Status)
}

// each runs check over the rows of a query that pages by id, a snapshot per
// chunk.
func each(ctx context.Context, db *database.DB, p *database.Proof, query string, check func(row) string) error {
	for last, n := id.Task(0), chunk; n == chunk; {
		var rows []row
		err := db.Snapshot(ctx, func(q *database.Query) error { return q.Raw(query, last, chunk).Scan(&rows).Error })
		if err != nil {
			return fmt.Errorf("task: verify: %w", err)
		}
		for _, r := range rows {
			p.Checked++
			last = r.ID
			if wrong := check(r); wrong != "" {
				p.Break("task %s (%s) %s", r.ID, r.Kind, wrong)
			}
		}
		n = len(rows)
	}
	return nil
}

// storeNow is the store's business time; a store nobody has served yet has
// none, and the handle's clock stands in.
func storeNow(ctx context.Context, db *database.DB) (clock.Milli, error) {
	now, err := database.StoreNow(db.Read(ctx))
	if err != nil {
		return 0, fmt.Errorf("task: verify: %w", err)
	}
	if now == 0 {
		now = clock.MilliOf(db.Clock.Now())
	}
	return now, nil
}
