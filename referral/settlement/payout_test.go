package settlement_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/webhook"
	"siyu/referral/payee"
	"siyu/referral/settlement"
	"siyu/referral/tax"
)

func TestSeveralPayouts(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		no := false
		h := newTaxed(t, db, payee.PayerIn{Strategy: tax.ExternalAgent, PayeeNeeded: &no, DailyLimit: 100_00})
		h.clear(reward{member: 1, amount: 60_00}, reward{member: 2, amount: 50_00}, reward{member: 3, amount: 30_00}, reward{member: 4, amount: 100_00})
		sid := h.reviewed()
		first := h.pays(settlement.PayoutIn{SettlementID: sid, Limit: 65_00})
		if got, want := h.holds(first.ID), []string{"2 50.00 over_limit", "3 30.00 over_limit", "4 100.00 over_limit"}; !cmp.Equal(got, want) || first.Net != 60_00 {
			t.Fatalf("the first pays %s, left out: %s", first.Net, cmp.Diff(want, got))
		}
		if second := h.pays(settlement.PayoutIn{SettlementID: sid}); second.Net != 30_00 || second.Owed != 180_00 {
			t.Errorf("under the day's limit: %+v", second)
		}
		if third := h.pays(settlement.PayoutIn{SettlementID: sid, CarryHeld: true}); third.LineCount != 0 || third.Status != settlement.PayoutUnpaid { // what only waits is not carried
			t.Errorf("the day is full: %+v", third)
		}
		h.jump(24 * time.Hour)
		if p := h.pays(settlement.PayoutIn{SettlementID: sid}); p.Net != 50_00 {
			t.Errorf("the next day: %+v", p)
		}
		h.jump(24 * time.Hour)
		if p := h.pays(settlement.PayoutIn{SettlementID: sid}); p.Net != 100_00 || h.find(sid).Status != settlement.StatusPaid {
			t.Errorf("the last: %+v", p)
		}
		_, err := h.CreatePayout(as(cashier), settlement.PayoutIn{SettlementID: sid})
		h.refused(err, settlement.ErrState)
		list, err := h.ListPayouts(as(cashier), settlement.PayoutFilter{Settlement: sid}, database.Page{})
		if h.must(err); len(list.Items) != 5 {
			t.Errorf("%d payouts", len(list.Items))
		}
		h.proven()
	})
}

// TestNobodyCouldBePaid: a payout that left everybody out ends as that, says
// how many and why, and tells nobody that it paid; the next one pays. One with
// nothing left to pay is not made, and a settlement that owes nothing is paid
// by a payout of nothing.
func TestNobodyCouldBePaid(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newTaxed(t, db, payee.PayerIn{})
		_, err := (&webhook.Service{DB: db, Secrets: keys()}).Create(bg, webhook.In{URL: "https://mall.example/hook", Events: webhook.Events{"payout.*"}})
		h.must(err)
		h.clear(reward{member: 1, amount: 100_00}, reward{member: 2, amount: 60_00}, reward{member: 3, amount: 30_00})
		h.member(1, idNumbers[0])
		sid := h.reviewed()
		lines := h.lines(sid)
		_, err = h.Object(bg, lines[0].MemberID, settlement.ObjectIn{SettlementID: sid, LineNo: 1, Reason: "少算"})
		h.must(err)
		p := h.pays(settlement.PayoutIn{SettlementID: sid})
		if p.Status != settlement.PayoutUnpaid || p.LineCount != 0 || p.PaidAt != 0 || h.find(sid).Status != settlement.StatusReviewed {
			t.Errorf("got %+v of a settlement that is %s", p, h.find(sid).Status)
		}
		held, err := h.SumHolds(as(maker), p.ID)
		h.must(err)
		if diff := cmp.Diff([]settlement.HeldSum{{Reason: "no_payee", Members: 2, Owed: 90_00}, {Reason: "objected", Members: 1, Owed: 100_00}}, held); diff != "" {
			t.Error(diff)
		}
		var told []string
		h.must(db.Read(bg).Raw("SELECT type FROM events WHERE type LIKE 'payout.%' ORDER BY id").Scan(&told).Error)
		if want := []string{"payout.unpaid"}; !cmp.Equal(told, want) {
			t.Errorf("told %v, want %v", told, want)
		}
		h.refused(h.PayoutResults(as(cashier), p.ID, settlement.ResultsIn{Failed: []settlement.FailedLine{{Line: 1, Reason: "x"}}}), settlement.ErrPaying)
		h.proven()

		list, err := h.ListObjections(as(maker), settlement.ObjectionOpen, database.Page{})
		h.must(err)
		h.must(h.Answer(as(maker), list.Items[0].ID, settlement.AnswerIn{Answer: "没有少算"}))
		if p = h.pays(settlement.PayoutIn{SettlementID: sid, Channel: "bank_generic", CarryHeld: true}); p.Status != settlement.PayoutSent || p.Net != 100_00 {
			t.Fatalf("once it was answered: %+v", p)
		}
		_, err = h.CreatePayout(as(cashier), settlement.PayoutIn{SettlementID: sid})
		h.refused(err, settlement.ErrGivenOut)
		h.proven()
	})
	t.Run("of nothing", func(t *testing.T) {
		dbtest.Run(t, func(t *testing.T, db *database.DB) {
			h := newHouse(t, db)
			r := h.clear(reward{member: 1, amount: 5_00})
			h.clawBack(r[0], 1, 5_00, "refund:1")
			h.jump(time.Hour)
			st := h.closed()
			if p := h.paid(st); p.Status != settlement.PayoutPaid || h.find(st.ID).Status != settlement.StatusPaid {
				t.Errorf("a settlement of %s: payout %+v, it is %s", st.Gross, p, h.find(st.ID).Status)
			}
			h.proven()
		})
	})
}

