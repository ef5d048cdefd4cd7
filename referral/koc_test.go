package referral_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/wallet"
)

// monthEnd pays a KOC 50 yuan and 100 points a month.
func monthEnd() referral.RulesIn {
	return referral.RulesIn{Trigger: referral.TriggerMonthEnd, Rewards: []referral.Promise{
		{Rule: "cash", To: referral.SideKOC, Mode: referral.ModeFixed, Amount: 5000},
		{Rule: "points", To: referral.SideKOC, Mode: referral.ModeFixed, Currency: money.PTS, Qty: 100, UnitCost: 1},
	}}
}

func (h *house) group() id.Group {
	h.t.Helper()
	g, err := (&community.Service{DB: h.DB, Secrets: h.Secrets}).CreateGroup(bg, community.GroupIn{Name: "跑步群"})
	if err != nil {
		h.t.Fatal(err)
	}
	return g
}

func (h *house) tryPropose(ctx context.Context, g id.Group, day int, people ...id.Member) (id.KOCProposal, error) {
	in := referral.KOCProposalIn{ProgramID: h.program, GroupID: g, Day: day}
	for _, m := range people {
		in.People = append(in.People, referral.KOCLine{MemberID: m, KOCFacts: referral.KOCFacts{Score: 80, ActiveDays: 20}})
	}
	return h.ProposeKOC(ctx, in)
}

func (h *house) propose(g id.Group, day int, people ...id.Member) id.KOCProposal {
	h.t.Helper()
	p, err := h.tryPropose(asStaff(1), g, day, people...)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// A member is paid once for a group and month, by the word of two people;
// another group or month is another reward.
func TestMonthEnd(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(30_000, monthEnd())
		anna, ben := h.member(), h.member()
		g := h.group()
		p := h.propose(g, 20260331, anna, ben)
		refused(t, h.ApproveKOC(asStaff(1), p), referral.ErrKOCSamePerson)
		refused(t, h.ApproveKOC(bg, p), fault.Forbidden)
		h.is("before", len(h.everyReward()), 0)
		if err := h.ApproveKOC(asStaff(2), p); err != nil {
			t.Fatal(err)
		}
		refused(t, h.ApproveKOC(asStaff(2), p), referral.ErrKOCState)
		refused(t, h.RefuseKOC(asStaff(3), p, "晚了"), referral.ErrKOCState)
		_, err := h.tryPropose(asStaff(1), g, 20260331, anna, ben)
		refused(t, err, referral.ErrNoCandidates)
		cid := h.member()
		for _, next := range []id.KOCProposal{h.propose(g, 20260430, anna), h.propose(h.group(), 20260331, anna), h.propose(g, 20260331, ben, cid)} {
			if err := h.ApproveKOC(asStaff(2), next); err != nil {
				t.Fatal(err)
			}
		}
		h.is("rewards", len(h.everyReward()), 2*5)
		h.proven()
		h.mature()
		h.is("money", h.balance(wallet.StagePayable, wallet.Member(anna)), money.Amount(3*5000))
		h.is("points", h.points(anna), money.Amount(300))
		found, err := h.FindKOC(bg, p)
		if err != nil || len(found.Lines) != 2 || len(found.Lines[1].RewardIDs) != 2 || found.Cost != 2*5100 {
			t.Errorf("found %+v, %v", found, err)
		}

		// The budget is nearly used up: who comes too late gets nothing, and sees why.
		over := h.propose(g, 20260531, anna, ben)
		if err := h.ApproveKOC(asStaff(2), over); err != nil {
			t.Fatal(err)
		}
		h.is("of a budget that is used up", h.rewards(referral.RewardFilter{Member: ben})[1].Note, referral.NoteBudgetExhausted)
		h.proven()
		h.tx(func(tx *database.Tx) error {
			return tx.Exec("UPDATE koc_proposals SET decided_by = proposed_by WHERE id = ?", p).Error
		})
		h.broken("V22")
	})
}

