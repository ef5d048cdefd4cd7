package database_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// handle is another handle on the store at url, as another process has it.
func handle(t testing.TB, url string) *database.DB {
	t.Helper()
	db, err := database.Open(bg, database.Config{URL: url, Clock: clock.At(dbtest.Start)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// leased is a handle that may make ids without a row in node_leases.
func leased(t testing.TB, url string, node int) *database.DB {
	t.Helper()
	db := handle(t, url)
	db.IDs = id.NewGenerator(node, time.Now().Add(time.Hour))
	return db
}

// raw is a plain pool on the server of url with the driver's own defaults and
// the given parameters: what the room would be without its settings.
func raw(t testing.TB, url, params string) *sql.DB {
	t.Helper()
	dsn := strings.TrimPrefix(url, "mysql://")
	if !strings.Contains(dsn, "@unix(") {
		creds, rest, _ := strings.Cut(dsn, "@")
		addr, schema, _ := strings.Cut(rest, "/")
		dsn = creds + "@tcp(" + addr + ")/" + schema
	}
	pool, err := sql.Open("mysql", dsn+params)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	return pool
}

func exec(t testing.TB, q interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
}, statement string, args ...any) sql.Result {
	t.Helper()
	res, err := q.ExecContext(bg, statement, args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return res
}

// do runs statements in one transaction.
func do(t testing.TB, db *database.DB, statements ...string) {
	t.Helper()
	err := db.Tx(bg, func(tx *database.Tx) error {
		for _, s := range statements {
			if err := tx.Exec(s).Error; err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func number(t testing.TB, db *database.DB, query string, args ...any) int64 {
	t.Helper()
	var n int64
	if err := db.Read(bg).Raw(query, args...).Scan(&n).Error; err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}
