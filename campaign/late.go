package campaign

import (
	"context"
	"errors"
	"strings"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/internal/webhook"
)

// LateStatus is where the choice of who paid too late stands.
type LateStatus string

// The states of a choice.
const (
	LateOpen     LateStatus = "open"
	LateMoved    LateStatus = "moved"
	LateRefunded LateStatus = "refunded"
)

// Late is the choice of a buyer whose payment came after his order was let go
// and whose team cannot take him back: another team, or the money. Nothing
// chosen by UntilAt is the money. An order has at most one open choice.
type Late struct {
	PaymentID id.Payment  `json:"payment_id"`
	OrderID   id.Order    `json:"order_id"`
	Status    LateStatus  `json:"status"`
	UntilAt   clock.Milli `json:"until_at"`
	TeamID    id.Team     `json:"team_id"` // where he moved
	CreatedAt clock.Milli `json:"created_at"`
	ClosedAt  clock.Milli `json:"closed_at"`
}

// TableName is late_choices.
func (Late) TableName() string { return "late_choices" }

// LateIn is what the buyer chooses.
type LateIn struct {
	Choice string  `json:"choice"` // move, refund
	Team   id.Team `json:"team_id"`
}

// Validate checks the choice.
func (in LateIn) Validate() error {
	var c fault.Check
	c.OneOf(in.Choice, "choice", "move", "refund")
	c.That(in.Choice != "move" || in.Team != 0, "team_id", "required", "请选择要换入的团", "name the team to move to")
	c.That(in.Choice != "refund" || in.Team == 0, "team_id", "meaningless", "退款时不用填团", "means nothing with a refund")
	return c.Err()
}

// ErrNoChoice is an order with nothing to choose, or no longer.
var ErrNoChoice = fault.New(fault.KindConflict, "order.no_choice", "此订单没有待选择的付款，或选择时间已过", "this order has no payment to choose for, or the time to choose is over")

// latePrefix begins the reason of a late payment that its team refused.
const latePrefix = "late_groupbuy."

// offerLate keeps a payment its team refused for the buyer's choice, if the
// campaign gives him one.
func (s *Service) offerLate(tx *database.Tx, camp Campaign, o Order, p Payment, reason string) (bool, error) {
	choice := s.kinds[camp.Kind].LateChoice
	if choice == nil || !strings.HasPrefix(reason, latePrefix) {
		return false, nil
	}
	wait, err := choice(camp)
	if err != nil || wait == 0 {
		return false, err
	}
	l := Late{PaymentID: p.ID, OrderID: o.ID, Status: LateOpen, UntilAt: tx.Now.Add(wait), CreatedAt: tx.Now}
	if err := tx.Create(&l).Error; err != nil {
		return false, err
	}
	return true, webhook.PublishTx(tx, eventOrderPaidLate, l)
}

// openLate is the order's open choice; its payment is zero if there is none.
func (s *Service) openLate(q *database.Query, kind string, o Order) (l Late, err error) {
	if s.kinds[kind].LateChoice == nil || o.PaidAt > 0 || o.Status == OrderHeld {
		return l, nil
	}
	return l, q.Raw("SELECT * FROM late_choices WHERE order_id = ? AND status = ?", o.ID, LateOpen).Scan(&l).Error
}

// FindLate is the newest choice of the order, which the caller must be able to
// see.
func (s *Service) FindLate(ctx context.Context, oid id.Order) (Late, error) {
	if _, err := s.FindOrder(ctx, oid); err != nil {
		return Late{}, err
	}
	var l Late
	err := s.DB.Read(ctx).Raw("SELECT * FROM late_choices WHERE order_id = ? ORDER BY payment_id DESC LIMIT 1", oid).Scan(&l).Error
	if err == nil && l.PaymentID == 0 {
		err = fault.NotFound
	}
	return l, err
}

// ChooseLate does what the buyer chose, in one transaction: stock and seat are
// taken like any claim's, and the money he paid buys them.
func (s *Service) ChooseLate(ctx context.Context, oid id.Order, in LateIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		o, camp, err := s.lockOrder(tx, oid)
		if err != nil {
			return err
		}
		l, err := s.openLate(tx.DB, camp.Kind, o)
		if err != nil {
			return err
		}
		if l.PaymentID == 0 || tx.Now >= l.UntilAt {
			return ErrNoChoice
		}
		tx.SetResult("order", int64(oid), 200)
		if in.Choice == "refund" {
			return s.refundLate(tx, l, "late_refund_chosen")
		}
		return s.moveLate(tx, camp, o, l, in.Team)
	})
}

