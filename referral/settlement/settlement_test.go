package settlement_test

import (
	"errors"
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
	"siyu/referral/settlement"
)

func TestClose(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.clear(reward{member: 1, amount: 1000}, reward{member: 2, amount: 2050})
		h.jump(10 * time.Minute)
		h.clear(reward{member: 3, amount: 99}) // too fresh for the first

		first := h.closed()
		if got, want := h.kinds(first.ID), []string{"reward 1 10.00", "reward 2 20.50"}; !cmp.Equal(got, want) {
			t.Errorf("lines: %s", cmp.Diff(want, got))
		}
		if first.Status != settlement.StatusClosed || first.Seq != 1 || first.Net != 3050 || first.Tax != 0 || first.LineCount != 2 || len(first.Files) != 2 {
			t.Errorf("sealed: got %+v", first)
		}
		if want := now(db).Add(-5 * time.Minute); first.CutAt != want {
			t.Errorf("cut-off: got %s, want %s", first.CutAt, want)
		}
		h.refused(h.Close(as(maker), first.ID), settlement.ErrState)

		if second := h.closed(); second.LineCount != 0 || second.Net != 0 || second.Previous != first.Digest {
			t.Errorf("a second settlement over the same rewards: %d lines, net %s, previous %q", second.LineCount, second.Net, second.Previous)
		}
		h.jump(10 * time.Minute)
		if third := h.closed(); third.Net != 99 || third.Seq != 3 {
			t.Errorf("what came late: net %s, seq %d", third.Net, third.Seq)
		}
		if again := h.find(first.ID); !cmp.Equal(first, again) {
			t.Errorf("the first has changed: %s", cmp.Diff(first, again))
		}
		h.proven()
	})
}

func TestCutOffAndScope(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		second, foreign := h.addProgram(unit, money.CNY), h.addProgram(other, money.CNY)
		h.clear(reward{member: 1, amount: 100}, reward{member: 1, amount: 10, program: second}, reward{member: 1, amount: 1, program: foreign})
		cut := now(db)
		h.jump(time.Hour)
		h.clear(reward{member: 1, amount: 1000})
		h.jump(time.Hour)

		sid, err := h.Create(as(maker), settlement.CreateIn{UnitID: unit, Label: "one program", Programs: []id.Program{h.program, h.program}, CutOffAt: cut})
		h.must(err)
		h.must(h.Close(as(maker), sid))
		h.work()
		if st := h.find(sid); st.Net != 100 || st.CutAt != cut {
			t.Errorf("one program to %s: net %s, cut %s", cut, st.Net, st.CutAt)
		}
		if all := h.closed(); all.Net != 1010 || len(all.Programs) != 2 {
			t.Errorf("all programs: net %s of %v", all.Net, all.Programs)
		}
		for name, in := range map[string]settlement.CreateIn{
			"program of another unit": {UnitID: unit, Label: "x", Programs: []id.Program{foreign}},
			"no label":                {UnitID: unit},
			"control character":       {UnitID: unit, Label: "a\tb"},
		} {
			if _, err := h.Create(as(maker), in); err == nil {
				t.Errorf("%s: accepted", name)
			}
		}
		h.proven()
	})
}

// TestUnitsBelow settles a unit with its store: what clears in the store is in
// the unit's settlement, what a store's payment failed or owes is carried into
// it, and nothing of a unit elsewhere or in another currency is.
func TestUnitsBelow(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		below, foreign, points := h.addProgram(store, money.CNY), h.addProgram(other, money.CNY), h.addProgram(store, money.PTS)
		settle := func(u id.Unit, programs ...id.Program) settlement.Settlement {
			t.Helper()
			sid, err := h.Create(as(maker), settlement.CreateIn{UnitID: u, Label: "2026-03", Programs: programs})
			h.must(err)
			h.must(h.Close(as(maker), sid))
			h.work()
			return h.find(sid)
		}
		h.clear(reward{member: 1, amount: 500, program: below}, reward{member: 2, amount: 40, program: foreign}, reward{member: 3, amount: 300, program: below})
		h.jump(time.Hour)
		if own := settle(store); own.Net != 800 || !cmp.Equal(own.Programs, []id.Program{below}) {
			t.Errorf("the store: net %s of %v", own.Net, own.Programs)
		} else {
			pay := h.paid(own)
			h.must(h.PayoutResults(as(cashier), pay.ID, settlement.ResultsIn{Failed: []settlement.FailedLine{{Line: 1, Reason: "账户有误"}}}))
		}
		h.clear(reward{member: 1, amount: 1000}, reward{member: 1, amount: 70, program: below})
		h.jump(time.Hour)
		all := settle(unit)
		if all.Net != 1570 || !cmp.Equal(all.Programs, []id.Program{h.program, below}) {
			t.Errorf("the unit: net %s of %v, want its own 10.00, the store's 0.70 and its failed 5.00", all.Net, all.Programs)
		}
		if again := settle(store); again.LineCount != 0 {
			t.Errorf("the store again: %d lines", again.LineCount)
		}
		settle(unit, below)
		for name, p := range map[string]id.Program{"elsewhere": foreign, "in points": points} {
			if _, err := h.Create(as(maker), settlement.CreateIn{UnitID: unit, Label: "x", Programs: []id.Program{p}}); !errors.Is(err, fault.Invalid) {
				t.Errorf("a program %s: %v", name, err)
			}
		}
		if _, err := h.Create(as(maker), settlement.CreateIn{UnitID: store, Label: "x", Programs: []id.Program{h.program}}); !errors.Is(err, fault.Invalid) {
			t.Errorf("a program of the unit above: %v", err)
		}
		h.proven()
	})
}

