package campaign

import (
	"context"
	"strconv"
	"strings"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
)

// sweepEvery is how often unpaid orders are let go, one commit's holds per
// transaction; the bound of V9 is 60 s.
const sweepEvery = 10 * time.Second

// ordersSwept is the sweep's row.
const ordersSwept = "orders"

// Register tells the worker what this room does in the background.
func (s *Service) Register(r *task.Registry) {
	task.Handle(r, s.open)
	task.Handle(r, s.close)
	task.Handle(r, s.session)
	task.Handle(r, s.serve)
	task.Handle(r, s.announce)
	task.Handle(r, s.remind)
	task.Handle(r, s.follow)
	task.Handle(r, earnFormedTx)
	task.Handle(r, payOpenerTx)
	s.registerLate(r)
	task.Every(r, "campaign:sweep_orders", sweepEvery, func(ctx context.Context, _ clock.Milli) error { return s.Sweep(ctx) })
	task.Every(r, "campaign:alert_refunds", time.Minute, func(ctx context.Context, _ clock.Milli) error { return s.AlertRefunds(ctx) })
}

// hold is what one commit held until one deadline.
type hold struct {
	ID         int64
	DeadlineAt clock.Milli
	OrderIDs   string // decimal, comma-separated
}

// noteHolds writes a row per payment deadline of the batch.
func noteHolds(tx *database.Tx, orders []Order) error {
	byDeadline := map[clock.Milli][]byte{}
	for _, o := range orders {
		list := byDeadline[o.DeadlineAt]
		if len(list) > 0 {
			list = append(list, ',')
		}
		byDeadline[o.DeadlineAt] = strconv.AppendInt(list, int64(o.ID), 10)
	}
	for deadline, list := range byDeadline {
		err := tx.Defer("INSERT INTO order_holds (id, deadline_at, order_ids) VALUES (?, ?, ?)", tx.Next(), deadline, string(list))
		if err != nil {
			return err
		}
	}
	return nil
}

// Sweep lets go every held order past its payment deadline, one hold per
// transaction, and then writes up to when it has swept.
func (s *Service) Sweep(ctx context.Context) error {
	for {
		done := false
		err := s.DB.Tx(ctx, func(tx *database.Tx) error {
			var h hold
			err := tx.Raw("SELECT * FROM order_holds WHERE deadline_at <= ? ORDER BY deadline_at, id LIMIT 1", tx.Now).Scan(&h).Error
			if err != nil {
				return err
			}
			if done = h.ID == 0; done {
				return MarkSweptTx(tx, ordersSwept)
			}
			return s.endHold(tx, h)
		})
		if err != nil || done {
			return err
		}
	}
}

// endHold lets go what of the hold is still unpaid and past its deadline. An
// order that was had again has a hold of its own.
func (s *Service) endHold(tx *database.Tx, h hold) error {
	var due []Order
	err := tx.Raw("SELECT * FROM orders WHERE id IN ? AND status = ? AND deadline_at <= ?", strings.Split(h.OrderIDs, ","), OrderHeld, tx.Now).Scan(&due).Error
	if err != nil {
		return err
	}
	if len(due) > 0 {
		if err := s.letGoTx(tx, due, OrderExpired); err != nil {
			return err
		}
	}
	return tx.Exec("DELETE FROM order_holds WHERE id = ?", h.ID).Error
}

// MarkSweptTx writes that the named sweep has completed up to now.
func MarkSweptTx(tx *database.Tx, name string) error {
	res := tx.Exec("UPDATE sweeps SET swept = ? WHERE name = ?", tx.Now, name)
	if res.Error != nil || res.RowsAffected > 0 {
		return res.Error
	}
	err := tx.Exec("INSERT INTO sweeps (name, swept) VALUES (?, ?)", name, tx.Now).Error
	if database.IsDuplicate(err) {
		return nil // another replica wrote it this moment
	}
	return err
}

