package settlement_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral/settlement"
)

// TestPreview has every kind of line come, each settled by closed, which holds
// what closes against what was previewed.
func TestPreview(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		ids := h.clear(reward{member: 1, amount: 1000}, reward{member: 2, amount: 500}, reward{member: 3, amount: 70})
		h.clawBack(ids[1], 2, 200, "refund:1") // of a reward that is on no line yet
		h.jump(time.Hour)
		late := h.clear(reward{member: 3, amount: 5})
		h.clawBack(late[0], 3, 5, "refund:2") // after the cut-off, as its reward

		first := h.closed()
		pay := h.paid(first)
		h.must(h.PayoutResults(as(cashier), pay.ID, settlement.ResultsIn{Failed: []settlement.FailedLine{{Line: 1, Reason: "账户有误"}}}))
		h.clawBack(ids[1], 2, 300, "refund:3")
		h.jump(time.Hour)

		sid := h.open()
		got, err := h.Preview(as(maker), sid)
		h.must(err)
		want := settlement.Preview{
			SettlementID: sid, CutAt: now(db).Add(-5 * time.Minute), LineCount: 5, MemberCount: 1, Gross: 1000,
			Kinds: []settlement.PreviewKind{
				{Kind: settlement.KindReward, LineCount: 1, Gross: 5},
				{Kind: settlement.KindClawback, LineCount: 2, Gross: -305},
				{Kind: settlement.KindFailed, LineCount: 1, Gross: 1000},
				{Kind: settlement.KindDeferred, LineCount: 1, Gross: 300},
			},
		}
		if !cmp.Equal(got, want) {
			t.Errorf("previewed: %s", cmp.Diff(want, got))
		}
		if st := h.find(sid); st.Status != settlement.StatusOpen || st.LineCount != 0 || len(st.Programs) != 0 {
			t.Errorf("a preview has written: %+v", st)
		}
		h.closed() // the same, now with lines

		h.clear(reward{member: 2, amount: 900})
		h.jump(time.Hour)
		if st := h.closed(); !cmp.Equal(h.kinds(st.ID)[0], "reward 2 9.00") || st.Net != 600 {
			t.Errorf("with the debt brought forward: net %s, %v", st.Net, h.kinds(st.ID))
		}
		_, err = h.Preview(as(maker), first.ID)
		h.refused(err, settlement.ErrState)
		h.proven()
	})
}

func TestDiscard(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.clear(reward{member: 1, amount: 1000})
		h.jump(time.Hour)
		sid := h.open()
		stranger := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 9, Units: []id.Unit{other}})
		_, err := h.Preview(stranger, sid)
		h.refused(err, fault.NotFound)
		h.refused(h.Discard(stranger, sid), fault.NotFound)
		h.refused(h.Discard(bg, sid), settlement.ErrNotStaff)

		h.must(h.Discard(as(maker), sid))
		h.refused(h.Discard(as(maker), sid), settlement.ErrState)
		h.refused(h.Close(as(maker), sid), settlement.ErrState)
		_, err = h.VerifyOne(as(maker), sid)
		h.refused(err, settlement.ErrState)
		if st := h.find(sid); st.Status != settlement.StatusDiscarded || st.Seq != 0 {
			t.Errorf("discarded: %+v", st)
		}
		st := h.closed()
		if st.Seq != 1 || st.Net != 1000 {
			t.Errorf("the next: seq %d, net %s", st.Seq, st.Net)
		}
		h.refused(h.Discard(as(maker), st.ID), settlement.ErrState)
		h.proven()
	})
}
