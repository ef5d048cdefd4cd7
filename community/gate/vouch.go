package gate

import (
	"context"
	"fmt"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// month is the time in which a member may vouch for so many people.
const month = 30 * 24 * time.Hour

// Vouch gives the member a voucher for one person he wants in the group: few,
// of people who have been in for a while, and each used once.
func (s *Service) Vouch(ctx context.Context, group id.Group, member id.Member) (id.Vouch, error) {
	var made id.Vouch
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := community.LockLiveTx(tx, member) // the limit's lock
		if err != nil {
			return err
		}
		g, err := find(tx.DB, group, "")
		if err != nil {
			return err
		}
		if g.Version == 0 || g.VouchDays == 0 {
			return fault.NotFound
		}
		stays, err := community.StaysOf(tx.DB, []id.Member{who})
		if err != nil {
			return err
		}
		since := clock.Milli(0)
		for _, m := range stays[who] {
			if m.GroupID == group && m.LeftAt == 0 {
				since = m.JoinedAt
			}
		}
		switch {
		case since == 0:
			return ErrNotIn
		case since > tx.Now.Add(-time.Duration(g.VouchDays)*24*time.Hour):
			return ErrTooNew.With("days", g.VouchDays)
		}
		var given int
		err = tx.Raw("SELECT COUNT(*) FROM vouches WHERE member_id = ? AND group_id = ? AND created_at > ?", who, group, tx.Now.Add(-month)).Scan(&given).Error
		switch {
		case err != nil:
			return fmt.Errorf("gate: vouches of %s: %w", who, err)
		case given >= g.VouchMonth:
			return ErrVouches.With("max", g.VouchMonth)
		}
		made = id.Vouch(tx.Next())
		tx.SetResult("vouch", int64(made), 201)
		return tx.Exec("INSERT INTO vouches (id, group_id, member_id, used_by, created_at) VALUES (?, ?, ?, 0, ?)", made, group, who, tx.Now).Error
	})
	return made, err
}

// errVouch refuses a voucher that cannot be used for this.
var errVouch = ErrRefused.Field("vouch_id", "unknown", "邀请已用过、过期或不是这个群的", "the voucher was used, has run out, or is another group's")

// useVouch takes the voucher of an application, which runs out after 30 days.
func useVouch(tx *database.Tx, g Gate, a Application, vouch id.Vouch) error {
	if g.VouchDays == 0 {
		return nil
	}
	return database.One(tx.Exec("UPDATE vouches SET used_by = ? WHERE id = ? AND group_id = ? AND member_id <> ? AND created_at > ?"+tx.Only("used_by = 0"),
		a.ID, vouch, a.GroupID, a.MemberID, tx.Now.Add(-month)), errVouch)
}