// letGoTx frees what unpaid orders hold. The orders were read unlocked: items,
// teams and orders are locked here, and those paid meanwhile are left alone.
func (s *Service) letGoTx(tx *database.Tx, orders []Order, to OrderStatus) error {
	items, byKind, err := s.lockAll(tx, orders)
	if err != nil {
		return err
	}
	ids := make([]id.Order, len(orders))
	for i, o := range orders {
		ids[i] = o.ID
	}
	locked, err := lockOrders(tx, ids)
	if err != nil {
		return err
	}
	var gone []id.Order
	freed := map[id.Item]int64{}
	turned := map[string][]Order{}
	for _, o := range locked {
		if o.Status != OrderHeld || to == OrderExpired && o.DeadlineAt > tx.Now {
			continue
		}
		o.Status, o.ClosedAt = to, tx.Now
		gone = append(gone, o.ID)
		freed[o.ItemID] += int64(o.Qty)
		if items[o.ItemID].SessionStock > 0 {
			if err := leaveSession(tx, o, int64(o.Qty)); err != nil {
				return err
			}
		}
		turned[byKind[o.CampaignID]] = append(turned[byKind[o.CampaignID]], o)
	}
	err = tx.Exec("UPDATE orders SET status = ?, closed_at = ?, version = version + 1 WHERE id IN ? AND status = ?", to, tx.Now, gone, OrderHeld).Error
	if err != nil {
		return err
	}
	for item, n := range freed {
		if err := s.moveTx(tx, item, move{left: n, held: -n}); err != nil {
			return err
		}
	}
	for kind, list := range turned {
		if err := s.turn(tx, kind, list); err != nil {
			return err
		}
		if err := releaseDiscounts(tx, list); err != nil {
			return err
		}
		if err := publishOrders(tx, letGo[to], list); err != nil {
			return err
		}
	}
	return nil
}

// lockAll locks the items of the orders and then their kinds' rows, and says
// which kind each campaign is.
func (s *Service) lockAll(tx *database.Tx, orders []Order) (map[id.Item]Item, map[id.Campaign]string, error) {
	named := map[id.Item]bool{}
	campaigns := map[id.Campaign]bool{}
	for _, o := range orders {
		named[o.ItemID] = true
		campaigns[o.CampaignID] = true
	}
	items, err := lockItems(tx, sorted(named))
	if err != nil {
		return nil, nil, err
	}
	var rows []Campaign
	if err := tx.Raw("SELECT id, kind FROM campaigns WHERE id IN ?", sorted(campaigns)).Scan(&rows).Error; err != nil {
		return nil, nil, err
	}
	kinds := map[id.Campaign]string{}
	byKind := map[string][]Order{}
	for _, c := range rows {
		kinds[c.ID] = c.Kind
	}
	for _, o := range orders {
		byKind[kinds[o.CampaignID]] = append(byKind[kinds[o.CampaignID]], o)
	}
	for kind, of := range byKind {
		if err := s.lockTeams(tx, kind, of); err != nil {
			return nil, nil, err
		}
	}
	return items, kinds, nil
}

// LetGoTx cancels held orders inside the caller's transaction (a failed team).
func (s *Service) LetGoTx(tx *database.Tx, orders []Order) error {
	return s.letGoTx(tx, orders, OrderCancelled)
}

// CancelOrder lets an unpaid order go at the member's or the mall's wish.
func (s *Service) CancelOrder(ctx context.Context, oid id.Order) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		var o Order
		if err := tx.Raw("SELECT * FROM orders WHERE id = ?", oid).Scan(&o).Error; err != nil {
			return err
		}
		if err := visible(tx.Context(), tx.DB, o); err != nil {
			return err
		}
		tx.SetResult("order", int64(oid), 200)
		// Somebody else may have let it go this moment and not have said so
		// here yet; who is told that it is free must be able to claim it.
		tx.AfterCommit(func() { s.shelves.forget(o.ItemID) })
		switch o.Status {
		case OrderCancelled, OrderExpired:
			return nil
		case OrderHeld:
		default:
			return ErrOrderState.With("state", o.Status)
		}
		if err := s.letGoTx(tx, []Order{o}, OrderCancelled); err != nil {
			return err
		}
		if tx.Actor.Kind != database.ActorStaff {
			return nil
		}
		return database.AuditTx(tx, "order.cancel", oid, nil, nil)
	})
}

// ErrOrderState is a step the order's state does not allow.
var ErrOrderState = fault.New(fault.KindConflict, "order.wrong_state", "订单现在是“{state}”，不能执行此操作", "an order in state {state} does not allow this")
