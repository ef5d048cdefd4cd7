package referral

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// RotateIn is what the new code differs in; what is left out stays.
type RotateIn struct {
	ExpiresAt *clock.Milli  `json:"expires_at"`
	Cost      *money.Amount `json:"cost_fen"`
}

// Validate names everything wrong with the input.
func (in RotateIn) Validate() error {
	var c fault.Check
	if in.Cost != nil {
		c.Range(int64(*in.Cost), "cost_fen", 0, costMax)
	}
	return c.Err()
}

// RotateCode gives the place of a code a new one. What is printed goes on
// working: whoever scans the old code lands at the new one. An expired code can
// be rotated, which is how its prints come back to life; a revoked one cannot.
func (s *Service) RotateCode(ctx context.Context, code string, in RotateIn) (id.Code, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	var made id.Code
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		old, err := s.lookup(tx.DB, code)
		switch {
		case err != nil:
			return err
		case !mayManage(tx.Actor, old):
			return ErrCode
		case old.Status != CodeLive && old.Status != CodeExpired:
			return ErrCodeState.With("state", old.Status)
		}
		next, err := successorOf(tx, old, in)
		if err != nil {
			return err
		}
		if made, err = s.succeedTx(tx, old, next); err != nil {
			return err
		}
		tx.SetResult("code", int64(made), 201)
		if tx.Actor.Kind != database.ActorStaff {
			return nil
		}
		return database.AuditTx(tx, "code.rotate", old.ID, old.Status, made)
	})
	return made, err
}

// successorOf is the place of a code with what shall differ.
func successorOf(tx *database.Tx, old Code, in RotateIn) (Code, error) {
	next := old
	if next.ExpiresAt != 0 && next.ExpiresAt <= tx.Now {
		next.ExpiresAt = 0 // an expired code comes back without its end
	}
	if in.ExpiresAt != nil {
		next.ExpiresAt = *in.ExpiresAt
	}
	if in.Cost != nil {
		if tx.Actor.Kind == database.ActorMember || tx.Actor.Kind == database.ActorGuest {
			return next, errCostStaff
		}
		next.Cost = *in.Cost
	}
	return next, future(tx, next.ExpiresAt, "expires_at")
}

var errCostStaff = fault.Invalid.Field("cost_fen", "staff_only", "渠道成本由员工填写", "what a channel costs is for staff to say")

// future refuses an end that has come already.
func future(tx *database.Tx, ends clock.Milli, field string) error {
	if ends != 0 && ends <= tx.Now {
		return fault.Invalid.Field(field, "past", "到期时间应在现在之后", "must lie in the future")
	}
	return nil
}

// succeedTx ends the old code and has it, and all that led to it, lead to the
// code of the place.
func (s *Service) succeedTx(tx *database.Tx, old, next Code) (id.Code, error) {
	res := tx.Exec("UPDATE codes SET status = ?, live = id, version = version + 1 WHERE id = ?"+tx.Only("status = ?"), CodeRotated, old.ID, old.Status)
	if err := database.One(res, ErrCodeState.With("state", CodeRotated)); err != nil {
		return 0, err
	}
	made, _, err := s.codesTx(tx, []Code{next})
	if err != nil {
		return 0, err
	}
	err = tx.Exec("UPDATE codes SET successor_id = ? WHERE id = ? OR successor_id = ?", made[0], old.ID, old.ID).Error
	if err != nil {
		return 0, fmt.Errorf("referral: rotate %s: %w", old.ID, err)
	}
	return made[0], nil
}

// hopsMax bounds how often a scan is led on. Rotations keep it at one; only
// those that met each other leave two.
const hopsMax = 16

// follow leads a rotated code on to the one that came after it, which then
// knows by which codes it was reached.
func (s *Service) follow(q *database.Query, c Code) (Code, error) {
	var via []id.Code
	for range hopsMax {
		if c.Status != CodeRotated {
			break
		}
		via = append(via, c.ID)
		var next Code
		if err := q.Raw("SELECT "+codeColumns+" FROM codes WHERE id = ?", c.SuccessorID).Scan(&next).Error; err != nil {
			return c, fmt.Errorf("referral: successor of %s: %w", c.ID, err)
		}
		if next.ID == 0 {
			return c, ErrCode
		}
		c = next
	}
	c.URL, c.via = s.target(c.Code), via
	return c, nil
}
