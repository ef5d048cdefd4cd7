package database

import (
	"crypto/rand"
	"strings"
)

// memory begins the URL of a SQLite store that lives in this process alone.
const memory = "memory:"

// Memory is the URL of a new store in memory, gone when it is closed. It has
// what a file's store has but WAL: while one transaction writes, readers wait.
// So nothing may read past its own transaction there.
func Memory() string { return memory + rand.Text() }

// InMemory says whether the URL is that of such a store.
func InMemory(url string) bool { return strings.HasPrefix(url, memory) }

// openMemory opens it under SQLite's own memory file system, whose files
// several connections share under the usual locks. (A shared cache would lock
// tables without waiting, and show readers what is not committed.) The file
// lives as long as some connection does, so one stays open and unused.
func (db *DB) openMemory(name string) (err error) {
	path, vfs := "/"+name, "&vfs=memdb"
	if db.write, err = db.sqlitePool(path, vfs+"&_txlock=immediate", 1); err != nil {
		return err
	}
	if db.read, err = db.sqlitePool(path, vfs+"&_pragma=query_only(1)", readers); err != nil {
		return err
	}
	_, err = db.sqlitePool(path, vfs, 1)
	return err
}
