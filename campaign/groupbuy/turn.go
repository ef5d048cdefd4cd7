package groupbuy

import (
	"context"
	"time"

	"siyu/campaign"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
	"siyu/internal/webhook"
)

// teamsSwept is the sweep's row.
const teamsSwept = "teams"

// Register tells the worker what this room does in the background.
func (s *Service) Register(r *task.Registry) {
	task.Every(r, "groupbuy:sweep_teams", 10*time.Second, func(ctx context.Context, _ clock.Milli) error { return s.Sweep(ctx) })
}

// TurnTx follows orders that were paid, refunded or let go: a seat let go is
// free again while the team is open, and the last seat paid forms it. What
// happens after forming never unforms it.
func (s *Service) TurnTx(tx *database.Tx, orders []campaign.Order) error {
	freed := map[id.Team]int{}
	for _, o := range orders {
		switch o.Status {
		case campaign.OrderHeld:
		case campaign.OrderPaid:
			freed[o.TeamID] += 0
		default:
			freed[o.TeamID]++
		}
	}
	for tid, n := range freed {
		if err := s.turnTeam(tx, tid, n); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) turnTeam(tx *database.Tx, tid id.Team, freed int) error {
	var t Team
	if err := tx.Raw("SELECT * FROM teams WHERE id = ?"+tx.Dialect.ForUpdate, tid).Scan(&t).Error; err != nil {
		return err
	}
	if t.ID == 0 || t.Status != StatusOpen {
		return nil
	}
	if freed > 0 {
		if err := tx.Exec("UPDATE teams SET live_seats = live_seats - ? WHERE id = ?", freed, tid).Error; err != nil {
			return err
		}
	}
	paid, err := paidSeats(tx.DB, tid)
	if err != nil || paid < t.Size {
		return err
	}
	t.Status, t.FormedAt, t.PaidSeats = StatusFormed, tx.Now, paid
	if err := tx.Exec("UPDATE teams SET status = ?, formed_at = ? WHERE id = ?", t.Status, t.FormedAt, tid).Error; err != nil {
		return err
	}
	if err := webhook.PublishTx(tx, eventFormed, t); err != nil {
		return err
	}
	return noticeFormed(tx, t)
}

// noticeFormed has the payers of a formed team told.
func noticeFormed(tx *database.Tx, t Team) error {
	if heard, err := community.NoticesHeard(tx.DB); err != nil || !heard {
		return err
	}
	var paid []campaign.Order
	err := tx.Raw("SELECT orders.* FROM seats JOIN orders ON orders.id = seats.order_id WHERE seats.team_id = ? AND orders.status = ? ORDER BY orders.id",
		t.ID, campaign.OrderPaid).Scan(&paid).Error
	if err != nil {
		return err
	}
	for _, o := range paid {
		if err := campaign.NoticeTx(tx, community.NoticeTeamFormed, o, t.ID.String(), o.Amount); err != nil {
			return err
		}
	}
	return nil
}

// Sweep fails every open team past its deadline, one transaction per team,
// and then writes up to when it has swept.
func (s *Service) Sweep(ctx context.Context) error {
	for {
		var due []Team
		now := clock.MilliOf(s.DB.Clock.Now())
		err := s.DB.Read(ctx).Raw("SELECT * FROM teams WHERE status = ? AND deadline_at <= ? ORDER BY deadline_at, id LIMIT 100", StatusOpen, now).Scan(&due).Error
		if err != nil {
			return err
		}
		for _, t := range due {
			if err := s.DB.Tx(ctx, func(tx *database.Tx) error { return s.fail(tx, t) }); err != nil {
				return err
			}
		}
		if len(due) == 0 {
			return s.markSwept(ctx)
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

// fail ends a team that did not fill: the held orders are let go, every paid
// one gets its refund row.
func (s *Service) fail(tx *database.Tx, t Team) error {
	if err := campaign.LockItemTx(tx, t.ItemID); err != nil {
		return err
	}
	var now Team
	if err := tx.Raw("SELECT * FROM teams WHERE id = ?"+tx.Dialect.ForUpdate, t.ID).Scan(&now).Error; err != nil {
		return err
	}
	if now.Status != StatusOpen || tx.Now < now.DeadlineAt {
		return nil
	}
	var seats []id.Order
	if err := tx.Raw("SELECT order_id FROM seats WHERE team_id = ?", t.ID).Scan(&seats).Error; err != nil {
		return err
	}
	orders, err := campaign.LockOrdersTx(tx, seats)
	if err != nil {
		return err
	}
	if err := tx.Exec("UPDATE teams SET status = ?, closed_at = ? WHERE id = ?", StatusFailed, tx.Now, t.ID).Error; err != nil {
		return err
	}
	var held []campaign.Order
	for _, o := range orders {
		switch o.Status {
		case campaign.OrderHeld:
			held = append(held, o)
		case campaign.OrderPaid:
			err := campaign.RequestRefundTx(tx, campaign.Refund{
				OrderID: o.ID, RefundNo: "team_" + t.ID.String(), Amount: paidAmount(o), Goods: o.Goods - o.RefundedGoods,
				Qty: o.Qty - o.RefundedQty, Reason: "team_failed",
			})
			if err != nil {
				return err
			}
			if err := campaign.NoticeTx(tx, community.NoticeTeamFailed, o, t.ID.String(), paidAmount(o)); err != nil {
				return err
			}
		}
	}
	if len(held) > 0 {
		if err := s.Campaign.LetGoTx(tx, held); err != nil {
			return err
		}
	}
	now.Status, now.ClosedAt = StatusFailed, tx.Now
	return webhook.PublishTx(tx, eventFailed, now)
}

// paidAmount is what the payer gets back: all he paid, freight included, less
// what went back already.
func paidAmount(o campaign.Order) (sum money.Amount) {
	for _, p := range o.Payments {
		sum += p.Amount
	}
	for _, r := range o.Refunds {
		if r.Status != campaign.RefundFailed {
			sum -= r.Amount
		}
	}
	return sum
}
