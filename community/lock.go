package community

import (
	"siyu/internal/database"
	"siyu/internal/id"
)

// LockTx locks members by id ascending, for an upper room whose limit spans
// several of them (a tree of invitations).
func LockTx(tx *database.Tx, members []id.Member) error {
	_, err := lockMembers(tx, members)
	return err
}
