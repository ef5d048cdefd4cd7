package task

import (
	"context"
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// chunk is how many rows one snapshot of verify looks at.
const chunk = 5000

// Verify proves V10: every outbox row is in one of its four states, and no
// inbox key is without its done row.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V10", Says: "every task is waiting, leased, done with its inbox key, or dead with its error"}
	for _, w := range []walk{{"outbox", "id", unsound, row.unsound}, {"inbox", "task_id", orphans, row.orphan}} {
		if err := w.prove(ctx, db, &p); err != nil {
			return nil, err
		}
	}
	return []database.Proof{p}, nil
}

// Most rows are done with their key, so the store passes over those where they
// lie and gives out the others, and maybe some that turn out sound.
const (
	unsound = `SELECT o.id, o.kind, o.status, o.next_at, o.lease, o.leased_until, o.last_error, CASE WHEN i.task_id IS NULL THEN 0 ELSE 1 END AS keyed
		FROM outbox o LEFT JOIN inbox i ON i.task_id = o.id WHERE o.id > ? AND o.id <= ?
			AND (o.status <> 2 OR o.lease <> '' OR o.leased_until <> 0 OR i.task_id IS NULL)`
	orphans = `SELECT i.task_id AS id, i.kind, COALESCE(o.status, -1) AS status, 1 AS keyed
		FROM inbox i LEFT JOIN outbox o ON o.id = i.task_id WHERE i.task_id > ? AND i.task_id <= ? AND (o.id IS NULL OR o.status <> 2)`
	waiting = `SELECT id, kind, status, next_at, leased_until FROM outbox WHERE id > ? AND id <= ? AND status IN (0, 1)`
)

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
	err = walk{"outbox", "id", waiting, func(r row) string {
		switch {
		case r.Status == statusWaiting && r.NextAt < now.Add(-time.Minute):
			return fmt.Sprintf("was due at %s and waits", r.NextAt)
		case r.Status == statusLeased && r.LeasedUntil < time.Now().Add(-10*time.Second).UnixMilli():
			return fmt.Sprintf("has a lease over since %s", clock.Milli(r.LeasedUntil))
		}
		return ""
	}}.prove(ctx, db, &p)
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

// walk goes over a table in ranges: suspects reads what may be wrong in one, and
// wrong says of a row whether it is, and how.
type walk struct {
	table, column, suspects string
	wrong                   func(row) string
}

func (w walk) prove(ctx context.Context, db *database.DB, p *database.Proof) error {
	n, err := db.InRanges(ctx, w.table, w.column, chunk, func(q *database.Query, after, upto int64) error {
		var rows []row
		if err := q.Raw(w.suspects, after, upto).Scan(&rows).Error; err != nil {
			return err
		}
		for _, r := range rows {
			if wrong := w.wrong(r); wrong != "" {
				p.Break("task %s (%s) %s", r.ID, r.Kind, wrong)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("task: verify: %w", err)
	}
	p.Checked += n
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
