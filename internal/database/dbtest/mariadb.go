package dbtest

import (
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // the administrative connection
)

// mariadb is a running private server, or the one of SIYU_TEST_MYSQL.
type mariadb struct {
	admin *sql.DB
	url   func(schema string) string
	count atomic.Int64
	image func() (image, error)

	mu   sync.Mutex
	free []string // migrated, empty schemas
}

var theServer = sync.OnceValues(startMariaDB)

func server(t testing.TB) *mariadb {
	t.Helper()
	s, err := theServer()
	if err != nil {
		t.Fatalf("dbtest: mariadb: %v", err)
	}
	return s
}

// pooled is a migrated empty schema; after the test its rows are deleted and
// the next test gets it, because making one costs a second.
func pooled(t testing.TB) string {
	t.Helper()
	need(t, "mariadb")
	s := server(t)
	s.mu.Lock()
	var name string
	if n := len(s.free); n > 0 {
		name, s.free = s.free[n-1], s.free[:n-1]
	}
	s.mu.Unlock()
	if name == "" {
		name = s.create(t)
	}
	t.Cleanup(func() {
		if err := s.clean(name); err != nil {
			t.Errorf("dbtest: clean %s: %v", name, err)
			return
		}
		s.mu.Lock()
		s.free = append(s.free, name)
		s.mu.Unlock()
	})
	return s.url(name)
}

// schema is a migrated schema dropped after the test.
func (s *mariadb) schema(t testing.TB) string {
	t.Helper()
	name := s.create(t)
	t.Cleanup(func() {
		if _, err := s.admin.Exec("DROP DATABASE " + name); err != nil {
			t.Errorf("dbtest: drop %s: %v", name, err)
		}
	})
	return s.url(name)
}

// create is a copy of the image, which takes a third of the time of migrating.
func (s *mariadb) create(t testing.TB) string {
	t.Helper()
	image, err := s.image()
	if err != nil {
		t.Fatalf("dbtest: image: %v", err)
	}
	name := s.Empty(t)
	for _, table := range image.tables {
		if _, err := s.admin.Exec(fmt.Sprintf("CREATE TABLE %s.%s LIKE %s.%[2]s", name, table, image.schema)); err != nil {
			t.Fatalf("dbtest: %v", err)
		}
	}
	for _, table := range image.filled {
		if _, err := s.admin.Exec(fmt.Sprintf("INSERT INTO %s.%s SELECT * FROM %s.%[2]s", name, table, image.schema)); err != nil {
			t.Fatalf("dbtest: %v", err)
		}
	}
	return name
}

// image is a migrated schema that no test gets, and which of its tables have
// rows.
type image struct {
	schema         string
	tables, filled []string
}

func (s *mariadb) makeImage() (i image, err error) {
	if i.schema, err = s.empty(); err != nil {
		return i, err
	}
	if err := migrate(s.url(i.schema)); err != nil {
		return i, err
	}
	if i.tables, err = s.tables(i.schema); err != nil {
		return i, err
	}
	for _, table := range i.tables {
		var rows int
		if err := s.admin.QueryRow("SELECT COUNT(*) FROM " + i.schema + "." + table).Scan(&rows); err != nil {
			return i, err
		}
		if rows > 0 {
			i.filled = append(i.filled, table)
		}
	}
	return i, nil
}

// Empty is the name of a new schema without tables.
func (s *mariadb) Empty(t testing.TB) string {
	t.Helper()
	name, err := s.empty()
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	return name
}

