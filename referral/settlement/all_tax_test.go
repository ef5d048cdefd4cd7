package settlement_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
	"siyu/referral/payee"
	"siyu/referral/settlement"
	"siyu/wallet"
)

// afterAReturn is a house where 3,000 paid to the first member in March came
// back once March was closed, so that April holds 440.00 of tax against him:
// what he is paid next goes to tax, up to that. Each of the others is owed as
// told by a settlement that was sealed before, whose id is the answer.
func afterAReturn(t testing.TB, db *database.DB, account func(h *billed, m id.Member), owed ...money.Amount) (*billed, id.Settlement) {
	t.Helper()
	h := newBilled(t, db)
	var list []reward
	for i, n := range owed {
		account(h, id.Member(i+1))
		list = append(list, reward{member: id.Member(i + 1), amount: n})
	}
	h.clear(reward{member: 1, amount: 3000_00})
	first := h.pays(settlement.PayoutIn{SettlementID: h.reviewed()})
	h.clear(list...)
	sid := h.reviewed()
	h.comesBackLate(first)
	return h, sid
}

// comesBackLate has the first payment of a payout come back once its month of
// tax was closed.
func (h *taxed) comesBackLate(p settlement.Payout) {
	h.t.Helper()
	h.jump(31 * 24 * time.Hour)
	h.must(h.people.CloseMonth(as(maker), h.payer, payee.MonthOf(p.PayingAt)))
	h.must(h.PayoutResults(as(cashier), p.ID, settlement.ResultsIn{Failed: []settlement.FailedLine{{Line: 1, Reason: "销户"}}}))
}

func byWechat(h *billed, m id.Member) { h.wechat(m) }

func byBank(h *billed, m id.Member) {
	h.member(m, idNumbers[0])
	h.exec("UPDATE payee_versions SET taxpayer_id = ? WHERE payee_id IN (SELECT id FROM payees WHERE member_id = ?)", m, m) // another person each
}

// paidLines are a payout's lines in short.
func (h *taxed) paidLines(pid id.Payout) (out []string) {
	h.t.Helper()
	for _, l := range h.payoutLines(pid) {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%d owed %s tax %s net %s %s %s", l.MemberID, l.Owed, l.Tax, l.Net, l.Status, l.Reason)))
	}
	return out
}

// seen is a member's reward of an amount as he sees it.
func (h *taxed) seen(m id.Member, amount money.Amount) settlement.Seen {
	h.t.Helper()
	list, err := (&referral.Service{DB: h.DB}).ListRewards(bg, referral.RewardFilter{Member: m}, database.Page{})
	h.must(err)
	all, err := h.SeeAll(bg, list.Items)
	h.must(err)
	for _, s := range all {
		if s.Amount == amount {
			return s
		}
	}
	h.t.Fatalf("no reward of %s", amount)
	return settlement.Seen{}
}

// TestAllOfItIsTax: a payment that tax takes whole is settled at once by
// whatever way: taxed, booked and in the month of tax, with nothing to send and
// so in no file and under no bill; nothing of it can come back.
func TestAllOfItIsTax(t *testing.T) {
	for _, c := range []struct {
		by      settlement.Channel
		account func(h *billed, m id.Member)
		other   string // what the payment beside it is
	}{{settlement.ChannelManual, byBank, "paid"}, {"bank_generic", byBank, "sent"}, {settlement.ChannelBills, byWechat, "sent"}} {
		t.Run(string(c.by), func(t *testing.T) {
			dbtest.Run(t, func(t *testing.T, db *database.DB) {
				h, sid := afterAReturn(t, db, c.account, 50_00, 20_00)
				p := h.pays(settlement.PayoutIn{SettlementID: sid, Channel: c.by})
				want := []string{"1 owed 50.00 tax 50.00 net 0.00 paid all_tax", "2 owed 20.00 tax 0.00 net 20.00 " + c.other}
				if got := h.paidLines(p.ID); !cmp.Equal(got, want) {
					t.Fatalf("lines (-want +got):\n%s", cmp.Diff(want, got))
				}
				if l := h.payoutLines(p.ID)[0]; l.PaidAt != now(db) {
					t.Errorf("paid at %d, not now", l.PaidAt)
				}
				if owed, flying, paid, held := h.balance(wallet.StagePayable, 1), h.balance(wallet.StagePaying, 1), h.balance(wallet.StagePaid, 1), h.balance(wallet.StageTax, 1); owed != 3000_00 || flying != 0 || paid != 0 || held != 50_00 {
					t.Errorf("ledger: payable %s, paying %s, paid %s, tax %s", owed, flying, paid, held)
				}
				var gross, withheld money.Amount
				h.must(db.Read(bg).Raw("SELECT gross, tax FROM tax_months WHERE month_no = 202604 AND taxpayer_id = 1").Row().Scan(&gross, &withheld))
				if gross != -2950_00 || withheld != -390_00 {
					t.Errorf("April holds %s and %s of tax", gross, withheld)
				}
				h.proven()
				if s := h.seen(1, 50_00); s.State != settlement.SeenPaid || s.Why != settlement.WhyAllTax || s.At != now(db) || s.Payment == nil || s.Payment.Tax != 50_00 || s.Payment.Net != 0 {
					t.Errorf("he sees %+v", s)
				}
				h.refused(h.PayoutResults(as(cashier), p.ID, settlement.ResultsIn{Failed: []settlement.FailedLine{{Line: 1, Reason: "x"}}}), settlement.ErrNothingSent)

				// What came back is paid by the next one, less what is left of the tax.
				next := h.pays(settlement.PayoutIn{SettlementID: h.reviewed()})
				if got, want := h.paidLines(next.ID), []string{"1 owed 3000.00 tax 390.00 net 2610.00 paid"}; !cmp.Equal(got, want) {
					t.Errorf("carried (-want +got):\n%s", cmp.Diff(want, got))
				}
				h.proven()
			})
		})
	}
}

