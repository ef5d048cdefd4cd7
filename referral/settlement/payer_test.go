package settlement_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/secret"
	"siyu/referral/payee"
	"siyu/referral/settlement"
	"siyu/referral/tax"
	"siyu/wallet"
)

// taxed is a house whose one program is paid by a payer that withholds.
type taxed struct {
	*house
	people *payee.Service
	payer  id.Payer
}

func newTaxed(t testing.TB, db *database.DB, in payee.PayerIn) *taxed {
	t.Helper()
	h := &taxed{house: newHouse(t, db), people: &payee.Service{DB: db, Secrets: keys()}}
	in.UnitID, in.Name = unit, "晨光文化"
	if in.Strategy == "" {
		in.Strategy = tax.Labor2018
	}
	var err error
	h.payer, err = h.people.CreatePayer(as(maker), in)
	h.must(err)
	h.exec("UPDATE programs SET payer_id = ? WHERE id = ?", h.payer, h.program)
	return h
}

// keys are the same in every process of the tests.
var keys = sync.OnceValue(func() *secret.Set {
	var list []secret.Key
	for _, u := range secret.Uses() {
		list = append(list, secret.Key{ID: "k1", Use: u, Secret: []byte("settlement settlement settlement")})
	}
	set, err := secret.New(list)
	if err != nil {
		panic(err)
	}
	return set
})

// Numbers with right check digits that belong to nobody.
var idNumbers = []string{"11010519491231002X", "440524188001010014"}

// member is one who can be paid.
func (h *taxed) member(m id.Member, number string) {
	h.t.Helper()
	h.exec("INSERT INTO members (id, unit_id, name, guest, status, merged_into, version, created_at) VALUES (?, ?, '', 0, 'active', 0, 1, 1)", m, unit)
	_, err := h.people.Enter(database.WithActor(bg, database.Actor{Kind: database.ActorMember, Member: m}), m, payee.Entry{ConsentVersion: "1", Details: payee.Details{
		Type: payee.TypeNatural, Name: "王小明", IDNo: number, Kind: payee.AccountBank, CardNo: "6222020000000000000", BankName: "招商银行"}})
	h.must(err)
}

// payees makes the first n members persons who can be paid to a bank account:
// one as he does it himself, the others as that leaves them.
func (h *taxed) payees(n int) {
	h.t.Helper()
	h.member(1, idNumbers[0])
	h.exec("INSERT INTO payees (id, member_id, active_no, pending_no, last_no, paid_at, created_at) SELECT 1000000 + n.no, n.no, 1, 0, 1, 0, 1 FROM (" + numbers(2, n) + ") n")
	h.exec(`INSERT INTO payee_versions (payee_id, no, status, payee_type, account_kind, app_id, taxpayer_id, name_mask, id_mask, account_mask, phone_mask, name_hash, account_hash, sealed,
		consent_version, entered_by, entered_at, decided_by, decided_at, reason) SELECT 1000000 + n.no, 1, 'active', 'natural', 'bank', '', n.no, '', '', '', '', '', '', '', '1', 0, 1, 0, 0, '' FROM (` + numbers(2, n) + ") n")
}

// sealed closes what the payer owes.
func (h *taxed) sealed() settlement.Settlement {
	h.t.Helper()
	h.jump(time.Hour)
	sid, err := h.Create(as(maker), settlement.CreateIn{UnitID: unit, PayerID: h.payer, Label: "2026-03"})
	h.must(err)
	h.must(h.Close(as(maker), sid))
	h.work()
	return h.find(sid)
}

// pays has a reviewed settlement paid once more.
func (h *taxed) pays(in settlement.PayoutIn) settlement.Payout {
	h.t.Helper()
	pid, err := h.CreatePayout(as(cashier), in)
	h.must(err)
	h.must(h.Pay(as(cashier), pid))
	h.work()
	p, err := h.FindPayout(bg, pid)
	h.must(err)
	return p
}

func (h *taxed) reviewed() id.Settlement {
	h.t.Helper()
	st := h.sealed()
	h.must(h.Review(as(reviewer), st.ID, settlement.ReviewIn{Digest: st.Digest}))
	return st.ID
}

func (h *taxed) payoutLines(pid id.Payout) []settlement.PayoutLine {
	h.t.Helper()
	list, err := h.ListPayoutLines(bg, pid, database.Page{Limit: database.PageMax})
	h.must(err)
	return list.Items
}

// allPayoutLines are the lines of a payout, however many.
func (h *taxed) allPayoutLines(pid id.Payout) (all []settlement.PayoutLine) {
	h.t.Helper()
	for before := int64(0); ; {
		page, err := h.ListPayoutLines(bg, pid, database.Page{Before: before, Limit: database.PageMax})
		h.must(err)
		all = append(all, page.Items...)
		if page.NextCursor == "" {
			return all
		}
		before, err = database.ParseCursor(page.NextCursor)
		h.must(err)
	}
}