// moveLate revives the order in another team of the same item and price.
func (s *Service) moveLate(tx *database.Tx, camp Campaign, o Order, l Late, team id.Team) error {
	var p Payment
	if err := tx.Raw("SELECT * FROM payments WHERE id = ?", l.PaymentID).Scan(&p).Error; err != nil {
		return err
	}
	out, err := s.TakeTx(tx, []Claim{{
		Campaign: o.CampaignID, Item: o.ItemID, Member: o.MemberID, Qty: o.Qty, Team: team,
		Move: &Move{Order: o.ID, From: o.TeamID, Price: o.UnitPrice},
		By:   o.ClaimedBy, Key: o.IdemKey, Hash: o.InputHash, revive: &o,
	}})
	if err != nil {
		return err
	}
	if out[0].Refusal != nil {
		return out[0].Refusal
	}
	l.TeamID = team
	if err := closeLate(tx, l, LateMoved); err != nil {
		return err
	}
	moved := out[0].Order
	if err := webhook.PublishTx(tx, eventOrderMoved, moved); err != nil {
		return err
	}
	if err := s.paid(tx, camp, &moved, p); err != nil {
		return err
	}
	return s.fold(tx, camp, moved) // refunds and receipts have waited for the payment
}

// refundLate sends the money of a choice back.
func (s *Service) refundLate(tx *database.Tx, l Late, reason string) error {
	var p Payment
	if err := tx.Raw("SELECT * FROM payments WHERE id = ?", l.PaymentID).Scan(&p).Error; err != nil {
		return err
	}
	err := RequestRefundTx(tx, Refund{OrderID: l.OrderID, RefundNo: backPrefix + p.ID.String(), Amount: p.Amount, Reason: reason})
	if err != nil {
		return err
	}
	return closeLate(tx, l, LateRefunded)
}

func closeLate(tx *database.Tx, l Late, to LateStatus) error {
	res := tx.Exec("UPDATE late_choices SET status = ?, team_id = ?, closed_at = ? WHERE payment_id = ? AND status = ?", to, l.TeamID, tx.Now, l.PaymentID, LateOpen)
	return database.One(res, ErrNoChoice)
}

// lateSwept is the row of the sweep over choices.
const lateSwept = "late_choices"

// SweepLate sends the money of choices nobody made back, each in a transaction
// of its own, so that one that fails keeps no other waiting.
func (s *Service) SweepLate(ctx context.Context) error {
	var failed []error
	for after := id.Payment(0); ; {
		var due []Late
		err := s.DB.Read(ctx).Raw("SELECT * FROM late_choices WHERE status = ? AND until_at <= ? AND payment_id > ? ORDER BY payment_id LIMIT 100",
			LateOpen, clock.MilliOf(s.DB.Clock.Now()), after).Scan(&due).Error
		if err != nil {
			return err
		}
		if len(due) == 0 {
			break
		}
		for _, l := range due {
			after = l.PaymentID
			if err := s.DB.Tx(ctx, func(tx *database.Tx) error { return s.endLate(tx, l) }); err != nil {
				failed = append(failed, err)
			}
		}
	}
	if len(failed) > 0 {
		return errors.Join(failed...)
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error { return MarkSweptTx(tx, lateSwept) })
}

func (s *Service) endLate(tx *database.Tx, due Late) error {
	o, camp, err := s.lockOrder(tx, due.OrderID)
	if err != nil {
		return err
	}
	l, err := s.openLate(tx.DB, camp.Kind, o)
	if err != nil || l.PaymentID != due.PaymentID || tx.Now < l.UntilAt {
		return err
	}
	return s.refundLate(tx, l, "late_not_chosen")
}

// registerLate tells the worker of the sweep.
func (s *Service) registerLate(r *task.Registry) {
	task.Every(r, "campaign:sweep_late", 10*time.Second, func(ctx context.Context, _ clock.Milli) error { return s.SweepLate(ctx) })
}

// openLates are the payments of a span of orders that wait for a choice.
func openLates(q *database.Query, after, upTo int64) (map[id.Payment]bool, error) {
	var rows []Late
	err := q.Raw("SELECT payment_id FROM late_choices WHERE order_id > ? AND order_id <= ? AND status = ?", after, upTo, LateOpen).Scan(&rows).Error
	open := map[id.Payment]bool{}
	for _, l := range rows {
		open[l.PaymentID] = true
	}
	return open, err
}

// proveLate checks that no choice outlived its sweep.
func proveLate(q *database.Query, p *database.Proof) error {
	var swept clock.Milli
	if err := q.Raw("SELECT COALESCE(MAX(swept), 0) FROM sweeps WHERE name = ?", lateSwept).Scan(&swept).Error; err != nil {
		return err
	}
	var over []Late
	err := q.Raw("SELECT * FROM late_choices WHERE status = ? AND until_at < ?", LateOpen, swept).Scan(&over).Error
	for _, l := range over {
		p.Break("the choice for %s of %s is open past its time", l.PaymentID, l.OrderID)
	}
	return err
}
