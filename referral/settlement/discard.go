package settlement

import (
	"context"

	"siyu/internal/database"
	"siyu/internal/id"
)

// Discard ends an open settlement that nobody wants any more. It has no lines
// and no place in the chain; it stays in the list, and the audit says who.
func (s *Service) Discard(ctx context.Context, sid id.Settlement) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		if _, err := staff(tx); err != nil {
			return err
		}
		st, err := lock(tx, sid)
		switch {
		case err != nil:
			return err
		case st.Status != StatusOpen:
			return ErrState.With("state", st.Status)
		}
		err = database.One(tx.Exec("UPDATE settlements SET status = ? WHERE id = ?", StatusDiscarded, sid), ErrState.With("state", st.Status))
		if err != nil {
			return err
		}
		tx.SetResult("settlement", int64(sid), 200)
		return database.AuditTx(tx, "settlement.discard", sid, st.Status, StatusDiscarded)
	})
}
