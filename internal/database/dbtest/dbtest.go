// Package dbtest gives every test a store of its own on every engine.
//
// SQLite is always there. MariaDB is a private server started on first use,
// one per test binary, on a socket in a temporary folder, killed when the
// binary ends; or the server named by SIYU_TEST_MYSQL. Under CI=true a missing
// engine fails the test, elsewhere it is skipped and named in the report that
// SIYU_TEST_REPORT points to. The store's clock stands still until the test
// jumps it.
package dbtest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Engines are the engines every test runs on.
var Engines = []string{"sqlite", "mariadb"}

// Start is where every test's clock stands: a Monday, 10:00 in Shanghai.
var Start = time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)

// Run runs the test once per engine, each with a fresh migrated store.
func Run(t *testing.T, test func(t *testing.T, db *database.DB)) {
	t.Helper()
	for _, engine := range Engines {
		t.Run(engine, func(t *testing.T) { test(t, Open(t, engine)) })
	}
}

// Open is a fresh migrated store on the engine, closed when the test ends.
func Open(t testing.TB, engine string) *database.DB {
	t.Helper()
	return open(t, database.Config{URL: URL(t, engine), Clock: clock.At(Start), Strict: true}, 1)
}

// Twin is a second handle on db's store, as another replica has it: its own
// node number, the same clock.
func Twin(t testing.TB, db *database.DB, url string, node int) *database.DB {
	t.Helper()
	return open(t, database.Config{URL: url, Clock: db.Clock, Strict: true}, node)
}

// Unlocked is a fresh store in which nothing holds a limit: no row locks, no
// guarded conditions, no CHECK constraints, no transactions, and without the
// named unique indexes ("table.index"). A test of a limit runs its load here
// too and passes only if the limit then breaks.
func Unlocked(t testing.TB, engine string, drop ...string) *database.DB {
	t.Helper()
	if testing.Short() {
		t.Skip("what breaks without locks is shown by the whole tests")
	}
	url := fresh(t, engine)
	db := open(t, database.Unlocked(database.Config{URL: url, Clock: clock.At(Start)}), 1)
	if db.Dialect.Name == "mysql" {
		unchecked(t, db)
	}
	for _, d := range drop {
		table, index, _ := strings.Cut(d, ".")
		stmt := "DROP INDEX " + index + db.Dialect.On(table)
		err := db.Tx(context.Background(), func(tx *database.Tx) error { return tx.Exec(stmt).Error })
		if err != nil {
			t.Fatalf("dbtest: %s: %v", stmt, err)
		}
	}
	return db
}

// unchecked lets the store take rows that its CHECK constraints forbid, which
// on MySQL no session can say.
func unchecked(t testing.TB, db *database.DB) {
	t.Helper()
	var checks []struct{ Place, Rule string }
	err := db.Read(context.Background()).Raw(`SELECT table_name AS place, constraint_name AS rule FROM information_schema.table_constraints
		WHERE table_schema = DATABASE() AND constraint_type = 'CHECK'`).Scan(&checks).Error
	for _, c := range checks {
		if err == nil {
			err = db.Tx(context.Background(), func(tx *database.Tx) error {
				return tx.Exec("ALTER TABLE " + c.Place + " ALTER CHECK " + c.Rule + " NOT ENFORCED").Error
			})
		}
	}
	if err != nil {
		t.Fatalf("dbtest: checks: %v", err)
	}
}

func open(t testing.TB, cfg database.Config, node int) *database.DB {
	t.Helper()
	db, err := database.Open(context.Background(), cfg)
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	db.IDs = id.NewGenerator(node, time.Now().Add(24*time.Hour))
	t.Cleanup(func() { db.Close() })
	return db
}

// URL is the address of a fresh migrated store on the engine, for tests that
// start processes of their own.
func URL(t testing.TB, engine string) string {
	t.Helper()
	if engine == "mariadb" {
		return pooled(t)
	}
	return fresh(t, engine)
}

// fresh is a store nobody else gets after this test.
func fresh(t testing.TB, engine string) string {
	t.Helper()
	if engine == "mariadb" {
		need(t, "mariadb")
		return server(t).schema(t)
	}
	use("sqlite")
	path := filepath.Join(t.TempDir(), "siyu.db")
	image, err := sqliteImage()
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	if err := os.WriteFile(path, image, 0o600); err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	return "sqlite:" + path
}

// sqliteImage is a migrated SQLite file, made once per test binary.
var sqliteImage = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "siyu-dbtest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "image.db")
	if err := migrate("sqlite:" + path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

func migrate(url string) error {
	db, err := database.Open(context.Background(), database.Config{URL: url})
	if err != nil {
		return err
	}
	if _, err := db.Migrate(context.Background()); err != nil {
		db.Close()
		return err
	}
	return db.Close()
}

// At is a handle on the store at url, with a clock of its own.
func At(t testing.TB, url string) *database.DB {
	t.Helper()
	return open(t, database.Config{URL: url, Clock: clock.At(Start), Strict: true}, 1)
}