func (h *taxed) holds(pid id.Payout) (out []string) {
	h.t.Helper()
	list, err := h.ListHolds(bg, pid, database.Page{})
	h.must(err)
	for _, x := range list.Items {
		out = append(out, fmt.Sprintf("%d %s %s", x.MemberID, x.Owed, x.Reason))
	}
	return out
}

// proven is the house's, with the months of tax.
func (h *taxed) proven() {
	h.t.Helper()
	h.house.proven()
	proofs, err := payee.Verify(bg, h.DB)
	h.must(err)
	for _, p := range proofs {
		for _, breach := range p.Broken {
			h.t.Errorf("verify %s: %s", p.ID, breach)
		}
	}
}

func TestFourPaymentsOf500InOneMonthWithhold240(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newTaxed(t, db, payee.PayerIn{})
		h.member(1, idNumbers[0])
		var got []money.Amount
		var last settlement.Payout
		for range 4 {
			h.clear(reward{member: 1, amount: 500_00})
			st := h.sealed()
			if st.PayerID != h.payer || st.IncomeType != tax.IncomeLabor || st.TaxRule != "labor_2018" || st.Tax != 0 || st.Net != 500_00 {
				t.Fatalf("sealed: %+v", st)
			}
			h.must(h.Review(as(reviewer), st.ID, settlement.ReviewIn{Digest: st.Digest}))
			last = h.pays(settlement.PayoutIn{SettlementID: st.ID})
			got = append(got, last.Tax)
			if last.Net != last.Gross-last.Tax || last.Gross != 500_00 || h.find(st.ID).Status != settlement.StatusPaid {
				t.Fatalf("paid: %+v", last)
			}
		}
		if want := []money.Amount{0, 40_00, 100_00, 100_00}; !cmp.Equal(got, want) {
			t.Errorf("withheld: %s", cmp.Diff(want, got))
		}
		paid, held, owed := h.balance(wallet.StagePaid, 1), h.balance(wallet.StageTax, 1), h.balance(wallet.StagePayable, 1)
		if paid != 1760_00 || held != 240_00 || owed != 0 {
			t.Errorf("ledger: paid %s, tax %s, payable %s", paid, held, owed)
		}
		h.proven()

		// The last one comes back: its tax with it, and all is owed again.
		h.must(h.PayoutResults(as(cashier), last.ID, settlement.ResultsIn{Failed: []settlement.FailedLine{{Line: 1, Reason: "账户有误"}}}))
		paid, held, owed = h.balance(wallet.StagePaid, 1), h.balance(wallet.StageTax, 1), h.balance(wallet.StagePayable, 1)
		if paid != 1360_00 || held != 140_00 || owed != 500_00 {
			t.Errorf("after it came back: paid %s, tax %s, payable %s", paid, held, owed)
		}
		h.proven()
		again := h.pays(settlement.PayoutIn{SettlementID: h.reviewed()})
		if again.Tax != 100_00 || again.Net != 400_00 {
			t.Errorf("paid again: %+v", again)
		}
		h.proven()
		h.exec("UPDATE payout_lines SET tax = tax + 1, net = net - 1 WHERE payout_id = ?", again.ID)
		if broken := strings.Join(h.broken(), "\n"); !strings.Contains(broken, again.ID.String()+"/1: says") || !strings.Contains(broken, "sums are not") {
			t.Errorf("another tax than was withheld: %s", broken)
		}
	})
}

func TestTaxOnTopIsTheBrandsOwnMoney(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newTaxed(t, db, payee.PayerIn{BorneBy: tax.BorneCompany})
		h.member(1, idNumbers[0])
		h.clear(reward{member: 1, amount: 2000_00})
		p := h.pays(settlement.PayoutIn{SettlementID: h.reviewed()})
		if p.Net != 2000_00 || p.Gross != 2300_00 || p.Tax != 300_00 {
			t.Errorf("paid: %+v", p)
		}
		if paid, held, owed := h.balance(wallet.StagePaid, 1), h.balance(wallet.StageTax, 1), h.balance(wallet.StagePayable, 1); paid != 2000_00 || held != 300_00 || owed != 0 {
			t.Errorf("ledger: paid %s, tax %s, payable %s", paid, held, owed)
		}
		h.proven()
		h.must(h.PayoutResults(as(cashier), p.ID, settlement.ResultsIn{Failed: []settlement.FailedLine{{Line: 1, Reason: "x"}}}))
		if held, owed := h.balance(wallet.StageTax, 1), h.balance(wallet.StagePayable, 1); held != 0 || owed != 2000_00 {
			t.Errorf("came back: tax %s, payable %s", held, owed)
		}
		h.proven()
	})
}

