package settlement_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/settlement"
	"siyu/wallet"
)

// asking is a house whose payer, the unit's default, pays on request.
type asking struct{ *house }

const ownPayer = id.Payer(unit)

func newAsking(t testing.TB, db *database.DB, in settlement.TermsIn) asking {
	h := asking{newHouse(t, db)}
	h.must(h.Discard(as(maker), h.open())) // the first use makes the default payer
	h.terms(in)
	return h
}

func (h asking) terms(in settlement.TermsIn) {
	h.t.Helper()
	now, err := h.FindTerms(as(maker), ownPayer, 0)
	h.must(err)
	h.must(h.SetTerms(as(maker), ownPayer, now.No, in))
}

var someTerms = settlement.TermsIn{Mode: settlement.ModeOnRequest, Least: 1000, Most: 10_000, FeeFixed: 100, FeeRate: 100, PerDay: 3}

func member(m id.Member) context.Context {
	return database.WithActor(bg, database.Actor{Kind: database.ActorMember, Member: m})
}

func (h asking) ask(m id.Member) id.Withdrawal {
	h.t.Helper()
	wid, err := h.Ask(member(m), m, settlement.AskIn{PayerID: ownPayer})
	h.must(err)
	return wid
}

// stands says where a request stands, in short.
func (h asking) stands(wid id.Withdrawal) string {
	h.t.Helper()
	w, err := h.FindWithdrawal(bg, wid)
	h.must(err)
	s := fmt.Sprintf("%s %s fee %s", w.State, w.Gross, w.Fee)
	if w.Payment != nil {
		s += fmt.Sprintf(", net %s", w.Payment.Net)
	}
	for _, why := range []string{string(w.Why), w.Reason} {
		if why != "" {
			s += " " + why
		}
	}
	return s
}

func (h asking) want(wid id.Withdrawal, want string) {
	h.t.Helper()
	if got := h.stands(wid); got != want {
		h.t.Errorf("the request stands at %q, want %q", got, want)
	}
}

func (h asking) sees(m id.Member) (why []string) {
	h.t.Helper()
	list, err := h.Offers(bg, m)
	h.must(err)
	for _, o := range list {
		why = append(why, fmt.Sprintf("%s: %d of %s, fee %s, net %s", o.Available, o.RewardCount, o.Gross, o.Fee, o.Net))
	}
	return why
}

