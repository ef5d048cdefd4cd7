package referral_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
	"siyu/referral"
	"siyu/referral/review"
	"siyu/wallet"
)

// desk is the review beside a house.
func (h *house) desk() *review.Service {
	r := &review.Service{DB: h.DB, Secrets: h.Secrets}
	r.Register(h.tasks)
	return r
}

// sight has members seen with the same things, at once.
func (h *house) sight(r *review.Service, seen review.Seen, members ...id.Member) {
	h.t.Helper()
	for _, m := range members {
		r.Sight(m, seen)
	}
	if err := r.Flush(bg); err != nil {
		h.t.Fatal(err)
	}
}

func asStaff(n id.Staff) context.Context {
	return database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: n})
}

// family is an inviter and those he brought; each buys once.
func (h *house) family(n int, order id.Order) (inviter id.Member, all []id.Member) {
	h.t.Helper()
	inviter = h.member()
	all = []id.Member{inviter}
	for i := 1; i < n; i++ {
		m := h.member()
		h.mustBind(inviter, m)
		h.pay(order+id.Order(i), m, 10_000)
		all = append(all, m)
	}
	return inviter, all
}

func (h *house) payable(members []id.Member) money.Amount {
	h.t.Helper()
	var sum money.Amount
	for _, m := range members {
		sum += h.balance(wallet.StagePayable, wallet.Member(m))
	}
	return sum
}

// TestReviewTakesTwo walks one stopped reward through the hands of people.
func TestReviewTakesTwo(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(100_000, everyOrder())
		h.desk()
		anna, bob := h.member(), h.member()
		h.mustBind(anna, bob)
		h.pay(1, bob, 10_000)
		h.drain()
		of := func(m id.Member) referral.Reward {
			t.Helper()
			list := h.rewards(referral.RewardFilter{Member: m})
			if len(list) != 1 {
				t.Fatalf("rewards: got %+v", list)
			}
			return list[0]
		}
		hers, his := of(anna), of(bob)
		if hers.Review != referral.ReviewDue {
			t.Fatalf("review: got %q, want due until the last look", hers.Review)
		}
		refused(t, h.ReleaseReward(asStaff(1), hers.ID, "ok"), review.ErrNone)
		refused(t, h.ReviewReward(bg, hers.ID, referral.Finding{Note: "why"}), review.ErrNotStaff)
		refused(t, h.ReviewReward(asStaff(1), hers.ID, referral.Finding{}), fault.Invalid)
		for _, x := range []id.Reward{hers.ID, his.ID} {
			if err := h.ReviewReward(asStaff(1), x, referral.Finding{Note: "两人同一天注册"}); err != nil {
				t.Fatal(err)
			}
		}
		refused(t, h.ReviewReward(asStaff(1), hers.ID, referral.Finding{Note: "again"}), review.ErrState)
		h.mature()
		if got := h.payable([]id.Member{anna, bob}); got != 0 {
			t.Fatalf("paid %s while in review", got)
		}
		refused(t, h.ReleaseReward(asStaff(2), hers.ID, "ok"), review.ErrUnseen)
		refused(t, h.VoidReward(asStaff(2), hers.ID, "no"), review.ErrUnseen)
		for _, x := range []id.Reward{hers.ID, his.ID} {
			if err := h.ReviewReward(asStaff(1), x, referral.Finding{Found: review.FindPass, Note: "电话核实过"}); err != nil {
				t.Fatal(err)
			}
		}
		refused(t, h.ReleaseReward(asStaff(1), hers.ID, "ok"), review.ErrSamePerson)
		refused(t, h.VoidReward(asStaff(1), his.ID, "no"), review.ErrSamePerson)
		if err := h.ReviewReward(asStaff(4), his.ID, referral.Finding{Found: review.FindRefuse, Note: "没人接"}); err != nil {
			t.Fatal(err)
		}
		refused(t, h.VoidReward(asStaff(4), his.ID, "no"), review.ErrSamePerson) // he found, though another asked
		if err := h.ReleaseReward(asStaff(2), hers.ID, "同意"); err != nil {
			t.Fatal(err)
		}
		if err := h.VoidReward(asStaff(2), his.ID, "号码是空号"); err != nil {
			t.Fatal(err)
		}
		refused(t, h.ReleaseReward(asStaff(3), hers.ID, "ok"), review.ErrNone)
		h.drain()
		got := map[id.Member]referral.RewardState{anna: of(anna).State, bob: of(bob).State}
		if diff := cmp.Diff(map[id.Member]referral.RewardState{anna: referral.RewardCleared, bob: referral.RewardVoided}, got); diff != "" {
			t.Errorf("states: %s", diff)
		}
		h.proven()
	})
}

// TestRefundEndsReview refunds an order whose rewards are in review.
func TestRefundEndsReview(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(100_000, everyOrder())
		r := h.desk()
		anna, bob := h.member(), h.member()
		h.sight(r, review.Seen{Device: "one phone"}, anna, bob)
		h.mustBind(anna, bob)
		h.pay(1, bob, 10_000)
		h.drain()
		h.refund(1, 50, 10_000)
		list, err := r.ListCases(bg, review.Filter{}, database.Page{})
		if err != nil || len(list.Items) != 2 {
			t.Fatalf("cases: got %+v, %v", list, err)
		}
		for _, c := range list.Items {
			if c.State != review.StateMoot || c.DecidedAt == 0 {
				t.Errorf("case: got %+v", c)
			}
		}
		h.mature()
		h.proven()
	})
}

