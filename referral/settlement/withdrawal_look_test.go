package settlement_test

import (
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/referral/settlement"
)

// TestARequestLocksNoLongWalk: whoever has earned for years walks all of it
// before his request takes the payer's lock, not under it, where every other
// member's request would wait. What is read under the locks is counted by
// MariaDB; without the look ahead it is the whole walk.
func TestARequestLocksNoLongWalk(t *testing.T) {
	db := dbtest.Open(t, "mariadb")
	h := newAsking(t, db, settlement.TermsIn{Mode: settlement.ModeOnRequest, Least: 1000, Most: 100_000, PerDay: 5})
	const settled = 4000
	var list []reward
	for range settled {
		list = append(list, reward{member: 5, amount: 100})
	}
	for n, r := range h.clear(list...) { // on lines of settlements long ago
		h.exec(`INSERT INTO settlement_lines (id, settlement_id, line_no, kind, source_id, freed, reward_id, program_id, program_version, campaign_id, order_id, member_id, rule_name, note, corrects, tax_rule, gross, tax, net, occurred_at, digest)
			VALUES (?, 1, ?, 'reward', ?, 0, ?, ?, 1, 0, 0, 5, '', '', '', '', 100, 0, 100, 1, '')`, h.DB.IDs.Next(), n+1, r, r, h.program)
	}
	h.clear(reward{member: 5, amount: 3000}, reward{member: 5, amount: 2000})
	reads := func(ahead bool) (n int) {
		h.must(h.AskUnderLocks(member(5), 5, ownPayer, ahead, func(tx *database.Tx, ask func() error) error {
			before := handled(t, tx)
			err := ask()
			n = handled(t, tx) - before
			return err
		}))
		return n
	}
	n := reads(true)
	t.Logf("a request of 2 rewards beside %d settled ones reads %d rows under its locks", settled, n)
	if n > 500 {
		t.Errorf("a request of 2 rewards reads %d rows under its locks, beside %d settled ones", n, settled)
	}
	h.clear(reward{member: 5, amount: 3000})
	n = reads(false)
	t.Logf("without the look ahead %d", n)
	if n < settled {
		t.Errorf("looking under the locks reads %d rows: the test cannot fail", n)
	}
}

// handled is how many rows the connection has read so far.
func handled(t *testing.T, tx *database.Tx) (n int) {
	t.Helper()
	var rows []struct {
		VariableName string
		Value        int `gorm:"column:Value"`
	}
	if err := tx.Raw("SHOW SESSION STATUS LIKE 'Handler_read%'").Scan(&rows).Error; err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		n += r.Value
	}
	return n
}

// TestSeenAndGone: what was taken, or lost, between the look and the locks is
// in no request; the request is of what there is then.
func TestSeenAndGone(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newAsking(t, db, settlement.TermsIn{Mode: settlement.ModeOnRequest, Least: 100, Most: 100_000, PerDay: 9})
		r := h.clear(reward{member: 5, amount: 1000}, reward{member: 5, amount: 2000})
		h.must(h.AskAfter(member(5), 5, ownPayer, func() { h.clawBack(r[0], 5, 400, "refund:1") }))
		if st := h.closed(); st.Gross != 2600 {
			t.Errorf("settled %s of 30.00, of which 4.00 were taken back", st.Gross)
		}
		h.clear(reward{member: 5, amount: 1000})
		h.refused(h.AskAfter(member(5), 5, ownPayer, func() { h.ask(5) }), settlement.ErrNothing)
		h.proven()
	})
}

// TestWhatIsWorthNothingHidesNothing: rewards that were taken back whole before
// anybody asked for them stay in no settlement; however many they are, what is
// due behind them can be asked for.
func TestWhatIsWorthNothingHidesNothing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newAsking(t, db, someTerms)
		list := make([]reward, 2001)
		for i := range list {
			list[i] = reward{member: 5, amount: 100}
		}
		h.clear(list...)
		h.exec("INSERT INTO reward_events (id, reward_id, kind, ref, amount, at, transfer_id, staff_id, reason) SELECT id, id, 'clawed_back', 'refund:1', -amount, 1, 0, 0, '' FROM rewards")
		h.jump(time.Minute)
		h.clear(reward{member: 5, amount: 3000})
		if w, err := h.FindWithdrawal(bg, h.ask(5)); err != nil || w.RewardCount != 1 || w.Gross != 3000 {
			t.Errorf("got %+v, %v", w, err)
		}
	})
}
