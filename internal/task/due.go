package task

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Rows of a kind that is worked many to a transaction are not leased: what a
// lease would keep apart, their inbox keys do in the very transaction of the
// effect. Of two processes that work one row the second waits at its key until
// the first has committed and then finds it standing. A process that dies
// leaves rows that wait as before. So a row is written once instead of twice.

// place is how far a lane has read in the order of due rows. Rows it has read
// wait, to the eye, until what they do is committed.
type place struct {
	next clock.Milli
	id   id.Task
}

// dueJobs reads up to most due rows behind the place and moves it.
func dueJobs(ctx context.Context, db *database.DB, kind string, most int, at *place) ([]Job, error) {
	var rows []struct {
		ID        id.Task
		Payload   string
		Attempts  int
		NextAt    clock.Milli
		CreatedAt clock.Milli
	}
	err := db.Read(ctx).Raw(`SELECT id, payload, attempts, next_at, created_at FROM outbox
		WHERE status = ? AND kind = ? AND next_at <= ? AND next_at >= ? AND (next_at > ? OR id > ?) ORDER BY next_at, id LIMIT ?`,
		statusWaiting, kind, clock.MilliOf(db.Clock.Now()), at.next, at.next, at.id, most).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("task: look for %s: %w", kind, err)
	}
	jobs := make([]Job, len(rows))
	for i, r := range rows {
		jobs[i] = newJob(db, kind, r.ID, r.Payload, r.Attempts, r.CreatedAt)
		*at = place{r.NextAt, r.ID}
	}
	return jobs, nil
}

// runDue runs rows that nobody leased, in one transaction. If that fails, and
// be it that another process was faster with one of them, they are leased and
// worked as rows of other kinds are, which finds the one at fault. Its error is
// of the rows; that they could not even be leased is of the store.
func runDue(ctx context.Context, db *database.DB, by handler, jobs []Job) (failed, lost error) {
	err := guarded(database.WithActor(ctx, database.Actor{Request: jobs[0].ID.String()}), jobs[0],
		func(ctx context.Context) error { return by.many(ctx, jobs) })
	if err == nil {
		return nil, nil
	}
	leased, err := leaseRows(ctx, db, idsOf(jobs))
	if err != nil || len(leased) == 0 {
		return nil, err
	}
	return holdOf(db, leased).run(ctx, by, leased), nil
}
