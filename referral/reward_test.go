package referral_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
	"siyu/referral"
	"siyu/wallet"
)

const day = 24 * time.Hour

func TestRewardLife(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		p := h.newProgram(10_000, everyOrder())
		anna, bob := h.member(), h.member()
		h.mustBind(anna, bob)
		h.pay(1, bob, 20_000)
		h.pay(1, bob, 20_000) // the mall repeats itself

		if diff := cmp.Diff([]money.Amount{2000, 500, 7500}, []money.Amount{
			h.balance(wallet.StageReserved, wallet.Member(anna)), h.balance(wallet.StageReserved, wallet.Member(bob)),
			h.balance(wallet.StageBudget, wallet.Program(p))}); diff != "" {
			t.Fatalf("reserved: %s", diff)
		}
		db.Clock.Jump(2 * day)
		h.tx(func(tx *database.Tx) error { return referral.ReceivedTx(tx, 1, tx.Now) })
		db.Clock.Jump(7*day - time.Millisecond)
		h.drain()
		if got := h.rewards(referral.RewardFilter{State: referral.RewardPending}); len(got) != 2 {
			t.Fatalf("%d rewards are pending a moment before maturity, want 2", len(got))
		}
		db.Clock.Jump(time.Millisecond)
		h.drain()
		cleared := h.rewards(referral.RewardFilter{State: referral.RewardCleared, Member: anna})
		if len(cleared) != 1 || cleared[0].Net != 2000 || cleared[0].ClearedAt != h.now() || cleared[0].Side != referral.SideInviter {
			t.Fatalf("cleared: got %+v", cleared)
		}
		// The task planned at payment comes too late, and one more is a repeat.
		db.Clock.Jump(20 * day)
		h.tx(func(tx *database.Tx) error { return task.EnqueueTx(tx, referral.ClearReward{Reward: cleared[0].ID}, 0) })
		h.drain()
		if got := h.balance(wallet.StagePayable, wallet.Member(anna)); got != 2000 {
			t.Errorf("payable: got %s, want 20.00", got)
		}
		kept, err := community.HasFact(db.Read(bg), anna, community.FactReferralKept)
		if err != nil || !kept {
			t.Errorf("fact referral_kept: got %v, %v", kept, err)
		}
		t.Run("finance takes a cleared one back", func(t *testing.T) {
			ctx := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 8})
			refused(t, h.VoidReward(ctx, cleared[0].ID, ""), fault.Invalid)
			if err := h.VoidReward(ctx, cleared[0].ID, "刷单"); err != nil {
				t.Fatal(err)
			}
			refused(t, h.VoidReward(ctx, cleared[0].ID, "again"), referral.ErrRewardState)
			got, err := h.FindReward(bg, cleared[0].ID)
			if err != nil || got.State != referral.RewardClawedBack || got.Net != 0 {
				t.Errorf("got %+v, %v", got, err)
			}
		})
		t.Run("everybody sees his own", func(t *testing.T) {
			ctx := database.WithActor(bg, database.Actor{Kind: database.ActorMember, Member: bob})
			list, err := h.ListRewards(ctx, referral.RewardFilter{Member: anna}, database.Page{})
			if err != nil || len(list.Items) != 1 || list.Items[0].BeneficiaryID != bob {
				t.Errorf("got %+v, %v", list, err)
			}
			_, err = h.FindReward(ctx, cleared[0].ID)
			refused(t, err, fault.NotFound)
		})
		h.proven()
	})
}

func TestRewardsDeclined(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		p := h.newProgram(2400, everyOrder())
		anna, bob := h.member(), h.member()
		h.mustBind(anna, bob)
		t.Run("a budget carries whole rewards only", func(t *testing.T) {
			h.pay(1, bob, 20_000) // 2,000 fit, 500 do not
			list := h.rewards(referral.RewardFilter{State: referral.RewardDeclined})
			if len(list) != 1 || list[0].Note != referral.NoteBudgetExhausted || list[0].BeneficiaryID != bob {
				t.Errorf("declined: got %+v", list)
			}
			if got := h.balance(wallet.StageBudget, wallet.Program(p)); got != 400 {
				t.Errorf("budget: got %s, want 4.00", got)
			}
		})
		t.Run("a top-up carries the next", func(t *testing.T) {
			if err := h.TopUp(bg, p, 10_000); err != nil {
				t.Fatal(err)
			}
			h.pay(2, bob, 20_000)
			if got := h.balance(wallet.StageBudget, wallet.Program(p)); got != 10_400-2500 {
				t.Errorf("budget: got %s, want 79.00", got)
			}
		})
		t.Run("an inviter who has not bought earns nothing", func(t *testing.T) {
			rules := everyOrder()
			rules.InviterHasOrdered = nil // on by default
			h.newProgram(10_000, rules)
			carl, dora := h.member(), h.member()
			h.mustBind(carl, dora)
			h.pay(3, dora, 1000)
			list := h.rewards(referral.RewardFilter{Order: 3, Member: carl})
			if len(list) != 1 || list[0].Note != referral.NoteInviterNotBuyer || list[0].Amount != 0 {
				t.Errorf("got %+v", list)
			}
		})
		t.Run("only the first order counts where it should", func(t *testing.T) {
			h.newProgram(10_000, firstOrder())
			carl, dora := h.member(), h.member()
			h.mustBind(carl, dora)
			h.pay(4, dora, 1000)
			h.pay(5, dora, 1000)
			if a, b := h.rewards(referral.RewardFilter{Order: 4}), h.rewards(referral.RewardFilter{Order: 5}); len(a) != 2 || len(b) != 0 {
				t.Errorf("rewards: got %d and %d, want 2 and 0", len(a), len(b))
			}
		})
		t.Run("one person on both sides earns nothing", func(t *testing.T) {
			h.newProgram(10_000, everyOrder())
			carl, guest := h.member(), h.member()
			h.mustBind(carl, guest)
			frozen, err := referral.FrozenIn(db.Read(bg), h.program, []id.Member{guest}, h.now())
			if err != nil {
				t.Fatal(err)
			}
			h.tx(func(tx *database.Tx) error {
				if _, err := referral.MergeTx(tx, guest, carl); err != nil {
					return err
				}
				if _, err := community.MergeTx(tx, guest, carl); err != nil {
					return err
				}
				return referral.PaidTx(tx, referral.PaidOrder{Order: 6, Invitee: guest, Goods: 1000, PaidAt: tx.Now, Frozen: frozen[guest]})
			})
			if got := h.rewards(referral.RewardFilter{Order: 6}); len(got) != 0 {
				t.Errorf("got %+v", got)
			}
		})
		h.proven()
	})
}

