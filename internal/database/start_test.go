package database_test

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// refused opens a store that must be refused in one line holding the words and
// none of the secrets.
func refused(t *testing.T, storeURL string, words ...string) {
	t.Helper()
	db, err := database.Open(bg, database.Config{URL: storeURL})
	if err == nil {
		db.Close()
		t.Errorf("%s was accepted", storeURL)
		return
	}
	text := err.Error()
	if strings.ContainsAny(text, "\n\r") || strings.Contains(text, "s3cret") {
		t.Errorf("not one line without the password: %q", text)
	}
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q lacks %q", text, w)
		}
	}
}

func TestRefusedAddress(t *testing.T) {
	for _, c := range []struct{ url, says string }{
		{"postgres://u:s3cret@h/db", "use sqlite:PATH or mysql://"},
		{"u:s3cret@tcp(h:3306)/db", "use sqlite:PATH or mysql://"},
		{"mysql//u:s3cret@h/db", "use sqlite:PATH or mysql://"},
		{"", "use sqlite:PATH or mysql://"},
		{"mysql://host/db", "lacks user@"},
		{"mysql://u:s3cret@host", "lacks a schema"},
		{"mysql://u:s3cret@host/", "lacks a schema"},
		{"mysql://u:s3cret%zz@host/db", "percent-encoded"},
		{"mysql://u:s3cret@part@127.0.0.1:1/db", "at 127.0.0.1:1"},
		{"mysql://u:s3cret@127.0.0.1:1/db", "start it or correct the address"},
		{"mysql://u:s3cret@unix(/nowhere/s)/db", "start it or correct the address"},
	} {
		refused(t, c.url, "SIYU_DB", c.says)
	}
}

func TestRefusedFile(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("not a database ", 99)), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, "sqlite:"+dir, "SIYU_DB", dir, "may write")
	refused(t, "sqlite:"+garbage, "SIYU_DB", garbage, "SQLite file")
	refused(t, "sqlite:"+filepath.Join(garbage, "siyu.db"), "SIYU_DB", "choose a folder")
	odd := handle(t, "sqlite:"+filepath.Join(dir, "a b#c?d%e", "王.db"))
	if _, err := odd.Migrate(bg); err != nil {
		t.Errorf("an odd name: %v", err)
	}
	for _, part := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(filepath.Join(dir, "a b#c?d%e", "王.db"+part))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("王.db%s: %v, %v; want a file that its owner alone reads", part, info, err)
		}
	}
}

// Settings under which an acknowledged commit could be lost or a name garbled.
// They are global, so only a private server is touched, and put back.
func TestRefusedServer(t *testing.T) {
	if os.Getenv("SIYU_TEST_MYSQL") != "" {
		dbtest.Lacks(t, "the server of SIYU_TEST_MYSQL is not ours to change")
	}
	store := dbtest.EmptyURL(t, "mariadb")
	server, schema := store[:strings.LastIndexByte(store, '/')+1], store[strings.LastIndexByte(store, '/')+1:]
	admin := raw(t, store, "")
	set := func(t *testing.T, during, after string) {
		t.Helper()
		exec(t, admin, during)
		t.Cleanup(func() { exec(t, admin, after) })
	}
	t.Run("lazy flush", func(t *testing.T) {
		set(t, "SET GLOBAL innodb_flush_log_at_trx_commit = 2", "SET GLOBAL innodb_flush_log_at_trx_commit = 1")
		refused(t, store, "innodb_flush_log_at_trx_commit is 2", "set it to 1")
	})
	t.Run("another character set", func(t *testing.T) {
		set(t, "CREATE DATABASE latin CHARACTER SET latin1", "DROP DATABASE latin")
		refused(t, server+"latin", "latin1", "utf8mb4")
	})
	t.Run("no such schema", func(t *testing.T) {
		refused(t, server+"nowhere", "nowhere does not exist", "CREATE DATABASE nowhere")
	})
	t.Run("wrong password", func(t *testing.T) {
		refused(t, strings.Replace(store, "root@", "root:s3cret@", 1), "root is refused", "correct the user or password")
	})
	t.Run("a clock far off", func(t *testing.T) {
		set(t, "CREATE USER late@localhost IDENTIFIED BY 'p/w@1'", "DROP USER late@localhost")
		exec(t, admin, "GRANT ALL ON "+schema+".* TO late@localhost")
		late := strings.Replace(store, "root@", "late:"+url.PathEscape("p/w@1")+"@", 1)
		db, err := database.Open(bg, database.Config{URL: late})
		if err != nil {
			t.Fatalf("with the right clock: %v", err)
		}
		db.Close()
		// Not run for the administrator, so the other tests keep their time.
		set(t, "SET GLOBAL init_connect = 'SET timestamp = 1700000000'", "SET GLOBAL init_connect = ''")
		refused(t, late, "clock", "NTP")
	})
}
