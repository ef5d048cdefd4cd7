package referral_test

import (
	"fmt"
	"sync"
	"testing"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// stepped pays the inviter 10 yuan an order, from the second on 15 and from the
// fourth on 20.
func stepped(window referral.CapWindow) referral.RulesIn {
	in := everyOrder()
	in.Rewards = []referral.Promise{{
		Rule: "inviter", To: referral.SideInviter, Mode: referral.ModeFixed, Amount: 1000, StepWindow: window,
		Steps: []referral.Step{{From: 2, Amount: 1500}, {From: 4, Amount: 2000}},
	}}
	return in
}

// on is what a reward was paid by.
func on(r referral.Reward) string { return fmt.Sprintf("%d on %d: %d", r.Nth, r.Step, r.Amount) }

func TestSteps(t *testing.T) {
	for window, want := range map[referral.CapWindow][]string{ // four orders, then one a day and one a month later
		referral.CapEver:  {"1 on 1: 1000", "2 on 2: 1500", "3 on 2: 1500", "4 on 3: 2000", "5 on 3: 2000", "6 on 3: 2000"},
		referral.CapMonth: {"1 on 1: 1000", "2 on 2: 1500", "3 on 2: 1500", "4 on 3: 2000", "5 on 3: 2000", "1 on 1: 1000"},
		referral.CapDay:   {"1 on 1: 1000", "2 on 2: 1500", "3 on 2: 1500", "4 on 3: 2000", "1 on 1: 1000", "1 on 1: 1000"},
	} {
		t.Run(string(window), func(t *testing.T) {
			dbtest.Run(t, func(t *testing.T, db *database.DB) {
				midMonth(db)
				h := newHouse(t, db)
				h.newProgram(100_000, stepped(window))
				anna, ben := h.member(), h.member()
				h.is("another inviter", on(h.earns(ben, 100)), "1 on 1: 1000")
				for i, w := range want {
					switch i {
					case 4:
						db.Clock.Jump(day)
					case 5:
						db.Clock.Jump(31 * day)
					}
					h.is(fmt.Sprint("order ", i+1), on(h.earns(anna, id.Order(i+1))), w)
				}
				h.proven()
			})
		})
	}
}

// midMonth moves to the tenth of a month, so that a day later is the same one.
func midMonth(db *database.DB) {
	for clock.MilliOf(db.Clock.Now()).Time().Day() != 10 {
		db.Clock.Jump(day)
	}
}

// A step may be a share, points or another coupon, and costs the budget what
// it says.
func TestStepsInKind(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		small, large := h.coupon(10), h.coupon(10)
		rules := everyOrder()
		rules.Rewards = []referral.Promise{
			{Rule: "share", To: referral.SideInviter, Mode: referral.ModePercent, Rate: 100, StepWindow: referral.CapEver, Steps: []referral.Step{{From: 2, Rate: 200}}},
			{Rule: "points", To: referral.SideInviter, Mode: referral.ModeFixed, Currency: money.PTS, Qty: 50, UnitCost: 2, StepWindow: referral.CapEver, Steps: []referral.Step{{From: 2, Qty: 80}}},
			{Rule: "coupon", To: referral.SideInviter, Mode: referral.ModeFixed, Currency: referral.Coupons, CouponID: small, UnitCost: 300, StepWindow: referral.CapEver,
				Steps: []referral.Step{{From: 2, CouponID: large, UnitCost: 700}}},
		}
		h.newProgram(100_000, rules)
		anna := h.member()
		for i, want := range [][]string{{"1 on 1: 200", "1 on 1: 50", "1 on 1: 1"}, {"2 on 2: 400", "2 on 2: 80", "2 on 2: 1"}} {
			bob := h.member()
			h.mustBind(anna, bob)
			h.pay(id.Order(i+1), bob, 20_000)
			for _, r := range h.rewards(referral.RewardFilter{Order: id.Order(i + 1)}) {
				k := map[string]int{"share": 0, "points": 1, "coupon": 2}[r.Rule]
				h.is(fmt.Sprintf("%s of order %d", r.Rule, i+1), on(r), want[k])
				if k == 2 {
					h.is("coupon", r.CouponID, []id.Coupon{small, large}[i])
				}
			}
		}
		h.proven()
		h.mature()
		h.is("points", h.points(anna), money.Amount(130))
		h.proven()
	})
}

