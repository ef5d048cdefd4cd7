package referral_test

import (
	"fmt"
	"sync"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/wallet"
)

// capped pays the inviter alone 10 yuan an order, within the caps.
func capped(caps ...referral.Cap) referral.RulesIn {
	in := everyOrder()
	in.Rewards = []referral.Promise{{Rule: "inviter", To: referral.SideInviter, Mode: referral.ModeFixed, Amount: 1000}}
	in.Caps = caps
	return in
}

// earns has somebody new, invited by the member, pay an order, and returns the
// inviter's reward.
func (h *house) earns(inviter id.Member, order id.Order) referral.Reward {
	h.t.Helper()
	bob := h.member()
	h.mustBind(inviter, bob)
	h.pay(order, bob, 20_000)
	list := h.rewards(referral.RewardFilter{Order: order, Member: inviter})
	if len(list) != 1 {
		h.t.Fatalf("order %d: got %+v", order, list)
	}
	return list[0]
}

func TestCaps(t *testing.T) {
	type met struct {
		amount money.Amount
		note   referral.Note
	}
	whole := met{1000, ""}
	for name, c := range map[string]struct {
		cap  referral.Cap
		want []met // two orders of anna, one of ben, then a day later and a month later one of anna
	}{
		"a member's day":          {referral.Cap{Per: referral.CapMember, Window: referral.CapDay, Count: 1}, []met{whole, {0, "member_day_cap"}, whole, whole, whole}},
		"a member's month, money": {referral.Cap{Per: referral.CapMember, Window: referral.CapMonth, Cost: 1500, WhenFull: referral.FullClamp}, []met{whole, {500, "member_month_cap"}, whole, {0, "member_month_cap"}, whole}},
		"the same, skipped":       {referral.Cap{Per: referral.CapMember, Window: referral.CapMonth, Cost: 1500}, []met{whole, {0, "member_month_cap"}, whole, {0, "member_month_cap"}, whole}},
		"a member for ever":       {referral.Cap{Per: referral.CapMember, Window: referral.CapEver, Count: 2}, []met{whole, whole, whole, {0, "member_ever_cap"}, {0, "member_ever_cap"}}},
		"the program's day":       {referral.Cap{Per: referral.CapProgram, Window: referral.CapDay, Count: 2}, []met{whole, whole, {0, "program_day_cap"}, whole, whole}},
		"the program for ever":    {referral.Cap{Per: referral.CapProgram, Window: referral.CapEver, Cost: 3700, WhenFull: referral.FullClamp}, []met{whole, whole, whole, {700, "program_ever_cap"}, {0, "program_ever_cap"}}},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Run(t, func(t *testing.T, db *database.DB) {
				h := newHouse(t, db)
				h.newProgram(100_000, capped(c.cap))
				anna, ben := h.member(), h.member()
				for i, want := range c.want {
					who := anna
					switch i {
					case 2:
						who = ben
					case 3:
						db.Clock.Jump(day)
					case 4:
						db.Clock.Jump(31 * day)
					}
					if r := h.earns(who, id.Order(i+1)); r.Amount != want.amount || r.Note != want.note {
						t.Errorf("order %d: got %d %q, want %d %q", i+1, r.Amount, r.Note, want.amount, want.note)
					}
				}
				h.proven()
			})
		})
	}
}

func TestCapRules(t *testing.T) {
	day := referral.Cap{Per: referral.CapMember, Window: referral.CapDay, Count: 1}
	for name, caps := range map[string][]referral.Cap{
		"nothing to count":   {{Per: referral.CapMember, Window: referral.CapDay}},
		"two for one window": {day, day},
		"a clamped count":    {{Per: referral.CapMember, Window: referral.CapDay, Count: 1, WhenFull: referral.FullClamp}},
		"another window":     {{Per: referral.CapMember, Window: "week", Count: 1}},
		"per group":          {{Per: "group", Window: referral.CapDay, Count: 1}},
		"another word":       {{Per: referral.CapMember, Window: referral.CapDay, Count: 1, WhenFull: "defer"}},
	} {
		t.Run(name, func(t *testing.T) { refused(t, capped(caps...).Validate(), fault.Invalid) })
	}
}

// A budget that is nearly used up gives what is left of it, where the rules say
// so, in whole points.
func TestBudgetClamps(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		rules := capped(referral.Cap{Per: referral.CapMember, Window: referral.CapEver, Count: 100})
		rules.BudgetFull = referral.FullClamp
		rules.Rewards = []referral.Promise{{Rule: "points", To: referral.SideInviter, Mode: referral.ModeFixed, Currency: money.PTS, Qty: 100, UnitCost: 3}}
		p := h.newProgram(500, rules)
		anna := h.member()
		for i, want := range []money.Amount{100, 66, 0} {
			if r := h.earns(anna, id.Order(i+1)); r.Amount != want {
				t.Errorf("order %d: got %d points %q, want %d", i+1, r.Amount, r.Note, want)
			}
		}
		h.is("budget", h.balance(wallet.StageBudget, wallet.Program(p)), money.Amount(2))
		h.mature()
		h.is("points", h.points(anna), money.Amount(166))
		for i, want := range []referral.Note{"", referral.NoteBudgetExhausted, referral.NoteBudgetExhausted} { // given or not, it says why
			h.is(fmt.Sprint("why of order ", i+1), h.rewards(referral.RewardFilter{Order: id.Order(i + 1)})[0].Note, want)
		}
		h.proven()
	})
}

// A merge brings the other's count along, and verify knows it.
func TestCapsFollowMerges(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(100_000, capped(referral.Cap{Per: referral.CapMember, Window: referral.CapEver, Count: 2}))
		anna, old := h.member(), h.member()
		h.earns(anna, 1)
		h.earns(anna, 2)
		h.earns(old, 3)
		h.merge(old, anna)
		if r := h.earns(anna, 4); r.Amount != 0 {
			t.Errorf("after the merge: got %+v", r)
		}
		h.proven()
		h.tx(func(tx *database.Tx) error { return tx.Exec("UPDATE reward_counts SET qty = qty + 1").Error })
		h.broken("V5")
	})
}

// Sixty-four invitees pay at once. The inviter's count and the program's sum
// are met exactly, and nothing holds them on a store without locks.
func TestCapsUnderRush(t *testing.T) {
	const payers = 64
	caps := []referral.Cap{
		{Per: referral.CapMember, Window: referral.CapDay, Count: 20},
		{Per: referral.CapProgram, Window: referral.CapEver, Cost: 15_300, WhenFull: referral.FullClamp},
	}
	rush := func(h *house) (n int, sum money.Amount) {
		h.newProgram(10_000_000, capped(caps...))
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
		for _, r := range h.everyReward() {
			if r.Amount > 0 {
				n, sum = n+1, sum+r.Amount
			}
		}
		return n, sum
	}
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		n, sum := rush(h)
		if n != 16 || sum != 15_300 {
			t.Errorf("got %d rewards of %s, want 16 of 153.00", n, sum)
		}
		h.proven()
	})
	for _, engine := range dbtest.Engines {
		t.Run("unlocked "+engine, func(t *testing.T) {
			for range 20 {
				h := newHouse(t, dbtest.Unlocked(t, engine))
				if n, sum := rush(h); n > 20 || sum > 15_300 {
					return
				}
			}
			t.Error("the caps held without locks: the test proves nothing")
		})
	}
}
