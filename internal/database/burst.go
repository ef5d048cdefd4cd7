package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"strings"
	"time"

	"gorm.io/gorm"

	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Burst is Tx for a path that waits on round trips more than on anything else
// (claims): its first Queries carries the begin, and what was Deferred travels
// with the commit, so that a transaction is two messages to a server. Where
// there is no network (SQLite) it is Tx. It binds no idempotency key.
func (db *DB) Burst(ctx context.Context, fn func(tx *Tx) error) error {
	if !db.Bursts() {
		return db.Tx(WithoutKey(ctx), fn)
	}
	return db.again(ctx, fn, db.burstOnce)
}

// Bursts says that it is one: there is a server to send messages to.
func (db *DB) Bursts() bool { return db.burst != nil && !db.unlocked }

// burst is the state of such a transaction: whether it has begun, and the
// writes that wait for the commit.
type burst struct {
	conn  *sql.Conn
	begun bool
	ahead message // what goes before the next reads
	last  message // what goes with the commit
}

// message is statements with their arguments.
type message struct {
	sql  []string
	args []any
}

func (m *message) add(text string, args []any) {
	text, args = inline(text, args)
	m.sql, m.args = append(m.sql, text), append(m.args, args...)
}

// Row is a row that is being read.
type Row interface{ Scan(dest ...any) error }

// Read is one SELECT of a Queries call and what to do with each of its rows.
type Read struct {
	SQL  string
	Args []any
	Row  func(rows Row) error
}

// On runs the read by itself, outside any transaction of this package.
func (r Read) On(q *Query) error {
	text, args := inline(r.SQL, r.Args)
	rows, err := q.Raw(text, args...).Rows()
	if err != nil {
		return err
	}
	return each(rows, r)
}

// Queries runs reads in order, in one message where the transaction is a
// burst. Each sees what was committed when its turn came.
func (tx *Tx) Queries(reads ...Read) error {
	if len(reads) == 0 {
		return nil
	}
	if tx.burst == nil {
		for _, r := range reads {
			if err := r.On(tx.DB); err != nil {
				return err
			}
		}
		return nil
	}
	var m message
	if !tx.burst.begun {
		m.sql = append(m.sql, "START TRANSACTION")
	}
	m.sql, m.args = append(m.sql, tx.burst.ahead.sql...), append(m.args, tx.burst.ahead.args...)
	for _, r := range reads {
		m.add(r.SQL, r.Args)
	}
	tx.burst.begun, tx.burst.ahead = true, message{}
	return tx.burst.conn.Raw(func(c any) error { return eachCells(tx.Context(), c, m, reads) })
}

// eachCells is each without database/sql between: a wave of ads reads fifty
// cells for each group.
func eachCells(ctx context.Context, conn any, m message, reads []Read) (err error) {
	args, err := named(m.args)
	if err != nil {
		return err
	}
	rows, err := conn.(driver.QueryerContext).QueryContext(ctx, strings.Join(m.sql, ";\n"), args)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	sets := rows.(driver.RowsNextResultSet)
	for i, r := range reads {
		if i > 0 {
			if err := sets.NextResultSet(); err != nil {
				if errors.Is(err, io.EOF) {
					err = errors.New("database: a result set is missing")
				}
				return err
			}
		}
		row := cells{row: make([]driver.Value, len(rows.Columns()))}
		for {
			err := rows.Next(row.row)
			if errors.Is(err, io.EOF) {
				break
			}
			if err == nil {
				err = r.Row(&row)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// each walks the result sets, one per read.
func each(rows *sql.Rows, reads ...Read) error {
	defer rows.Close()
	for i, r := range reads {
		if i > 0 && !rows.NextResultSet() {
			return errors.Join(rows.Err(), errors.New("database: a result set is missing"))
		}
		for rows.Next() {
			if err := r.Row(rows); err != nil {
				return err
			}
		}
	}
	return rows.Err()
}

// Defer writes at the end of the transaction: with the commit in a burst, at
// once elsewhere. A row the statement must not pass over has to be guarded by
// the table itself (a unique key, a CHECK), because nobody looks at how many
// rows it changed.
func (tx *Tx) Defer(sql string, args ...any) error {
	if tx.burst == nil {
		return tx.now(sql, args)
	}
	tx.burst.last.add(sql, args)
	return nil
}

// Ahead writes before the next Queries: in its message in a burst, at once
// elsewhere. Queries then fails as the write would have, and nobody looks at
// how many rows it changed.
func (tx *Tx) Ahead(sql string, args ...any) error {
	if tx.burst == nil {
		return tx.now(sql, args)
	}
	tx.burst.ahead.add(sql, args)
	return nil
}

func (tx *Tx) now(sql string, args []any) error {
	text, rest := inline(sql, args)
	return tx.Exec(text, rest...).Error
}

func (db *DB) burstOnce(ctx context.Context, fn func(tx *Tx) error) (err error) {
	conn, err := db.burst.Conn(ctx)
	if err != nil {
		return begun(err)
	}
	defer conn.Close()
	tx := &Tx{Now: clock.MilliOf(db.Clock.Now()), Actor: ActorOf(ctx), Dialect: db.Dialect, db: db, burst: &burst{conn: conn}}
	inner := context.WithValue(ctx, txMark{}, tx)
	g := db.write.Session(&gorm.Session{NewDB: true, Context: inner})
	g.Statement.ConnPool = conn
	tx.DB = g.Session(&gorm.Session{NewDB: true, Context: inner})
	started := time.Now()
	defer func() {
		if r := recover(); r != nil {
			drop(conn)
			if r == id.ErrLease {
				err = fault.Unavailable.Wrap(id.ErrLease)
				return
			}
			panic(r)
		}
	}()
	if err := fn(tx); err != nil {
		undo(ctx, conn)
		return err
	}
	if err := tx.burstCommit(conn); err != nil {
		return err
	}
	logSlow("burst", time.Since(started))
	for _, f := range tx.after {
		f()
	}
	return nil
}

// burstCommit sends what was deferred with the commit. An error the server
// names came before its commit; any other leaves the outcome unknown.
func (tx *Tx) burstCommit(conn *sql.Conn) error {
	b := tx.burst
	if !b.begun {
		return nil
	}
	_, err := conn.ExecContext(tx.Context(), strings.Join(append(b.last.sql, "COMMIT"), ";\n"), b.last.args...)
	if err == nil {
		return nil
	}
	if mysqlCode(err) != 0 {
		undo(tx.Context(), conn)
		return err
	}
	drop(conn)
	return fault.Unavailable.Wrap(errors.Join(ErrCommitUnknown, err))
}

// undo rolls back; a connection that cannot is not used again.
func undo(ctx context.Context, conn *sql.Conn) {
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if _, err := conn.ExecContext(end, "ROLLBACK"); err != nil {
		drop(conn)
	}
}

// drop takes the connection out of the pool; the server rolls back.
func drop(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
}