// What a refund takes back whole counts for those who come later no more;
// whoever was paid before keeps his step. A part of it changes nothing.
func TestStepsAndRefunds(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(100_000, stepped(referral.CapEver))
		anna := h.member()
		for i := range 4 {
			h.earns(anna, id.Order(i+1))
		}
		h.refund(1, 11, 20_000)
		h.refund(2, 12, 5_000)
		h.refund(1, 11, 20_000) // told again
		h.is("the fourth", on(h.rewards(referral.RewardFilter{Order: 4})[0]), "4 on 3: 2000")
		h.is("after a refund", on(h.earns(anna, 5)), "4 on 3: 2000")
		h.mature()
		h.refund(2, 13, 20_000) // a clawback
		h.refund(3, 14, 20_000)
		h.is("after clawbacks", on(h.earns(anna, 6)), "3 on 2: 1500")
		h.proven()
		h.tx(func(tx *database.Tx) error { return tx.Exec("UPDATE rewards SET step_no = 3 WHERE order_id = 6").Error })
		h.broken("V5")
	})
}

// A reward that came to nothing takes no place; a merge adds the counts; what
// was promised decides, not the newest version.
func TestStepsCountWhatIsPaid(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		rules := stepped(referral.CapEver)
		rules.Caps = []referral.Cap{{Per: referral.CapMember, Window: referral.CapDay, Count: 1}}
		p := h.newProgram(100_000, rules)
		anna, old := h.member(), h.member()
		late := h.member()
		h.mustBind(anna, late)
		h.earns(anna, 1)
		h.is("beyond the cap", on(h.earns(anna, 2)), "0 on 0: 0")
		h.earns(old, 3)
		h.merge(old, anna)
		db.Clock.Jump(day)
		if _, err := h.NewVersion(bg, p, everyOrder()); err != nil {
			t.Fatal(err)
		}
		h.pay(4, late, 20_000)
		h.is("as promised, both counts together", on(h.rewards(referral.RewardFilter{Order: 4})[0]), "3 on 2: 1500")
		h.refund(3, 31, 20_000) // of whom was merged away
		db.Clock.Jump(day)
		h.proven()
	})
}

// TestStepsMakeRoom: what is taken back whole leaves its place in the window in
// which it was earned, by a refund of a later day and by people alike; what the
// budget cannot carry takes none.
func TestStepsMakeRoom(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(8_000, stepped(referral.CapDay))
		anna := h.member()
		h.earns(anna, 1)
		h.earns(anna, 2)
		db.Clock.Jump(day)
		h.is("the next day", on(h.earns(anna, 3)), "1 on 1: 1000")
		h.refund(1, 11, 20_000)
		h.is("after a refund of the day before", on(h.earns(anna, 4)), "2 on 2: 1500")
		if err := h.VoidReward(asStaff(1), h.rewards(referral.RewardFilter{Order: 4})[0].ID, "刷单"); err != nil {
			t.Fatal(err)
		}
		h.is("after one was voided", on(h.earns(anna, 5)), "2 on 2: 1500")
		h.is("the third", on(h.earns(anna, 6)), "3 on 2: 1500")
		h.is("the fourth", on(h.earns(anna, 7)), "4 on 3: 2000")
		h.is("beyond the budget", on(h.earns(anna, 8)), "0 on 0: 0")
		h.proven()
	})
}

