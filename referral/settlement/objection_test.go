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
	"siyu/wallet"
)

// TestObjection: a member objects to a line and is not paid until finance has
// answered; the others are. He cannot object twice, late, or to what is not
// his.
func TestObjection(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.clear(reward{member: 1, amount: 1_000}, reward{member: 2, amount: 2_000}, reward{member: 2, amount: 300})
		h.jump(time.Hour)
		st := h.closed()
		month := db.Clock.Now().In(time.FixedZone("CST", 8*3600)).Year()*100 + int(db.Clock.Now().In(time.FixedZone("CST", 8*3600)).Month())
		first, err := h.MonthStatement(bg, 2, month, database.Page{Limit: 1})
		h.must(err)
		if first.Count != 2 || first.Gross != 2_300 || len(first.Lines.Items) != 1 || first.Lines.NextCursor == "" || first.Lines.Items[0].ObjectUntil != st.SealedAt.Add(72*time.Hour) {
			t.Errorf("got %+v", first)
		}
		line := first.Lines.Items[0].LineNo

		_, err = h.Object(bg, 1, settlement.ObjectIn{SettlementID: st.ID, LineNo: line, Reason: "不是我的"})
		h.refused(err, fault.NotFound)
		oid, err := h.Object(bg, 2, settlement.ObjectIn{SettlementID: st.ID, LineNo: line, Reason: "少算了一单"})
		h.must(err)
		_, err = h.Object(bg, 2, settlement.ObjectIn{SettlementID: st.ID, LineNo: line, Reason: "再说一次"})
		h.refused(err, settlement.ErrObjected)

		pay := func() (out settlement.Payout, holds []settlement.Hold) {
			pid, err := h.CreatePayout(as(cashier), settlement.PayoutIn{SettlementID: st.ID, CarryHeld: true})
			h.must(err)
			h.must(h.Pay(as(cashier), pid))
			h.work()
			out, err = h.FindPayout(bg, pid)
			h.must(err)
			list, err := h.ListHolds(bg, pid, database.Page{})
			h.must(err)
			return out, list.Items
		}
		h.must(h.Review(as(reviewer), st.ID, settlement.ReviewIn{Digest: st.Digest}))
		p, holds := pay()
		if diff := cmp.Diff([]settlement.Hold{{MemberID: 2, Owed: 2_300, Reason: "objected"}}, holds); diff != "" || p.Net != 1_000 {
			t.Errorf("paid %s while it was open: %s", p.Net, diff)
		}
		open, err := h.ListObjections(as(maker), settlement.ObjectionOpen, database.Page{})
		if err != nil || len(open.Items) != 1 || open.Items[0].ID != oid || open.Items[0].Reason != "少算了一单" {
			t.Errorf("got %+v, %v", open, err)
		}
		elsewhere := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 9, Role: "finance", Units: []id.Unit{other}})
		h.refused(h.Answer(elsewhere, oid, settlement.AnswerIn{Answer: "x"}), fault.NotFound)
		h.must(h.Answer(as(maker), oid, settlement.AnswerIn{Answer: "下期补发"}))
		h.refused(h.Answer(as(maker), oid, settlement.AnswerIn{Answer: "又"}), settlement.ErrAnswered)
		if p, holds = pay(); p.Net != 2_300 || len(holds) != 0 {
			t.Errorf("paid %s once it was answered, held %v", p.Net, holds)
		}
		if n := h.balance(wallet.StagePaid, 2); n != 2_300 {
			t.Errorf("paid %s", n)
		}
		after, err := h.MonthStatement(bg, 2, month, database.Page{})
		h.must(err)
		if l := after.Lines.Items[0]; l.Objection != settlement.ObjectionAnswered || l.Answer != "下期补发" || l.Payment != settlement.PayoutLinePaid {
			t.Errorf("got %+v", l)
		}
		h.jump(72 * time.Hour)
		_, err = h.Object(bg, 2, settlement.ObjectIn{SettlementID: st.ID, LineNo: after.Lines.Items[1].LineNo, Reason: "太晚"})
		h.refused(err, settlement.ErrObjectLate)
		h.proven()
	})
}

// TestAMonthHasItsFirstMoment: what is sealed as a month begins is on the
// statement of that month and on no other.
func TestAMonthHasItsFirstMoment(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.clear(reward{member: 2, amount: 2_000})
		shop := time.FixedZone("CST", 8*3600)
		today := db.Clock.Now().In(shop)
		next := time.Date(today.Year(), today.Month()+1, 1, 0, 0, 0, 0, shop)
		h.jump(next.Sub(db.Clock.Now()))
		st := h.closed()
		if !st.SealedAt.Time().Equal(next) {
			t.Fatalf("sealed at %s, want %s", st.SealedAt, next)
		}
		for _, c := range []struct {
			day  time.Time
			want int
		}{{today, 0}, {next, 1}} {
			m, err := h.MonthStatement(bg, 2, c.day.Year()*100+int(c.day.Month()), database.Page{})
			if h.must(err); m.Count != c.want {
				t.Errorf("%s holds %d lines, want %d", c.day.Format("2006-01"), m.Count, c.want)
			}
		}
	})
}
