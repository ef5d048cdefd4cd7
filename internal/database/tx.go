package database

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"gorm.io/gorm"

	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// tries bounds how often one transaction is run. Five were too few where fifty
// at once lock two rows in opposite order (TestDeadlockStorm).
const tries = 8

// Tx is one transaction. It embeds gorm bound to it; Save, Updates of structs,
// Transaction and Begin are banned by a test.
type Tx struct {
	*gorm.DB
	// Now is the one time of everything this transaction writes.
	Now clock.Milli
	// Actor is on whose behalf it runs.
	Actor Actor
	// Dialect is the engine's.
	Dialect Dialect

	db      *DB
	key     *Key
	after   []func()
	woken   []string
	wrote   bool
	audited bool
	result  *Result
	burst   *burst // nil but in a Burst
}

type txMark struct{}

// Tx runs fn in a transaction, again when the engine says so, and commits.
// fn must have no effect outside the transaction; what must follow a commit
// goes into AfterCommit.
func (db *DB) Tx(ctx context.Context, fn func(tx *Tx) error) error {
	return db.again(ctx, fn, db.once)
}

// again runs one kind of transaction until it stands, fails for good, or has
// been tried often enough.
func (db *DB) again(ctx context.Context, fn func(tx *Tx) error, once func(context.Context, func(*Tx) error) error) error {
	if ctx.Value(txMark{}) != nil {
		return errors.New("database: a transaction inside a transaction; use the …Tx form")
	}
	if db.IDs != nil && !db.IDs.Live() {
		return fault.Unavailable.Wrap(id.ErrLease)
	}
	var err error
	for try := range tries {
		if try > 0 && !pause(ctx, try) {
			return errors.Join(ctx.Err(), err)
		}
		if err = once(ctx, fn); err == nil || !isAgain(err) {
			return err
		}
	}
	return fault.Unavailable.Wrap(fmt.Errorf("database: gave up after %d tries: %w", tries, err))
}

// pause waits a little longer each of the first times, and each loser differently long: those
// who lost together would else meet again.
func pause(ctx context.Context, try int) bool {
	d := 2*time.Millisecond + rand.N(time.Duration(1<<min(try, 4))*15*time.Millisecond)
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func (db *DB) once(ctx context.Context, fn func(tx *Tx) error) (err error) {
	tx := &Tx{
		Now: clock.MilliOf(db.Clock.Now()), Actor: ActorOf(ctx), Dialect: db.Dialect,
		db: db, key: keyOf(ctx),
	}
	inner := context.WithValue(ctx, txMark{}, tx)
	g := db.write.WithContext(inner)
	if !db.unlocked {
		g = g.Begin()
		if g.Error != nil {
			return begun(g.Error)
		}
	}
	// A fresh session, so that one statement's clauses never leak into the next.
	tx.DB = g.Session(&gorm.Session{NewDB: true, Context: inner})
	started := time.Now()
	defer func() {
		if r := recover(); r != nil {
			db.rollback(g)
			if r == id.ErrLease {
				err = fault.Unavailable.Wrap(id.ErrLease)
				return
			}
			panic(r)
		}
	}()
	if err := tx.run(fn); err != nil {
		db.rollback(g)
		return err
	}
	if err := db.commit(g); err != nil {
		return err
	}
	logSlow("tx", time.Since(started))
	if tx.key != nil {
		tx.key.used = true
	}
	for _, f := range tx.after {
		f()
	}
	return nil
}

// run is the body: the idempotency key first, then fn, then what must hold at
// the end.
func (tx *Tx) run(fn func(tx *Tx) error) error {
	if tx.key != nil {
		if err := tx.bindKey(); err != nil {
			return err
		}
		tx.wrote = false // the key's own row says nothing of the business
	}
	if err := fn(tx); err != nil {
		return err
	}
	wrote := tx.wrote
	if tx.key != nil {
		if err := tx.storeResult(); err != nil {
			return err
		}
	}
	if tx.db.strict && wrote && !tx.audited && tx.Actor.Kind == ActorStaff {
		return errors.New("database: a staff write without an audit row; call AuditTx")
	}
	return nil
}

func (db *DB) rollback(g *gorm.DB) {
	if !db.unlocked {
		g.Rollback()
	}
}

func (db *DB) commit(g *gorm.DB) error {
	if db.unlocked {
		return nil
	}
	err := g.Commit().Error
	if err == nil || isAgain(err) {
		return err
	}
	// database/sql looks at the context before it sends COMMIT, so this one
	// was never sent: the outcome is known, nothing stands.
	if errors.Is(err, sql.ErrTxDone) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return cmp.Or(g.Statement.Context.Err(), err)
	}
	return fault.Unavailable.Wrap(errors.Join(ErrCommitUnknown, err))
}

// begun maps a failure to get a connection to a clear refusal.
func begun(err error) error {
	if isAgain(err) || errors.Is(err, context.Canceled) {
		return err
	}
	return fault.Unavailable.After(time.Second).Wrap(fmt.Errorf("database: begin: %w", err))
}

// Context is the transaction's context; Tx refuses to start another from it.
func (tx *Tx) Context() context.Context { return tx.Statement.Context }

// Next makes an id: id.Order(tx.Next()).
func (tx *Tx) Next() int64 { return tx.db.IDs.Next() }

// Block makes n ids that follow each other and returns the first.
func (tx *Tx) Block(n int) int64 { return tx.db.IDs.Block(n) }

// AfterCommit runs f once the transaction has committed. f must be quick: it
// runs on the caller's time and never waits on Redis for more than 50 ms.
func (tx *Tx) AfterCommit(f func()) { tx.after = append(tx.after, f) }

// Only is a condition that guards a write, as " AND (cond)". It stands apart
// from the rest of the WHERE so that dbtest.Unlocked can take it away and
// prove that the limit it keeps would break without it.
func (tx *Tx) Only(cond string) string {
	if tx.db.unlocked {
		return " AND ((" + cond + ") OR 1 = 1)"
	}
	return " AND (" + cond + ")"
}

// watchWrites notes on the transaction that something was written.
func watchWrites(g *gorm.DB) error {
	note := func(s *gorm.DB) {
		if tx, ok := s.Statement.Context.Value(txMark{}).(*Tx); ok && s.RowsAffected > 0 {
			tx.wrote = true
		}
	}
	cb := g.Callback()
	return errors.Join(
		cb.Create().After("gorm:create").Register("siyu:wrote", note),
		cb.Update().After("gorm:update").Register("siyu:wrote", note),
		cb.Delete().After("gorm:delete").Register("siyu:wrote", note),
		cb.Raw().After("gorm:raw").Register("siyu:wrote", note),
	)
}
