package referral_test

import (
	"testing"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/wallet"
)

// couponOf is a coupon of 5 yuan with so many in stock.
func (h *house) coupon(total int64) id.Coupon {
	h.t.Helper()
	c, err := (&wallet.Service{DB: h.DB}).CreateCoupon(bg, wallet.CouponIn{
		NameZH: "5 元券", NameEN: "5 yuan off", Kind: wallet.DiscountAmount, Amount: 500, ValidDays: 90, Total: total,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// inKind gives the inviter 10 points a yuan, each at 2 fen, and the invitee a
// coupon that costs 4 yuan.
func inKind(c id.Coupon) referral.RulesIn {
	in := everyOrder()
	in.Rewards = []referral.Promise{
		{Rule: "points", To: referral.SideInviter, Mode: referral.ModePercent, Currency: money.PTS, Rate: 1000, UnitCost: 2},
		{Rule: "coupon", To: referral.SideInvitee, Mode: referral.ModeFixed, Currency: referral.Coupons, CouponID: c, UnitCost: 400},
	}
	return in
}

func (h *house) points(m id.Member) money.Amount {
	h.t.Helper()
	p, err := (&wallet.Service{DB: h.DB}).MemberPoints(bg, m)
	if err != nil {
		h.t.Fatal(err)
	}
	return p.Available
}

func (h *house) held(m id.Member) (list []wallet.HoldStatus) {
	h.t.Helper()
	page, err := (&wallet.Service{DB: h.DB}).ListMemberCoupons(bg, m, "", database.Page{})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, c := range page.Items {
		list = append(list, c.Status)
	}
	return list
}

func (h *house) is(what string, got, want any) {
	h.t.Helper()
	if got != want {
		h.t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// Points and coupons cost the budget what was stated, are given at maturity,
// and go back as far as something is left of them.
func TestInKindLife(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		p := h.newProgram(100_000, inKind(h.coupon(10)))
		anna, bob := h.member(), h.member()
		h.mustBind(anna, bob)
		budget := func() money.Amount { return h.balance(wallet.StageBudget, wallet.Program(p)) }
		given := func() money.Amount { return h.balance(wallet.StageGiven, wallet.Program(p)) }

		h.pay(1, bob, 20_000) // 2,000 points for 40 yuan, a coupon for 4
		h.is("budget once earned", budget(), money.Amount(100_000-4000-400))
		h.is("set aside", h.balance(wallet.StageReserved, wallet.Program(p)), money.Amount(4400))
		h.is("points before maturity", h.points(anna), money.Amount(0))
		h.refund(1, 1, 5_000)
		h.is("budget after a quarter came back", budget(), money.Amount(100_000-3000-400))
		h.mature()
		h.is("points", h.points(anna), money.Amount(1500))
		h.is("coupons", len(h.held(bob)), 1)
		h.is("given", given(), money.Amount(3400))
		h.proven()

		t.Run("what was spent and used is gone", func(t *testing.T) {
			w := &wallet.Service{DB: db}
			if err := w.SpendPoints(bg, wallet.OrderPoints{Member: anna, OrderRef: "mall-1", Points: 1_200}); err != nil {
				t.Fatal(err)
			}
			h.refund(1, 2, 20_000)
			h.refund(1, 2, 20_000)
			h.is("points", h.points(anna), money.Amount(0))
			h.is("coupon", h.held(bob)[0], wallet.HoldWithdrawn)
			h.is("given", given(), money.Amount(2*1200))
			h.is("budget", budget(), money.Amount(100_000-2*1200))
			list := h.rewards(referral.RewardFilter{Order: 1, Member: anna})
			h.is("what stands of the points", list[0].Net, money.Amount(1200))
			h.is("and of money", list[0].NetFen, money.Amount(0))
			ctx := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 8})
			refused(t, h.VoidReward(ctx, list[0].ID, "刷单"), referral.ErrNothingLeft)
		})
		t.Run("no one uses a coupon that was taken back", func(t *testing.T) {
			page, err := (&wallet.Service{DB: db}).ListMemberCoupons(bg, bob, wallet.HoldWithdrawn, database.Page{})
			if err != nil || len(page.Items) != 1 {
				t.Fatalf("withdrawn: got %+v, %v", page, err)
			}
			h.tx(func(tx *database.Tx) error {
				_, err := wallet.RedeemTx(tx, wallet.Redeem{Coupon: page.Items[0].ID, OrderRef: "mall-2", Lines: []wallet.Line{{SKU: "a", Amount: 9_000}}})
				refused(t, err, wallet.ErrCouponWithdrawn)
				return nil
			})
		})
		h.proven()
	})
}

// A coupon that cannot be given leaves its reward pending until it can.
func TestCouponRunsOut(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		c := h.coupon(1)
		h.newProgram(100_000, inKind(c))
		anna := h.member()
		for order := range id.Order(2) {
			bob := h.member()
			h.mustBind(anna, bob)
			h.pay(1+order, bob, 10_000)
		}
		h.mature()
		waits := h.rewards(referral.RewardFilter{State: referral.RewardPending})
		if len(waits) != 1 || waits[0].Note != referral.Note(wallet.ErrCouponGone.Code) {
			t.Fatalf("waiting: got %+v", waits)
		}
		h.is("points of both", h.points(anna), money.Amount(2000))
		h.proven()
		more := int64(2)
		if err := (&wallet.Service{DB: db}).EditCoupon(bg, c, 1, wallet.CouponEdit{Total: &more}); err != nil {
			t.Fatal(err)
		}
		h.mature()
		h.is("waiting", len(h.rewards(referral.RewardFilter{State: referral.RewardPending})), 0)
		h.is("its note", h.rewards(referral.RewardFilter{Member: waits[0].BeneficiaryID})[0].Note, referral.Note(""))
		h.proven()
	})
}