// TestNobodyIsPaidUnnamed: who gave no name and account, or whose change waits,
// is left out, paid by a next payout, or carried into the next settlement.
func TestNobodyIsPaidUnnamed(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newTaxed(t, db, payee.PayerIn{})
		h.member(1, idNumbers[0])
		h.clear(reward{member: 1, amount: 100_00}, reward{member: 2, amount: 60_00}, reward{member: 3, amount: 30_00})
		sid := h.reviewed()
		p := h.pays(settlement.PayoutIn{SettlementID: sid})
		if got, want := h.holds(p.ID), []string{"2 60.00 no_payee", "3 30.00 no_payee"}; !cmp.Equal(got, want) || p.Net != 100_00 || p.Owed != 190_00 || h.find(sid).Status != settlement.StatusReviewed {
			t.Fatalf("left out: %s of %+v", cmp.Diff(want, got), p)
		}
		pid, err := h.people.PayeeOf(as(maker), 1)
		h.must(err)
		h.member(2, idNumbers[1])
		p = h.pays(settlement.PayoutIn{SettlementID: sid, CarryHeld: true})
		if p.Net != 60_00 || p.LineCount != 2 || p.FailedCount != 1 || h.find(sid).Status != settlement.StatusPaid {
			t.Fatalf("the rest: %+v", p)
		}
		h.proven()

		// The next one holds a member whose change waits.
		h.clear(reward{member: 1, amount: 5_00})
		_, err = h.people.Enter(as(maker), 1, payee.Entry{ConsentVersion: "1", Details: payee.Details{
			Type: payee.TypeNatural, Name: "王小明", IDNo: idNumbers[0], Kind: payee.AccountAlipay, Alipay: "wang@example.com"}})
		h.must(err)
		st := h.sealed()
		if got, want := h.kinds(st.ID), []string{"reward 1 5.00", "failed 3 30.00 corrects " + p.ID.String() + "/2"}; !cmp.Equal(got, want) {
			t.Fatalf("carried: %s", cmp.Diff(want, got))
		}
		h.must(h.Review(as(reviewer), st.ID, settlement.ReviewIn{Digest: st.Digest}))
		p = h.pays(settlement.PayoutIn{SettlementID: st.ID})
		if got, want := h.holds(p.ID), []string{"1 5.00 pending_change", "3 30.00 no_payee"}; !cmp.Equal(got, want) || p.LineCount != 0 || p.Status != settlement.PayoutUnpaid {
			t.Errorf("left out: %s; it is %s", cmp.Diff(want, got), p.Status)
		}
		h.must(h.people.Approve(as(reviewer), pid.ID, payee.DecideIn{No: 2}))
		p = h.pays(settlement.PayoutIn{SettlementID: st.ID})
		if lines := h.payoutLines(p.ID); len(lines) != 1 || lines[0].PayeeNo != 2 || lines[0].AccountKind != payee.AccountAlipay {
			t.Errorf("paid after approval: %+v", lines)
		}
		h.proven()
	})
}

func TestPayersAreNeverMixed(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newTaxed(t, db, payee.PayerIn{})
		common := h.addProgram(unit, money.CNY) // of the default payer
		foreign := h.addProgram(unit, money.CNY)
		h.exec("UPDATE programs SET payer_id = 5 WHERE id = ?", foreign)
		h.member(1, idNumbers[0])
		r := h.clear(reward{member: 1, amount: 70_00}, reward{member: 1, amount: 9_00, program: common})
		_, err := h.Create(as(maker), settlement.CreateIn{UnitID: unit, PayerID: h.payer, Label: "x", Programs: []id.Program{foreign}})
		h.refused(err, fault.Invalid)
		_, err = h.Create(as(maker), settlement.CreateIn{UnitID: other, PayerID: h.payer, Label: "x"})
		h.refused(err, fault.Invalid)
		st, rest := h.sealed(), h.closed()
		if st.Net != 70_00 || rest.Net != 9_00 || rest.PayerID != id.Payer(unit) || rest.TaxRule != "external_agent" {
			t.Fatalf("mixed: %+v, %+v", st, rest)
		}
		h.must(h.Review(as(reviewer), st.ID, settlement.ReviewIn{Digest: st.Digest}))
		p := h.pays(settlement.PayoutIn{SettlementID: st.ID})
		h.must(h.PayoutResults(as(cashier), p.ID, settlement.ResultsIn{Failed: []settlement.FailedLine{{Line: 1, Reason: "x"}}}))
		h.clawBack(r[1], 1, 9_00, "refund")
		h.jump(time.Hour)
		if got, want := h.kinds(h.closed().ID), []string{"clawback 1 -9.00 corrects " + rest.ID.String() + "/1", "deferred 1 9.00"}; !cmp.Equal(got, want) {
			t.Errorf("of the default payer: %s", cmp.Diff(want, got))
		}
		if got, want := h.kinds(h.sealed().ID), []string{"failed 1 70.00 corrects " + p.ID.String() + "/1"}; !cmp.Equal(got, want) {
			t.Errorf("of its own: %s", cmp.Diff(want, got))
		}
		h.proven()
		h.exec("UPDATE programs SET payer_id = 0 WHERE id = ?", h.program)
		if broken := strings.Join(h.broken(), "\n"); !strings.Contains(broken, "/1: is of a reward which another payer pays") {
			t.Errorf("not named: %s", broken)
		}
		h.exec("UPDATE programs SET payer_id = 5 WHERE id = ?", h.program)
		if broken := strings.Join(h.broken(), "\n"); !strings.Contains(broken, "holds "+h.program.String()+", which another payer pays") {
			t.Errorf("not named: %s", broken)
		}
	})
}

