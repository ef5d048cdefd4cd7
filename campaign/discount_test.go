package campaign_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/wallet"
)

// purse gives members coupons of 5 yuan and points.
type purse struct {
	w      *campaigntest.World
	wallet *wallet.Service
	def    id.Coupon
	issued int
}

func newPurse(w *campaigntest.World, change ...func(*wallet.CouponIn)) *purse {
	w.T.Helper()
	p := &purse{w: w, wallet: &wallet.Service{DB: w.DB}}
	in := wallet.CouponIn{NameZH: "满减券", NameEN: "5 off", Kind: wallet.DiscountAmount, Amount: 500, ValidDays: 30, Total: 100_000, ReturnOnRefund: true}
	for _, f := range change {
		f(&in)
	}
	var err error
	if p.def, err = p.wallet.CreateCoupon(bg, in); err != nil {
		w.T.Fatal(err)
	}
	return p
}

func (p *purse) coupon(m id.Member) (made id.MemberCoupon) {
	p.w.T.Helper()
	p.issued++
	err := p.w.DB.Tx(bg, func(tx *database.Tx) (err error) {
		made, err = wallet.IssueTx(tx, wallet.Issue{Coupon: p.def, Member: m, SourceKind: "test", SourceID: fmt.Sprint(p.issued)})
		return err
	})
	if err != nil {
		p.w.T.Fatal(err)
	}
	return made
}

func (p *purse) points(m id.Member, n money.Amount) {
	p.w.T.Helper()
	p.issued++
	err := p.wallet.EarnPoints(bg, wallet.EarnPoints{Member: m, Reference: fmt.Sprintf("test-%d", p.issued), Points: n, ExpiresDay: 20261231})
	if err != nil {
		p.w.T.Fatal(err)
	}
}

// has fails unless the coupon and the member's points are so.
func (p *purse) has(c id.MemberCoupon, status wallet.HoldStatus, m id.Member, available, frozen money.Amount) {
	p.w.T.Helper()
	held, err := p.wallet.FindMemberCoupon(bg, c)
	if err != nil || held.Status != status {
		p.w.T.Errorf("coupon is %s (%v), want %s", held.Status, err, status)
	}
	got, err := p.wallet.MemberPoints(bg, m)
	if err != nil || got.Available != available || got.Frozen != frozen {
		p.w.T.Errorf("points %d and %d aside (%v), want %d and %d", got.Available, got.Frozen, err, available, frozen)
	}
}

// budget fails unless the campaign's budget stands so.
func budget(w *campaigntest.World, cid id.Campaign, left, reserved, spent money.Amount) {
	w.T.Helper()
	s, err := w.Campaign.Stats(bg, cid)
	if err != nil || s.Budget == nil || s.Budget.Left != left || s.Budget.Reserved != reserved || s.Budget.Spent != spent {
		w.T.Errorf("budget %+v (%v), want %d left, %d reserved, %d spent", s.Budget, err, left, reserved, spent)
	}
}

