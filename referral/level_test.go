package referral_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/referral/promoter"
)

func TestRaises(t *testing.T) {
	percent := referral.Promise{Rule: "pct", To: referral.SideInviter, Mode: referral.ModePercent, Rate: 500, Cap: 4000,
		Raises: []referral.Raise{{Level: 1, Rate: 800}, {Level: 3, Rate: 1200}}}
	fixed := referral.Promise{Rule: "fix", To: referral.SideInviter, Mode: referral.ModeFixed, Amount: 100, Raises: []referral.Raise{{Level: 2, Amount: 300}}}
	welcome := referral.Promise{Rule: "welcome", To: referral.SideInvitee, Mode: referral.ModeFixed, Amount: 500}
	rules := referral.Rules{Trigger: referral.TriggerEveryPaidOrder, Rewards: []referral.Promise{percent, fixed, welcome}}
	for level, want := range map[int][2]money.Amount{0: {500, 100}, 1: {800, 100}, 2: {800, 300}, 3: {1200, 300}, 9: {1200, 300}} {
		got := referral.Earn(rules, referral.OrderFact{Goods: 10_000, InviterLevel: level, InviterStrong: true, InviteeStrong: true})
		if len(got) != 3 || got[0].Amount != want[0] || got[1].Amount != want[1] || got[2].Amount != 500 {
			t.Errorf("level %d: got %+v, want %v and 500", level, got, want)
		}
	}
	if got := referral.Earn(rules, referral.OrderFact{Goods: 1_000_000, InviterLevel: 3, InviterStrong: true}); got[0].Amount != 4000 {
		t.Errorf("the cap holds at every level: got %s", got[0].Amount)
	}
	for name, c := range map[string]struct {
		change func(p *referral.Promise)
		good   bool
	}{
		"rising":                {func(*referral.Promise) {}, true},
		"not more":              {func(p *referral.Promise) { p.Raises[0].Rate = 500 }, false},
		"falling levels":        {func(p *referral.Promise) { p.Raises[1].Level = 1 }, false},
		"an amount for a rate":  {func(p *referral.Promise) { p.Raises[1] = referral.Raise{Level: 3, Amount: 9000} }, false},
		"for the invitee":       {func(p *referral.Promise) { p.To = referral.SideInvitee }, false},
		"above the whole price": {func(p *referral.Promise) { p.Raises[1].Rate = 10_001 }, false},
		"a level there is not":  {func(p *referral.Promise) { p.Raises[1].Level = 10 }, false},
	} {
		in, p := everyOrder(), percent
		p.Raises = append([]referral.Raise{}, percent.Raises...)
		c.change(&p)
		in.Rewards = []referral.Promise{p}
		if err := in.Validate(); (err == nil) != c.good {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestLevels plays a promoter up and down a ladder, and what his level pays.
func TestLevels(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		rules := everyOrder()
		rules.Rewards = []referral.Promise{{Rule: "inviter", To: referral.SideInviter, Mode: referral.ModePercent, Rate: 1000, Raises: []referral.Raise{{Level: 1, Rate: 1500}, {Level: 2, Rate: 2000}}}}
		life := 365
		rules.AttributionDays = &life
		h.newProgram(10_000_000, rules)
		desk := &promoter.Service{DB: db}
		steps := promoter.Ladder{PeriodDays: 30, Levels: []promoter.Level{
			{NameZH: "银牌", NameEN: "Silver", Reach: promoter.Condition{Fact: promoter.FactInviteesKept, AtLeast: 2}},
			{NameZH: "金牌", NameEN: "Gold", Reach: promoter.Condition{All: []promoter.Condition{
				{Fact: promoter.FactReward, AtLeast: 3000}, {Fact: promoter.FactOwnOrders, AtLeast: 1}}}},
		}}
		if err := desk.SetLadder(bg, 1, steps); err != nil {
			t.Fatal(err)
		}
		anna := h.member()
		p, err := h.ApplyPromoter(bg, referral.ApplyIn{ProgramID: h.program, MemberID: anna})
		if err != nil {
			t.Fatal(err)
		}
		judge := func() {
			t.Helper()
			if err := h.JudgeLevels(bg, h.now()); err != nil {
				t.Fatal(err)
			}
		}
		found := func() promoter.Promoter {
			t.Helper()
			got, err := desk.FindPromoter(bg, p)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		order := id.Order(0)
		pay := func(m id.Member) id.Order {
			order++
			h.pay(order, m, 10_000)
			return order
		}
		level := func(o id.Order) (int, money.Amount) {
			t.Helper()
			list := h.rewards(referral.RewardFilter{Order: o})
			if len(list) != 1 {
				t.Fatalf("order %d: %d rewards", o, len(list))
			}
			return list[0].Level, list[0].Amount
		}
		bob, carl := h.member(), h.member()
		h.mustBind(anna, bob)
		h.mustBind(anna, carl)
		first := pay(bob)
		pay(bob)
		pay(carl)
		db.Clock.Jump(15*day + time.Hour)
		h.drain() // what bob and carl brought clears: two kept, 3000 fen
		cleared := h.now()
		db.Clock.Jump(time.Hour)

		t.Run("only the approved are judged", func(t *testing.T) {
			judge()
			if got := found(); got.Level != 0 {
				t.Errorf("got level %d", got.Level)
			}
		})
		t.Run("up by what was done, with the facts that did it", func(t *testing.T) {
			if err := desk.Decide(bg, p, promoter.Approve, ""); err != nil {
				t.Fatal(err)
			}
			judge()
			judge() // changes nothing
			want := []promoter.Step{{Level: 1, Before: 0, Ladder: 2, Facts: promoter.Facts{InviteesKept: 2, Reward: 3000}, At: h.now()}}
			if diff := cmp.Diff(want, found().Steps); diff != "" {
				t.Error(diff)
			}
		})
		t.Run("an order pays by the level at its payment, not before", func(t *testing.T) {
			if got, amount := level(first); got != 0 || amount != 1000 {
				t.Errorf("the first: level %d, %s", got, amount)
			}
			if got, amount := level(pay(bob)); got != 1 || amount != 1500 {
				t.Errorf("now: level %d, %s; want 1 and 15.00", got, amount)
			}
			order++
			early := h.now().Add(-time.Millisecond) // paid before the step, reported after it
			h.tx(func(tx *database.Tx) error {
				f, err := referral.FrozenIn(tx.DB, h.program, []id.Member{bob}, tx.Now)
				if err != nil {
					return err
				}
				return referral.PaidTx(tx, referral.PaidOrder{Order: order, Invitee: bob, Goods: 10_000, PaidAt: early, Frozen: f[bob]})
			})
			if got, amount := level(order); got != 0 || amount != 1000 {
				t.Errorf("reported late: level %d, %s; want 0 and 10.00", got, amount)
			}
		})
		t.Run("up again with an order of his own", func(t *testing.T) {
			pay2 := order + 1
			order++
			h.pay(pay2, anna, 100)
			db.Clock.Jump(time.Millisecond)
			judge()
			if got := found(); got.Level != 2 || got.Steps[0].Facts.OwnOrders != 1 {
				t.Errorf("got %+v", got)
			}
			if got, amount := level(pay(carl)); got != 2 || amount != 2000 {
				t.Errorf("level %d, %s; want 2 and 20.00", got, amount)
			}
		})
		t.Run("down when the period has passed it by, to the millisecond", func(t *testing.T) {
			edge := cleared.Add(30 * day)
			db.Clock.Jump(edge.Time().Sub(db.Clock.Now()))
			judge()
			if got := found(); got.Level != 2 {
				t.Errorf("at the edge: level %d, want 2 still: %+v", got.Level, got.Steps)
			}
			db.Clock.Jump(time.Millisecond)
			judge()
			if got := found(); got.Level != 0 || got.Steps[0].Before != 2 {
				t.Errorf("past it: %+v", got)
			}
		})
		t.Run("progress is what the next pass will see", func(t *testing.T) {
			got, err := h.LevelProgress(bg, anna)
			if err != nil || got.Facts.OwnOrders != 1 || got.Since != clock.MilliOf(db.Clock.Now()).Add(-30*day) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
		h.proven()
	})
}

// TestWhatWasTakenBackCountsForNoLevel: what cleared counts less what was clawed
// back since, and only as an inviter.
func TestWhatWasTakenBackCountsForNoLevel(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		rules := capped()
		rules.Rewards = append(rules.Rewards, referral.Promise{Rule: "welcome", To: referral.SideInvitee, Mode: referral.ModeFixed, Amount: 700})
		h.newProgram(100_000, rules)
		ladder := promoter.Ladder{PeriodDays: 30, Levels: []promoter.Level{{NameZH: "银牌", NameEN: "Silver", Reach: promoter.Condition{Fact: promoter.FactReward, AtLeast: 3000}}}}
		if err := (&promoter.Service{DB: db}).SetLadder(bg, 1, ladder); err != nil {
			t.Fatal(err)
		}
		host, anna := h.member(), h.member()
		h.mustBind(host, anna)
		h.pay(1, anna, 20_000) // she is the invitee of this one
		h.earns(anna, 2)
		h.earns(anna, 3)
		h.mature()
		earned := func() money.Amount {
			t.Helper()
			p, err := h.LevelProgress(bg, anna)
			if err != nil {
				t.Fatal(err)
			}
			return p.Facts.Reward
		}
		h.is("cleared", earned(), money.Amount(2000))
		h.refund(2, 21, 10_000)
		h.is("after half of one came back", earned(), money.Amount(1500))
		db.Clock.Jump(30*day + time.Second)
		h.is("in the next period", earned(), money.Amount(0))
	})
}

// TestAPeriodEndsBeforeItsPass: what clears in the millisecond of a pass counts
// in the next one, so that no pass depends on what else happens in its moment.
func TestAPeriodEndsBeforeItsPass(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(100_000, capped())
		desk := &promoter.Service{DB: db}
		for _, fact := range []promoter.Condition{{Fact: promoter.FactReward, AtLeast: 1000}, {Fact: promoter.FactInviteesKept, AtLeast: 1}} {
			now, err := desk.FindLadder(bg)
			if err != nil {
				t.Fatal(err)
			}
			if err := desk.SetLadder(bg, now.Version, promoter.Ladder{PeriodDays: 30, Levels: []promoter.Level{{NameZH: "银牌", NameEN: "Silver", Reach: fact}}}); err != nil {
				t.Fatal(err)
			}
			anna := h.member()
			p, err := h.ApplyPromoter(bg, referral.ApplyIn{ProgramID: h.program, MemberID: anna})
			if err != nil {
				t.Fatal(err)
			}
			if err := desk.Decide(bg, p, promoter.Approve, ""); err != nil {
				t.Fatal(err)
			}
			h.earns(anna, id.Order(now.Version))
			h.mature()
			for i, want := range []int{0, 1} { // at the moment of the clearing, and after it
				if err := h.JudgeLevels(bg, h.now().Add(time.Duration(i)*time.Millisecond)); err != nil {
					t.Fatal(err)
				}
				got, err := desk.FindPromoter(bg, p)
				if err != nil || got.Level != want {
					t.Errorf("%s, %d ms after it cleared: level %d (%v), want %d", fact.Fact, i, got.Level, err, want)
				}
			}
		}
	})
}