func TestStepRules(t *testing.T) {
	for name, change := range map[string]func(*referral.Promise){
		"no window":          func(p *referral.Promise) { p.StepWindow = "" },
		"another window":     func(p *referral.Promise) { p.StepWindow = "week" },
		"a window alone":     func(p *referral.Promise) { p.Steps = nil },
		"to the invitee":     func(p *referral.Promise) { p.To = referral.SideInvitee },
		"the first again":    func(p *referral.Promise) { p.Steps[0].From = 1 },
		"counts that fall":   func(p *referral.Promise) { p.Steps[1].From = 2 },
		"less than before":   func(p *referral.Promise) { p.Steps[1].Amount = 1500 },
		"a share beside":     func(p *referral.Promise) { p.Steps[1].Rate = 100 },
		"points for money":   func(p *referral.Promise) { p.Steps[1].Amount, p.Steps[1].Qty = 0, 2000 },
		"raises beside":      func(p *referral.Promise) { p.Raises = []referral.Raise{{Level: 1, Amount: 3000}} },
		"a million too much": func(p *referral.Promise) { p.Steps[1].Amount = 200_000_000 },
	} {
		t.Run(name, func(t *testing.T) {
			in := stepped(referral.CapEver)
			change(&in.Rewards[0])
			refused(t, in.Validate(), fault.Invalid)
		})
	}
	if err := stepped(referral.CapMonth).Validate(); err != nil {
		t.Error(err)
	}
}

// The worst that a program can cost knows its highest step.
func TestWorstStep(t *testing.T) {
	if got := stepped(referral.CapEver).Rules().Rewards[0].WorstOf(9900); got != 2000*10_000 {
		t.Errorf("got %d", got)
	}
}

// The worst of a share of points is bounded by its cap and costs what points do.
func TestWorstOfPoints(t *testing.T) {
	p := referral.Promise{To: referral.SideInviter, Mode: referral.ModePercent, Currency: money.PTS, Rate: 150, CapQty: 90, UnitCost: 2}
	for goods, want := range map[money.Amount]money.Amount{1000: 1000 * 150 * 2, 9900: 90 * 10_000 * 2} {
		if got := p.WorstOf(goods); got != want {
			t.Errorf("of %s: got %d, want %d", goods, got, want)
		}
	}
}

// Sixty-four invitees pay at once: each place is taken once, and so each step is
// paid as often as it must be. Without locks places are taken twice.
func TestStepsUnderRush(t *testing.T) {
	const payers = 64
	rules := stepped(referral.CapEver)
	rules.Rewards[0].Steps = []referral.Step{{From: 5, Amount: 1500}, {From: 10, Amount: 2000}}
	rush := func(h *house) map[money.Amount]int {
		h.newProgram(10_000_000, rules)
		anna := h.member()
		invitees := make([]id.Member, payers)
		for i := range invitees {
			invitees[i] = h.member()
			h.mustBind(anna, invitees[i])
		}
		var all sync.WaitGroup
		for i, m := range invitees {
			all.Go(func() { _ = h.tryPay(id.Order(1000+i), m, 20_000) })
		}
		all.Wait()
		paid := map[money.Amount]int{}
		for _, r := range h.everyReward() {
			paid[r.Amount]++
		}
		return paid
	}
	exact := func(paid map[money.Amount]int) bool {
		return len(paid) == 3 && paid[1000] == 4 && paid[1500] == 5 && paid[2000] == payers-9
	}
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		if paid := rush(h); !exact(paid) {
			t.Errorf("got %v, want 4 of 10, 5 of 15 and %d of 20 yuan", paid, payers-9)
		}
		h.proven()
	})
	for _, engine := range dbtest.Engines {
		t.Run("unlocked "+engine, func(t *testing.T) {
			for range 20 {
				if paid := rush(newHouse(t, dbtest.Unlocked(t, engine))); !exact(paid) {
					return
				}
			}
			t.Error("the steps held without locks: the test proves nothing")
		})
	}
}
