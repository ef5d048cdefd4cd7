package campaign

import (
	"siyu/internal/clock"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/wallet"
)

// Stack is the least a member could pay for an item: the campaign's price,
// then one coupon, then points, and never below nothing. docs/stacking.md says
// it in words. Sums are of the order of Pieces in which a piece is cheapest.
type Stack struct {
	ItemID     id.Item      `json:"item_id"`
	ProductID  id.Product   `json:"product_id"`
	SKU        string       `json:"sku"`
	Price      money.Amount `json:"price_fen"`
	Pieces     int          `json:"pieces"`
	CouponID   id.Coupon    `json:"coupon_id"` // 0 is none, or one the caller may not see
	CouponOff  money.Amount `json:"coupon_off_fen"`
	PointsOff  money.Amount `json:"points_off_fen"`
	Pays       money.Amount `json:"pays_fen"`
	Lowest     money.Amount `json:"lowest_fen"` // per piece, floored
	Cost       money.Amount `json:"cost_fen"`
	Floor      money.Amount `json:"floor_price_fen"`
	Margin     money.Amount `json:"margin_fen"` // what is paid less what the pieces cost
	MarginRate money.Bps    `json:"margin_bp"`  // of what is paid, floored; 0 when nothing is
	UnderFloor bool         `json:"under_floor"`
	UnderCost  bool         `json:"under_cost"`
}

// Lowest finds the cheapest order of the item. It tries every number of pieces
// an order may have, without a coupon and with each; other goods may fill the
// order up to a coupon's minimum. Of prices by team size it takes the lowest.
// Points pay at most the rate of what remains.
func Lowest(item Item, p Product, coupons []wallet.Coupon, from clock.Milli, points money.Bps) Stack {
	item.Price = item.least()
	best := pay(item, p, 1, 0, 0, points)
	try := func(s Stack) {
		if s.cheaper(best) {
			best = s
		}
	}
	for n := 1; n <= max(item.PerOrder, 1); n++ {
		try(pay(item, p, n, 0, 0, points))
		line := wallet.Line{Product: p.ID, SKU: p.SKU, Amount: item.Price.Times(n)}
		for _, c := range coupons {
			if off := off(c.Terms, line, from); off > 0 {
				try(pay(item, p, n, c.ID, off, points))
			}
		}
	}
	return best
}

// pay takes the coupon and then the points off n pieces.
func pay(item Item, p Product, n int, coupon id.Coupon, off money.Amount, points money.Bps) Stack {
	s := Stack{ItemID: item.ID, ProductID: p.ID, SKU: p.SKU, Price: item.Price, Pieces: n, CouponID: coupon, CouponOff: off, Cost: p.Cost, Floor: p.FloorPrice}
	rest := max(item.Price.Times(n)-off, 0)
	s.PointsOff = rest.Rate(points)
	s.Pays = rest - s.PointsOff
	s.Lowest = s.Pays / money.Amount(n)
	s.Margin = s.Pays - p.Cost.Times(n)
	if s.Pays > 0 {
		s.MarginRate = floorBps(s.Margin, s.Pays)
	}
	s.UnderFloor = s.Pays < p.FloorPrice.Times(n)
	s.UnderCost = s.Margin < 0
	return s
}

// floorBps is part of whole in basis points, rounded down for losses too.
func floorBps(part, whole money.Amount) money.Bps {
	n := part * money.Amount(money.Whole)
	q := n / whole
	if n%whole < 0 {
		q--
	}
	return money.Bps(q)
}

// cheaper compares what a piece costs, without rounding.
func (s Stack) cheaper(than Stack) bool {
	return s.Pays*money.Amount(than.Pieces) < than.Pays*money.Amount(s.Pieces)
}

// off is the most the coupon takes off the line: alone, or with other goods
// that just reach the minimum, where the coupon is for others too.
func off(t wallet.Terms, line wallet.Line, from clock.Milli) money.Amount {
	at := max(from, t.ValidFrom)
	if q, err := wallet.Discount(t, []wallet.Line{line}, at); err == nil {
		return q.Lines[0]
	}
	missing := t.MinSpend - line.Amount
	other, ok := t.Another(line)
	if missing <= 0 || !ok {
		return 0
	}
	other.Amount = missing
	if q, err := wallet.Discount(t, []wallet.Line{line, other}, at); err == nil {
		return q.Lines[0]
	}
	return 0
}
