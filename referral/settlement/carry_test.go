package settlement_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral/settlement"
	"siyu/wallet"
)

// TestCarry follows one member through clawback, debt and netting, document by
// document, with the ledger beside.
func TestCarry(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		r := h.clear(reward{member: 1, amount: 10_000}, reward{member: 2, amount: 500})
		h.jump(time.Hour)
		first := h.closed()
		if p := h.paid(first); p.Net != 10_500 || p.LineCount != 2 {
			t.Fatalf("payout: %+v", p)
		}

		h.clawBack(r[0], 1, 7_000, "refund1")
		h.jump(time.Hour)
		second := h.closed()
		want := []string{"clawback 1 -70.00 corrects " + first.ID.String() + "/1", "deferred 1 70.00"}
		if got := h.kinds(second.ID); !cmp.Equal(want, got) || second.Net != 0 {
			t.Errorf("a clawback of what was paid: %s", cmp.Diff(want, got))
		}
		h.paid(second)
		if n := h.balance(wallet.StagePayable, 1); n != -7_000 {
			t.Errorf("debt in the ledger: %s, want -70.00", n)
		}

		h.clear(reward{member: 1, amount: 3_000}, reward{member: 2, amount: 1})
		h.jump(time.Hour)
		third := h.closed()
		want = []string{"reward 1 30.00", "reward 2 0.01", "debt 1 -70.00 corrects " + second.ID.String() + "/2", "deferred 1 40.00"}
		if got := h.kinds(third.ID); !cmp.Equal(want, got) || third.Net != 1 {
			t.Errorf("a debt larger than what came: %s", cmp.Diff(want, got))
		}
		if p := h.paid(third); p.LineCount != 1 || p.Net != 1 {
			t.Errorf("payout: %+v", p)
		}
		if empty := h.closed(); empty.LineCount != 0 {
			t.Errorf("a debt with nothing to net made lines: %v", h.kinds(empty.ID))
		}

		h.clear(reward{member: 1, amount: 5_000})
		h.jump(time.Hour)
		last := h.closed()
		want = []string{"reward 1 50.00", "debt 1 -40.00 corrects " + third.ID.String() + "/4"}
		if got := h.kinds(last.ID); !cmp.Equal(want, got) || last.Net != 1_000 {
			t.Errorf("the rest of the debt: %s", cmp.Diff(want, got))
		}
		h.paid(last)
		// 100 + 30 + 50 earned, 70 taken back.
		if paid, owed := h.balance(wallet.StagePaid, 1), h.balance(wallet.StagePayable, 1); paid != 11_000 || owed != 0 {
			t.Errorf("in the end: paid %s, owed %s", paid, owed)
		}
		h.proven()
	})
}

// TestClawbackBeforeSettlement: reward and correction stand on one document.
func TestClawbackBeforeSettlement(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		r := h.clear(reward{member: 1, amount: 10_000})
		h.clawBack(r[0], 1, 2_500, "refund1")
		h.clawBack(r[0], 1, 1_000, "refund2")
		h.jump(time.Hour)
		st := h.closed()
		name := st.ID.String() + "/1"
		want := []string{"reward 1 100.00", "clawback 1 -25.00 corrects " + name, "clawback 1 -10.00 corrects " + name}
		if got := h.kinds(st.ID); !cmp.Equal(want, got) || st.Net != 6_500 {
			t.Errorf("lines: %s", cmp.Diff(want, got))
		}
		h.paid(st)
		if n := h.balance(wallet.StagePayable, 1); n != 0 {
			t.Errorf("payable: %s, want 0.00", n)
		}
		h.proven()
	})
}

