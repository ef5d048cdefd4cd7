package database

import (
	"database/sql/driver"
	"errors"
	"net"
	"time"

	"github.com/go-sql-driver/mysql"
	"gorm.io/gorm"

	"siyu/internal/fault"
)

// isAway says that the store cannot be asked just now: the server is stopped,
// starting or full of connections, the network broke, or SQLite's file cannot
// be read or written. Nothing is wrong with the question.
func isAway(err error) bool {
	var broken *net.OpError
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) || errors.As(err, &broken) {
		return true
	}
	switch mysqlCode(err) {
	case 1040, 1053, 1927: // too many connections, shutting down, connection killed
		return true
	}
	switch sqliteCode(err) & 0xff {
	case 8, 10, 13, 14: // read-only, input or output failed, disk full, cannot open
		return true
	}
	return false
}

// watchAway makes the fault that asks to come again of every statement that
// found the store away, so that callers answer 503 and not 500.
func watchAway(g *gorm.DB) error {
	tell := func(s *gorm.DB) {
		if isAway(s.Error) {
			s.Error = fault.Unavailable.After(time.Second).Wrap(s.Error)
		}
	}
	cb := g.Callback()
	return errors.Join(
		cb.Create().After("gorm:create").Register("siyu:away", tell),
		cb.Query().After("gorm:query").Register("siyu:away", tell),
		cb.Update().After("gorm:update").Register("siyu:away", tell),
		cb.Delete().After("gorm:delete").Register("siyu:away", tell),
		cb.Row().After("gorm:row").Register("siyu:away", tell),
		cb.Raw().After("gorm:raw").Register("siyu:away", tell),
	)
}
