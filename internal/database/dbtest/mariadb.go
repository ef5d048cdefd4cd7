package dbtest

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// mariadb is a running private server, or the one of SIYU_TEST_MYSQL.
type mariadb struct {
	admin *sql.DB
	url   func(schema string) string
	count atomic.Int64
	image func() (image, error)

	// Of a server that was started here.
	process *os.Process
	ended   <-chan struct{}

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
	name := s.Empty(t)
	if err := s.copyTo(name); err != nil {
		t.Fatalf("dbtest: image: %v", err)
	}
	return name
}

// imageSchema is a migrated schema that no test gets; firstSchema is a copy of
// it, for the first test that wants one.
const imageSchema, firstSchema = "test_image", "test_first"

// image is which tables imageSchema has, and which of them have rows.
type image struct{ tables, filled []string }

// makeImage migrates imageSchema, unless the server's folder came with it.
func (s *mariadb) makeImage() (i image, err error) {
	if i.tables, err = s.tables(imageSchema); err != nil {
		return i, err
	}
	if len(i.tables) == 0 {
		if _, err := s.admin.Exec("CREATE DATABASE " + imageSchema + charset); err != nil {
			return i, err
		}
		if err := migrate(s.url(imageSchema)); err != nil {
			return i, err
		}
		if i.tables, err = s.tables(imageSchema); err != nil {
			return i, err
		}
	}
	for _, table := range i.tables {
		var some bool
		if err := s.admin.QueryRow("SELECT EXISTS (SELECT * FROM " + imageSchema + "." + table + ")").Scan(&some); err != nil {
			return i, err
		}
		if some {
			i.filled = append(i.filled, table)
		}
	}
	return i, nil
}

// copyTo fills a schema without tables with what the image has.
func (s *mariadb) copyTo(name string) error {
	image, err := s.image()
	if err != nil {
		return err
	}
	for _, table := range image.tables {
		if _, err := s.admin.Exec(fmt.Sprintf("CREATE TABLE %s.%s LIKE %s.%[2]s", name, table, imageSchema)); err != nil {
			return err
		}
	}
	for _, table := range image.filled {
		if _, err := s.admin.Exec(fmt.Sprintf("INSERT INTO %s.%s SELECT * FROM %s.%[2]s", name, table, imageSchema)); err != nil {
			return err
		}
	}
	return nil
}

const charset = " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"

// Empty is the name of a new schema without tables.
func (s *mariadb) Empty(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d_%d", os.Getpid(), s.count.Add(1))
	if _, err := s.admin.Exec("CREATE DATABASE " + name + charset); err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	return name
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