// verify sees points that were given twice, and a coupon that was never held.
func TestGivenIsProven(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(100_000, inKind(h.coupon(10)))
		anna, bob := h.member(), h.member()
		h.mustBind(anna, bob)
		h.pay(1, bob, 10_000)
		h.mature()
		h.proven()
		for name, c := range map[string]struct{ harm, mend string }{
			"a coupon is gone":       {"UPDATE member_coupons SET source_kind = 'x'", "UPDATE member_coupons SET source_kind = 'reward'"},
			"the cost was changed":   {"UPDATE rewards SET unit_cost = 3 WHERE currency = 'PTS'", "UPDATE rewards SET unit_cost = 2 WHERE currency = 'PTS'"},
			"points were never sent": {"UPDATE transfers SET transfer_key = REPLACE(transfer_key, 'earn', 'lost')", "UPDATE transfers SET transfer_key = REPLACE(transfer_key, 'lost', 'earn')"},
		} {
			t.Run(name, func(t *testing.T) {
				h.tx(func(tx *database.Tx) error { return tx.Exec(c.harm).Error })
				h.broken("V5")
				h.tx(func(tx *database.Tx) error { return tx.Exec(c.mend).Error })
				h.proven()
			})
		}
	})
}

// broken fails unless this room's proof of that id sees a breach.
func (h *house) broken(proof string) {
	h.t.Helper()
	list, err := referral.Verify(bg, h.DB)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, p := range list {
		if p.ID == proof && len(p.Broken) > 0 {
			return
		}
	}
	h.t.Errorf("%s saw nothing", proof)
}

func TestPromiseInKind(t *testing.T) {
	const c = id.Coupon(7)
	for name, p := range map[string]referral.Promise{
		"points without a cost":         {Mode: referral.ModeFixed, Currency: money.PTS, Qty: 5},
		"points in fen":                 {Mode: referral.ModeFixed, Currency: money.PTS, Amount: 5, UnitCost: 1},
		"points with a coupon":          {Mode: referral.ModeFixed, Currency: money.PTS, Qty: 5, UnitCost: 1, CouponID: c},
		"a coupon without its name":     {Mode: referral.ModeFixed, Currency: referral.Coupons, UnitCost: 1},
		"two coupons":                   {Mode: referral.ModeFixed, Currency: referral.Coupons, Qty: 2, UnitCost: 1, CouponID: c},
		"a share of a coupon":           {Mode: referral.ModePercent, Currency: referral.Coupons, Rate: 5, UnitCost: 1, CouponID: c},
		"money by number":               {Mode: referral.ModeFixed, Qty: 5},
		"money with a price":            {Mode: referral.ModeFixed, Amount: 5, UnitCost: 3},
		"money that lapses":             {Mode: referral.ModeFixed, Amount: 5, ValidDays: 3},
		"another currency":              {Mode: referral.ModeFixed, Amount: 5, Currency: "USD"},
		"a coupon that goes on the day": {Mode: referral.ModeFixed, Currency: referral.Coupons, UnitCost: 1, CouponID: c, ValidDays: 3},
	} {
		t.Run(name, func(t *testing.T) {
			p.Rule, p.To = "a", referral.SideInviter
			in := everyOrder()
			in.Rewards = []referral.Promise{p}
			refused(t, in.Validate(), fault.Invalid)
		})
	}
	in := inKind(c)
	if err := in.Validate(); err != nil {
		t.Errorf("good: %v", err)
	}
	r := in.Rules()
	if r.Rewards[0].ValidDays != 365 || r.Rewards[1].Qty != 1 {
		t.Errorf("defaults: got %+v", r.Rewards)
	}
	old := everyOrder()
	old.Rewards[0].Currency = money.CNY
	_, a := old.Rules().Digest()
	if _, b := everyOrder().Rules().Digest(); a != b {
		t.Error("naming the default currency changes the digest")
	}
}

// TestPointsLiveFromTheDayTheyAreGiven: the days of points count from when their
// member has them, not from when they were earned.
func TestPointsLiveFromTheDayTheyAreGiven(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		rules := capped()
		rules.Rewards = []referral.Promise{{Rule: "points", To: referral.SideInviter, Mode: referral.ModeFixed, Currency: money.PTS, Qty: 100, UnitCost: 1, ValidDays: 30}}
		h.newProgram(100_000, rules)
		anna := h.member()
		h.earns(anna, 1)
		h.mature()
		var last int
		if err := db.Read(bg).Raw("SELECT expires_day FROM point_lots WHERE member_id = ?", anna).Row().Scan(&last); err != nil {
			t.Fatal(err)
		}
		zone, err := time.LoadLocation(clock.Shanghai)
		if err != nil {
			t.Fatal(err)
		}
		h.is("the last day", last, clock.Day(db.Clock.Now().Add(30*day), zone))
	})
}