// TestWithdrawal follows requests from asking to the money.
func TestWithdrawal(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newAsking(t, db, someTerms)
		h.clear(reward{member: 5, amount: 3000}, reward{member: 5, amount: 2000}, reward{member: 5, amount: 9000}, reward{member: 6, amount: 4000}, reward{member: 7, amount: 999})
		if got := h.sees(5); !slices.Equal(got, []string{"140.00: 2 of 50.00, fee 1.50, net 48.50"}) {
			t.Errorf("offered %q", got)
		}
		_, err := h.Ask(member(7), 7, settlement.AskIn{PayerID: ownPayer})
		h.refused(err, settlement.ErrLeast)
		_, err = h.Ask(member(8), 8, settlement.AskIn{PayerID: ownPayer})
		h.refused(err, settlement.ErrNothing)

		gone := h.ask(5)
		h.refused(h.CancelWithdrawal(member(6), gone), fault.NotFound)
		h.must(h.CancelWithdrawal(member(5), gone))
		h.refused(h.CancelWithdrawal(member(5), gone), settlement.ErrNotAsked)
		h.want(gone, "cancelled 50.00 fee 1.50")
		first, second := h.ask(5), h.ask(5)
		h.want(first, "asked 50.00 fee 1.50")
		h.want(second, "asked 90.00 fee 1.90")
		_, err = h.Ask(member(5), 5, settlement.AskIn{PayerID: ownPayer})
		h.refused(err, settlement.ErrNothing) // all of it is under requests
		no := h.ask(6)
		h.must(h.RefuseWithdrawal(as(maker), no, settlement.RefuseIn{Reason: "资料待核实"}))
		h.want(no, "refused 40.00 fee 1.40 资料待核实")

		st := h.closed() // at once: requests need no five minutes
		if got, want := h.kinds(st.ID), []string{"reward 5 30.00", "reward 5 20.00", "fee 5 -1.50 corrects " + first.String(), "reward 5 90.00", "fee 5 -1.90 corrects " + second.String()}; !slices.Equal(got, want) {
			t.Errorf("lines %q, want %q", got, want)
		}
		h.refused(h.CancelWithdrawal(member(5), first), settlement.ErrNotAsked)
		h.want(first, "settling 50.00 fee 1.50 settled")
		fees, err := wallet.Balance(h.DB.Read(bg), wallet.StageFee, wallet.Brand(), money.CNY)
		if h.must(err); fees != 340 {
			t.Errorf("the brand's fees are %s", fees)
		}
		p := h.paid(st)
		h.want(first, "paid 50.00 fee 1.50, net 136.60 arrived")
		if h.balance(wallet.StagePaid, 5) != 13_660 || h.balance(wallet.StagePayable, 5) != 0 || h.balance(wallet.StagePayable, 6) != 4000 {
			t.Errorf("ledger: paid %s, payable %s and %s", h.balance(wallet.StagePaid, 5), h.balance(wallet.StagePayable, 5), h.balance(wallet.StagePayable, 6))
		}
		h.proven()

		// The payment comes back: the next settlement carries it, free of charge.
		h.must(h.PayoutResults(as(cashier), p.ID, settlement.ResultsIn{Failed: []settlement.FailedLine{{Line: 1, Reason: "户名不符"}}}))
		h.want(first, "failed 50.00 fee 1.50 came_back")
		again := h.ask(6)
		st = h.closed()
		if got, want := h.kinds(st.ID), []string{"reward 6 40.00", "fee 6 -1.40 corrects " + again.String(), fmt.Sprintf("failed 5 136.60 corrects %s/1", p.ID)}; !slices.Equal(got, want) {
			t.Errorf("lines %q, want %q", got, want)
		}
		h.paid(st)
		h.want(second, "paid 90.00 fee 1.90, net 136.60 arrived")
		h.proven()
	})
}

// TestWithdrawalOfRejected: a rejected settlement gives the fee back and lets
// its requests stand; one of which refunds leave no more than the fee is
// refused at the closing.
func TestWithdrawalOfRejected(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newAsking(t, db, someTerms)
		got := h.clear(reward{member: 5, amount: 3000}, reward{member: 6, amount: 1000})
		first, second := h.ask(5), h.ask(6)
		st := h.closed()
		h.must(h.Reject(as(reviewer), st.ID, settlement.RejectIn{Reason: "test"}))
		h.work()
		h.want(first, "asked 30.00 fee 1.30")
		h.proven()
		if n := h.balance(wallet.StagePayable, 5); n != 3000 {
			t.Errorf("payable is %s", n)
		}
		h.clawBack(got[0], 5, 500, "r1")
		h.clawBack(got[1], 6, 890, "r1") // 1.10 is left, and that is the fee
		sid := h.open()
		h.must(h.Close(as(maker), sid))
		h.work()
		if got, want := h.kinds(sid), []string{"reward 5 30.00", "fee 5 -1.30 corrects " + first.String(), fmt.Sprintf("clawback 5 -5.00 corrects %s/1", sid)}; !slices.Equal(got, want) {
			t.Errorf("lines %q, want %q", got, want)
		}
		h.want(second, "refused 10.00 fee 1.10 taken_back")
		h.paid(h.find(sid))
		if n := h.balance(wallet.StagePaid, 5); n != 2370 {
			t.Errorf("paid %s", n)
		}
		h.proven()
	})
}

