package database

// Dialect is where engines must differ. A field is added only when a second
// engine forces it.
type Dialect struct {
	// Name is sqlite, mariadb or mysql.
	Name string

	// ForUpdate ends a SELECT that locks its rows. SQLite has no such clause
	// and needs none: its one writer connection begins immediate.
	ForUpdate string

	// ForShare ends a SELECT whose rows others may read so too, but not lock
	// for update. TiDB has none and locks alone.
	ForShare string

	// Table ends a CREATE TABLE: engine, character set and binary collation.
	// SQLite knows none of them and is binary by default.
	Table string

	// ID is the type of a primary id; SQLite makes INTEGER PRIMARY KEY the
	// row id itself and anything else a second tree.
	ID string

	// Text and Blob hold up to 16 MiB; MySQL's plain TEXT ends at 64 KiB.
	Text string
	Blob string

	// LockSoon begins a locking SELECT that gives up after 50 ms, where the
	// engine can say it in the statement (MariaDB); LockedOut tells its error.
	// MySQL can bound only whole seconds, per session.
	LockSoon string

	// NoWait is ForUpdate that fails at once on a locked row.
	NoWait string

	// onTable follows the name of an index that is dropped; SQLite's indexes
	// have one name space and take no table. See On.
	onTable string

	// byIndex follows the name of a table in a SELECT that is to be read by one
	// index, where weighing it against the others costs more than reading
	// (MariaDB and MySQL look into each for every id of a list). See ByIndex.
	byIndex string

	// shortWait begins a statement that gives up on a lock after 2 s, where
	// the engine can say it in the statement (MariaDB).
	shortWait string

	// commits asks how many transactions the server has committed; SQLite does
	// not count them.
	commits string
}

// On names the table of an index in DROP INDEX, where the engine wants it.
func (d Dialect) On(table string) string {
	if d.onTable == "" {
		return ""
	}
	return d.onTable + table
}

// ByIndex has a table read by one of its indexes, where the engine can be told.
func (d Dialect) ByIndex(index string) string {
	if d.byIndex == "" {
		return ""
	}
	return d.byIndex + "(" + index + ")"
}

// mariadbTable differs from MySQL's by the name of the binary collation that
// does not pad. utf8mb4_bin exists on both and would do, but it takes "a" and
// "a " for the same key where SQLite does not.
const mariadbTable = " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin"

var (
	sqliteDialect = Dialect{
		Name: "sqlite",
		ID:   "INTEGER PRIMARY KEY NOT NULL",
		Text: "TEXT", Blob: "BLOB",
	}
	mysqlDialect = Dialect{
		Name:      "mysql",
		ForUpdate: " FOR UPDATE",
		ForShare:  " LOCK IN SHARE MODE",
		NoWait:    " FOR UPDATE NOWAIT",
		onTable:   " ON ",
		byIndex:   " FORCE INDEX ",
		commits:   "SHOW GLOBAL STATUS LIKE 'Com_commit'",
		Table:     " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_bin",
		ID:        "BIGINT NOT NULL PRIMARY KEY",
		Text:      "MEDIUMTEXT", Blob: "MEDIUMBLOB",
	}
)
