package database

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Backup copies the store into a new file while it is used: a SQLite file by
// VACUUM INTO, a server's schema as a consistent dump by its own tool.
func (db *DB) Backup(ctx context.Context, path string) error {
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("backup: %s exists; name a new file", path)
	}
	if db.Dialect.Name == "sqlite" {
		// SQLite copies into an empty file too, and keeps its mode.
		if err := private(path); err != nil {
			return fmt.Errorf("backup: %w", err)
		}
		// A reader is query_only, so the writer makes the copy; it reads one
		// snapshot and holds no lock on the store.
		if err := db.write.WithContext(ctx).Exec("VACUUM INTO ?", path).Error; err != nil {
			os.Remove(path)
			return fmt.Errorf("backup: %w", err)
		}
		return nil
	}
	return db.dump(ctx, path)
}

// dump runs mariadb-dump or mysqldump. The password travels in the child's
// environment, not on its command line.
func (db *DB) dump(ctx context.Context, path string) error {
	c, err := mysqlConfig(db.url)
	if err != nil {
		return err
	}
	tool := ""
	for _, name := range []string{"mariadb-dump", "mysqldump"} {
		if found, err := exec.LookPath(name); err == nil {
			tool = found
			break
		}
	}
	if tool == "" {
		return fmt.Errorf("backup: neither mariadb-dump nor mysqldump is installed here; install mariadb-client")
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer f.Close()
	args := []string{"--no-defaults", "--single-transaction", "--skip-lock-tables", "--hex-blob", "--user=" + c.User}
	if c.Net == "unix" {
		args = append(args, "--socket="+c.Addr)
	} else {
		host, port, _ := strings.Cut(c.Addr, ":")
		args = append(args, "--host="+host, "--port="+port, "--protocol=tcp")
	}
	cmd := exec.CommandContext(ctx, tool, append(args, c.DBName)...)
	cmd.Env = append(os.Environ(), "MYSQL_PWD="+c.Passwd)
	cmd.Stdout, cmd.Stderr = f, os.Stderr
	if err := cmd.Run(); err != nil {
		os.Remove(path)
		return fmt.Errorf("backup: %s: %w", tool, err)
	}
	return f.Sync()
}

// Tables is how many tables the store has, for commands that want none.
func (db *DB) Tables(ctx context.Context) (int, error) {
	from := "information_schema.tables WHERE table_schema = DATABASE()"
	if db.Dialect.Name == "sqlite" {
		from = "sqlite_master WHERE type = 'table'"
	}
	var n int
	err := db.Read(ctx).Raw("SELECT COUNT(*) FROM " + from).Scan(&n).Error
	return n, err
}