// TestWithdrawalModes: terms change both ways; a closing by period takes what
// was asked for with its fee, and the rest without.
func TestWithdrawalModes(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newAsking(t, db, someTerms)
		h.refused(h.SetTerms(as(maker), ownPayer, 1, someTerms), fault.Stale)
		h.clear(reward{member: 5, amount: 3000}, reward{member: 5, amount: 9000}, reward{member: 6, amount: 10})
		wid := h.ask(5)
		part, err := h.Create(as(maker), settlement.CreateIn{UnitID: unit, Label: "x", Programs: []id.Program{h.program}})
		h.must(err)
		h.refused(h.Close(as(maker), part), settlement.ErrWholePayer)
		_, err = h.Preview(as(maker), part)
		h.refused(err, settlement.ErrWholePayer)
		h.must(h.Discard(as(maker), part))

		h.terms(settlement.TermsIn{Mode: settlement.ModePeriod})
		_, err = h.Ask(member(5), 5, settlement.AskIn{PayerID: ownPayer})
		h.refused(err, settlement.ErrByPeriod)
		h.jump(time.Hour)
		st := h.closed()
		if got, want := h.kinds(st.ID), []string{"reward 5 30.00", "fee 5 -1.30 corrects " + wid.String(), "reward 5 90.00", "reward 6 0.10"}; !slices.Equal(got, want) {
			t.Errorf("lines %q, want %q", got, want)
		}
		h.proven()

		// Rejected and by period again: the request stands first once more.
		h.must(h.Reject(as(reviewer), st.ID, settlement.RejectIn{Reason: "test"}))
		h.work()
		h.terms(someTerms)
		sid := h.open()
		h.must(h.Close(as(maker), sid))
		h.work()
		if got, want := h.kinds(sid), []string{"reward 5 30.00", "fee 5 -1.30 corrects " + wid.String()}; !slices.Equal(got, want) {
			t.Errorf("lines %q, want %q", got, want)
		}
		h.proven()
	})
}

// rushOf asks 64 times at once and says how often it was granted.
func rushOf(t *testing.T, h asking, m id.Member) (granted int) {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			_, err := h.Ask(member(m), m, settlement.AskIn{PayerID: ownPayer})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				granted++
			case !errors.Is(err, settlement.ErrPerDay) && !errors.Is(err, settlement.ErrNothing) && !database.IsDuplicate(err):
				t.Errorf("ask: %v", err)
			}
		})
	}
	all.Wait()
	return granted
}

// TestAskedAtOnce: of 64 requests at once as many stand as the day allows, each
// with a reward of its own; without locks more do.
func TestAskedAtOnce(t *testing.T) {
	terms := settlement.TermsIn{Mode: settlement.ModeOnRequest, Least: 1000, Most: 1000, PerDay: 5}
	given := make([]reward, 64)
	for i := range given {
		given[i] = reward{member: 5, amount: 1000}
	}
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newAsking(t, db, terms)
		h.clear(given...)
		if got := rushOf(t, h, 5); got != terms.PerDay {
			t.Errorf("%d requests stand, want %d", got, terms.PerDay)
		}
		h.jump(24 * time.Hour)
		h.ask(5)
		if st := h.closed(); st.LineCount != 6 || st.Gross != 6000 {
			t.Errorf("%d lines of %s", st.LineCount, st.Gross)
		}
		h.proven()
	})
	for _, engine := range dbtest.Engines {
		t.Run(engine+"/breaks without its locks", func(t *testing.T) {
			for range 20 {
				db := dbtest.Unlocked(t, engine, "withdrawals.withdrawals_no", "withdrawals.withdrawals_day", "withdrawal_rewards.withdrawal_rewards_live")
				h := newAsking(t, db, terms)
				h.clear(given...)
				if rushOf(t, h, 5) > terms.PerDay {
					if got := strings.Join(h.broken(), "\n"); !strings.Contains(got, "that count in its day") && !strings.Contains(got, "requests are not those it counted") {
						t.Errorf("V23 does not see it: %s", got)
					}
					return
				}
			}
			t.Error("the limit held without locks: the test cannot fail")
		})
	}
}

