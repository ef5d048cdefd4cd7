package web

import (
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/money"
	"siyu/wallet"
)

// quoteView is what an order with the chosen coupon and points would come to,
// or why it would be refused. It binds nothing.
type quoteView struct {
	Sum     money.Amount
	Coupon  money.Amount
	Points  money.Amount
	Payable money.Amount
	Refused string
}

// keep is the coupon and the points of a form that came back.
func (o *meansView) keep(c *gin.Context) {
	o.Coupon, o.Used = c.PostForm("coupon"), clean(c.PostForm("points"))
}

// quote works out what is kept, by the rules a claim is decided by.
func (o *meansView) quote(p page, line wallet.Line) {
	q := &quoteView{Sum: line.Amount}
	o.Quote = q
	if err := o.work(q, line, clock.MilliOf(p.Now)); err != nil {
		q.Refused = errForm.Text(p.Lang)
		if f, ok := fault.As(err); ok {
			q.Refused = f.Text(p.Lang)
		}
		return
	}
	q.Payable = q.Sum - q.Coupon - q.Points
}

var errPoints = fault.New(fault.KindUnprocessable, "web.points", "积分应为 0 到 {most} 的整数", "points must be a whole number from 0 to {most}")

func (o *meansView) work(q *quoteView, line wallet.Line, now clock.Milli) error {
	if o.Used != "" {
		n, err := strconv.ParseUint(o.Used, 10, 40)
		if err != nil || money.Amount(n) > o.Points {
			return errPoints.With("most", int64(o.Points))
		}
		q.Points = money.Amount(n)
	}
	for _, c := range o.Coupons {
		if c.ID != o.Coupon {
			continue
		}
		off, err := wallet.Discount(c.terms, []wallet.Line{line}, now)
		if err != nil {
			return err
		}
		q.Coupon = off.Discount
	}
	if o.Coupon != "" && q.Coupon == 0 {
		return wallet.ErrCouponGoods
	}
	return o.run.Afford(line.Amount, q.Coupon, q.Points)
}
