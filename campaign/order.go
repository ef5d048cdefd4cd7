package campaign

import (
	"context"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// OrderStatus is where an order stands.
type OrderStatus string

// The states of an order: held until paid; paid until fully refunded; let go
// unpaid as expired or cancelled.
const (
	OrderHeld      OrderStatus = "held"
	OrderPaid      OrderStatus = "paid"
	OrderRefunded  OrderStatus = "refunded"
	OrderExpired   OrderStatus = "expired"
	OrderCancelled OrderStatus = "cancelled"
)

// Words name the state.
func (s OrderStatus) Words() (zh, en string) {
	return map[OrderStatus]string{OrderHeld: "待付款", OrderPaid: "已付款", OrderRefunded: "已退款", OrderExpired: "超时未付", OrderCancelled: "已取消"}[s], string(s)
}

// Order is a granted claim. It carries what was promised when it was granted:
// price, limit, the inviter and the version of the reward program.
type Order struct {
	ID             id.Order     `json:"id"`
	CampaignID     id.Campaign  `json:"campaign_id"`
	ItemID         id.Item      `json:"item_id"`
	MemberID       id.Member    `json:"member_id"`
	TeamID         id.Team      `json:"team_id"`
	Qty            int          `json:"qty"`
	UnitPrice      money.Amount `json:"unit_price_fen"`
	Amount         money.Amount `json:"amount_fen"`
	Status         OrderStatus  `json:"status"`
	LimitFrozen    int          `json:"-"`
	BindingID      id.Binding   `json:"-"`
	InviterID      id.Member    `json:"-"`
	CodeID         id.Code      `json:"-"`
	ProgramID      id.Program   `json:"-"`
	ProgramVersion int          `json:"-"`
	ClaimedBy      id.Member    `json:"-"` // who claimed, whoever he became
	IdemKey        string       `json:"-"`
	InputHash      int64        `json:"-"` // the first 8 bytes of the input's SHA-256
	DeadlineAt     clock.Milli  `json:"deadline_at"`
	CreatedAt      clock.Milli  `json:"created_at"`
	PaidAt         clock.Milli  `json:"paid_at"`
	ClosedAt       clock.Milli  `json:"closed_at"`
	ReceivedAt     clock.Milli  `json:"received_at"`
	Goods          money.Amount `json:"goods_fen"`
	RefundedGoods  money.Amount `json:"refunded_goods_fen"`
	RefundedQty    int          `json:"refunded_qty"`
	// What was promised off when it was granted: by a coupon, and by points of
	// 1 fen each.
	MemberCouponID id.MemberCoupon `json:"member_coupon_id"`
	DiscountCoupon money.Amount    `json:"discount_coupon_fen"`
	DiscountPoints money.Amount    `json:"discount_points_fen"`
	Version        int             `json:"version"`
	Payments       []Payment       `json:"payments,omitempty" gorm:"-"`
	Refunds        []Refund        `json:"refunds,omitempty" gorm:"-"`
}

// Payable is what is to be paid in money for the goods.
func (o Order) Payable() money.Amount { return o.Amount - o.DiscountCoupon - o.DiscountPoints }

// live is how many pieces count against the member's limit.
func (o Order) live() int {
	if o.Status == OrderHeld || o.Status == OrderPaid {
		return o.Qty - o.RefundedQty
	}
	return 0
}

// FindOrder is the order with its payments and refunds. Members see their own,
// staff those of their units.
func (s *Service) FindOrder(ctx context.Context, oid id.Order) (Order, error) {
	q := s.DB.Read(ctx)
	var o Order
	if err := q.Raw("SELECT * FROM orders WHERE id = ?", oid).Scan(&o).Error; err != nil {
		return o, err
	}
	if err := visible(ctx, q, o); err != nil {
		return o, err
	}
	if err := q.Raw("SELECT * FROM payments WHERE order_id = ? ORDER BY id", oid).Scan(&o.Payments).Error; err != nil {
		return o, err
	}
	return o, q.Raw("SELECT * FROM refunds WHERE order_id = ? ORDER BY id", oid).Scan(&o.Refunds).Error
}

func visible(ctx context.Context, q *database.Query, o Order) error {
	actor := database.ActorOf(ctx)
	if o.ID == 0 {
		return fault.NotFound
	}
	switch actor.Kind {
	case database.ActorMember, database.ActorGuest:
		if o.MemberID != actor.Member {
			return fault.NotFound
		}
	case database.ActorStaff:
		var unit id.Unit
		if err := q.Raw("SELECT unit_id FROM campaigns WHERE id = ?", o.CampaignID).Scan(&unit).Error; err != nil {
			return err
		}
		if !actor.Sees(unit) {
			return fault.NotFound
		}
	}
	return nil
}

// OrderFilter narrows a list of orders; zero fields match all.
type OrderFilter struct {
	Campaign id.Campaign
	Member   id.Member
	Status   OrderStatus
}

// ListOrders lists orders, newest first.
func (s *Service) ListOrders(ctx context.Context, f OrderFilter, page database.Page) (database.Paged[Order], error) {
	actor := database.ActorOf(ctx)
	var cond string
	var args []any
	if unit, in := actor.Within("unit_id"); unit != "" {
		cond, args = " AND campaign_id IN (SELECT id FROM campaigns WHERE 1 = 1"+unit+")", append(args, in...)
	}
	if actor.Kind == database.ActorMember || actor.Kind == database.ActorGuest {
		f.Member = actor.Member
	}
	if f.Campaign != 0 {
		cond, args = cond+" AND campaign_id = ?", append(args, f.Campaign)
	}
	if f.Member != 0 {
		claimers, err := claimersOf(s.DB.Read(ctx), f.Member)
		if err != nil {
			return database.Paged[Order]{}, err
		}
		cond, args = cond+" AND claimed_by IN ?", append(args, claimers)
	}
	list := database.Sift[Order]{
		Columns: "*", Table: "orders", ID: "id", Cond: cond, CondArgs: args,
		IDOf: func(o Order) int64 { return int64(o.ID) },
	}
	if f.Status != "" {
		list.Is, list.IsArgs = " AND status = ?", []any{f.Status}
	}
	return list.Page(s.DB.Read(ctx), page)
}

// lockOrders re-reads orders under lock, by id ascending. Their items (and
// teams) must be locked already.
func lockOrders(tx *database.Tx, ids []id.Order) ([]Order, error) {
	var rows []Order
	err := tx.Raw("SELECT * FROM orders WHERE id IN ? ORDER BY id"+tx.Dialect.ForUpdate, ids).Scan(&rows).Error
	return rows, err
}

// LockItemTx locks an item for a kind that is about to lock rows of its own
// and then orders.
func LockItemTx(tx *database.Tx, item id.Item) error {
	_, err := lockItems(tx, []id.Item{item})
	return err
}

// LockOrdersTx locks orders, whose items are locked already, and returns them
// with their payments and refunds.
func LockOrdersTx(tx *database.Tx, ids []id.Order) ([]Order, error) {
	orders, err := lockOrders(tx, ids)
	if err != nil {
		return nil, err
	}
	for i := range orders {
		o := &orders[i]
		if err := tx.Raw("SELECT * FROM payments WHERE order_id = ?", o.ID).Scan(&o.Payments).Error; err != nil {
			return nil, err
		}
		if err := tx.Raw("SELECT * FROM refunds WHERE order_id = ?", o.ID).Scan(&o.Refunds).Error; err != nil {
			return nil, err
		}
	}
	return orders, nil
}
