package gate

import (
	"context"
	"errors"
	"fmt"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// reasonClosed is why an application to a group that is no more came to nothing.
const reasonClosed = "群已关闭 the group has closed"

// endClosed refuses what is open to groups that closed: nobody is let in any
// more, and a fee that was paid goes back.
func (s *Service) endClosed(ctx context.Context, _ clock.Milli) error {
	for {
		var left []id.Application
		err := s.DB.Read(ctx).Raw(`SELECT a.id FROM applications a JOIN chat_groups g ON g.id = a.group_id
			WHERE a.status IN ? AND g.status = ? ORDER BY a.id LIMIT ?`, []Status{StatusFee, StatusReview, StatusWaiting}, community.GroupDissolved, waitingAtOnce).Scan(&left).Error
		if err != nil {
			return fmt.Errorf("gate: applications to closed groups: %w", err)
		}
		for _, a := range left {
			if err := s.DB.Tx(ctx, func(tx *database.Tx) error { return endTx(tx, a) }); err != nil {
				return err
			}
		}
		if len(left) < waitingAtOnce {
			return nil
		}
	}
}

func endTx(tx *database.Tx, application id.Application) error {
	a, err := one(tx.DB, application, "")
	if err != nil {
		return err
	}
	to, reason := StatusRefused, reasonClosed
	_, err = community.LockLiveTx(tx, a.MemberID)
	if errors.Is(err, community.ErrMemberErased) {
		to, reason, err = StatusWithdrawn, "", nil
	}
	if err != nil {
		return err
	}
	if _, err := find(tx.DB, a.GroupID, tx.Dialect.ForUpdate); err != nil {
		return err
	}
	if a, err = one(tx.DB, application, tx.Dialect.ForUpdate); err != nil || !a.Status.open() {
		return err // somebody else ended it
	}
	return turn(tx, a, to, reason)
}
