package campaign

import (
	"context"
	"fmt"
	"strings"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/webhook"
)

// RefundStatus is where a refund stands.
type RefundStatus string

// The states of a refund: Siyu requests, the mall reports how it ended.
const (
	RefundRequested RefundStatus = "requested"
	RefundDone      RefundStatus = "done"
	RefundFailed    RefundStatus = "failed"
)

// Refund is money going back for an order.
type Refund struct {
	ID         id.Refund    `json:"id"`
	OrderID    id.Order     `json:"order_id"`
	RefundNo   string       `json:"refund_no"`
	Amount     money.Amount `json:"amount_fen"`
	Goods      money.Amount `json:"goods_fen"`
	Qty        int          `json:"qty"`
	Status     RefundStatus `json:"status"`
	ByWhom     string       `json:"by"`
	Reason     string       `json:"reason"`
	CreatedAt  clock.Milli  `json:"created_at"`
	DoneAt     clock.Milli  `json:"done_at"`     // as the mall says, else when it was reported
	ReportedAt clock.Milli  `json:"reported_at"` // that it was done
	AlertedAt  clock.Milli  `json:"alerted_at"`  // when it was overdue and said so
}

// RefundIn is a refund as the mall reports it. Goods is the part of Amount
// that was paid for the item; Qty the pieces given back.
type RefundIn struct {
	RefundNo string       `json:"refund_no"`
	Amount   money.Amount `json:"amount_fen"`
	Goods    money.Amount `json:"goods_fen"`
	Qty      int          `json:"qty"`
	Status   RefundStatus `json:"status"` // done, failed; default done
	Reason   string       `json:"reason"`
	DoneAt   clock.Milli  `json:"done_at"` // default now
}

// Validate checks the refund.
func (in RefundIn) Validate() error {
	var c fault.Check
	c.Required(in.RefundNo, "refund_no")
	c.Length(in.RefundNo, "refund_no", 64)
	c.Range(int64(in.Amount), "amount_fen", 1, 100*priceMax)
	c.Range(int64(in.Goods), "goods_fen", 0, int64(in.Amount))
	c.Range(int64(in.Qty), "qty", 0, 1000)
	if in.Status != "" {
		c.OneOf(string(in.Status), "status", string(RefundDone), string(RefundFailed))
	}
	c.Length(in.Reason, "reason", 64)
	c.That(in.DoneAt == 0 || in.Status != RefundFailed, "done_at", "combination", "失败的退款没有完成时间", "a refund that failed was not done at any time")
	return c.Err()
}

// doneTx is when the refund was done: the moment the mall gives, which lies
// between the order's payment and now, where the mall's clock may run ahead by
// drift, or else now. A payment that is not on record yet bounds nothing.
func (in RefundIn) doneTx(tx *database.Tx, oid id.Order) (clock.Milli, error) {
	if in.DoneAt == 0 {
		return tx.Now, nil
	}
	var paid clock.Milli
	if err := tx.Raw("SELECT COALESCE(MIN(paid_at), 0) FROM payments WHERE order_id = ?", oid).Row().Scan(&paid); err != nil {
		return 0, fmt.Errorf("campaign: payment of %s: %w", oid, err)
	}
	var c fault.Check
	c.That(in.DoneAt <= tx.Now.Add(drift), "done_at", "range", "退款完成时间晚于现在 5 分钟以上，请核对时钟与时区", "lies more than 5 minutes ahead of now: check clock and time zone")
	c.That(in.DoneAt >= paid, "done_at", "range", "退款完成时间不能早于付款时间", "must not lie before the payment")
	return in.DoneAt, c.Err()
}

// The refusals of a refund.
var (
	ErrRefundDiffers = fault.New(fault.KindConflict, "refund.differs", "该退款单号已登记为其他金额", "this refund number is on record with other figures")
	ErrRefundExceeds = fault.New(fault.KindConflict, "refund.exceeds", "退款超过已付金额：最多还可退 {left_fen} 分，其中商品 {goods_fen} 分", "the refunds would exceed what was paid: at most {left_fen} fen can still go back, {goods_fen} of them for goods")
)

// fitsTx refuses a refund of more than what is left of what was paid, of the
// goods or in all, and one under a number that only Siyu gives out, which would
// leave the goods untouched. What comes before the payment waits for it.
func (in RefundIn) fitsTx(tx *database.Tx, o Order) error {
	if strings.HasPrefix(in.RefundNo, backPrefix) {
		return fault.Invalid.Field("refund_no", "unknown_value", "back_ 开头的单号由 Siyu 生成，该订单没有这笔退款", "numbers that begin with back_ are given out by Siyu, and this order has no such refund")
	}
	if o.PaidAt == 0 {
		return nil
	}
	var payments []Payment
	if err := tx.Raw("SELECT * FROM payments WHERE order_id = ? ORDER BY id", o.ID).Scan(&payments).Error; err != nil {
		return fmt.Errorf("campaign: payments of %s: %w", o.ID, err)
	}
	var refunds []Refund
	if err := tx.Raw("SELECT * FROM refunds WHERE order_id = ? ORDER BY id", o.ID).Scan(&refunds).Error; err != nil {
		return fmt.Errorf("campaign: refunds of %s: %w", o.ID, err)
	}
	goods, left := o.Goods-o.RefundedGoods, in.Amount
	if bought := firstKept(payments, refunds); bought >= 0 {
		left = payments[bought].Amount - sentBack(refunds)
	}
	if in.Goods > goods || in.Amount > left {
		return ErrRefundExceeds.With("left_fen", int64(max(left, 0))).With("goods_fen", int64(goods))
	}
	return nil
}

