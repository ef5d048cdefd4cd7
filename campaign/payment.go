package campaign

import (
	"context"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Payment is money the mall reports for an order, once per provider and
// payment number for ever. Amount is goods + freight − discount − points.
type Payment struct {
	ID        id.Payment   `json:"id"`
	Provider  string       `json:"provider"`
	PaymentNo string       `json:"payment_no"`
	OrderID   id.Order     `json:"-"`
	Goods     money.Amount `json:"goods_fen"`
	Freight   money.Amount `json:"freight_fen"`
	Discount  money.Amount `json:"discount_fen"`
	Points    money.Amount `json:"points_fen"`
	Amount    money.Amount `json:"amount_fen"`
	PaidAt    clock.Milli  `json:"paid_at"`
	NotedAt   clock.Milli  `json:"noted_at"`
}

// net is what was paid in money for the goods: the base of rewards.
func (p Payment) net() money.Amount { return p.Goods - p.Discount - p.Points }

// PaymentIn is a payment as the mall reports it.
type PaymentIn struct {
	Provider  string       `json:"provider"`
	PaymentNo string       `json:"payment_no"`
	Goods     money.Amount `json:"goods_fen"`
	Freight   money.Amount `json:"freight_fen"`
	Discount  money.Amount `json:"discount_fen"`
	Points    money.Amount `json:"points_fen"`
	Amount    money.Amount `json:"amount_fen"`
	PaidAt    clock.Milli  `json:"paid_at"` // default now; see dated
	Member    *IdentityRef `json:"member"`  // who paid, when the order is a guest's
}

// IdentityRef names a member by an identity.
type IdentityRef struct {
	Kind  string `json:"kind"`
	App   string `json:"app"`
	Value string `json:"value"`
}

// Validate checks the parts and their sum.
func (in PaymentIn) Validate() error {
	var c fault.Check
	c.Required(in.Provider, "provider")
	c.Length(in.Provider, "provider", 32)
	c.Required(in.PaymentNo, "payment_no")
	c.Length(in.PaymentNo, "payment_no", 64)
	c.Range(int64(in.Goods), "goods_fen", 0, 100*priceMax)
	c.Range(int64(in.Freight), "freight_fen", 0, priceMax)
	c.Range(int64(in.Discount), "discount_fen", 0, int64(in.Goods))
	c.Range(int64(in.Points), "points_fen", 0, int64(in.Goods-in.Discount))
	c.That(in.Amount == in.Goods+in.Freight-in.Discount-in.Points, "amount_fen", "sum",
		"应等于 goods + freight − discount − points", "must equal goods + freight − discount − points")
	return c.Err()
}

// drift is how far the mall's clock may be from ours.
const drift = 5 * time.Minute

// dated refuses a moment of payment that lies after now or before its order was
// made, by more than clocks may differ: a wrong unit, zone or year, which would
// put the payment on another day and its rewards into another month. How long
// ago it was does not matter, so a report may come days late.
func (in PaymentIn) dated(o Order, now clock.Milli) error {
	if in.PaidAt == 0 {
		return nil
	}
	var c fault.Check
	c.That(in.PaidAt <= now.Add(drift), "paid_at", "range",
		"付款时间晚于现在 5 分钟以上，请核对时钟与时区；不填即按收到上报的时间计",
		"lies more than 5 minutes ahead of now: check clock and time zone, or leave it out to mean the moment of this report")
	c.That(in.PaidAt >= o.CreatedAt.Add(-drift), "paid_at", "range",
		"付款时间比下单时间早 5 分钟以上，请填写支付渠道给出的付款时间并带时区；不填即按收到上报的时间计",
		"lies more than 5 minutes before the order was made: give the provider's moment of payment with its time zone, or leave it out to mean the moment of this report")
	return c.Err()
}

// ErrPaymentReused refuses a payment number that bought something else. A wrong
// sum is no refusal: the money is there, so it is noted and sent back.
var ErrPaymentReused = fault.New(fault.KindConflict, "payment.reused", "该支付单号已用于其他订单或金额", "this payment number was reported for another order or amount")

// Pay notes a payment. Reported again it changes nothing.
func (s *Service) Pay(ctx context.Context, oid id.Order, in PaymentIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	if in.Member != nil {
		// The merge is a transaction of its own: it must not bind the key, or
		// a crash after it would let the replay pass for the payment.
		if err := s.adopt(database.WithoutKey(ctx), oid, in); err != nil {
			return err
		}
	}
	return s.report(ctx, oid, func(tx *database.Tx, o Order) error {
		tx.SetResult("order", int64(oid), 200)
		row := Payment{
			ID: id.Payment(tx.Next()), Provider: in.Provider, PaymentNo: in.PaymentNo, OrderID: oid,
			Goods: in.Goods, Freight: in.Freight, Discount: in.Discount, Points: in.Points, Amount: in.Amount,
			PaidAt: in.PaidAt, NotedAt: tx.Now,
		}
		if row.PaidAt == 0 {
			row.PaidAt = tx.Now
		}
		err := tx.Create(&row).Error
		if err == nil {
			return in.dated(o, tx.Now) // what is on record is not judged again
		}
		if !database.IsDuplicate(err) {
			return err
		}
		var old Payment
		if err := tx.Raw("SELECT * FROM payments WHERE provider = ? AND payment_no = ?", in.Provider, in.PaymentNo).Scan(&old).Error; err != nil {
			return err
		}
		if old.OrderID != oid || old.Amount != in.Amount || old.Goods != in.Goods {
			return ErrPaymentReused
		}
		return nil
	})
}

// adopt merges a guest's order into the member who paid for it.
func (s *Service) adopt(ctx context.Context, oid id.Order, in PaymentIn) error {
	q := s.DB.Read(ctx)
	var o Order
	if err := q.Raw("SELECT * FROM orders WHERE id = ?", oid).Scan(&o).Error; err != nil {
		return err
	}
	if o.ID == 0 {
		return fault.NotFound
	}
	member, err := s.Community.Resolve(q, in.Member.Kind, in.Member.App, in.Member.Value)
	if err != nil {
		return err
	}
	known, err := community.StrongIn(q, []id.Member{o.MemberID})
	if err != nil || known[o.MemberID] || o.MemberID == member {
		return err
	}
	if err := in.dated(o, clock.MilliOf(s.DB.Clock.Now())); err != nil {
		return err // before anything changes
	}
	return s.MergeMembers(ctx, o.MemberID, member)
}

// Shipment is goods sent or received.
type Shipment struct {
	Stage      string      `json:"stage"` // shipped, received
	ShipmentNo string      `json:"shipment_no"`
	At         clock.Milli `json:"at"` // default now; see dated
}

// Validate checks the shipment.
func (in Shipment) Validate() error {
	var c fault.Check
	c.OneOf(in.Stage, "stage", "shipped", "received")
	c.Required(in.ShipmentNo, "shipment_no")
	c.Length(in.ShipmentNo, "shipment_no", 64)
	return c.Err()
}

// dated refuses a moment that lies ahead of now, or before the order was made,
// by more than clocks may differ: a receipt of 1970 would let the order's
// rewards mature at once, and one of next year not before.
func (in Shipment) dated(o Order, now clock.Milli) error {
	var c fault.Check
	c.That(in.At <= now.Add(drift), "at", "range",
		"发货或收货时间晚于现在 5 分钟以上，请核对时钟与时区；不填即按收到上报的时间计",
		"lies more than 5 minutes ahead of now: check clock and time zone, or leave it out to mean the moment of this report")
	c.That(in.At >= o.CreatedAt.Add(-drift), "at", "range",
		"发货或收货时间比下单时间早 5 分钟以上，请核对单号并带时区；不填即按收到上报的时间计",
		"lies more than 5 minutes before the order was made: check the order and the time zone, or leave it out to mean the moment of this report")
	return c.Err()
}

// Ship notes that goods were sent or received. Receipt starts the reward's
// maturity anew.
func (s *Service) Ship(ctx context.Context, oid id.Order, in Shipment) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.report(ctx, oid, func(tx *database.Tx, o Order) error {
		tx.SetResult("order", int64(oid), 200)
		if in.At == 0 {
			in.At = tx.Now
		}
		err := tx.Exec("INSERT INTO shipments (id, order_id, stage, shipment_no, at) VALUES (?, ?, ?, ?, ?)",
			tx.Next(), oid, in.Stage, in.ShipmentNo, in.At).Error
		if database.IsDuplicate(err) {
			return nil // what is on record is not judged again
		}
		if err != nil {
			return err
		}
		if err := in.dated(o, tx.Now); err != nil {
			return err
		}
		return publishShipment(tx, o, in)
	})
}
