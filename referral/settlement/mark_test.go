package settlement_test

import (
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/settlement"
)

// TestOldClearings closes what a release before the table of clearings cleared,
// in the store it left behind and beside this one.
func TestOldClearings(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		closes := func(name string, lines int, net money.Amount) settlement.Settlement {
			t.Helper()
			h.jump(time.Hour)
			st := h.closed()
			if st.LineCount != lines || st.Net != net {
				t.Errorf("%s: %d lines, net %s; want %d, %s", name, st.LineCount, st.Net, lines, net)
			}
			return st
		}
		many := make([]reward, 701) // more than one chunk
		for i := range many {
			many[i] = reward{member: id.Member(i + 1), amount: 10}
		}
		h.old = true
		h.clear(many...)
		closes("an old store", 701, 7_010)

		h.old = false
		h.clear(reward{member: 1, amount: 100}, reward{member: 2, amount: 30})
		h.old = true
		h.clear(reward{member: 1, amount: 5})
		both := closes("old beside new", 3, 135)

		h.must(h.Reject(as(reviewer), both.ID, settlement.RejectIn{Reason: "test"}))
		h.work()
		// As an old release's job would have left it.
		h.exec("UPDATE clearings SET settled = 1")
		h.exec("UPDATE settlements SET reopened = 0 WHERE id = ?", both.ID)
		closes("freed by an old release", 3, 135)
		closes("nothing", 0, 0)
		h.proven()
	})
}

// TestLateCommit settles in the next settlement what was cleared before the
// cut-off of the last one and committed after its sealing.
func TestLateCommit(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.clear(reward{member: 1, amount: 100})
		at := now(db)
		h.jump(time.Hour)
		h.closed()
		late := h.clear(reward{member: 2, amount: 30})
		h.exec("UPDATE reward_events SET at = ? WHERE reward_id = ?", at, late[0])
		h.exec("UPDATE clearings SET cleared_at = ? WHERE settled = 0", at)
		h.jump(time.Minute)
		if st := h.closed(); st.LineCount != 1 || st.Net != 30 {
			t.Errorf("the next: %d lines, net %s", st.LineCount, st.Net)
		}
	})
}

// TestMarksAreProven shows that a clearing marked settled whose reward is on no
// line is seen.
func TestMarksAreProven(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.clear(reward{member: 1, amount: 100}, reward{member: 2, amount: 100})
		h.proven()
		h.exec("UPDATE clearings SET settled = 1")
		if got := h.broken(); len(got) != 2 {
			t.Errorf("got %q, want both rewards", got)
		}
	})
}