func TestDiscount(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		p := newPurse(w, func(in *wallet.CouponIn) { in.ReturnOnRefund = false })
		c := w.Run(campaigntest.Sale{Stock: 100, PerOrder: 3, Coupons: true, Points: 3000, Budget: 100_000})
		m := w.Members(3)
		p.points(m[0], 5000)
		coupon := p.coupon(m[0])
		claim := campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m[0], Coupon: coupon, Points: 1000}

		t.Run("refusals take nothing", func(t *testing.T) {
			guest, err := w.Community.NewGuest(bg)
			if err != nil {
				t.Fatal(err)
			}
			other := p.coupon(m[1])
			none := w.Run(campaigntest.Sale{Price: 400})
			small := w.Run(campaigntest.Sale{Price: 400, Coupons: true, Points: 10_000})
			for name, tc := range map[string]struct {
				claim campaign.Claim
				want  error
			}{
				"a guest":               {campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: guest, Points: 1}, campaign.ErrIdentity},
				"somebody else's":       {campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m[0], Coupon: other}, fault.NotFound},
				"too many points":       {campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m[0], Points: 2971}, campaign.ErrPointsLimit},
				"more than he has":      {campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m[2], Coupon: p.coupon(m[2]), Points: 100}, wallet.ErrPointsShort},
				"fewer than none":       {campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m[0], Points: -1}, fault.Invalid},
				"no coupons here":       {campaign.Claim{Campaign: none.ID, Item: none.Items[0].ID, Member: m[0], Coupon: coupon}, campaign.ErrNoCoupons},
				"no points here":        {campaign.Claim{Campaign: none.ID, Item: none.Items[0].ID, Member: m[0], Points: 1}, campaign.ErrNoPoints},
				"the coupon pays all":   {campaign.Claim{Campaign: small.ID, Item: small.Items[0].ID, Member: m[0], Coupon: coupon}, campaign.ErrNothingToPay},
				"the points pay all":    {campaign.Claim{Campaign: small.ID, Item: small.Items[0].ID, Member: m[0], Points: 400}, campaign.ErrNothingToPay},
				"a quantity over limit": {campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m[0], Qty: 4, Points: 1}, campaign.ErrQty},
			} {
				if _, err := w.Claim(tc.claim); !errors.Is(err, tc.want) {
					t.Errorf("%s: got %v, want %v", name, err, tc.want)
				}
			}
			for _, run := range []campaign.Campaign{c, none, small} {
				if item := w.Item(run.ID); item.Left != item.Stock {
					t.Errorf("%+v: a refusal took stock", item)
				}
			}
			p.has(coupon, wallet.HoldIssued, m[0], 5000, 0)
			budget(w, c.ID, 100_000, 0, 0)
		})
		t.Run("an order that expires gives all back", func(t *testing.T) {
			first, err := w.ClaimKeyed(claim, "k")
			if err != nil {
				t.Fatal(err)
			}
			if again, err := w.ClaimKeyed(claim, "k"); err != nil || again != first {
				t.Errorf("the same key: got %v, %v, want %v", again, err, first)
			}
			o := w.Order(first)
			if o.Amount != 9900 || o.DiscountCoupon != 500 || o.DiscountPoints != 1000 || o.Payable() != 8400 || o.MemberCouponID != coupon {
				t.Errorf("order %+v", o)
			}
			p.has(coupon, wallet.HoldRedeemed, m[0], 4000, 1000)
			budget(w, c.ID, 98_500, 1500, 0)
			if _, err := w.Claim(claim); !errors.Is(err, wallet.ErrCouponRedeemed) {
				t.Errorf("the coupon again: got %v", err)
			}
			w.Drain(16 * time.Minute)
			p.has(coupon, wallet.HoldReturned, m[0], 5000, 0)
			budget(w, c.ID, 100_000, 0, 0)
			if err := w.Campaign.Pay(bg, first, campaigntest.Payment(o, "late")); err != nil {
				t.Fatal(err)
			}
			if o = w.Order(first); o.Status != campaign.OrderExpired || len(o.Refunds) != 1 || o.Refunds[0].Reason != "late_discount" || o.Refunds[0].Amount != 8400 {
				t.Errorf("paid late: %+v", o)
			}
			w.Verify()
		})
		t.Run("a payment must have the same parts, refunds go by share", func(t *testing.T) {
			o := w.MustClaim(claim)
			if err := w.Campaign.Pay(bg, o.ID, campaign.PaymentIn{Provider: "wechat", PaymentNo: "full", Goods: 9900, Amount: 9900}); err != nil {
				t.Fatal(err)
			}
			if got := w.Order(o.ID); got.Status != campaign.OrderHeld || got.Refunds[0].Reason != "discount_differs" {
				t.Errorf("paid without the discount: %+v", got)
			}
			w.Pay(o.ID)
			p.has(coupon, wallet.HoldRedeemed, m[0], 4000, 0)
			budget(w, c.ID, 98_500, 0, 1500)
			refund := campaign.RefundIn{RefundNo: "part", Amount: 2801, Goods: 2801}
			for range 2 {
				if err := w.Campaign.Refund(bg, o.ID, refund); err != nil {
					t.Fatal(err)
				}
			}
			p.has(coupon, wallet.HoldRedeemed, m[0], 4333, 0) // ⌊1000 × 2801 ÷ 8400⌋
			budget(w, c.ID, 99_000, 0, 1000)                  // ⌊1500 × 2801 ÷ 8400⌋ = 500
			if err := w.Campaign.Refund(bg, o.ID, campaign.RefundIn{RefundNo: "rest", Amount: 5599, Goods: 5599}); err != nil {
				t.Fatal(err)
			}
			p.has(coupon, wallet.HoldRedeemed, m[0], 5000, 0) // its terms say it is not returned
			budget(w, c.ID, 100_000, 0, 0)
		})
		t.Run("a cancelled order gives all back", func(t *testing.T) {
			claim := claim
			claim.Coupon = p.coupon(m[0])
			o := w.MustClaim(claim)
			if err := w.Campaign.CancelOrder(bg, o.ID); err != nil {
				t.Fatal(err)
			}
			p.has(claim.Coupon, wallet.HoldReturned, m[0], 5000, 0)
			budget(w, c.ID, 100_000, 0, 0)
		})
		t.Run("a failed team gives all back", func(t *testing.T) {
			group := w.Run(campaigntest.Sale{Kind: "group_buy", Rules: `{"size":3,"open_for_s":600}`, Coupons: true, Points: 10_000, Budget: 5000})
			coupon := p.coupon(m[0])
			w.MustClaim(campaign.Claim{Campaign: group.ID, Item: group.Items[0].ID, Member: m[0], OpenTeam: true, Coupon: coupon, Points: 7})
			budget(w, group.ID, 4493, 507, 0)
			w.Drain(11 * time.Minute)
			p.has(coupon, wallet.HoldReturned, m[0], 5000, 0)
			budget(w, group.ID, 5000, 0, 0)
		})
		t.Run("a merge takes the order's discount along", func(t *testing.T) {
			coupon := p.coupon(m[1])
			p.points(m[1], 50)
			o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m[1], Coupon: coupon, Points: 50})
			if err := w.Campaign.MergeMembers(bg, m[1], m[2]); err != nil {
				t.Fatal(err)
			}
			if err := w.Campaign.CancelOrder(bg, o.ID); err != nil {
				t.Fatal(err)
			}
			p.has(coupon, wallet.HoldReturned, m[2], 50, 0)
		})
		w.Verify()
	})
}