func (s *mariadb) empty() (string, error) {
	name := fmt.Sprintf("test_%d_%d", os.Getpid(), s.count.Add(1))
	_, err := s.admin.Exec("CREATE DATABASE " + name + " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
	return name, err
}

// EmptyURL is a store without tables: a new SQLite path, or a new schema.
func EmptyURL(t testing.TB, engine string) string {
	t.Helper()
	if engine == "sqlite" {
		use("sqlite")
		return "sqlite:" + filepath.Join(t.TempDir(), "siyu.db")
	}
	need(t, engine)
	s := server(t)
	name := s.Empty(t)
	t.Cleanup(func() { s.admin.Exec("DROP DATABASE " + name) })
	return s.url(name)
}

// clean deletes the rows of a schema, but not what it says of its migrations.
func (s *mariadb) clean(schema string) error {
	tables, err := s.tables(schema)
	if err != nil {
		return err
	}
	for _, name := range tables {
		if name == "schema_steps" {
			continue
		}
		if _, err := s.admin.Exec("DELETE FROM " + schema + "." + name); err != nil {
			return err
		}
	}
	return nil
}

func (s *mariadb) tables(schema string) (names []string, err error) {
	rows, err := s.admin.Query("SELECT table_name FROM information_schema.tables WHERE table_schema = ?", schema)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

func startMariaDB() (*mariadb, error) {
	if dsn := os.Getenv("SIYU_TEST_MYSQL"); dsn != "" {
		return connectGiven(dsn)
	}
	dir, err := ownFolder("siyu-mariadb-")
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	// A folder of its own for temporary tables: a server that starts deletes
	// those it finds, and in /tmp they are another test binary's.
	out, err := exec.Command("mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal",
		"--skip-test-db", "--datadir="+data, "--tmpdir="+dir, "--innodb-log-file-size=8M").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("mariadb-install-db: %w: %s", err, out)
	}
	socket := filepath.Join(dir, "s")
	// nosync: what a killed process wrote is the kernel's, and no test cuts the
	// power.
	cmd := exec.Command("mariadbd", "--no-defaults", "--user=root", "--datadir="+data, "--tmpdir="+dir, "--socket="+socket, "--skip-networking",
		"--pid-file="+filepath.Join(dir, "pid"), "--character-set-server=utf8mb4", "--collation-server=utf8mb4_bin",
		"--innodb-buffer-pool-size=256M", "--innodb-log-file-size=64M", "--max-connections=400", "--innodb-flush-log-at-trx-commit=1", "--innodb-flush-method=nosync")
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := startBound(cmd); err != nil {
		return nil, err
	}
	s := &mariadb{url: func(schema string) string { return "mysql://root@unix(" + socket + ")/" + schema }}
	s.image = sync.OnceValues(s.makeImage)
	s.admin, err = sql.Open("mysql", "root@unix("+socket+")/")
	if err != nil {
		return nil, err
	}
	s.admin.SetMaxOpenConns(4)
	for range 300 {
		if err = s.admin.Ping(); err == nil {
			return s, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	text, _ := os.ReadFile(log.Name())
	return nil, fmt.Errorf("mariadbd did not answer: %w\n%s", err, text)
}

// ownFolder is a temporary folder that names this process. The server in it is
// killed with the binary, so nobody is left to remove the folder: the next
// binary does, once the process is gone.
func ownFolder(prefix string) (string, error) {
	old, err := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*-*"))
	if err != nil {
		return "", err
	}
	for _, dir := range old {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), prefix), "-")
		if n, err := strconv.Atoi(pid); err == nil && syscall.Kill(n, 0) == syscall.ESRCH {
			os.RemoveAll(dir)
		}
	}
	return os.MkdirTemp("", fmt.Sprintf("%s%d-", prefix, os.Getpid()))
}

// connectGiven uses a server of the environment: user:password@tcp(host:port).
func connectGiven(dsn string) (*mariadb, error) {
	dsn = strings.TrimSuffix(dsn, "/")
	admin, err := sql.Open("mysql", dsn+"/")
	if err != nil {
		return nil, err
	}
	creds, rest, _ := strings.Cut(dsn, "@")
	addr := strings.TrimSuffix(strings.TrimPrefix(rest, "tcp("), ")")
	s := &mariadb{admin: admin, url: func(schema string) string { return "mysql://" + creds + "@" + addr + "/" + schema }}
	s.image = sync.OnceValues(s.makeImage)
	return s, admin.Ping()
}

// startBound starts a server that dies with this test binary. The kernel
// watches the thread that started it, so that thread is kept for ever.
func startBound(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		started <- cmd.Start()
		_ = cmd.Wait()
		select {}
	}()
	return <-started
}