// TestALevelIsTheInviters: what his level pays, and that it did, stands on the
// inviter's reward; the one he brought has no level of his.
func TestALevelIsTheInviters(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		rules := everyOrder()
		rules.Rewards[0].Raises = []referral.Raise{{Level: 1, Rate: 1500}}
		h.newProgram(100_000, rules)
		desk := &promoter.Service{DB: db}
		ladder := promoter.Ladder{PeriodDays: 30, Levels: []promoter.Level{{NameZH: "银牌", NameEN: "Silver", Reach: promoter.Condition{Fact: promoter.FactOwnOrders, AtLeast: 1}}}}
		if err := desk.SetLadder(bg, 1, ladder); err != nil {
			t.Fatal(err)
		}
		anna, bob := h.member(), h.member()
		p, err := h.ApplyPromoter(bg, referral.ApplyIn{ProgramID: h.program, MemberID: anna})
		if err != nil {
			t.Fatal(err)
		}
		if err := desk.Decide(bg, p, promoter.Approve, ""); err != nil {
			t.Fatal(err)
		}
		h.pay(1, anna, 100)
		db.Clock.Jump(time.Second)
		if err := h.JudgeLevels(bg, h.now()); err != nil {
			t.Fatal(err)
		}
		h.mustBind(anna, bob)
		h.pay(2, bob, 10_000)
		got := map[referral.Side][2]int64{}
		for _, r := range h.rewards(referral.RewardFilter{Order: 2}) {
			got[r.Side] = [2]int64{int64(r.Level), int64(r.Amount)}
		}
		want := map[referral.Side][2]int64{referral.SideInviter: {1, 1500}, referral.SideInvitee: {0, 500}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("level and sum by side: %s", diff)
		}
	})
}

