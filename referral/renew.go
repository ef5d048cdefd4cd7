package referral

import (
	"context"
	"fmt"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Scan notes that a visitor opened the page of a code, and lengthens the
// binding that he has with the same inviter if that was promised. A scan that
// counts in an attribution is written at once: somebody's reward may rest on
// it. The others are statistics and stay in memory for a second.
func (s *Service) Scan(ctx context.Context, l Landing, visitor id.Member) error {
	own, rules, err := s.standing(ctx, l.Scope, visitor)
	if err != nil {
		return err
	}
	counts := l.Rules.Attribution.TouchDays > 0
	renews := own.ID != 0 && own.InviterID == l.InviterID && rules.Attribution.Renewal == RenewalTouch
	if !counts {
		s.Touch(l.CodeID, visitor)
	}
	if !counts && !renews {
		return nil
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		if counts {
			err := tx.Exec("INSERT INTO touches (id, code_id, visitor_id, at, day_no, rules_version) VALUES (?, ?, ?, ?, ?, ?)",
				tx.Next(), l.CodeID, visitor, tx.Now, clock.Day(tx.Now.Time(), shanghai), l.ProgramVersion).Error
			if err != nil {
				return fmt.Errorf("referral: scan of %s: %w", l.CodeID, err)
			}
		}
		if !renews {
			return nil
		}
		return lengthenTx(tx, own, rules, tx.Now)
	})
}

// standing is the binding a person has in a scope and what it promised.
func (s *Service) standing(ctx context.Context, scope string, invitee id.Member) (binding, Rules, error) {
	var own binding
	err := s.DB.Read(ctx).Raw("SELECT "+bindingColumns+" FROM bindings WHERE scope = ? AND invitee_id = ? AND live = 0 AND expires_at > ?",
		scope, invitee, clock.MilliOf(s.DB.Clock.Now())).Scan(&own).Error
	if err != nil || own.ID == 0 {
		return own, Rules{}, err
	}
	rules, err := rulesOf(s.DB.Read(ctx), own.ProgramID, own.ProgramVersion)
	return own, rules, err
}

// renewPaidTx lengthens the binding of a paid order if its version promised
// that. Members come before bindings in the order of locks, so it is done
// before anything else of the payment.
func renewPaidTx(tx *database.Tx, o PaidOrder, rules Rules) error {
	if rules.Attribution.Renewal != RenewalPaidOrder {
		return nil
	}
	var b binding
	err := tx.Raw("SELECT "+bindingColumns+" FROM bindings WHERE id = ? AND live = 0", o.Frozen.Binding).Scan(&b).Error
	if err != nil || b.ID == 0 {
		return err
	}
	return lengthenTx(tx, b, rules, o.PaidAt)
}

// lengthenTx gives a binding its whole life again from a moment on, if it has
// not run out. One among new members is lengthened under the lock of its
// invitee, and not if it would close a circle: whoever held it for lapsed may
// have hung his tree under him.
func lengthenTx(tx *database.Tx, b binding, rules Rules, from clock.Milli) error {
	until := from.Add(days(rules.AttributionDays))
	if until <= b.ExpiresAt || b.ExpiresAt <= tx.Now {
		return nil
	}
	if b.Scope == ScopeNewMember {
		if err := community.LockTx(tx, []id.Member{b.InviteeID}); err != nil {
			return err
		}
		circle, err := above(tx.DB, b, tx.Now)
		if err != nil || circle {
			return err
		}
	}
	res := tx.Exec("UPDATE bindings SET expires_at = ?, renewed_at = ? WHERE id = ? AND expires_at < ?"+tx.Only("live = 0 AND expires_at > ?"),
		until, tx.Now, b.ID, until, tx.Now)
	if res.Error != nil {
		return fmt.Errorf("referral: lengthen %s: %w", b.ID, res.Error)
	}
	return nil
}

// lapseMost is how many bindings one transaction ends.
const lapseMost = 200

// EndLapsed ends bindings that ran out, at the moment at which they did.
// Nothing waits for it: whoever reads a binding asks whether it has run out.
func (s *Service) EndLapsed(ctx context.Context) error {
	for {
		n := 0
		err := s.DB.Tx(ctx, func(tx *database.Tx) error {
			var list []id.Binding
			err := tx.Raw("SELECT id FROM bindings WHERE live = 0 AND expires_at <= ? ORDER BY expires_at LIMIT ?", tx.Now, lapseMost).Scan(&list).Error
			if n = len(list); err != nil || n == 0 {
				return err
			}
			// Locked and read again: one may have been lengthened meanwhile.
			var over []binding
			err = tx.Raw("SELECT "+bindingColumns+" FROM bindings WHERE id IN ? AND live = 0 AND expires_at <= ? ORDER BY id"+tx.Dialect.ForUpdate,
				list, tx.Now).Scan(&over).Error
			if err != nil {
				return err
			}
			for _, b := range over {
				if err := b.endTx(tx, b.ExpiresAt, endLapsed); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("referral: end lapsed bindings: %w", err)
		}
		if n < lapseMost {
			return nil
		}
	}
}
