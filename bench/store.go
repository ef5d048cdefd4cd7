package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/glebarez/go-sqlite"  // the baselines' own SQLite
	_ "github.com/go-sql-driver/mysql" // and their own MySQL

	"siyu/internal/database"
)

// store is the SQL database under measurement.
type store struct {
	url      string // as SIYU_DB
	folder   string
	schema   string // on a private server
	binlog   bool
	pool     int // MiB of its buffer pool; 0: as it comes
	sqlite   bool
	server   *process     // nil on SQLite and on a given server
	db       *database.DB // for preparing and counting; leases nothing
	settings string       // durability, as the engine itself tells it
}

func openStore(ctx context.Context, o options, folder string) (*store, error) {
	s := &store{folder: folder, binlog: o.binlog, pool: o.pool, sqlite: o.sqlite()}
	s.name(1)
	switch {
	case o.dsn != "":
		s.url = o.dsn
	case !s.sqlite:
		if err := s.install(); err != nil {
			return nil, err
		}
		if err := s.startServer(); err != nil {
			return nil, err
		}
		if err := s.makeSchema(ctx); err != nil {
			return s, err
		}
	}
	return s, s.connect(ctx, o)
}

// name is the n-th private store's place. The schema's name lets the house be
// killed.
func (s *store) name(n int) {
	s.schema = fmt.Sprintf("test_bench%d", n)
	s.url = "mysql://root@unix(" + s.socket() + ")/" + s.schema
	if s.sqlite {
		s.url = "sqlite:" + filepath.Join(s.folder, fmt.Sprintf("store%d", n), "siyu.db")
	}
}

// renew leaves the private store for a fresh one, the n-th.
func (s *store) renew(ctx context.Context, o options, n int) error {
	if err := s.db.Close(); err != nil {
		return err
	}
	old := s.schema
	s.name(n)
	if !s.sqlite {
		if err := s.admin(ctx, "DROP DATABASE "+old); err != nil {
			return err
		}
		if err := s.makeSchema(ctx); err != nil {
			return err
		}
	}
	return s.connect(ctx, o)
}

func (s *store) connect(ctx context.Context, o options) (err error) {
	if s.db, err = database.Open(ctx, database.Config{URL: s.url}); err != nil {
		return err
	}
	if n, err := s.db.Tables(ctx); o.url == "" && (err != nil || n > 0) {
		return errors.Join(err, fmt.Errorf("the store has %d tables; this program fills only empty ones", n))
	}
	if _, err := s.db.Migrate(ctx); err != nil {
		return err
	}
	s.settings, err = s.durability(ctx)
	return err
}

func (s *store) close() {
	if s.db != nil {
		_ = s.db.Close() // everything it was asked has been answered
	}
	s.server.stop()
}

func (s *store) socket() string { return filepath.Join(s.folder, "db.sock") }

func (s *store) install() error {
	out, err := exec.Command("mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db",
		"--datadir="+filepath.Join(s.folder, "db"), "--tmpdir="+s.folder).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mariadb-install-db: %w (apt-get install mariadb-server): %s", err, out)
	}
	return nil
}

// startServer runs MariaDB as Debian ships it, beside durability, which the
// house requires, the character set, and a larger pool if one is asked for.
func (s *store) startServer() error {
	args := []string{
		"--no-defaults", "--user=root", "--datadir=" + filepath.Join(s.folder, "db"), "--tmpdir=" + s.folder,
		"--socket=" + s.socket(), "--skip-networking", "--pid-file=" + filepath.Join(s.folder, "db.pid"),
		"--character-set-server=utf8mb4", "--collation-server=utf8mb4_bin", "--innodb-flush-log-at-trx-commit=1",
	}
	if s.binlog {
		args = append(args, "--log-bin=binlog", "--sync-binlog=1", "--server-id=1")
	}
	if s.pool > 0 {
		args = append(args, fmt.Sprintf("--innodb-buffer-pool-size=%dM", s.pool), fmt.Sprintf("--innodb-log-file-size=%dM", s.pool/2))
	}
	var err error
	if s.server, err = start("mariadbd", exec.Command("mariadbd", args...), s.folder); err != nil {
		return err
	}
	admin, err := sql.Open("mysql", "root@unix("+s.socket()+")/")
	if err != nil {
		return err
	}
	defer admin.Close()
	err = until("mariadbd answers", 60*time.Second, func() bool { return admin.Ping() == nil || !s.server.alive() })
	if err != nil || !s.server.alive() {
		return errors.Join(err, errors.New(s.server.lastWords()))
	}
	return nil
}

func (s *store) makeSchema(ctx context.Context) error {
	return s.admin(ctx, "CREATE DATABASE "+s.schema+" CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
}

// admin tells the private server one thing.
func (s *store) admin(ctx context.Context, text string) error {
	admin, err := sql.Open("mysql", "root@unix("+s.socket()+")/")
	if err != nil {
		return err
	}
	defer admin.Close()
	_, err = admin.ExecContext(ctx, text)
	return err
}

// durability reads back what decides whether a commit survives. SQLite's
// synchronous belongs to the connection, so it is asked of one opened by the
// code that opens the house's.
func (s *store) durability(ctx context.Context) (string, error) {
	var out []string
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		out = out[:0]
		if tx.Dialect.Name == "sqlite" {
			for _, name := range []string{"journal_mode", "synchronous"} {
				var v string
				if err := tx.Raw("PRAGMA " + name).Scan(&v).Error; err != nil {
					return err
				}
				out = append(out, name+"="+v)
			}
			return nil
		}
		var rows []struct {
			Name  string `gorm:"column:Variable_name"`
			Value string `gorm:"column:Value"`
		}
		err := tx.Raw(`SHOW VARIABLES WHERE Variable_name IN ('version', 'innodb_flush_log_at_trx_commit', 'log_bin', 'sync_binlog',
			'innodb_doublewrite', 'innodb_flush_method', 'innodb_buffer_pool_size', 'innodb_log_file_size', 'innodb_redo_log_capacity')`).Scan(&rows).Error
		for _, r := range rows {
			out = append(out, r.Name+"="+r.Value)
		}
		return err
	})
	return strings.Join(out, " "), err
}

// tell has the store do one thing.
func (s *store) tell(ctx context.Context, text string) error {
	return s.db.Tx(ctx, func(tx *database.Tx) error { return tx.Exec(text).Error })
}

// number reads one number.
func (s *store) number(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = s.db.Read(ctx).Raw(query, args...).Scan(&n).Error
	return n, err
}

// driver is the database/sql driver and its DSN for a SIYU_DB. The baselines
// speak to the engine without the house's code between.
func driver(siyuDB string) (name, dsn string, err error) {
	if path, ok := strings.CutPrefix(siyuDB, "sqlite:"); ok {
		return "sqlite", "file:" + path + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)", nil
	}
	rest, ok := strings.CutPrefix(siyuDB, "mysql://")
	at, slash := strings.LastIndexByte(rest, '@'), strings.LastIndexByte(rest, '/')
	if !ok || at < 0 || slash < at {
		return "", "", errors.New("the store's URL must be sqlite:PATH or mysql://user:password@host:port/schema")
	}
	creds, err := url.PathUnescape(rest[:at])
	if err != nil {
		return "", "", err
	}
	host := rest[at+1 : slash]
	if !strings.HasPrefix(host, "unix(") {
		if _, _, err := net.SplitHostPort(host); err != nil {
			host += ":3306"
		}
		host = "tcp(" + host + ")"
	}
	return "mysql", creds + "@" + host + rest[slash:] + "?interpolateParams=true&clientFoundRows=true", nil
}