func TestFailedPayments(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.clear(reward{member: 1, amount: 1_000}, reward{member: 2, amount: 2_000}, reward{member: 3, amount: 3_000})
		h.jump(time.Hour)
		p := h.paid(h.closed())

		report := settlement.ResultsIn{Failed: []settlement.FailedLine{{Line: 2, Reason: "account closed"}}}
		h.must(h.PayoutResults(as(cashier), p.ID, report))
		h.must(h.PayoutResults(as(cashier), p.ID, report)) // told twice, taken back once
		if n := h.balance(wallet.StagePayable, 2); n != 2_000 {
			t.Errorf("taken back: %s, want 20.00", n)
		}
		for name, in := range map[string]settlement.ResultsIn{
			"no line":      {},
			"unknown line": {Failed: []settlement.FailedLine{{Line: 4, Reason: "x"}}},
			"line twice":   {Failed: []settlement.FailedLine{{Line: 1, Reason: "x"}, {Line: 1, Reason: "x"}}},
			"no reason":    {Failed: []settlement.FailedLine{{Line: 1}}},
		} {
			if err := h.PayoutResults(as(cashier), p.ID, in); err == nil {
				t.Errorf("%s: accepted", name)
			}
		}
		h.jump(time.Hour)
		next := h.closed()
		want := []string{"failed 2 20.00 corrects " + p.ID.String() + "/2"}
		if got := h.kinds(next.ID); !cmp.Equal(want, got) {
			t.Errorf("carried: %s", cmp.Diff(want, got))
		}
		h.paid(next)
		if paid, owed := h.balance(wallet.StagePaid, 2), h.balance(wallet.StagePayable, 2); paid != 2_000 || owed != 0 {
			t.Errorf("in the end: paid %s, owed %s", paid, owed)
		}
		if empty := h.closed(); empty.LineCount != 0 {
			t.Errorf("carried twice: %v", h.kinds(empty.ID))
		}
		h.proven()
	})
}

// TestRejectOfCarried: a document whose debts a later one has brought forward
// cannot be rejected before that one.
func TestRejectOfCarried(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		why := settlement.RejectIn{Reason: "test"}
		r := h.clear(reward{member: 1, amount: 1_000})
		h.jump(time.Hour)
		h.paid(h.closed())
		h.clawBack(r[0], 1, 1_000, "refund")
		h.jump(time.Hour)
		owing := h.closed()
		h.clear(reward{member: 1, amount: 1_500})
		h.jump(time.Hour)
		netting := h.closed()
		if netting.Net != 500 {
			t.Fatalf("netted: %s, want 5.00", netting.Net)
		}
		h.refused(h.Reject(as(reviewer), owing.ID, why), settlement.ErrCarried)
		h.must(h.Reject(as(reviewer), netting.ID, why))
		h.work()
		h.must(h.Reject(as(reviewer), owing.ID, why))
		h.work()
		last := h.closed()
		if last.Net != 500 || last.LineCount != 2 {
			t.Errorf("all in one: net %s, %v", last.Net, h.kinds(last.ID))
		}
		h.paid(last)
		if n := h.balance(wallet.StagePayable, 1); n != 0 {
			t.Errorf("payable: %s, want 0.00", n)
		}
		h.proven()
	})
}

// TestMergedMember: what two identities of one person earned and owe is netted
// and paid once, to who he is today.
func TestMergedMember(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		add := func(m, into id.Member) {
			h.exec(`INSERT INTO members (id, unit_id, name, guest, status, merged_into, version, created_at) VALUES (?, 7, '', 0, 'active', ?, 1, 1)`, m, into)
		}
		add(1, 0)
		add(2, 0)
		merge := func(from, into id.Member) {
			h.tx(func(tx *database.Tx) error {
				if err := tx.Exec("UPDATE members SET merged_into = ? WHERE id = ?", into, from).Error; err != nil {
					return err
				}
				_, err := wallet.MergeTx(tx, from, into)
				return err
			})
		}
		r := h.clear(reward{member: 1, amount: 1_000})
		h.jump(time.Hour)
		h.paid(h.closed())
		h.clawBack(r[0], 1, 400, "refund")
		h.jump(time.Hour)
		h.closed()
		merge(1, 2)
		h.clear(reward{member: 2, amount: 900})
		h.jump(time.Hour)
		st := h.closed()
		if st.Net != 500 {
			t.Errorf("netted: %s of %v", st.Net, h.kinds(st.ID))
		}
		add(3, 0)
		merge(2, 3) // between sealing and payment
		h.paid(st)
		if paid, owed := h.balance(wallet.StagePaid, 3), h.balance(wallet.StagePayable, 3); paid != 1_500 || owed != 0 {
			t.Errorf("in the end: paid %s, owed %s", paid, owed)
		}
		h.proven()
	})
}