// TestBeneficiaryMergedMeanwhile writes a reward for somebody whom another
// transaction merges away at that moment: clearing pays whom he became.
func TestBeneficiaryMergedMeanwhile(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(10_000, everyOrder())
		anna, old, bob := h.member(), h.member(), h.member()
		h.mustBind(old, bob)
		h.pay(1, bob, 10_000)
		h.tx(func(tx *database.Tx) error {
			_, err := community.MergeTx(tx, old, anna) // referral and wallet were just too early
			return err
		})
		h.mature()
		if got := h.balance(wallet.StagePayable, wallet.Member(anna)); got != 1000 {
			t.Errorf("payable: got %s, want 10.00", got)
		}
		h.proven()
	})
}

// TestRefundsEndEqual refunds an order in random steps, repeated and out of
// order, before and after clearing: whatever the way, the reward ends at what
// the refunded goods leave of it.
func TestRefundsEndEqual(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		budget := money.Amount(10_000_000)
		p := h.newProgram(budget, everyOrder())
		anna, bob := h.member(), h.member()
		h.mustBind(anna, bob)
		order := id.Order(100)
		var kept money.Amount // what earlier rounds left to the two
		rapid.Check(t, func(rt *rapid.T) {
			order++
			h.mustBind(anna, bob) // rounds move the clock on, bindings lapse
			goods := money.Amount(rapid.IntRange(1, 40_000).Draw(rt, "goods"))
			h.pay(order, bob, goods)
			steps := rapid.SliceOfN(rapid.IntRange(0, int(goods)), 1, 5).Draw(rt, "refunded")
			clearAt := rapid.IntRange(0, len(steps)).Draw(rt, "clear before step")
			most := money.Amount(0)
			for i, cumulative := range steps {
				if i == clearAt {
					h.mature()
				}
				most = max(most, money.Amount(cumulative))
				refund := id.Refund(int64(order)*10 + int64(i))
				h.refund(order, refund, money.Amount(cumulative))
				h.refund(order, refund, money.Amount(cumulative))
			}
			h.mature()
			for _, earned := range []money.Amount{goods.Rate(1000), 500} {
				kept += earned - referral.Lost(earned, goods, most)
			}
			got := h.balance(wallet.StagePayable, wallet.Member(anna)) + h.balance(wallet.StagePayable, wallet.Member(bob))
			if got != kept {
				rt.Fatalf("payable: got %s, want %s", got, kept)
			}
			if left := h.balance(wallet.StageBudget, wallet.Program(p)); left != budget-kept {
				rt.Fatalf("budget: got %s, want %s", left, budget-kept)
			}
		})
		h.proven()
	})
}

// TestOneFenIsLeft: a refund that leaves a reward one fen takes nothing more,
// and the fen clears on its day.
func TestOneFenIsLeft(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(10_000, everyOrder())
		anna, bob := h.member(), h.member()
		h.mustBind(anna, bob)
		h.pay(1, bob, 1000)  // 1.00 for the inviter
		h.refund(1, 11, 981) // takes 0.98 of it
		h.DB.Clock.Jump(15*day - time.Minute)
		h.drain()            // the last look before its day
		h.refund(1, 12, 990) // and 0.01 more
		h.mature()
		if got := h.balance(wallet.StagePayable, wallet.Member(anna)); got != 1 {
			t.Errorf("payable: got %s, want 0.01", got)
		}
		h.proven()
	})
}

// mature lets everything pending clear.
func (h *house) mature() {
	h.t.Helper()
	h.DB.Clock.Jump(15 * day)
	h.drain()
}

// TestConcurrentPayments pays 24 orders of one budget at once: the budget is
// never promised twice.
func TestConcurrentPayments(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(10*600, everyOrder()) // ten orders of 10 yuan
		anna := h.member()
		invitees := make([]id.Member, 24)
		for i := range invitees {
			invitees[i] = h.member()
			h.mustBind(anna, invitees[i])
		}
		var all sync.WaitGroup
		for i, m := range invitees {
			all.Go(func() {
				if err := h.tryPay(id.Order(1000+i), m, 1000); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		var promised money.Amount
		for _, r := range h.rewards(referral.RewardFilter{}) {
			promised += r.Amount
		}
		if promised > 6000 || promised < 6000-600 {
			t.Errorf("promised %s of 60.00", promised)
		}
		h.proven()
	})
}
