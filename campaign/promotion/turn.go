package promotion

import (
	"context"
	"fmt"

	"siyu/campaign/guard"
	"siyu/campaign/material"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
)

// Approve lets a draft run: its windows open and close by themselves from now
// on. The author cannot approve his own. Seen is the version that was looked
// at, 0 for whichever stands.
func (s *Service) Approve(ctx context.Context, promotion id.Promotion, seen int) error {
	before, err := s.Find(ctx, promotion)
	if err != nil {
		return err
	}
	offer, err := s.Campaign.FindCampaign(bare(ctx), before.CampaignID)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		p, err := lock(tx, promotion)
		switch {
		case err != nil:
			return err
		case p.Status != StatusDraft:
			return ErrStatus.With("status", p.Status)
		case seen != 0 && p.Version != seen:
			return fault.Stale
		case tx.Actor.Kind == database.ActorStaff && tx.Actor.Staff == p.CreatedBy:
			return ErrSameStaff
		case over(offer.Phase(tx.Now)):
			return ErrCampaign.With("status", offer.Phase(tx.Now))
		}
		if p.MaterialID != 0 {
			if err := material.LiveTx(tx, p.MaterialID); err != nil {
				return err
			}
		}
		err = database.One(tx.Exec("UPDATE promotions SET status = ?, approved_by = ?, approved_at = ?, version = version + 1 WHERE id = ?"+
			tx.Only("status = ?"), StatusApproved, tx.Actor.Staff, tx.Now, promotion, StatusDraft), ErrStatus.With("status", p.Status))
		if err != nil {
			return err
		}
		for _, w := range p.Windows {
			if err := task.EnqueueTx(tx, openWindow{Promotion: promotion, Window: w.No}, w.From); err != nil {
				return err
			}
			if err := task.EnqueueTx(tx, closeWindow{promotion, w.No}, w.To); err != nil {
				return err
			}
		}
		return s.turned(tx, "promotion.approve", before, StatusApproved)
	})
}

// Cancel stops a promotion: nothing more is asked for or handed out, and what
// was handed out and is not confirmed is cancelled with the channel.
func (s *Service) Cancel(ctx context.Context, promotion id.Promotion) error {
	before, err := s.Find(ctx, promotion)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		p, err := lock(tx, promotion)
		if err != nil {
			return err
		}
		live := []Status{StatusDraft, StatusApproved, StatusRunning}
		err = database.One(tx.Exec("UPDATE promotions SET status = ?, closed_at = ?, version = version + 1 WHERE id = ?"+
			tx.Only("status IN ?"), StatusCancelled, tx.Now, promotion, live), ErrStatus.With("status", p.Status))
		if err != nil {
			return err
		}
		if err := task.EnqueueTx(tx, closeWindow{promotion, allWindows}, tx.Now); err != nil {
			return err
		}
		return s.turned(tx, "promotion.cancel", before, StatusCancelled)
	})
}

// planAgainTx lets open windows look again at the groups that were left out
// for a promotion that is no more, once its slots are free.
func planAgainTx(tx *database.Tx, gone id.Promotion) error {
	var open []struct {
		Promotion id.Promotion
		Opened    int
	}
	err := tx.Raw(`SELECT DISTINCT s.promotion_id AS promotion, s.window_no AS opened FROM promotion_groups g
		JOIN promotion_sends s ON s.group_id = g.group_id AND s.status = ? AND s.rule_name = ?
		WHERE g.promotion_id = ? AND s.promotion_id <> ? ORDER BY s.promotion_id, s.window_no LIMIT 500`,
		SendDeferred, guard.RulePlan, gone, gone).Scan(&open).Error
	if err != nil {
		return fmt.Errorf("promotion: left out for %s: %w", gone, err)
	}
	for _, w := range open {
		if err := task.EnqueueTx(tx, openWindow{Promotion: w.Promotion, Window: w.Opened, Again: true}, tx.Now); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) turned(tx *database.Tx, action string, before Promotion, to Status) error {
	tx.SetResult("promotion", int64(before.ID), 200)
	after := map[string]Status{"status": to}
	return database.AuditTx(tx, action, before.ID, map[string]Status{"status": before.Status}, after)
}

// lock locks a promotion's row. It comes after the groups' rows, never before:
// a reservation holds those when it looks whether the promotion still runs.
func lock(tx *database.Tx, promotion id.Promotion) (Promotion, error) {
	return locked(tx, promotion, tx.Dialect.ForUpdate)
}

// share is lock for those who only need it to stay as it is: a wave's
// reservations and deliveries do not wait for one another.
func share(tx *database.Tx, promotion id.Promotion) (Promotion, error) {
	return locked(tx, promotion, tx.Dialect.ForShare)
}

func locked(tx *database.Tx, promotion id.Promotion, how string) (Promotion, error) {
	var row int64
	if err := tx.Raw("SELECT id FROM promotions WHERE id = ?"+how, promotion).Scan(&row).Error; err != nil {
		return Promotion{}, err
	}
	return find(tx.DB, tx.Actor, promotion)
}

// bare is the context as the system has it: an approver may see a promotion
// whose campaign lies above his unit.
func bare(ctx context.Context) context.Context {
	return database.WithActor(ctx, database.Actor{})
}
