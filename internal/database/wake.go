package database

import "slices"

// OnWake sets who is told that work of a kind has become due; the worker does.
// f must not wait.
func (db *DB) OnWake(f func(kind string)) { db.wake.Store(&f) }

// Wake tells the queue after the commit that work of the kind is due: once per
// kind and commit. It is a hint; the relay finds the row without it.
func (tx *Tx) Wake(kind string) {
	if slices.Contains(tx.woken, kind) {
		return
	}
	tx.woken = append(tx.woken, kind)
	tx.AfterCommit(func() {
		KillPoint("task:enqueued")
		if f := tx.db.wake.Load(); f != nil {
			(*f)(kind)
		}
	})
}
