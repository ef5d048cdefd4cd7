package split

import (
	"context"
	"errors"
	"fmt"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Approve makes the sub-groups of a proposal the caller has read, with the
// large group's owner and promise; then its members are invited.
func (s *Service) Approve(ctx context.Context, split id.Split, version int) error {
	return s.change(ctx, split, version, "split.approve", func(tx *database.Tx, g community.Group, p Split) (Split, error) {
		if p.Status != StatusProposed {
			return p, ErrOver.With("status", p.Status)
		}
		for i := range p.Parts {
			sub, err := community.SubGroupTx(tx, g, p.Parts[i].Part)
			if err != nil {
				return p, err
			}
			p.Parts[i].GroupID = sub.ID
			err = tx.Exec("UPDATE group_split_parts SET group_id = ? WHERE split_id = ? AND part = ?", sub.ID, p.ID, p.Parts[i].Part).Error
			if err != nil {
				return p, fmt.Errorf("split: part of %s: %w", p.ID, err)
			}
		}
		p.Status, p.ByAt, p.DecidedBy, p.DecidedAt = StatusApproved, tx.Now.Add(invitedFor), tx.Actor.Staff, tx.Now
		return p, p.tell(tx, eventSplit, g)
	})
}

// EndIn says why a proposal is rejected or its invitations end early.
type EndIn struct {
	Reason string `json:"reason"`
}

// Validate checks the reason's form.
func (in EndIn) Validate() error {
	var c fault.Check
	community.CheckReason(&c, in.Reason)
	return c.Err()
}

// Reject turns a proposal down, or ends the invitations of an approved one: who
// joined by then stays, the sub-groups too.
func (s *Service) Reject(ctx context.Context, split id.Split, version int, in EndIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.change(ctx, split, version, "split.reject", func(tx *database.Tx, g community.Group, p Split) (Split, error) {
		p.Reason = community.CleanLine(in.Reason)
		switch p.Status {
		case StatusProposed:
			p.Status, p.DecidedBy, p.DecidedAt = StatusRejected, tx.Actor.Staff, tx.Now
		case StatusApproved:
			p.Status = StatusCancelled
		default:
			return p, ErrOver.With("status", p.Status)
		}
		return p, p.tell(tx, eventEnded, g)
	})
}

// change runs one step of a proposal under the lock of its group.
func (s *Service) change(ctx context.Context, split id.Split, version int, action string, step func(*database.Tx, community.Group, Split) (Split, error)) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		before, err := one(tx.DB, split)
		if err != nil {
			return err
		}
		g, err := community.LockGroupTx(tx, before.GroupID)
		if err != nil {
			return err
		}
		if before, err = one(tx.DB, split); err != nil {
			return err
		}
		if before.Version != version {
			return fault.Stale
		}
		after, err := step(tx, g, before)
		if err != nil {
			return err
		}
		if after, err = before.changeTx(tx, after); err != nil {
			return err
		}
		return database.AuditTx(tx, action, split, before, after)
	})
}

// expireAll ends the proposals nobody decided on.
func (s *Service) expireAll(ctx context.Context, _ clock.Milli) error {
	return s.each(ctx, StatusProposed, func(p Split) error {
		if p.ExpiresAt > clock.MilliOf(s.DB.Clock.Now()) {
			return nil
		}
		return s.end(ctx, p, func(tx *database.Tx, p Split, g community.Group) (Status, error) {
			if g.Status == community.GroupDissolved {
				return StatusCancelled, nil
			}
			return StatusExpired, nil
		})
	})
}

// finishAll ends the invitations that everybody answered, whose date has come,
// or whose group is over.
func (s *Service) finishAll(ctx context.Context, _ clock.Milli) error {
	return s.each(ctx, StatusApproved, func(p Split) error {
		return s.end(ctx, p, func(tx *database.Tx, p Split, g community.Group) (Status, error) {
			if g.Status == community.GroupDissolved {
				return StatusCancelled, nil
			}
			open := 0
			err := tx.Raw("SELECT COUNT(*) "+toAsk, p.named()).Scan(&open).Error
			if err != nil || open > 0 && p.ByAt > tx.Now {
				return p.Status, err
			}
			return StatusDone, nil
		})
	})
}

// end ends a proposal in a transaction of its own if it still stands as it
// was read.
func (s *Service) end(ctx context.Context, read Split, to func(*database.Tx, Split, community.Group) (Status, error)) error {
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		groups, err := community.LockGroupsTx(tx, read.GroupID)
		if err != nil {
			return err
		}
		p, err := one(tx.DB, read.ID)
		if err != nil {
			return err
		}
		after := p
		if after.Status, err = to(tx, p, groups[p.GroupID]); err != nil || p.Version != read.Version || after.Status == p.Status {
			return err
		}
		if after, err = p.changeTx(tx, after); err != nil {
			return err
		}
		return after.tell(tx, eventEnded, groups[p.GroupID])
	})
	if errors.Is(err, fault.Stale) {
		return nil
	}
	return err
}

// each runs a step for every proposal of a status.
func (s *Service) each(ctx context.Context, status Status, step func(Split) error) error {
	for after := id.Split(0); ; {
		list, err := splits(s.DB.Read(ctx), "closed = 0 AND id > ? ORDER BY id LIMIT ?", after, atOnce)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, p := range list {
			if after = p.ID; p.Status != status {
				continue
			}
			if err := step(p); err != nil {
				return err
			}
		}
	}
}
