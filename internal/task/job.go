package task

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Job is one leased task as its handler sees it.
type Job struct {
	ID      id.Task
	Kind    string
	Attempt int         // 1 on the first run
	Since   clock.Milli // when it was enqueued

	db      *database.DB
	payload string
	lease   string // "" of a row nobody leased
	done    *atomic.Bool
}

func newJob(db *database.DB, kind string, t id.Task, payload string, attempts int, since clock.Milli) Job {
	return Job{ID: t, Kind: kind, Attempt: attempts + 1, Since: since, db: db, payload: payload, done: new(atomic.Bool)}
}

func idsOf(jobs []Job) []id.Task {
	ids := make([]id.Task, len(jobs))
	for i, j := range jobs {
		ids[i] = j.ID
	}
	return ids
}

// errLost says that the row is no longer leased to this run: the lease ran out
// and another process took it, or it is done. What this run did is rolled back.
var errLost = errors.New("task: the lease was lost")

// DoneTx marks the task done inside the handler's own last transaction, so
// that its effect and its end commit together. It fails, and with it the
// transaction must, when the lease was lost.
func (j Job) DoneTx(tx *database.Tx) error {
	if _, err := j.keyTx(tx); err != nil {
		return err
	}
	return j.endTx(tx)
}

// finish marks the task done unless DoneTx did.
func (j Job) finish(ctx context.Context) error {
	if j.done.Load() {
		return nil
	}
	return j.db.Tx(ctx, j.DoneTx)
}

// keyTx inserts the inbox key and says whether it stood already. It comes
// before the effect: a second run waits here for the first one's end.
func (j Job) keyTx(tx *database.Tx) (stands bool, err error) {
	err = tx.Exec("INSERT INTO inbox (task_id, kind, done_at) VALUES (?, ?, ?)", j.ID, j.Kind, tx.Now).Error
	if database.IsDuplicate(err) {
		return true, nil
	}
	return false, err
}

// endTx is the fence: it holds only while the row is leased to this very run.
func (j Job) endTx(tx *database.Tx) error {
	database.KillPoint("task:worked")
	err := database.One(tx.Exec(`UPDATE outbox SET status = ?, lease = '', leased_until = 0, last_error = '', done_at = ?
		WHERE id = ?`+tx.Only("status = ? AND lease = ?"), statusDone, tx.Now, j.ID, statusLeased, j.lease), errLost)
	if err != nil {
		return err
	}
	tx.AfterCommit(func() { j.done.Store(true) })
	return nil
}

// keysTx inserts the inbox keys of many. One that stood already is an error:
// by itself its task ends without another effect.
func keysTx(tx *database.Tx, jobs []Job) error {
	rows := make([]any, len(jobs))
	for i, j := range jobs {
		rows[i] = []any{j.ID, j.Kind, tx.Now}
	}
	return tx.Exec("INSERT INTO inbox (task_id, kind, done_at) VALUES "+strings.Repeat("?,", len(rows)-1)+"?", rows...).Error
}

// endsTx is the fence of many: all rows are as this run found them, leased to it
// or waiting with no lease, or none ends.
func endsTx(tx *database.Tx, jobs []Job) error {
	database.KillPoint("task:worked")
	was := statusLeased
	if jobs[0].lease == "" {
		was = statusWaiting
	}
	res := tx.Exec(`UPDATE outbox SET status = ?, lease = '', leased_until = 0, last_error = '', done_at = ?
		WHERE id IN ?`+tx.Only("status = ? AND lease = ?"), statusDone, tx.Now, idsOf(jobs), was, jobs[0].lease)
	if res.Error != nil {
		return res.Error
	}
	if int(res.RowsAffected) != len(jobs) {
		return errLost
	}
	tx.AfterCommit(func() {
		for _, j := range jobs {
			j.done.Store(true)
		}
	})
	return nil
}