// TestUnpaidIsNoPayment: a payout that paid nobody keeps its settlement from
// being paid as little as from being rejected; one that waits to be paid, or
// gave something out, does keep it from that.
func TestUnpaidIsNoPayment(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newTaxed(t, db, payee.PayerIn{})
		h.clear(reward{member: 1, amount: 100_00}, reward{member: 2, amount: 60_00})
		sid, why := h.reviewed(), settlement.RejectIn{Reason: "少了一个人的"}
		for range 2 {
			if p := h.pays(settlement.PayoutIn{SettlementID: sid}); p.Status != settlement.PayoutUnpaid {
				t.Fatalf("got %+v", p)
			}
		}
		waits, err := h.CreatePayout(as(cashier), settlement.PayoutIn{SettlementID: sid})
		h.must(err)
		err = h.Reject(as(reviewer), sid, why)
		if h.refused(err, settlement.ErrPayout); !strings.Contains(err.Error(), waits.String()) {
			t.Errorf("the refusal %q does not name %s, which waits", err, waits)
		}
		h.must(h.Pay(as(cashier), waits))
		h.work()
		h.must(h.Reject(as(reviewer), sid, why))
		h.work()
		h.refused(h.Pay(as(cashier), waits), settlement.ErrPaying)
		_, err = h.CreatePayout(as(cashier), settlement.PayoutIn{SettlementID: sid})
		h.refused(err, settlement.ErrState)
		h.proven()

		h.member(1, idNumbers[0])
		again := h.reviewed()
		if st := h.find(again); st.Gross != 160_00 {
			t.Errorf("the next settlement holds %s of 160.00", st.Gross)
		}
		if p := h.pays(settlement.PayoutIn{SettlementID: again}); p.Net != 100_00 {
			t.Errorf("paid %s of 100.00", p.Net)
		}
		h.pays(settlement.PayoutIn{SettlementID: again}) // unpaid: nobody else can be paid
		h.refused(h.Reject(as(reviewer), again, why), settlement.ErrPayout)
		h.proven()
	})
}

// spree pays eight settlements of one payer at once; what the payer gave out
// that day.
func spree(t testing.TB, db *database.DB) (*taxed, money.Amount) {
	no := false
	h := newTaxed(t, db, payee.PayerIn{Strategy: tax.ExternalAgent, PayeeNeeded: &no, DailyLimit: 300_00})
	var payouts []id.Payout
	for i := range 8 {
		var list []reward
		for m := range 10 {
			list = append(list, reward{member: id.Member(i*10 + m + 1), amount: 10_00})
		}
		h.clear(list...)
		pid, err := h.CreatePayout(as(cashier), settlement.PayoutIn{SettlementID: h.reviewed()})
		h.must(err)
		payouts = append(payouts, pid)
	}
	h.exec("UPDATE payouts SET status = 'paying', paid_by = ?", cashier)
	var all sync.WaitGroup
	for _, pid := range payouts {
		all.Go(func() { h.RunPay(bg, pid) }) // without locks it may fail, which is of no interest
	}
	all.Wait()
	var given money.Amount
	h.must(db.Read(bg).Raw("SELECT COALESCE(SUM(owed), 0) FROM payout_lines").Scan(&given).Error)
	return h, given
}

func TestADayHoldsItsLimit(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h, given := spree(t, db)
		if given != 300_00 {
			t.Errorf("gave out %s, the limit is 300.00", given)
		}
		h.proven()
	})
	t.Run("breaks without locks", func(t *testing.T) {
		for range 20 {
			h, given := spree(t, dbtest.Unlocked(t, "mariadb"))
			if given != 300_00 || len(h.broken()) > 0 {
				return
			}
		}
		t.Error("the limit held without any lock")
	})
}

// TestWhatComesBackGivesTheDayItsRoom: a payment that failed does not count
// against the payer's limit of its day.
func TestWhatComesBackGivesTheDayItsRoom(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		no := false
		h := newTaxed(t, db, payee.PayerIn{Strategy: tax.ExternalAgent, PayeeNeeded: &no, DailyLimit: 100_00})
		h.clear(reward{member: 1, amount: 60_00}, reward{member: 2, amount: 50_00})
		sid := h.reviewed()
		first := h.pays(settlement.PayoutIn{SettlementID: sid})
		if first.Net != 60_00 {
			t.Fatalf("the first: %+v", first)
		}
		report := settlement.ResultsIn{Failed: []settlement.FailedLine{{Line: 1, Reason: "账户有误"}}}
		h.must(h.PayoutResults(as(cashier), first.ID, report))
		h.must(h.PayoutResults(as(cashier), first.ID, report)) // once more says nothing new
		h.proven()
		if second := h.pays(settlement.PayoutIn{SettlementID: sid}); second.Net != 50_00 {
			t.Errorf("on the same day: %+v", second)
		}
		h.proven()
		h.exec("UPDATE payer_days SET owed = owed + 1")
		if broken := strings.Join(h.broken(), "\n"); !strings.Contains(broken, "is not what its payouts say") {
			t.Errorf("not named: %q", broken)
		}
	})
}