func TestUnitsAndPeople(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.clear(reward{member: 1, amount: 1000})
		h.jump(time.Hour)
		st := h.closed()
		in := settlement.ReviewIn{Digest: st.Digest}

		stranger := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 9, Units: []id.Unit{8}})
		_, err := h.Find(stranger, st.ID)
		h.refused(err, fault.NotFound)
		_, err = h.ListLines(stranger, st.ID, database.Page{})
		h.refused(err, fault.NotFound)
		_, err = h.FindFile(stranger, st.ID, settlement.FileLines)
		h.refused(err, fault.NotFound)
		_, err = h.VerifyOne(stranger, st.ID)
		h.refused(err, fault.NotFound)
		h.refused(h.Review(stranger, st.ID, in), fault.NotFound)
		h.refused(h.Reject(stranger, st.ID, settlement.RejectIn{Reason: "x"}), fault.NotFound)
		list, err := h.List(stranger, settlement.Filter{}, database.Page{})
		if h.must(err); len(list.Items) != 0 {
			t.Errorf("a stranger sees %d settlements", len(list.Items))
		}
		list, err = h.List(as(maker), settlement.Filter{Unit: unit, Status: settlement.StatusClosed}, database.Page{})
		if h.must(err); len(list.Items) != 1 {
			t.Errorf("listed: %d, want 1", len(list.Items))
		}

		_, err = h.CreatePayout(as(cashier), settlement.PayoutIn{SettlementID: st.ID})
		h.refused(err, settlement.ErrState)
		h.refused(h.Review(bg, st.ID, in), settlement.ErrNotStaff)
		h.refused(h.Review(as(maker), st.ID, in), settlement.ErrSamePerson)
		h.refused(h.Review(as(reviewer), st.ID, settlement.ReviewIn{Digest: "00"}), settlement.ErrDigest)
		h.must(h.Review(as(reviewer), st.ID, in))
		pid, err := h.CreatePayout(as(cashier), settlement.PayoutIn{SettlementID: st.ID})
		h.must(err)
		_, err = h.CreatePayout(as(cashier), settlement.PayoutIn{SettlementID: st.ID})
		h.refused(err, settlement.ErrPayout)
		h.refused(h.Reject(as(reviewer), st.ID, settlement.RejectIn{Reason: "late"}), settlement.ErrPayout)
		h.refused(h.Pay(as(maker), pid), settlement.ErrSamePerson)
		h.refused(h.Pay(as(reviewer), pid), settlement.ErrSamePerson)
		h.refused(h.Pay(stranger, pid), fault.NotFound)
		_, err = h.FindPayout(stranger, pid)
		h.refused(err, fault.NotFound)
		h.must(h.Pay(as(cashier), pid))
		h.refused(h.Pay(as(cashier), pid), settlement.ErrPaying)
		h.work()
		if got := h.find(st.ID); got.Status != settlement.StatusPaid || got.CreatedBy != maker || got.ReviewedBy != reviewer || got.PaidBy != cashier {
			t.Errorf("three people: %+v", got)
		}
		h.proven()
	})
}

func TestReject(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.clear(reward{member: 1, amount: 1000}, reward{member: 2, amount: 500})
		h.jump(time.Hour)
		first := h.closed()
		h.refused(h.Reject(as(reviewer), first.ID, settlement.RejectIn{}), fault.Invalid)
		h.must(h.Reject(as(reviewer), first.ID, settlement.RejectIn{Reason: "wrong month"}))
		h.refused(h.Reject(as(reviewer), first.ID, settlement.RejectIn{Reason: "again"}), settlement.ErrState)
		h.work()
		h.must(h.RunFree(bg, first.ID)) // the job twice is the job once
		second := h.closed()
		if second.Net != 1500 || second.Previous != first.Digest {
			t.Errorf("the next: net %s, previous %q", second.Net, second.Previous)
		}
		if got := h.find(first.ID); got.Status != settlement.StatusRejected || got.Digest != first.Digest || got.LineCount != 2 {
			t.Errorf("the rejected one: %+v", got)
		}
		h.proven()
	})
}

