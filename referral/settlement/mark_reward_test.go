package settlement_test

import (
	"strings"
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral/settlement"
)

// TestALookPassesOverWhatIsSettled: what a member earned for years, settled
// before his payer paid on request and since, is not walked when he asks for
// more. What is read is counted by MariaDB; without the marks it is the whole
// walk.
func TestALookPassesOverWhatIsSettled(t *testing.T) {
	db := dbtest.Open(t, "mariadb")
	h := asking{newHouse(t, db)}
	const settled = 1500
	var list []reward
	for i := range settled { // and others, without whom the engine would read the table whole
		list = append(list, reward{member: 5, amount: 100}, reward{member: id.Member(10 + i%50), amount: 100}, reward{member: id.Member(10 + i%50), amount: 100})
	}
	h.clear(list...)
	h.jump(time.Hour)
	h.paid(h.closed())
	h.terms(settlement.TermsIn{Mode: settlement.ModeOnRequest, Least: 1000, Most: 100_000, PerDay: 5})
	reads := func() (n int) {
		h.clear(reward{member: 5, amount: 3000}, reward{member: 5, amount: 2000})
		h.must(h.AskUnderLocks(member(5), 5, ownPayer, false, func(tx *database.Tx, ask func() error) error {
			before := handled(t, tx)
			err := ask()
			n = handled(t, tx) - before
			return err
		}))
		return n
	}
	if n := reads(); n < settled {
		t.Errorf("before anything is marked a look reads %d rows: the test cannot fail", n)
	}
	h.work()
	purged(t, db)
	if n := reads(); n > 200 {
		t.Errorf("a look reads %d rows beside %d settled ones", n, settled)
	}
	h.closed()
	purged(t, db)
	if n := reads(); n > 200 {
		t.Errorf("after another settlement a look reads %d rows", n)
	}
	h.proven()
}

// purged waits until the server has dropped what was deleted: until then it
// takes the old entries of an index for rows, and may read a table this small
// whole.
func purged(t *testing.T, db *database.DB) {
	t.Helper()
	if err := db.Read(bg).Exec("SET GLOBAL innodb_max_purge_lag_wait = 0").Error; err != nil {
		dbtest.Lacks(t, "a server that waits for its purge: "+err.Error())
	}
}

// TestMarksFollowTheLines: what is settled is marked, what a rejection frees is
// not, whatever was under way; and a mark that no line bears out is a breach.
func TestMarksFollowTheLines(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newAsking(t, db, someTerms)
		marked := func(want int) {
			t.Helper()
			var n int
			h.must(db.Read(bg).Raw("SELECT COUNT(*) FROM rewards WHERE settled = 1").Scan(&n).Error)
			if n != want {
				t.Errorf("%d rewards are marked, want %d", n, want)
			}
			h.proven()
		}
		rs := h.clear(reward{member: 5, amount: 3000}, reward{member: 5, amount: 2000}, reward{member: 5, amount: 9000}, reward{member: 6, amount: 4000})
		h.ask(5)
		marked(0)
		st := h.closed()
		marked(2)
		h.must(h.RunMark(bg, ownPayer))
		marked(2)

		h.must(h.Reject(as(reviewer), st.ID, settlement.RejectIn{Reason: "x"}))
		h.refused(h.MarkChunk(bg, st.ID), settlement.ErrMoved)
		h.must(h.RunMark(bg, ownPayer))
		marked(2) // its lines stand until the job frees them
		h.work()
		marked(0)
		h.refused(h.MarkChunk(bg, st.ID), settlement.ErrMoved)
		h.must(h.RunMark(bg, ownPayer))
		marked(0)
		h.must(h.RunFree(bg, st.ID))

		again := h.closed()
		marked(2)
		h.paid(again)
		marked(2)
		if got := h.sees(5); len(got) != 1 || got[0] != "90.00: 1 of 90.00, fee 1.90, net 88.10" {
			t.Errorf("offered %q", got)
		}
		t.Run("a release before freed it", func(t *testing.T) {
			h.ask(5)
			old := h.closed()
			marked(3)
			h.must(h.Reject(as(reviewer), old.ID, settlement.RejectIn{Reason: "x"}))
			h.work()
			h.exec("UPDATE rewards SET settled = 1 WHERE id = ?", rs[2])
			h.exec("UPDATE settlements SET rewards_marked = 1 WHERE id = ?", old.ID)
			marked(3)
			h.must(h.RunMark(bg, ownPayer))
			marked(2)
		})
		h.exec("UPDATE rewards SET settled = 1 WHERE id = ?", rs[3])
		if all := h.broken(); len(all) != 1 || !strings.Contains(all[0], id.Reward(rs[3]).String()) {
			t.Errorf("a mark without a line: %q", all)
		}
	})
}
