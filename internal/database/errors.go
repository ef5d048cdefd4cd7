package database

import (
	"errors"
	"fmt"

	"gorm.io/gorm"

	"siyu/internal/fault"
)

func asError[T error](err error, target *T) bool { return errors.As(err, target) }

// Result codes of SQLite, extended ones included.
const (
	sqliteBusy      = 5
	sqliteInterrupt = 9
	sqliteUnique    = 2067
	sqlitePrimary   = 1555
)

// IsDuplicate says that a unique key refused a row. It is how the rooms learn
// "already there": plain INSERT, then this; RowsAffected after an ignoring
// insert means different things on different engines.
func IsDuplicate(err error) bool {
	switch sqliteCode(err) {
	case sqliteUnique, sqlitePrimary:
		return true
	}
	return mysqlCode(err) == 1062
}

// IsCheck says that a CHECK constraint refused a row.
func IsCheck(err error) bool {
	const sqliteCheck = 275
	n := mysqlCode(err)
	return sqliteCode(err) == sqliteCheck || n == 4025 || n == 3819
}

// isAgain says that the whole transaction may be tried again: deadlock, lock
// wait (which rolls back only the statement, so we roll back ourselves),
// MariaDB's snapshot conflict, TiDB's conflicts, SQLite's busy.
func isAgain(err error) bool {
	switch mysqlCode(err) {
	case 1213, 1205, 1020, 8002, 8005, 9007:
		return true
	}
	// The low byte tells the family: busy, busy while recovering, busy on a
	// stale snapshot. An interrupt reaches a transaction whose context still
	// lives only by mistake: it was meant for the statement before.
	switch sqliteCode(err) & 0xff {
	case sqliteBusy, sqliteInterrupt:
		return true
	}
	return false
}

// LockedOut says that a SELECT with LockSoon or NoWait did not get its rows.
func LockedOut(err error) bool {
	switch mysqlCode(err) {
	case 1969, 3572: // MariaDB's statement time, MySQL's NOWAIT
		return true
	}
	return isLockWait(err)
}

// isLockWait says that a lock was not had in time.
func isLockWait(err error) bool {
	return mysqlCode(err) == 1205 || sqliteCode(err)&0xff == sqliteBusy
}

// ErrCommitUnknown says that the connection failed while committing: the work
// may stand or not. It is looked up by its business key, never repeated blind.
var ErrCommitUnknown = errors.New("database: commit outcome unknown")

// Absent turns gorm's missing row into the not-found fault.
func Absent(err error) error {
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return fault.NotFound
	}
	return err
}

// One checks that a write touched exactly one row. Nought gives otherwise,
// the fault that names why the condition failed.
func One(res *gorm.DB, otherwise error) error {
	switch {
	case res.Error != nil:
		return res.Error
	case res.RowsAffected == 1:
		return nil
	case res.RowsAffected == 0:
		return otherwise
	}
	return fmt.Errorf("database: %d rows changed where one was meant", res.RowsAffected)
}