// TestDiscountReports tells of one payment and two refunds in every order, each
// twice: the end is the same.
// TestADiscountWithoutBudgetMovesNone: a campaign that was given no budget takes
// coupons and points, whether the order is paid, refunded or let go.
func TestADiscountWithoutBudgetMovesNone(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		p := newPurse(w)
		c := w.Run(campaigntest.Sale{Stock: 100, Coupons: true, Points: 3000})
		m := w.Members(2)
		for i, who := range m {
			p.points(who, 1000)
			coupon := p.coupon(who)
			o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: who, Coupon: coupon, Points: 1000})
			if i == 0 {
				w.Drain(20 * time.Minute)
			} else {
				w.Pay(o.ID)
				if err := w.Campaign.Refund(bg, o.ID, campaign.RefundIn{RefundNo: "r", Amount: o.Payable(), Goods: o.Payable()}); err != nil {
					t.Fatal(err)
				}
			}
			p.has(coupon, wallet.HoldReturned, who, 1000, 0)
		}
		var moved int
		if err := db.Read(bg).Raw("SELECT COUNT(*) FROM transfers WHERE kind = 'discount'").Row().Scan(&moved); err != nil || moved != 0 {
			t.Errorf("%d transfers of a budget that is none (%v)", moved, err)
		}
		w.Verify()
	})
}

func TestDiscountReports(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		p := newPurse(w)
		c := w.Run(campaigntest.Sale{Stock: 100, Coupons: true, Points: 3000, Budget: 100_000})
		m := w.Members(1)[0]
		p.points(m, 1000)
		coupon := p.coupon(m)
		for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
			o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m, Coupon: coupon, Points: 1000})
			reports := []func() error{
				func() error { return w.Campaign.Pay(bg, o.ID, campaigntest.Payment(o, o.ID.String())) },
				func() error {
					return w.Campaign.Refund(bg, o.ID, campaign.RefundIn{RefundNo: "a", Amount: 1234, Goods: 1234})
				},
				func() error {
					return w.Campaign.Refund(bg, o.ID, campaign.RefundIn{RefundNo: "b", Amount: 7166, Goods: 7166})
				},
			}
			for _, n := range slices.Concat(order, order) {
				if err := reports[n](); err != nil {
					t.Fatalf("%v: %v", order, err)
				}
			}
			if got := w.Order(o.ID); got.Status != campaign.OrderRefunded {
				t.Errorf("%v: order %+v", order, got)
			}
			p.has(coupon, wallet.HoldReturned, m, 1000, 0)
			budget(w, c.ID, 100_000, 0, 0)
		}
		w.Verify()
	})
}