// TestLateLook clears a reward whose last look came after its maturity.
func TestLateLook(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(100_000, everyOrder())
		anna, bob := h.member(), h.member()
		h.mustBind(anna, bob)
		h.pay(1, bob, 10_000)
		db.Clock.Jump(20 * day) // nothing worked meanwhile: both are overdue
		h.drain()
		if got := h.payable([]id.Member{anna, bob}); got != 1500 {
			t.Errorf("payable: got %s, want 15.00", got)
		}
		h.proven()
	})
}

// TestReceiptAndAStoppedOne brings the day of two rewards forward while a person
// looks at the second: the first is still looked at before its new day, and paid on
// it.
func TestReceiptAndAStoppedOne(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(100_000, everyOrder())
		h.desk()
		anna, bob := h.member(), h.member()
		h.mustBind(anna, bob)
		h.pay(1, bob, 10_000)
		h.drain()
		his := h.rewards(referral.RewardFilter{Member: bob})
		if len(his) != 1 {
			t.Fatalf("his rewards: got %+v", his)
		}
		if err := h.ReviewReward(asStaff(1), his[0].ID, referral.Finding{Note: "问一下"}); err != nil {
			t.Fatal(err)
		}
		h.tx(func(tx *database.Tx) error { return referral.ReceivedTx(tx, 1, tx.Now) })
		db.Clock.Jump(7 * day)
		h.drain()
		h.is("payable to her", h.payable([]id.Member{anna}), money.Amount(1000))
		h.is("payable to him", h.payable([]id.Member{bob}), money.Amount(0))
		h.proven()
	})
}

// TestReviewRaces lets a release, a void, a refund and the clearing of stopped
// rewards meet: each reward ends in one way, and none is paid unreleased. The
// same load without locks pays what was refused.
func TestReviewRaces(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			h := newHouse(t, dbtest.Open(t, engine))
			if broken := h.raceReviews(h.desk(), 9, 100); len(broken) > 0 {
				t.Error(broken)
			}
			h.proven()
		})
		t.Run(engine+" without locks it breaks", func(t *testing.T) {
			h := newHouse(t, dbtest.Unlocked(t, engine))
			r := h.desk()
			for round := range 40 {
				if len(h.raceReviews(r, 9, id.Order(1000*(round+1)))) > 0 {
					return
				}
			}
			t.Fatal("V5 held in 40 rounds without any lock")
		})
	}
}

// raceReviews stops the rewards of a family on one device and lets everybody
// at them at once. It returns what is wrong afterwards.
func (h *house) raceReviews(r *review.Service, n int, order id.Order) (broken []string) {
	t := h.t
	t.Helper()
	h.newProgram(1_000_000, everyOrder())
	anna, list := h.family(n, order)
	h.sight(r, review.Seen{Device: fmt.Sprint("tablet ", order)}, list...)
	h.mature()
	stopped := h.rewards(referral.RewardFilter{Member: anna})
	for _, x := range stopped {
		if x.Review != referral.ReviewOpen {
			t.Fatalf("review of %s: got %s", x.ID, x.Review)
		}
		if err := h.ReviewReward(asStaff(1), x.ID, referral.Finding{Found: review.FindPass, Note: "店里的平板"}); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	for _, x := range stopped {
		all.Go(func() { _ = h.ReleaseReward(asStaff(2), x.ID, "同意") })
		all.Go(func() { _ = h.VoidReward(asStaff(3), x.ID, "不同意") })
		all.Go(func() {
			_ = h.DB.Tx(bg, func(tx *database.Tx) error { return referral.RefundedTx(tx, x.OrderID, id.Refund(x.OrderID), 5000) })
		})
	}
	all.Go(func() { _ = task.Drain(bg, h.DB, h.tasks) })
	all.Wait()
	h.DB.Clock.Jump(time.Minute)
	_ = task.Drain(bg, h.DB, h.tasks)
	for _, x := range h.rewards(referral.RewardFilter{Member: anna}) {
		switch {
		case x.State == referral.RewardCleared && x.Review == referral.ReviewPassed:
		case x.State == referral.RewardClawedBack && x.Review == referral.ReviewPassed: // voided after it had cleared
		case x.State == referral.RewardVoided && x.Review != referral.ReviewOpen:
		default:
			broken = append(broken, fmt.Sprintf("reward %s is %s, review %s", x.ID, x.State, x.Review))
		}
	}
	proofs, err := referral.Verify(bg, h.DB)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range proofs {
		broken = append(broken, p.Broken...)
	}
	return broken
}

// TestVerifySeesUnreviewed breaks the rule by hand and asks the proof.
func TestVerifySeesUnreviewed(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(100_000, everyOrder())
		anna, bob := h.member(), h.member()
		h.mustBind(anna, bob)
		h.pay(1, bob, 10_000)
		h.mature()
		h.tx(func(tx *database.Tx) error { return tx.Exec("UPDATE rewards SET review = 'open'").Error })
		proofs, err := referral.Verify(bg, db)
		if err != nil {
			t.Fatal(err)
		}
		broken := 0
		for _, p := range proofs {
			broken += len(p.Broken)
		}
		if broken != 4 { // two cleared in review, and two in review without a case
			t.Errorf("the proof names %d breaches, want 4", broken)
		}
	})
}
