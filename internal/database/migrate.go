package database

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"

	"siyu/migrations"
)

type migration struct {
	version int
	name    string
	steps   []string
}

// Migrate brings the schema up to this binary's version, step by step under a
// named lock, and returns how many steps it ran. It refuses a schema that is
// newer than the binary knows.
func (db *DB) Migrate(ctx context.Context) (int, error) { return db.migrateTo(ctx, math.MaxInt) }

// migrateTo runs the migrations up to the given one, as an older binary did.
func (db *DB) migrateTo(ctx context.Context, last int) (ran int, err error) {
	list, err := db.migrations()
	if err != nil {
		return 0, err
	}
	pool, err := db.write.DB()
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	defer conn.Close()
	lock := namedLock
	if db.Dialect.Name == "sqlite" {
		lock = fileLock
	}
	unlock, err := lock(ctx, conn)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	done, err := doneSteps(ctx, conn, db.Dialect)
	if err != nil {
		return 0, err
	}
	if err := refuseNewer(done, list); err != nil {
		return 0, err
	}
	for _, m := range list {
		if m.version > last {
			break
		}
		n, err := m.run(ctx, conn, done[m.version])
		ran += n
		if err != nil {
			return ran, err
		}
	}
	return ran, nil
}

// run runs the steps after the first done ones and records each.
func (m migration) run(ctx context.Context, conn *sql.Conn, done int) (ran int, err error) {
	for i := done; i < len(m.steps); i++ {
		if _, err := conn.ExecContext(ctx, m.steps[i]); err != nil && !alreadyThere(err) {
			return ran, fmt.Errorf("migrate: %s step %d: %w", m.name, i+1, err)
		}
		_, err := conn.ExecContext(ctx, "INSERT INTO schema_steps (version, step, applied_at) VALUES (?, ?, ?)", m.version, i+1, time.Now().UnixMilli())
		if err != nil {
			return ran, fmt.Errorf("migrate: record %s step %d: %w", m.name, i+1, err)
		}
		ran++
	}
	return ran, nil
}

// Migrated refuses to go on with a schema older or newer than this binary.
func (db *DB) Migrated(ctx context.Context) error {
	list, err := db.migrations()
	if err != nil {
		return err
	}
	pool, err := db.read.DB()
	if err != nil {
		return err
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	done, err := readSteps(ctx, conn)
	if err != nil {
		return fmt.Errorf("the store has no schema yet; run `siyu migrate`")
	}
	if err := refuseNewer(done, list); err != nil {
		return err
	}
	for _, m := range list {
		if done[m.version] < len(m.steps) {
			return fmt.Errorf("the store lacks %s; run `siyu migrate`", m.name)
		}
	}
	return nil
}

func (db *DB) migrations() ([]migration, error) {
	names, err := fs.Glob(migrations.Files, "*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	list := make([]migration, 0, len(names))
	for _, name := range names {
		n, _, _ := strings.Cut(name, "_")
		version, err := strconv.Atoi(n)
		if err != nil {
			return nil, fmt.Errorf("migrate: %s does not begin with its number", name)
		}
		t, err := template.ParseFS(migrations.Files, name)
		if err != nil {
			return nil, fmt.Errorf("migrate: %w", err)
		}
		var b bytes.Buffer
		if err := t.Execute(&b, db.Dialect); err != nil {
			return nil, fmt.Errorf("migrate: %s: %w", name, err)
		}
		list = append(list, migration{version, name, statements(b.String())})
	}
	return list, nil
}

// statements cuts a file at semicolons that end a line, comments left out.
func statements(text string) []string {
	var out []string
	var b strings.Builder
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || strings.HasPrefix(trimmed, "--") {
			continue
		}
		if body, ok := strings.CutSuffix(trimmed, ";"); ok {
			b.WriteString(body)
			out = append(out, b.String())
			b.Reset()
			continue
		}
		b.WriteString(line)
	}
	return out
}

// namedLock is the servers': MySQL commits DDL by itself, so a transaction
// would lock nothing.
func namedLock(ctx context.Context, conn *sql.Conn) (func() error, error) {
	var got sql.NullInt64
	if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK(CONCAT('siyu_migrate_', DATABASE()), 60)").Scan(&got); err != nil {
		return nil, fmt.Errorf("migrate: lock: %w", err)
	}
	if got.Int64 != 1 {
		return nil, fmt.Errorf("migrate: another process has been migrating for a minute; wait for it and run again")
	}
	return func() error { return afterwards(conn, "DO RELEASE_LOCK(CONCAT('siyu_migrate_', DATABASE()))") }, nil
}

// fileLock is SQLite's: it has no named locks, so all steps run in one
// immediate transaction, which other processes wait for up to a minute. What
// has run stands even if a later step fails, as it does on a server.
func fileLock(ctx context.Context, conn *sql.Conn) (func() error, error) {
	for _, s := range []string{"PRAGMA busy_timeout = 60000", "BEGIN IMMEDIATE", "PRAGMA busy_timeout = 5000"} {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return nil, fmt.Errorf("migrate: lock: %w; if another process is migrating, wait for it and run again", err)
		}
	}
	return func() error { return afterwards(conn, "COMMIT") }, nil
}

// afterwards runs one statement even when the work's context is over.
func afterwards(conn *sql.Conn, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := conn.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// doneSteps is how many steps of each version are applied.
func doneSteps(ctx context.Context, conn *sql.Conn, d Dialect) (map[int]int, error) {
	_, err := conn.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS schema_steps (
		version INT NOT NULL, step INT NOT NULL, applied_at BIGINT NOT NULL, PRIMARY KEY (version, step))`+d.Table)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return readSteps(ctx, conn)
}

func readSteps(ctx context.Context, conn *sql.Conn) (map[int]int, error) {
	rows, err := conn.QueryContext(ctx, "SELECT version, MAX(step) FROM schema_steps GROUP BY version")
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	defer rows.Close()
	done := map[int]int{}
	for rows.Next() {
		var version, step int
		if err := rows.Scan(&version, &step); err != nil {
			return nil, fmt.Errorf("migrate: %w", err)
		}
		done[version] = step
	}
	return done, rows.Err()
}

func refuseNewer(done map[int]int, list []migration) error {
	known := map[int]int{}
	for _, m := range list {
		known[m.version] = len(m.steps)
	}
	for version, step := range done {
		if step > known[version] {
			return fmt.Errorf("the store's schema (version %d step %d) is newer than this binary; run the newer release", version, step)
		}
	}
	return nil
}

// alreadyThere counts a step that had run before it was recorded as done:
// table, column or index exists, or the index to drop does not (MySQL 1050,
// 1060, 1061, 1091; SQLite by text, because it has one code for every SQL
// error).
func alreadyThere(err error) bool {
	switch mysqlCode(err) {
	case 1050, 1060, 1061, 1091:
		return true
	}
	if sqliteCode(err) != 1 {
		return false
	}
	return slices.ContainsFunc([]string{"already exists", "duplicate column name", "no such index"}, func(says string) bool {
		return strings.Contains(err.Error(), says)
	})
}