// TestTheFrozenAreNotJudged: a promoter's level stands while he is suspended, and
// is judged again once he is not.
func TestTheFrozenAreNotJudged(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(100_000, capped())
		desk := &promoter.Service{DB: db}
		ladder := promoter.Ladder{PeriodDays: 30, Levels: []promoter.Level{{NameZH: "银牌", NameEN: "Silver", Reach: promoter.Condition{Fact: promoter.FactReward, AtLeast: 1000}}}}
		if err := desk.SetLadder(bg, 1, ladder); err != nil {
			t.Fatal(err)
		}
		anna := h.member()
		p, err := h.ApplyPromoter(bg, referral.ApplyIn{ProgramID: h.program, MemberID: anna})
		if err != nil {
			t.Fatal(err)
		}
		turn := func(v promoter.Act) {
			t.Helper()
			if err := desk.Decide(bg, p, v, "核实中"); err != nil {
				t.Fatal(err)
			}
		}
		judged := func(when string, want int) {
			t.Helper()
			if err := h.JudgeLevels(bg, h.now()); err != nil {
				t.Fatal(err)
			}
			got, err := desk.FindPromoter(bg, p)
			if err != nil || got.Level != want {
				t.Errorf("%s: level %d (%v), want %d", when, got.Level, err, want)
			}
		}
		turn(promoter.Approve)
		h.earns(anna, 1)
		h.mature()
		db.Clock.Jump(time.Hour)
		judged("by what cleared", 1)
		turn(promoter.Freeze)
		db.Clock.Jump(31 * day)
		judged("while he is suspended", 1)
		turn(promoter.Thaw)
		judged("after it", 0)
	})
}
