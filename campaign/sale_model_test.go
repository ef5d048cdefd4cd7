package campaign_test

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
)

// saleBook is a flash sale of one item as its rules say it, kept beside the
// real one: people, orders and places in the line. What is left, held, sold,
// taken in a session, spent in points and in budget follows from the orders.
type saleBook struct {
	now, ends             clock.Milli
	sessions              bool // every even hour of the day is open, every odd one closed
	paused, over          bool
	stock, sessionStock   int64
	sessionAt             clock.Milli // when the last session began in which an order was made
	price                 money.Amount
	perMember, perOrder   int
	budget                money.Amount
	people                []buyer
	orders                []*saleOrder
	places                []*salePlace
	holds, lastPlace, off int // off is the error planted in the limit
}

// buyer is a person; into is who he became.
type buyer struct {
	id      id.Member
	guest   bool
	into    int
	brought int // pieces a merge brought in beyond the limit
	earned  money.Amount
	coupon  id.MemberCoupon
	keys    map[string]string // key → what it was used for
	granted map[string]*saleOrder
}

type saleOrder struct {
	id              id.Order
	who, coupon     int // coupon is whose, -1 for none
	qty             int
	amount, off     money.Amount
	points          money.Amount
	status          campaign.OrderStatus
	created, due    clock.Milli
	hold            int
	paid, received  bool
	refunded        money.Amount
	refundedQty     int
	refunds         map[string]*saleRefund
	payments, backs []string // payment numbers; reasons of those sent back
}

type saleRefund struct {
	amount, goods money.Amount
	qty           int
	status        campaign.RefundStatus
}

type salePlace struct {
	id     id.Wait
	who    int
	seq    int
	status campaign.WaitStatus
	reason string
	order  *saleOrder
}

const (
	payWithin  = 15 * time.Minute
	waitWithin = 5 * time.Minute
	couponOff  = money.Amount(500)
)

func (b *saleBook) root(who int) int {
	for b.people[who].into != who {
		who = b.people[who].into
	}
	return who
}

// net is what is paid in money.
func (o *saleOrder) net() money.Amount { return o.amount - o.off - o.points }

// live is how many pieces the order keeps.
func (o *saleOrder) live() int {
	if o.status == campaign.OrderHeld || o.status == campaign.OrderPaid {
		return o.qty - o.refundedQty
	}
	return 0
}

// sentBack is the money that refunds sent back.
func (o *saleOrder) sentBack() (sum money.Amount) {
	for _, r := range o.refunds {
		if r.status == campaign.RefundDone {
			sum += r.amount
		}
	}
	return sum
}

// back is the part of a discount that goes back with what was refunded.
func (o *saleOrder) back(n money.Amount) money.Amount {
	switch {
	case o.status == campaign.OrderExpired || o.status == campaign.OrderCancelled:
		return n
	case o.refunded == 0:
		return 0
	}
	return n * o.refunded / o.net()
}

func (b *saleBook) count(of func(*saleOrder) int) (n int64) {
	for _, o := range b.orders {
		n += int64(of(o))
	}
	return n
}

func (b *saleBook) held() int64 {
	return b.count(func(o *saleOrder) int {
		if o.status == campaign.OrderHeld {
			return o.qty
		}
		return 0
	})
}

func (b *saleBook) left() int64 { return b.stock - b.count((*saleOrder).live) }

// inSession counts what the session sold that the book counts.
func (b *saleBook) inSession() int64 {
	return b.count(func(o *saleOrder) int {
		if o.created >= b.sessionAt {
			return o.live()
		}
		return 0
	})
}

func (b *saleBook) mine(who int) (n int) {
	return int(b.count(func(o *saleOrder) int {
		if b.root(o.who) == who {
			return o.live()
		}
		return 0
	}))
}

func (b *saleBook) points(who int) (free, frozen money.Amount) {
	free = b.people[who].earned
	for _, o := range b.orders {
		if b.root(o.who) == who {
			free -= o.points - o.back(o.points)
			if o.status == campaign.OrderHeld {
				frozen += o.points
			}
		}
	}
	return free, frozen
}

func (b *saleBook) budgetLeft() money.Amount {
	left := b.budget
	for _, o := range b.orders {
		left -= o.off + o.points - o.back(o.off+o.points)
	}
	return left
}

// used says whether a live order has the coupon.
func (b *saleBook) used(coupon int) bool {
	return slices.ContainsFunc(b.orders, func(o *saleOrder) bool {
		return o.coupon == coupon && (o.status == campaign.OrderHeld || o.status == campaign.OrderPaid)
	})
}

func (b *saleBook) line() []*salePlace {
	line := slices.DeleteFunc(slices.Clone(b.places), func(p *salePlace) bool { return p.status != campaign.WaitWaiting })
	slices.SortFunc(line, func(x, y *salePlace) int { return cmp.Compare(x.seq, y.seq) })
	return line
}

// began is when the open session began, 0 if none is open.
func (b *saleBook) began() clock.Milli {
	const hour = clock.Milli(3_600_000)
	if local := b.now + 8*hour; local/hour%24%2 == 0 {
		return max(b.now-local%hour, clock.MilliOf(dbtest.Start))
	}
	return 0
}

func reasonOf(code string) string { return strings.TrimPrefix(code, "campaign.") }