// What a proposal was refused for may be proposed again; who was merged since is
// one person and paid once; a paused program pays nobody.
func TestMonthEndChanges(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		prg := h.newProgram(100_000, monthEnd())
		anna, old, ben := h.member(), h.member(), h.member()
		g := h.group()
		first := h.propose(g, 20260331, anna, old)
		if err := h.RefuseKOC(asStaff(1), first, "再看一周"); err != nil {
			t.Fatal(err)
		}
		p := h.propose(g, 20260331, anna, old)
		h.merge(old, anna)
		if _, err := h.NewVersion(bg, prg, served()); err != nil {
			t.Fatal(err)
		}
		if err := h.PauseProgram(bg, prg); err != nil {
			t.Fatal(err)
		}
		refused(t, h.ApproveKOC(asStaff(2), p), referral.ErrProgramState)
		if err := h.ResumeProgram(bg, prg); err != nil {
			t.Fatal(err)
		}
		if err := h.ApproveKOC(asStaff(2), p); err != nil {
			t.Fatal(err)
		}
		h.is("rewards", len(h.rewards(referral.RewardFilter{Member: anna})), 2)
		_, err := h.tryPropose(asStaff(1), g, 20260331, ben)
		refused(t, err, referral.ErrNotMonthly)
		if _, err := h.NewVersion(bg, prg, monthEnd()); err != nil {
			t.Fatal(err)
		}
		_, err = h.tryPropose(asStaff(1), g, 20260331, anna)
		refused(t, err, referral.ErrNoCandidates)
		h.propose(g, 20260331, anna, ben)
		h.proven()
	})
}

// Whom another program paid for the group and month under another id is paid
// nothing more once the two are one; another of the proposal is.
func TestMonthEndOfTwoPrograms(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(100_000, monthEnd())
		anna, old, ben := h.member(), h.member(), h.member()
		g := h.group()
		first := h.propose(g, 20260331, anna)
		h.newProgram(100_000, monthEnd())
		second := h.propose(g, 20260331, old, ben)
		if err := h.ApproveKOC(asStaff(2), first); err != nil {
			t.Fatal(err)
		}
		h.merge(old, anna)
		if err := h.ApproveKOC(asStaff(2), second); err != nil {
			t.Fatal(err)
		}
		h.is("hers", len(h.rewards(referral.RewardFilter{Member: anna})), 2)
		h.is("his", len(h.rewards(referral.RewardFilter{Member: ben})), 2)
		h.proven()
	})
}

// Two colleagues approve at once, and many propose the same member at once:
// each happens once.
func TestMonthEndRace(t *testing.T) {
	race := func(h *house) string {
		h.newProgram(10_000_000, monthEnd())
		g := h.group()
		anna := h.member()
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() { _, _ = h.tryPropose(asStaff(id.Staff(1+i)), g, 20260331, anna) })
		}
		all.Wait()
		list, err := h.ListKOC(bg, referral.KOCFilter{Status: referral.KOCProposed}, database.Page{})
		if err != nil {
			h.t.Fatal(err)
		}
		for _, p := range list.Items {
			for i := range 8 {
				all.Go(func() { _ = h.ApproveKOC(asStaff(id.Staff(100+i)), p.ID) })
			}
		}
		all.Wait()
		return fmt.Sprintf("%d proposals, %d rewards", len(list.Items), len(h.everyReward()))
	}
	const once = "1 proposals, 2 rewards"
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.is("with locks", race(h), once)
		h.proven()
	})
	for _, engine := range dbtest.Engines {
		t.Run("unlocked "+engine, func(t *testing.T) {
			for range 100 { // on SQLite it often holds by luck
				if race(newHouse(t, dbtest.Unlocked(t, engine))) != once {
					return
				}
			}
			t.Error("it held without locks: the test proves nothing")
		})
	}
}

func TestMonthEndRules(t *testing.T) {
	for name, change := range map[string]func(*referral.RulesIn){
		"to the inviter": func(in *referral.RulesIn) { in.Rewards[0].To = referral.SideInviter },
		"a share": func(in *referral.RulesIn) {
			in.Rewards[0].Mode, in.Rewards[0].Amount, in.Rewards[0].Rate = referral.ModePercent, 0, 100
		},
		"terms": func(in *referral.RulesIn) { in.Terms.Days = 7 },
	} {
		t.Run(name, func(t *testing.T) {
			in := monthEnd()
			change(&in)
			refused(t, in.Validate(), fault.Invalid)
		})
	}
}
