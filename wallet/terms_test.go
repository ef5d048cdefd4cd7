package wallet

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

func TestDiscount(t *testing.T) {
	off := func(change ...func(*Terms)) Terms {
		terms := Terms{Kind: DiscountAmount, Amount: 500, ValidFrom: 100, ValidUntil: 200}
		for _, f := range change {
			f(&terms)
		}
		return terms
	}
	percent := func(rate money.Bps, top money.Amount) Terms {
		return off(func(t *Terms) { t.Kind, t.Amount, t.Rate, t.Cap = DiscountPercent, 0, rate, top })
	}
	goods := func(products []id.Product, skus ...string) Goods { return Goods{products, skus} }
	a, b, c := Line{SKU: "a", Amount: 1000}, Line{SKU: "b", Product: 7, Amount: 333}, Line{Product: 8, Amount: 1}
	for _, x := range []struct {
		name  string
		terms Terms
		lines []Line
		now   clock.Milli
		want  []money.Amount // the parts
		err   error
	}{
		{"an amount is spread by what lines cost", off(), []Line{a, b}, 150, []money.Amount{376, 124}, nil},
		{"never more than the goods cost", off(), []Line{b}, 150, []money.Amount{333}, nil},
		{"a percentage is floored", percent(1000, 0), []Line{b}, 150, []money.Amount{33}, nil},
		{"a percentage of next to nothing is nothing", percent(1000, 0), []Line{c}, 150, []money.Amount{0}, nil},
		{"a percentage is capped", percent(5000, 600), []Line{a, b}, 150, []money.Amount{451, 149}, nil},
		{"all of it", percent(money.Whole, 0), []Line{a, b, c}, 150, []money.Amount{1000, 333, 1}, nil},
		{"only what is included, by SKU", off(func(t *Terms) { t.Include = goods(nil, "b") }), []Line{a, b}, 150, []money.Amount{0, 333}, nil},
		{"only what is included, by product", off(func(t *Terms) { t.Include = goods([]id.Product{8}) }), []Line{a, c}, 150, []money.Amount{0, 1}, nil},
		{"exclusion wins", off(func(t *Terms) { t.Include, t.Exclude = goods(nil, "a", "b"), goods([]id.Product{7}) }), []Line{a, b}, 150, []money.Amount{500, 0}, nil},
		{"nothing eligible", off(func(t *Terms) { t.Include = goods(nil, "z") }), []Line{a}, 150, nil, ErrCouponGoods},
		{"an empty SKU is in no list", off(func(t *Terms) { t.Include = goods(nil, "z") }), []Line{c}, 150, nil, ErrCouponGoods},
		{"no lines", off(), nil, 150, nil, ErrCouponGoods},
		{"the minimum reached", off(func(t *Terms) { t.MinSpend = 1333 }), []Line{a, b}, 150, []money.Amount{376, 124}, nil},
		{"below the minimum", off(func(t *Terms) { t.MinSpend = 1334 }), []Line{a, b}, 150, nil, ErrCouponMinimum},
		{"what is excluded does not count towards it", off(func(t *Terms) { t.MinSpend, t.Exclude = 1001, goods(nil, "b") }), []Line{a, b}, 150, nil, ErrCouponMinimum},
		{"too early", off(), []Line{a}, 99, nil, ErrCouponEarly},
		{"at its first moment", off(), []Line{a}, 100, []money.Amount{500}, nil},
		{"at its last moment", off(), []Line{a}, 199, []money.Amount{500}, nil},
		{"too late", off(), []Line{a}, 200, nil, ErrCouponExpired},
	} {
		t.Run(x.name, func(t *testing.T) {
			got, err := Discount(x.terms, x.lines, x.now)
			if !errors.Is(err, x.err) {
				t.Fatalf("got %v, want %v", err, x.err)
			}
			var sum money.Amount
			for _, part := range x.want {
				sum += part
			}
			if diff := cmp.Diff(x.want, got.Lines); diff != "" || got.Discount != sum {
				t.Errorf("discount %d, lines %s", got.Discount, diff)
			}
		})
	}
}

func TestKeeps(t *testing.T) {
	old := Coupon{
		Terms: Terms{Kind: DiscountPercent, Rate: 1000, Cap: 500, MinSpend: 100, Include: Goods{SKUs: []string{"a"}}, ValidUntil: 50},
		Total: 10, Issued: 1, PerMember: 2, PerDay: 1, ClaimFrom: 5, ClaimUntil: 20, ReturnOnRefund: true, Status: CouponActive,
	}
	for _, x := range []struct {
		field  string // "" is kept
		change func(*Coupon)
	}{
		{"", func(c *Coupon) { c.Total, c.ClaimUntil, c.ValidUntil, c.Status = 11, 21, 51, CouponPaused }},
		{"", func(c *Coupon) {
			c.Rate, c.Cap, c.MinSpend, c.Include, c.PerMember, c.PerDay = 2000, 0, 0, Goods{}, 0, 2
		}},
		{"", func(c *Coupon) { c.Cap, c.ClaimUntil, c.ClaimFrom, c.NameZH = 501, 0, 4, "新名" }},
		{"amount_fen", func(c *Coupon) { c.Amount-- }},
		{"rate_bp", func(c *Coupon) { c.Rate-- }},
		{"cap_fen", func(c *Coupon) { c.Cap-- }},
		{"min_spend_fen", func(c *Coupon) { c.MinSpend++ }},
		{"include", func(c *Coupon) { c.Include.SKUs = []string{"b"} }},
		{"exclude", func(c *Coupon) { c.Exclude.SKUs = []string{"a"} }},
		{"claim_from", func(c *Coupon) { c.ClaimFrom++ }},
		{"claim_until", func(c *Coupon) { c.ClaimUntil-- }},
		{"valid_until", func(c *Coupon) { c.ValidUntil-- }},
		{"total", func(c *Coupon) { c.Total-- }},
		{"per_member", func(c *Coupon) { c.PerMember-- }},
		{"per_day", func(c *Coupon) { c.PerDay = -1 }},
		{"return_on_refund", func(c *Coupon) { c.ReturnOnRefund = false }},
	} {
		c := old
		x.change(&c)
		if got := fieldsOf(keeps(old, c)); got != x.field {
			t.Errorf("got %q, want %q", got, x.field)
		}
		fresh := old
		fresh.Issued = 0
		if err := keeps(fresh, c); err != nil {
			t.Errorf("before any is out: %v", err)
		}
	}
}

// TestNoBoundIsTheWidest: once issued, a coupon without a bound gets none.
func TestNoBoundIsTheWidest(t *testing.T) {
	old := Coupon{Issued: 1}
	for field, change := range map[string]func(*Coupon){
		"cap_fen": func(c *Coupon) { c.Cap = 1 }, "claim_until": func(c *Coupon) { c.ClaimUntil = 1 },
		"per_member": func(c *Coupon) { c.PerMember = 1 }, "per_day": func(c *Coupon) { c.PerDay = 1 },
	} {
		c := old
		change(&c)
		if got := fieldsOf(keeps(old, c)); got != field {
			t.Errorf("got %q, want %q", got, field)
		}
	}
}

// fieldsOf names the fields a fault complains of.
func fieldsOf(err error) string {
	f, ok := fault.As(err)
	if !ok {
		return ""
	}
	var names []string
	for _, x := range f.Fields {
		names = append(names, x.Name)
	}
	return strings.Join(names, " ")
}