// TestCampaignsOfOneProgramByPayer: a program that names no payer is paid by
// those of its campaigns, each in documents, payments and months of his own.
func TestCampaignsOfOneProgramByPayer(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newTaxed(t, db, payee.PayerIn{TaxNo: "91350100M000100Y43"})
		second, err := h.people.CreatePayer(as(maker), payee.PayerIn{UnitID: unit, Name: "海风商贸", Strategy: tax.Labor2018, TaxNo: "91350211M000100Y46"})
		h.must(err)
		h.exec("UPDATE programs SET payer_id = 0 WHERE id = ?", h.program)
		h.member(1, idNumbers[0])
		h.member(2, idNumbers[1])
		made := h.clear(reward{member: 1, amount: 2000_00, payer: h.payer}, reward{member: 1, amount: 500_00, payer: second},
			reward{member: 2, amount: 30_00, payer: second}, reward{member: 2, amount: 4_00})
		h.clear(reward{member: 1, amount: 5_00, payer: id.Payer(unit)})
		first := h.sealed()
		h.payer, second = second, h.payer
		other := h.sealed()
		for _, x := range []struct {
			st   settlement.Settlement
			want []string
		}{
			{first, []string{"reward 1 2000.00"}},
			{other, []string{"reward 1 500.00", "reward 2 30.00"}},
			{h.closed(), []string{"reward 2 4.00", "reward 1 5.00"}}, // of the default payer, named or not
		} {
			if got := h.kinds(x.st.ID); !cmp.Equal(got, x.want) {
				t.Errorf("of %s: %s", x.st.PayerID, cmp.Diff(x.want, got))
			}
		}
		h.proven()

		// What was paid is taxed by its own payer: 2,000 withholds 240, 500 nothing.
		for _, st := range []settlement.Settlement{first, other} {
			h.must(h.Review(as(reviewer), st.ID, settlement.ReviewIn{Digest: st.Digest}))
			p := h.pays(settlement.PayoutIn{SettlementID: st.ID})
			var tax money.Amount
			h.must(db.Read(bg).Raw("SELECT COALESCE(SUM(tax), 0) FROM tax_lines WHERE payer_id = ?", st.PayerID).Scan(&tax).Error)
			if p.PayerID != st.PayerID || p.Tax != tax || (st.ID == first.ID) != (tax == 240_00) {
				t.Errorf("paid %+v, withheld %s", p, tax)
			}
		}
		// So is what is taken back, and nobody else's document waits for it.
		h.clawBack(made[1], 1, 100_00, "refund")
		h.clear(reward{member: 1, amount: 20_00, payer: second}, reward{member: 1, amount: 150_00, payer: h.payer})
		if got, want := h.kinds(h.sealed().ID), []string{"reward 1 150.00", "clawback 1 -100.00 corrects " + other.ID.String() + "/1"}; !cmp.Equal(got, want) {
			t.Errorf("taken back: %s", cmp.Diff(want, got))
		}
		h.payer = second
		if got, want := h.kinds(h.sealed().ID), []string{"reward 1 20.00"}; !cmp.Equal(got, want) {
			t.Errorf("of the other: %s", cmp.Diff(want, got))
		}
		h.proven()
		h.exec("UPDATE rewards SET payer_id = ? WHERE id = ?", second, made[2])
		if broken := strings.Join(h.broken(), "\n"); !strings.Contains(broken, other.ID.String()+"/2: is of a reward which another payer pays") {
			t.Errorf("not named: %s", broken)
		}
	})
}
