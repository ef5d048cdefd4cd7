package groupbuy

import (
	"context"
	"errors"
	"time"

	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
)

// teamsSwept is the sweep's row.
const teamsSwept = "teams"

// Register tells the worker what this room does in the background.
func (s *Service) Register(r *task.Registry) {
	task.Every(r, "groupbuy:sweep_teams", 10*time.Second, func(ctx context.Context, _ clock.Milli) error { return s.Sweep(ctx) })
}

// Sweep ends every open team past its deadline, one transaction per team, then
// requests the refunds that failed teams owe, one transaction per order, and
// then writes up to when it has swept. One that fails keeps no other waiting.
func (s *Service) Sweep(ctx context.Context) error {
	if err := errors.Join(s.endDue(ctx), s.refundDue(ctx)); err != nil {
		return err
	}
	return s.markSwept(ctx)
}

func (s *Service) endDue(ctx context.Context) error {
	var failed []error
	after := Team{}
	for {
		var due []Team
		err := s.DB.Read(ctx).Raw(`SELECT * FROM teams WHERE status = ? AND deadline_at <= ? AND (deadline_at > ? OR deadline_at = ? AND id > ?)
			ORDER BY deadline_at, id LIMIT 100`, StatusOpen, clock.MilliOf(s.DB.Clock.Now()), after.DeadlineAt, after.DeadlineAt, after.ID).Scan(&due).Error
		if err != nil {
			return err
		}
		if len(due) == 0 {
			return errors.Join(failed...)
		}
		for _, t := range due {
			after = t
			if err := s.DB.Tx(ctx, func(tx *database.Tx) error { return s.endTeam(tx, t) }); err != nil {
				failed = append(failed, err)
			}
		}
	}
}

// markSwept writes the sweep's time if no open team lies before it.
func (s *Service) markSwept(ctx context.Context) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		var left int
		err := tx.Raw("SELECT COUNT(*) FROM teams WHERE status = ? AND deadline_at <= ?", StatusOpen, tx.Now).Scan(&left).Error
		if err != nil || left > 0 {
			return err // the next run takes them
		}
		return campaign.MarkSweptTx(tx, teamsSwept)
	})
}

// endTeam ends a team at its deadline. If enough have paid it forms, and who
// still holds a seat may pay for it in his time; else it fails: the held orders
// are let go, and every paid one is noted to get its refund.
func (s *Service) endTeam(tx *database.Tx, due Team) error {
	if err := campaign.LockItemTx(tx, due.ItemID); err != nil {
		return err
	}
	t, err := lockTeam(tx, due.ID)
	if err != nil || t.Status != StatusOpen || tx.Now < t.DeadlineAt {
		return err
	}
	if t.PaidSeats, err = paidSeats(tx.DB, t.ID); err != nil {
		return err
	}
	to, why := t.outcome(t.PaidSeats, tx.Now)
	if to == StatusFormed {
		return form(tx, t)
	}
	var seats []id.Order
	if err := tx.Raw("SELECT order_id FROM seats WHERE team_id = ?", t.ID).Scan(&seats).Error; err != nil {
		return err
	}
	orders, err := campaign.LockOrdersTx(tx, seats)
	if err != nil {
		return err
	}
	if err := end(tx, t, why); err != nil {
		return err
	}
	var held []campaign.Order
	for _, o := range orders {
		switch o.Status {
		case campaign.OrderHeld:
			held = append(held, o)
		case campaign.OrderPaid:
			if err := owe(tx, t.ID, o.ID); err != nil {
				return err
			}
		}
	}
	if len(held) == 0 {
		return nil
	}
	return s.Campaign.LetGoTx(tx, held)
}