// TestNoFileNamesWhatIsAllTax: neither the bank's file nor a bill is of
// nothing; what an answer says of it is of no payment; and a payout in which
// nothing is to be sent has ended.
func TestNoFileNamesWhatIsAllTax(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h, sid := afterAReturn(t, db, byBank, 50_00, 20_00)
		p := h.pays(settlement.PayoutIn{SettlementID: sid, Channel: "bank_generic"})
		if f := h.file(p.ID); f.Rows != 1 || f.Net != 20_00 || strings.Contains(string(f.Body), h.payoutLines(p.ID)[0].BillNo()) {
			t.Errorf("the file has %d rows of %s:\n%s", f.Rows, f.Net, f.Body)
		}
		m := h.answer(p.ID, "1,0.00,失败,金额有误", "2,20.00,成功,")
		if want := map[settlement.Outcome]int{"no_such_line": 1, "paid": 1}; !cmp.Equal(m.Outcomes, want) || m.Missing != 0 {
			t.Errorf("reconciled: %s, missing %d", cmp.Diff(want, m.Outcomes), m.Missing)
		}
		if st := h.find(sid); st.Status != settlement.StatusPaid {
			t.Errorf("the settlement is %s", st.Status)
		}
		arrived, err := settlement.ArrivedBetween(db.Read(bg), []id.Payer{h.payer}, settlement.Arrived{}, now(db)+1, 10)
		if h.must(err); len(arrived) != 1 || arrived[0].Amount != 20_00 {
			t.Errorf("arrived: %+v", arrived)
		}
		h.proven()
	})
	t.Run("by bills", func(t *testing.T) {
		dbtest.Run(t, func(t *testing.T, db *database.DB) {
			h, sid := afterAReturn(t, db, byWechat, 50_00)
			p := h.pays(settlement.PayoutIn{SettlementID: sid, Channel: settlement.ChannelBills})
			if p.Status != settlement.PayoutPaid || p.Tax != 50_00 || p.Net != 0 || h.find(sid).Status != settlement.StatusPaid {
				t.Errorf("a payout of nothing to send: %+v", p)
			}
			h.stands(p.ID)
		})
	})
}

// TestARequestThatIsAllTax: its member reads that it is paid and that all of it
// was withheld.
func TestARequestThatIsAllTax(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newBilled(t, db)
		byBank(h, 1)
		now, err := h.FindTerms(as(maker), h.payer, 0)
		h.must(err)
		h.must(h.SetTerms(as(maker), h.payer, now.No, settlement.TermsIn{Mode: settlement.ModeOnRequest, Least: 10_00, Most: 5000_00, PerDay: 3}))
		ask := func(n money.Amount) (id.Withdrawal, id.Settlement) {
			h.clear(reward{member: 1, amount: n})
			wid, err := h.Ask(member(1), 1, settlement.AskIn{PayerID: h.payer})
			h.must(err)
			return wid, h.reviewed()
		}
		_, sid := ask(3000_00)
		first := h.pays(settlement.PayoutIn{SettlementID: sid})
		wid, sid := ask(50_00)
		h.comesBackLate(first)
		h.pays(settlement.PayoutIn{SettlementID: sid})
		w, err := h.FindWithdrawal(bg, wid)
		if h.must(err); w.State != settlement.PaidState || w.Why != settlement.WhyAllTax || w.Payment == nil || w.Payment.Tax != 50_00 || w.Payment.Net != 0 {
			t.Errorf("he sees %+v, %+v", w, w.Payment)
		}
		h.proven()
	})
}

// TestVerifySeesWhatIsAllTax: such a payment is never on its way.
func TestVerifySeesWhatIsAllTax(t *testing.T) {
	for by, account := range map[settlement.Channel]func(h *billed, m id.Member){"bank_generic": byBank, settlement.ChannelBills: byWechat} {
		t.Run(string(by), func(t *testing.T) {
			h, sid := afterAReturn(t, dbtest.Open(t, "sqlite"), account, 50_00, 20_00)
			h.pays(settlement.PayoutIn{SettlementID: sid, Channel: by})
			h.proven()
			if by == settlement.ChannelBills {
				h.exec(`INSERT INTO payout_bills SELECT b.id + 1000000, 'P0', f.payout_id, f.id, f.line_no, 1, f.member_id, 0, 0, 0, 'paid', 1, 0, '', '', '', 1, 1, 1, 0, 1, 0, 0
					FROM payout_lines f, payout_bills b WHERE f.net = 0`)
				if broken := strings.Join(h.broken(), "\n"); !strings.Contains(broken, "/1: is all tax, and has 1 bills") {
					t.Errorf("not named: %q", broken)
				}
			}
			h.exec("UPDATE payout_lines SET status = 'sent' WHERE net = 0 AND status = 'paid'")
			if broken := strings.Join(h.broken(), "\n"); !strings.Contains(broken, "/1: is sent, and nothing of it is to be sent") {
				t.Errorf("not named: %q", broken)
			}
		})
	}
}
