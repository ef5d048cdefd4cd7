package database

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	gosqlite "github.com/glebarez/go-sqlite"
	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
)

// readers is how many connections read a SQLite store beside its one writer.
const readers = 4

// openSQLite opens one writer connection whose transactions begin immediate
// (a deferred one that reads first and then writes fails at once, past any
// busy timeout) and a pool of readers. WAL with synchronous FULL keeps every
// commit through a power cut.
func openSQLite(ctx context.Context, db *DB, cfg Config) error {
	db.Dialect = sqliteDialect
	if err := addSHA2(); err != nil {
		return fmt.Errorf("database: sqlite: %w", err)
	}
	if name, ok := strings.CutPrefix(cfg.URL, memory); ok {
		return db.openMemory(name)
	}
	path := strings.TrimPrefix(cfg.URL, "sqlite:")
	if dir := filepath.Dir(path); dir != "." {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("database: SIYU_DB folder %s cannot be made: %w; choose a folder you may write", dir, err)
		}
	}
	writers := 1
	pragma := "&_txlock=immediate"
	if db.unlocked {
		writers = 16
		pragma = "&_pragma=ignore_check_constraints(1)"
	}
	err := private(path)
	if err == nil {
		db.write, err = db.sqlitePool(path, pragma, writers)
	}
	if err == nil {
		err = useWAL(ctx, db.write)
	}
	if err != nil {
		return fmt.Errorf("database: SIYU_DB %s cannot be opened: %w; check that it is a SQLite file you may write", path, err)
	}
	db.read, err = db.sqlitePool(path, "&_pragma=query_only(1)", readers)
	return err
}

// addSHA2 gives SQLite the servers' SHA2(text, 256), in hexadecimal, so that
// one statement makes digests on every engine. The driver keeps functions for
// the whole process.
var addSHA2 = sync.OnceValue(func() error {
	return gosqlite.RegisterDeterministicScalarFunction("SHA2", 2, func(_ *gosqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		text, isText := args[0].(string)
		if !isText || args[1] != int64(256) {
			return nil, errors.New("SHA2 is there for texts and 256 bits")
		}
		sum := sha256.Sum256([]byte(text))
		return hex.EncodeToString(sum[:]), nil
	})
})

// private makes a file that only its owner may read, unless it is there. SQLite
// gives the files beside a store the store's own mode.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// useWAL sets what is a property of the file, once for all. Two processes that
// do it at the same moment find it locked at once, busy timeout or not.
func useWAL(ctx context.Context, g *gorm.DB) error {
	err := g.Exec("PRAGMA journal_mode = WAL").Error
	for try := 1; isAgain(err) && try < 2*tries && pause(ctx, min(try, tries)); try++ {
		err = g.Exec("PRAGMA journal_mode = WAL").Error
	}
	return err
}

func (db *DB) sqlitePool(path, extra string, conns int) (*gorm.DB, error) {
	q := "?_pragma=busy_timeout(5000)&_pragma=synchronous(FULL)&_pragma=temp_store(MEMORY)&_pragma=case_sensitive_like(1)" + extra
	pool, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+q)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	db.pools = append(db.pools, pool)
	return db.gormOver(sqlite.Dialector{Conn: pool})
}

// sqliteCode is the extended result code, or 0.
func sqliteCode(err error) int {
	var e *gosqlite.Error
	if asError(err, &e) {
		return e.Code()
	}
	return 0
}