// TestConcurrentCloses closes the same rewards in four settlements at a time,
// each job run twice; then again where nothing holds the limit, to show that
// the unique key is what does.
func TestConcurrentCloses(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		for _, err := range race(h, 1200, 2) {
			t.Error(err)
		}
		var net money.Amount
		list, err := h.List(bg, settlement.Filter{}, database.Page{})
		h.must(err)
		for _, st := range list.Items {
			if st.Status != settlement.StatusClosed {
				t.Errorf("%s is %s", st.ID, st.Status)
			}
			net += st.Net
		}
		if net != 120_000 {
			t.Errorf("settled %s in all, want 1200.00", net)
		}
		h.proven()
	})
	for _, engine := range dbtest.Engines {
		t.Run(engine+" without the key", func(t *testing.T) {
			for range 20 {
				h := newHouse(t, dbtest.Unlocked(t, engine, "settlement_lines.settlement_lines_source"))
				race(h, 600, 1) // its errors are of no interest here
				var twins int
				h.must(h.DB.Read(bg).Raw(`SELECT COUNT(*) FROM (SELECT source_id FROM settlement_lines WHERE kind = 'reward' AND freed = 0
					GROUP BY source_id HAVING COUNT(*) > 1) t`).Scan(&twins).Error)
				if twins > 0 {
					return
				}
			}
			t.Error("no reward stands on two lines")
		})
	}
}

// race closes the rewards in four settlements at a time, each by so many runs of
// its job.
func race(h *house, rewards, runs int) []error {
	h.t.Helper()
	var list []reward
	for i := range rewards {
		list = append(list, reward{member: id.Member(i%50 + 1), amount: 100})
	}
	h.clearBy(2, list)
	h.jump(time.Hour)
	var wg sync.WaitGroup
	failed := make(chan error, 8)
	for range 4 {
		sid := h.open()
		h.must(h.Close(as(maker), sid))
		for range runs {
			wg.Go(func() {
				if err := h.RunClose(bg, sid); err != nil {
					failed <- fmt.Errorf("close %s: %w", sid, err)
				}
			})
		}
	}
	wg.Wait()
	close(failed)
	var all []error
	for err := range failed {
		all = append(all, err)
	}
	return all
}

// TestPaymentsIn follows rewards through two payouts, one of them left out
// first and one whose payment came back.
func TestPaymentsIn(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		rs := h.clear(reward{member: 1, amount: 500}, reward{member: 2, amount: 700}, reward{member: 3, amount: 900})
		h.jump(time.Hour)
		first := h.closed()
		late := h.clear(reward{member: 1, amount: 20})
		all := append(rs, late...)
		says := func(want map[id.Reward]settlement.Payment) {
			t.Helper()
			got, err := settlement.PaymentsIn(db.Read(bg), all)
			if h.must(err); !cmp.Equal(got, want) {
				t.Errorf("payments: %s", cmp.Diff(want, got))
			}
		}
		waits := settlement.Payment{Settlement: first.ID, CutAt: first.CutAt}
		says(map[id.Reward]settlement.Payment{rs[0]: waits, rs[1]: waits, rs[2]: waits})
		pay := h.paid(first)
		paid := func(st settlement.Settlement, p settlement.Payout, n money.Amount, cameBack bool) settlement.Payment {
			return settlement.Payment{Settlement: st.ID, CutAt: st.CutAt, Payout: p.ID, Status: settlement.PayoutLinePaid, At: p.PaidAt, Gross: n, Net: n, CameBack: cameBack}
		}
		says(map[id.Reward]settlement.Payment{rs[0]: paid(first, pay, 500, false), rs[1]: paid(first, pay, 700, false), rs[2]: paid(first, pay, 900, false)})
		h.must(h.PayoutResults(as(cashier), pay.ID, settlement.ResultsIn{Failed: []settlement.FailedLine{{Line: 2, Reason: "账户有误"}}}))
		says(map[id.Reward]settlement.Payment{rs[0]: paid(first, pay, 500, false), rs[1]: {CameBack: true, At: now(db)}, rs[2]: paid(first, pay, 900, false)})
		h.jump(time.Hour)
		next := h.closed()
		again := h.paid(next)
		says(map[id.Reward]settlement.Payment{rs[0]: paid(first, pay, 500, false), rs[1]: paid(next, again, 700, true), rs[2]: paid(first, pay, 900, false), late[0]: paid(next, again, 20, false)})
	})
}
