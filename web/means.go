package web

import (
	"context"
	"strconv"

	"github.com/gin-gonic/gin"

	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/money"
	"siyu/wallet"
)

// meansView is what the visitor may pay with besides money.
type meansView struct {
	Coupons []couponView
	Coupon  string       // the one chosen
	Points  money.Amount // that he can spend; 0 if the campaign takes none
	Used    string       // of them, as he typed it
	Part    string       // of the goods that points may pay
	Quote   *quoteView   // what the choice comes to, once asked
	FormID  string       // of the form its fields belong to

	run campaign.Campaign
}

// Quoted says whether the sum shown has the choice taken off.
func (o meansView) Quoted() bool { return o.Quote != nil && o.Quote.Refused == "" }

// Any says whether there is something to choose.
func (o meansView) Any() bool { return len(o.Coupons) > 0 || o.Points > 0 }

type couponView struct {
	ID    string
	Label string
	terms wallet.Terms
}

// couponsShown is how many coupons a page lists to choose from.
const couponsShown = 50

// offer finds the visitor's coupons that are good for one of the items, and his
// points. What an order then comes to is decided when it is claimed.
func (s *Server) offer(ctx context.Context, p page, v visitor, run campaign.Campaign, items []itemView) (o meansView, err error) {
	o.run, o.FormID = run, "take"
	if !v.Strong || !run.AcceptsCoupons && run.AcceptsPoints == 0 {
		return o, nil
	}
	if run.AcceptsPoints > 0 {
		has, err := s.Wallet.MemberPoints(ctx, v.Member)
		if err != nil {
			return o, err
		}
		o.Points, o.Part = has.Available, rate(run.AcceptsPoints)
	}
	if !run.AcceptsCoupons {
		return o, nil
	}
	lines := largest(items)
	for _, status := range []wallet.HoldStatus{wallet.HoldIssued, wallet.HoldReturned} {
		list, err := s.Wallet.ListMemberCoupons(ctx, v.Member, status, database.Page{Limit: couponsShown})
		if err != nil {
			return o, err
		}
		for _, m := range list.Items {
			if goodForOne(m.Terms, lines, clock.MilliOf(p.Now)) {
				o.Coupons = append(o.Coupons, couponView{m.ID.String(), couponLabel(p.Lang, m), m.Terms})
			}
		}
	}
	return o, nil
}

// largest are the largest order of each item that is left.
func largest(items []itemView) []wallet.Line {
	var lines []wallet.Line
	for _, item := range items {
		if most := item.Most(); most > 0 {
			lines = append(lines, wallet.Line{Product: item.Product, SKU: item.SKU, Amount: item.Price.Times(int(most))})
		}
	}
	return lines
}

func goodForOne(t wallet.Terms, lines []wallet.Line, now clock.Milli) bool {
	for _, l := range lines {
		if _, err := wallet.Discount(t, []wallet.Line{l}, now); err == nil {
			return true
		}
	}
	return false
}

// couponLabel is the coupon in a line: its name, from what sum, how much off.
func couponLabel(lang string, m wallet.MemberCoupon) string {
	off := choose(lang, "减 ¥%s", "¥%s off", m.Amount)
	if m.Kind == wallet.DiscountPercent {
		off = choose(lang, "减 %s", "%s off", rate(m.Rate))
	}
	if m.MinSpend > 0 {
		off = choose(lang, "满 ¥%s ", "from ¥%s ", m.MinSpend) + off
	}
	return clean(choose(lang, m.NameZH, m.NameEN)) + " · " + off
}

// payWith reads the coupon and the points the visitor chose.
func payWith(c *gin.Context, claim *campaign.Claim) error {
	if text := c.PostForm("coupon"); text != "" {
		if err := read(text, &claim.Coupon); err != nil {
			return errForm
		}
	}
	if text := c.PostForm("points"); text != "" {
		n, err := strconv.ParseUint(text, 10, 40)
		if err != nil {
			return errForm
		}
		claim.Points = money.Amount(n)
	}
	return nil
}
