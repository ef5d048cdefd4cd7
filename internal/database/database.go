// Package database is the house's one way to the SQL store, which alone is
// truth: Redis may vanish at any moment and no number changes.
//
// Tx is the only way to write: one fixed time, READ COMMITTED, bounded retry
// on the errors that say "again", no nesting, idempotency key and audit row in
// the same transaction. Read is for single statements, Snapshot for consistent
// passes. The package also owns what has no other home: migrations, node
// leases, idempotency and audit rows, and the row that tells the store's time.
//
// Tables: schema_steps, node_leases, idempotency, audit, store_clock.
// Engines: SQLite (pure Go), MariaDB, MySQL 8; where they must differ the
// difference is a field of Dialect, with the engine that forces it.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"siyu/internal/clock"
	"siyu/internal/id"
)

// Config says which store to open. URL is sqlite:PATH, or what Memory gives, or
// mysql://user:password@host:port/schema, or mysql://user@unix(/path.sock)/schema.
type Config struct {
	URL   string
	Clock *clock.Clock
	// Strict makes a staff write without an audit row an error; tests set it.
	Strict bool
	// unlocked drops row locks, conditions and transactions; only dbtest
	// sets it, to prove that a test of a limit can fail.
	unlocked bool
}

// DB is an open store.
type DB struct {
	Dialect Dialect
	Clock   *clock.Clock
	IDs     *id.Generator // nil until Lease

	url         string
	write, read *gorm.DB
	burst       *sql.DB // connections that take several statements in one message; nil on SQLite
	pools       []*sql.DB
	idle        map[*sql.DB]int // how many connections lie idle at most, on a server
	strict      bool
	unlocked    bool
	yields      *Pace // nil unless GiveWay
	wake        atomic.Pointer[func(kind string)]

	stop context.CancelFunc
	done sync.WaitGroup
}

// Open connects and checks that the store's settings are safe. It neither
// migrates nor leases a node number.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.Clock == nil {
		cfg.Clock = clock.Wall()
	}
	db := &DB{Clock: cfg.Clock, url: cfg.URL, strict: cfg.Strict, unlocked: cfg.unlocked, idle: map[*sql.DB]int{}}
	open := openMySQL
	if isSQLite(cfg.URL) {
		open = openSQLite
	}
	if err := open(ctx, db, cfg); err != nil {
		db.closePools()
		return nil, err
	}
	if db.unlocked {
		db.Dialect.ForUpdate, db.Dialect.ForShare = "", ""
	}
	return db, nil
}

func isSQLite(url string) bool {
	return strings.HasPrefix(url, "sqlite:") || InMemory(url)
}

// gormOver wraps a pool with the settings every engine shares: no implicit
// transactions, no savepoints (after error 1213 the server has rolled back
// everything and a savepoint would hide it), no statement cache (it leaks and
// races), UTC.
func (db *DB) gormOver(d gorm.Dialector) (*gorm.DB, error) {
	g, err := gorm.Open(d, &gorm.Config{
		SkipDefaultTransaction:   true,
		DisableNestedTransaction: true,
		TranslateError:           false,
		Logger:                   logger.Discard,
		NowFunc:                  func() time.Time { return time.Now().UTC() },
	})
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	return g, errors.Join(watchWrites(g), watchAway(g))
}

// Query is what reads take: the read pool, a snapshot, or a transaction's own
// gorm handle, so that one finder serves all three.
type Query = gorm.DB

// Read runs single statements outside any transaction.
func (db *DB) Read(ctx context.Context) *gorm.DB { return db.read.WithContext(ctx) }

// Ping says whether the store answers.
func (db *DB) Ping(ctx context.Context) error {
	for _, p := range db.pools {
		if err := p.PingContext(ctx); err != nil {
			return fmt.Errorf("database: %w", err)
		}
	}
	return nil
}

// Stats are the pool figures, writer first.
func (db *DB) Stats() []sql.DBStats {
	out := make([]sql.DBStats, 0, len(db.pools))
	for _, p := range db.pools {
		out = append(out, p.Stats())
	}
	return out
}

// Close gives the node number back and closes the pools.
func (db *DB) Close() error {
	if db.stop != nil {
		db.stop()
		db.done.Wait()
	}
	return db.closePools()
}

func (db *DB) closePools() error {
	var first error
	for _, p := range db.pools {
		if err := p.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// MarkNow writes the business time into the store, for verify.
func (db *DB) MarkNow(ctx context.Context) error {
	return db.Tx(ctx, func(tx *Tx) error {
		res := tx.Exec("UPDATE store_clock SET now_at = ?, wall_at = ? WHERE id = 1", tx.Now, time.Now().UnixMilli())
		if res.Error != nil || res.RowsAffected > 0 {
			return res.Error
		}
		err := tx.Exec("INSERT INTO store_clock (id, now_at, wall_at) VALUES (1, ?, ?)", tx.Now, time.Now().UnixMilli()).Error
		if IsDuplicate(err) {
			return nil // another replica wrote the first one this very moment
		}
		return err
	})
}

// StoreNow is the business time last written into the store.
func StoreNow(q *gorm.DB) (clock.Milli, error) {
	var now clock.Milli
	err := q.Raw("SELECT COALESCE(MAX(now_at), 0) FROM store_clock").Scan(&now).Error
	return now, err
}

func logSlow(kind string, took time.Duration) {
	if took > 200*time.Millisecond {
		slog.Warn("slow transaction", "kind", kind, "took_ms", took.Milliseconds())
	}
}

// Unlocked returns a configuration whose store has neither row locks, guarded
// conditions, CHECK constraints nor transactions. Only dbtest uses it, to
// prove that the test of a limit fails when nothing holds the limit.
func Unlocked(c Config) Config {
	c.unlocked = true
	return c
}