// TestAskedWhileClosing: members ask while settlements close; every request
// ends on one settlement, with its rewards.
func TestAskedWhileClosing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newAsking(t, db, settlement.TermsIn{Mode: settlement.ModeOnRequest, Least: 1, Most: 1000, FeeFixed: 0, FeeRate: 100, PerDay: 100})
		for range 10 {
			var list []reward
			for m := range 12 {
				list = append(list, reward{member: id.Member(m + 1), amount: 1000})
			}
			h.clear(list...)
		}
		var all sync.WaitGroup
		for m := range 12 {
			all.Go(func() {
				for range 10 {
					who := id.Member(m + 1)
					if _, err := h.Ask(member(who), who, settlement.AskIn{PayerID: ownPayer}); err != nil {
						t.Errorf("ask: %v", err)
					}
				}
			})
		}
		for range 3 {
			sid := h.open()
			h.must(h.Close(as(maker), sid))
			var twice sync.WaitGroup
			for range 2 { // its job, run twice at once
				twice.Go(func() {
					if err := h.RunClose(bg, sid); err != nil {
						t.Errorf("close: %v", err)
					}
				})
			}
			twice.Wait()
			h.work()
		}
		all.Wait()
		h.closed()
		var open, lines int
		h.must(h.DB.Read(bg).Raw("SELECT COUNT(*) FROM withdrawals WHERE status = 'asked'").Scan(&open).Error)
		h.must(h.DB.Read(bg).Raw("SELECT COUNT(*) FROM settlement_lines WHERE kind = 'reward' AND freed = 0").Scan(&lines).Error)
		if open != 0 || lines != 120 {
			t.Errorf("%d requests are open, %d rewards settled", open, lines)
		}
		h.proven()
	})
}

// TestMergedAsks: who was merged counts with whom he became, and finds his
// requests there.
func TestMergedAsks(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newAsking(t, db, settlement.TermsIn{Mode: settlement.ModeOnRequest, Least: 1000, Most: 1000, PerDay: 2})
		for _, m := range []id.Member{5, 6} {
			h.exec("INSERT INTO members (id, unit_id, name, guest, status, merged_into, version, created_at) VALUES (?, ?, '', 0, 'active', 0, 1, 1)", m, unit)
		}
		h.clear(reward{member: 5, amount: 1000}, reward{member: 6, amount: 1000}, reward{member: 6, amount: 1000})
		old := h.ask(5)
		h.ask(6)
		h.exec("UPDATE members SET merged_into = 6 WHERE id = 5")
		h.exec("UPDATE rewards SET beneficiary_id = 6")
		h.tx(func(tx *database.Tx) error { _, err := wallet.MergeTx(tx, 5, 6); return err })
		_, err := h.Ask(member(6), 6, settlement.AskIn{PayerID: ownPayer})
		h.refused(err, settlement.ErrPerDay)
		list, err := h.ListWithdrawals(member(6), settlement.WithdrawalFilter{Member: 6}, database.Page{})
		if h.must(err); len(list.Items) != 2 || list.Items[1].ID != old {
			t.Errorf("got %+v", list.Items)
		}
		h.must(h.CancelWithdrawal(member(6), old))
		h.paid(h.closed())
		if n := h.balance(wallet.StagePaid, 6); n != 1000 {
			t.Errorf("paid %s", n)
		}
		h.proven()
	})
}

// TestTamperedRequests: V23 names what was changed.
func TestTamperedRequests(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newAsking(t, db, someTerms)
		h.clear(reward{member: 5, amount: 3000}, reward{member: 6, amount: 3000})
		settled := h.ask(5)
		h.closed()
		open := h.ask(6)
		h.proven()
		for _, c := range []struct{ does, undo, want string }{
			{"UPDATE withdrawals SET gross = gross + 1", "UPDATE withdrawals SET gross = gross - 1", settled.String() + ": covers"},
			{"UPDATE withdrawals SET fee = fee + 1", "UPDATE withdrawals SET fee = fee - 1", settled.String() + ": asks"},
			{"UPDATE withdrawal_days SET qty = 2", "UPDATE withdrawal_days SET qty = 1", "whose counter says 2"},
			{"UPDATE withdrawal_rewards SET live = 9", "UPDATE withdrawal_rewards SET live = 0", open.String() + ": is open, yet holds 0"},
			{"UPDATE withdrawals SET settlement_id = settlement_id + 1", "UPDATE withdrawals SET settlement_id = settlement_id - 1", settled.String() + ": 0 of its 1 rewards"},
			{"UPDATE settlements SET asked_upto = 2", "UPDATE settlements SET asked_upto = 1", open.String() + " was asked in time"},
			{"UPDATE withdrawal_heads SET last_no = 3", "UPDATE withdrawal_heads SET last_no = 2", "not those it counted"},
		} {
			h.exec(c.does)
			if got := strings.Join(h.broken(), "\n"); !strings.Contains(got, c.want) {
				t.Errorf("after %s: want %q, got:\n%s", c.does, c.want, got)
			}
			h.exec(c.undo)
			h.proven()
		}
	})
}
