package groupbuy

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"siyu/campaign"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/webhook"
)

// owed is a refund that a failed team still has to request; its row goes with
// the request.
type owed struct {
	OrderID   id.Order
	ItemID    id.Item // read along
	TeamID    id.Team
	CreatedAt clock.Milli
	Tries     int
	AlertedAt clock.Milli
}

// After so many tries a refund that cannot be requested is an alert; the bound
// within which one not requested must have become it.
const (
	alertAfter = 3
	owedBound  = 5 * time.Minute
)

// owe notes that the order of a failed team gets its money back.
func owe(tx *database.Tx, team id.Team, order id.Order) error {
	return tx.Exec(`INSERT INTO team_refunds (order_id, team_id, created_at, tries, next_at, alerted_at, last_error) VALUES (?, ?, ?, 0, ?, 0, '')`,
		order, team, tx.Now, tx.Now).Error
}

// refundDue requests what is owed, each order in a transaction of its own. One
// that fails is tried again later, and becomes an alert.
func (s *Service) refundDue(ctx context.Context) error {
	for after := id.Order(0); ; {
		var due []owed
		err := s.DB.Read(ctx).Raw(`SELECT team_refunds.*, orders.item_id FROM team_refunds JOIN orders ON orders.id = team_refunds.order_id
			WHERE next_at <= ? AND order_id > ? ORDER BY order_id LIMIT 100`, clock.MilliOf(s.DB.Clock.Now()), after).Scan(&due).Error
		if err != nil || len(due) == 0 {
			return err
		}
		for _, d := range due {
			after = d.OrderID
			err := s.DB.Tx(ctx, func(tx *database.Tx) error { return requestTx(tx, d) })
			if err == nil {
				continue
			}
			slog.ErrorContext(ctx, "refund of a failed team not requested", "order_id", d.OrderID, "tries", d.Tries+1, "error", err)
			if err := s.DB.Tx(ctx, func(tx *database.Tx) error { return putOff(tx, d, err) }); err != nil {
				return err
			}
		}
	}
}

func requestTx(tx *database.Tx, d owed) error {
	if err := campaign.LockItemTx(tx, d.ItemID); err != nil {
		return err
	}
	orders, err := campaign.LockOrdersTx(tx, []id.Order{d.OrderID})
	if err != nil {
		return err
	}
	for _, o := range orders {
		if o.Status != campaign.OrderPaid {
			continue // the mall was quicker
		}
		err := campaign.RequestRefundTx(tx, campaign.Refund{
			OrderID: o.ID, RefundNo: refundNo(d.TeamID), Amount: paidAmount(o), Goods: o.Goods - o.RefundedGoods,
			Qty: o.Qty - o.RefundedQty, Reason: "team_failed",
		})
		if err != nil {
			return fmt.Errorf("groupbuy: refund of %s: %w", o.ID, err)
		}
		if err := campaign.NoticeTx(tx, community.NoticeTeamFailed, o, d.TeamID.String(), paidAmount(o)); err != nil {
			return err
		}
	}
	return tx.Exec("DELETE FROM team_refunds WHERE order_id = ?", d.OrderID).Error
}

func refundNo(t id.Team) string { return "team_" + t.String() }

// stuck is the alert of a refund that cannot be requested.
type stuck struct {
	OrderID id.Order `json:"order_id"`
	TeamID  id.Team  `json:"team_id"`
	Tries   int      `json:"tries"`
}

// putOff has a refund tried again: after 10 s, then twice as late each time, at
// most every 10 minutes.
func putOff(tx *database.Tx, d owed, why error) error {
	wait := min(10*time.Second<<min(d.Tries, 10), 10*time.Minute)
	text := []rune(why.Error())
	d.Tries++
	alert := d.AlertedAt == 0 && d.Tries >= alertAfter
	if alert {
		d.AlertedAt = tx.Now
	}
	err := tx.Exec("UPDATE team_refunds SET tries = ?, next_at = ?, alerted_at = ?, last_error = ? WHERE order_id = ?",
		d.Tries, tx.Now.Add(wait), d.AlertedAt, string(text[:min(len(text), 200)]), d.OrderID).Error
	if err != nil || !alert {
		return err
	}
	return webhook.PublishTx(tx, eventRefundStuck, stuck{d.OrderID, d.TeamID, d.Tries})
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

// Refunds are what a failed team sends back: how many in all, and those the
// caller may see, his own or for staff everybody's.
type Refunds struct {
	Owed      int          `json:"owed"` // not requested yet
	Requested int          `json:"requested"`
	Done      int          `json:"done"`
	Failed    int          `json:"failed"`
	List      []TeamRefund `json:"list"`
}

// TeamRefund is one order's refund of a failed team.
type TeamRefund struct {
	OrderID     id.Order              `json:"order_id"`
	RefundNo    string                `json:"refund_no"`
	Amount      money.Amount          `json:"amount_fen"`
	Status      campaign.RefundStatus `json:"status"`
	RequestedAt clock.Milli           `json:"requested_at"`
	DoneAt      clock.Milli           `json:"done_at"`
}

// refundsOf reads what the team sends back, as the caller may see it.
func refundsOf(q *database.Query, t Team, caller database.Actor) (*Refunds, error) {
	out := &Refunds{List: []TeamRefund{}}
	if err := q.Raw("SELECT COUNT(*) FROM seats JOIN team_refunds ON team_refunds.order_id = seats.order_id WHERE seats.team_id = ?", t.ID).Scan(&out.Owed).Error; err != nil {
		return nil, err
	}
	var rows []struct {
		campaign.Refund
		MemberID id.Member
	}
	err := q.Raw(`SELECT refunds.*, orders.member_id FROM seats JOIN refunds ON refunds.order_id = seats.order_id JOIN orders ON orders.id = seats.order_id
		WHERE seats.team_id = ? AND refunds.refund_no = ? ORDER BY refunds.id`, t.ID, refundNo(t.ID)).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		switch r.Status {
		case campaign.RefundRequested:
			out.Requested++
		case campaign.RefundDone:
			out.Done++
		case campaign.RefundFailed:
			out.Failed++
		}
		person := caller.Kind == database.ActorMember || caller.Kind == database.ActorGuest
		if !person || r.MemberID == caller.Member {
			out.List = append(out.List, TeamRefund{r.OrderID, r.RefundNo, r.Amount, r.Status, r.CreatedAt, r.DoneAt})
		}
	}
	return out, nil
}