// Refund notes how a refund ended: one Siyu requested, found by its number, or
// one the mall made itself. It may come before its payment; then it waits.
func (s *Service) Refund(ctx context.Context, oid id.Order, in RefundIn) error {
	if in.Status == "" {
		in.Status = RefundDone
	}
	if err := in.Validate(); err != nil {
		return err
	}
	return s.report(ctx, oid, func(tx *database.Tx, o Order) error {
		tx.SetResult("order", int64(oid), 200)
		var old Refund
		if err := tx.Raw("SELECT * FROM refunds WHERE order_id = ? AND refund_no = ?", oid, in.RefundNo).Scan(&old).Error; err != nil {
			return err
		}
		if old.ID != 0 {
			return turnRefund(tx, o, old, in)
		}
		if err := in.fitsTx(tx, o); err != nil {
			return err
		}
		row := Refund{
			ID: id.Refund(tx.Next()), OrderID: oid, RefundNo: in.RefundNo, Amount: in.Amount, Goods: in.Goods, Qty: in.Qty,
			Status: in.Status, ByWhom: "mall", Reason: in.Reason, CreatedAt: tx.Now,
		}
		if in.Status == RefundDone {
			var err error
			if row.DoneAt, err = in.doneTx(tx, oid); err != nil {
				return err
			}
			row.ReportedAt = tx.Now
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return publishRefund(tx, o, row)
	})
}

// turnRefund moves a refund on record to what the mall reports. Done is final;
// a failed one may still be done later.
func turnRefund(tx *database.Tx, o Order, old Refund, in RefundIn) error {
	if old.Amount != in.Amount {
		return ErrRefundDiffers
	}
	if old.Status == RefundDone || old.Status == in.Status {
		return nil
	}
	if old.Status = in.Status; in.Status == RefundDone {
		var err error
		if old.DoneAt, err = in.doneTx(tx, o.ID); err != nil {
			return err
		}
		old.ReportedAt = tx.Now
	}
	if err := tx.Exec("UPDATE refunds SET status = ?, done_at = ?, reported_at = ? WHERE id = ?", old.Status, old.DoneAt, old.ReportedAt, old.ID).Error; err != nil {
		return err
	}
	return publishRefund(tx, o, old)
}

// publishRefund announces how a refund ended, and has the member told of his
// money.
func publishRefund(tx *database.Tx, o Order, r Refund) error {
	if err := webhook.PublishTx(tx, refundTold[r.Status], r); err != nil || r.Status != RefundDone {
		return err
	}
	return NoticeTx(tx, community.NoticeRefundDone, o, r.ID.String(), r.Amount)
}

// RequestRefundTx asks the mall, by event, to send money of the order back.
// Asked again under the same number it changes nothing.
func RequestRefundTx(tx *database.Tx, r Refund) error {
	r.ID, r.Status, r.ByWhom, r.CreatedAt = id.Refund(tx.Next()), RefundRequested, "siyu", tx.Now
	err := tx.Create(&r).Error
	if database.IsDuplicate(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return webhook.PublishTx(tx, eventRefundRequested, r)
}

// refundBound is how long a requested refund may stay open before it is an
// alert.
const refundBound = 24 * time.Hour

// refundsAlerted is the alert sweep's row.
const refundsAlerted = "refunds"

// AlertRefunds marks refunds that have been open for longer than refundBound
// and says so by event, each in a transaction of its own, so that one that
// cannot be marked does not silence the others.
func (s *Service) AlertRefunds(ctx context.Context) error {
	for {
		var late []Refund
		before := clock.MilliOf(s.DB.Clock.Now()).Add(-refundBound)
		err := s.DB.Read(ctx).Raw("SELECT * FROM refunds WHERE status IN ? AND created_at <= ? AND alerted_at = 0 ORDER BY created_at, id LIMIT 100",
			openRefunds, before).Scan(&late).Error
		if err != nil {
			return err
		}
		if len(late) == 0 {
			return s.DB.Tx(ctx, func(tx *database.Tx) error { return MarkSweptTx(tx, refundsAlerted) })
		}
		for _, r := range late {
			if err := s.DB.Tx(ctx, func(tx *database.Tx) error { return alertRefund(tx, r) }); err != nil {
				return err
			}
		}
	}
}

// openRefunds are the states in which a refund is owed. A refund that was looked
// at may be done by the time it is marked.
var openRefunds = []RefundStatus{RefundRequested, RefundFailed}

func alertRefund(tx *database.Tx, r Refund) error {
	res := tx.Exec("UPDATE refunds SET alerted_at = ? WHERE id = ? AND status IN ?"+tx.Only("alerted_at = 0"), tx.Now, r.ID, openRefunds)
	if res.Error != nil || res.RowsAffected == 0 {
		return res.Error
	}
	r.AlertedAt = tx.Now
	return webhook.PublishTx(tx, eventRefundOverdue, r)
}
