// Package task is the house's queue of work, kept in SQL.
//
// A room writes a task into the outbox in the transaction that makes it
// necessary (EnqueueTx); the row waits there until it is due by the business
// clock, is leased by one process for a few seconds of wall time, renewed while
// it is worked on, and ends done with its inbox key or dead with its error.
// Redis carries only wake-ups, which may all be lost: the relay looks into the
// outbox every second, and the lease of a process that died runs out.
//
// What comes by the hundred thousand and needs nothing but a moment keeps its
// due rows in a table of its room instead (Rows).
//
// Tables: outbox, inbox, periodic, turns. Invariant V10: every row is waiting with a
// time, leased with an end, done with its inbox key, or dead with its error.
// A handler may run more than once, even twice at the same time; Handle makes
// that one effect, by committing effect, inbox key and end together under the
// lease it was started with. Rooms enqueue and register; worker runs; tests
// call Drain and Tick.
package task

import (
	"encoding/json"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Args is what a task is told: a small struct that goes through JSON, holding
// ids rather than copies, and never a name or a phone number. Kind is
// package:verb_noun and must not depend on the value.
type Args interface{ Kind() string }

// The states of an outbox row.
const (
	statusWaiting = 0
	statusLeased  = 1
	statusDone    = 2
	statusDead    = 3
)

// EnqueueTx writes a task that is due at the given business time; zero and the
// past mean now. Its room is woken when the transaction commits.
func EnqueueTx(tx *database.Tx, a Args, at clock.Milli) error {
	payload, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("task: %s: %w", a.Kind(), err)
	}
	due := max(at, tx.Now)
	err = tx.Defer(`INSERT INTO outbox (id, kind, payload, status, next_at, lease, leased_until, attempts, last_error, created_at, done_at)
		VALUES (?, ?, ?, ?, ?, '', 0, 0, '', ?, 0)`,
		id.Task(tx.Next()), a.Kind(), string(payload), statusWaiting, due, tx.Now)
	if err != nil {
		return fmt.Errorf("task: %s: %w", a.Kind(), err)
	}
	if due == tx.Now {
		tx.Wake(a.Kind())
	}
	return nil
}
