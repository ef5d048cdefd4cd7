package database

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// snapshotLimit bounds one consistent pass, so that it never holds back the
// store's purge or checkpoint for long; larger work is cut into ranges.
const snapshotLimit = 30 * time.Second

// Snapshot runs fn over one consistent state of the store, read only, for at
// most 30 s. A handle that gives way rests after it.
func (db *DB) Snapshot(ctx context.Context, fn func(q *gorm.DB) error) error {
	began := time.Now()
	err := db.snapshot(ctx, fn)
	db.yields.Rest(ctx, time.Since(began), 0)
	return err
}

func (db *DB) snapshot(ctx context.Context, fn func(q *gorm.DB) error) error {
	ctx, cancel := context.WithTimeout(ctx, snapshotLimit)
	defer cancel()
	pool, err := db.read.DB()
	if err != nil {
		return fmt.Errorf("database: snapshot: %w", err)
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("database: snapshot: %w", err)
	}
	defer conn.Close()
	begin := []string{"BEGIN DEFERRED"}
	if db.Dialect.Name != "sqlite" {
		begin = []string{
			"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
			"START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
		}
	}
	for _, s := range begin {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("database: snapshot: %w", err)
		}
	}
	defer endSnapshot(conn)
	q := db.read.Session(&gorm.Session{NewDB: true, Context: ctx})
	q.Statement.ConnPool = conn
	return fn(q.Session(&gorm.Session{NewDB: true, Context: ctx}))
}

// endSnapshot ends the pass even when its context is over.
func endSnapshot(conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, _ = conn.ExecContext(ctx, "ROLLBACK")
}
