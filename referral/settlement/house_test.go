package settlement_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
	"siyu/referral"
	"siyu/referral/settlement"
	"siyu/wallet"
)

// The people of every test: staff ids.
const (
	maker    id.Staff = 101
	reviewer id.Staff = 102
	cashier  id.Staff = 103
)

// The unit of every test, a store of it, and a unit elsewhere.
const (
	unit  id.Unit = 7
	store id.Unit = 77
	other id.Unit = 8
)

// house is a store with these units and one program whose rewards the tests
// clear in the shapes that package referral writes.
type house struct {
	*settlement.Service
	t       testing.TB
	reg     *task.Registry
	program id.Program
	old     bool // clears as releases before clearings did
}

func newHouse(t testing.TB, db *database.DB) *house {
	h := &house{Service: &settlement.Service{DB: db}, t: t, reg: task.NewRegistry()}
	h.Register(h.reg)
	h.addUnit(unit, "")
	h.addUnit(store, unit.String()+"/")
	h.addUnit(other, "")
	h.program = h.addProgram(unit, money.CNY)
	return h
}

func as(who id.Staff) context.Context {
	return database.WithActor(context.Background(), database.Actor{Kind: database.ActorStaff, Staff: who, Role: "finance"})
}

var bg = context.Background()

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) refused(err error, want error) {
	h.t.Helper()
	if !errors.Is(err, want) {
		h.t.Fatalf("got %v, want %v", err, want)
	}
}

func (h *house) tx(fn func(tx *database.Tx) error) {
	h.t.Helper()
	h.must(h.DB.Tx(bg, fn))
}

func (h *house) exec(sql string, args ...any) {
	h.t.Helper()
	h.tx(func(tx *database.Tx) error { return tx.Exec(sql, args...).Error })
}

func (h *house) addUnit(u id.Unit, under string) {
	h.exec("INSERT INTO units (id, parent_id, kind, name, path, version, created_at) VALUES (?, 0, 'brand', ?, ?, 1, 1)",
		u, u.String(), under+u.String()+"/")
}

func (h *house) addProgram(u id.Unit, currency string) id.Program {
	p := id.Program(h.DB.IDs.Next())
	h.exec(`INSERT INTO programs (id, unit_id, name, scope, status, currency, budget, latest, version, created_at)
		VALUES (?, ?, 'spring', ?, 'active', ?, 0, 1, 1, 1)`, p, u, fmt.Sprint(p), currency)
	return p
}

// reward is one to be cleared; zero fields take defaults.
type reward struct {
	program id.Program
	payer   id.Payer // its campaign's
	member  id.Member
	amount  money.Amount
	rule    string
}

// clear books rewards as cleared now, 200 per transaction.
func (h *house) clear(list ...reward) []id.Reward {
	h.t.Helper()
	return h.clearBy(200, list)
}

// clearBy books rewards as cleared now, so many per transaction.
func (h *house) clearBy(most int, list []reward) []id.Reward {
	h.t.Helper()
	var ids []id.Reward
	for len(list) > 0 {
		n := min(most, len(list))
		h.tx(func(tx *database.Tx) error {
			made, err := h.clearTx(tx, list[:n])
			ids = append(ids, made...)
			return err
		})
		list = list[n:]
	}
	return ids
}

func (h *house) clearTx(tx *database.Tx, list []reward) ([]id.Reward, error) {
	var ids []id.Reward
	var transfers []wallet.Transfer
	for _, r := range list {
		rid := id.Reward(tx.Next())
		ids = append(ids, rid)
		transfers = append(transfers, wallet.Move(fmt.Sprintf("reward:%d:clear", rid), "reward_clear", money.CNY, r.amount,
			wallet.At(wallet.StageSource, wallet.Brand()), wallet.At(wallet.StagePayable, wallet.Member(r.member))))
	}
	posted, err := wallet.PostManyTx(tx, transfers)
	if err != nil {
		return nil, err
	}
	for i, r := range list {
		r.program = cmp.Or(r.program, h.program)
		if r.rule == "" {
			r.rule = "invite"
		}
		err := tx.Exec(`INSERT INTO rewards (id, unit_id, program_id, program_version, fact, beneficiary_id, rule, side, order_id, campaign_id,
			code_id, binding_id, currency, base, amount, note, earned_at, matures_at, payer_id)
			VALUES (?, ?, ?, 1, ?, ?, ?, 'inviter', 0, 0, 0, 0, 'CNY', 0, ?, '', ?, ?, ?)`,
			ids[i], unit, r.program, fmt.Sprintf("order:%d", ids[i]), r.member, r.rule, r.amount, tx.Now, tx.Now, r.payer).Error
		if err != nil {
			return nil, err
		}
	}
	return ids, h.clearedTx(tx, list, ids, posted)
}

// clearedTx writes what was cleared, that of one program and payer together; a house of
// an old release writes no clearings.
func (h *house) clearedTx(tx *database.Tx, list []reward, ids []id.Reward, posted []id.Transfer) error {
	type both struct {
		program id.Program
		payer   id.Payer
	}
	of := map[both][]int{}
	for i, r := range list {
		p := both{cmp.Or(r.program, h.program), r.payer}
		of[p] = append(of[p], i)
	}
	for p, part := range of {
		c := referral.Clearing{ID: tx.Block(len(part)), ProgramID: p.program, PayerID: p.payer, Currency: money.CNY, RewardCount: len(part), ClearedAt: tx.Now}
		for k, i := range part {
			if err := event(tx, c.ID+int64(k), ids[i], "cleared", "matured", list[i].amount, posted[i]); err != nil {
				return err
			}
		}
		if h.old {
			continue
		}
		if err := referral.ClearingsTx(tx, []referral.Clearing{c}); err != nil {
			return err
		}
	}
	return nil
}

func event(tx *database.Tx, e int64, r id.Reward, kind, ref string, amount money.Amount, transfer id.Transfer) error {
	return tx.Exec(`INSERT INTO reward_events (id, reward_id, kind, ref, amount, at, transfer_id, staff_id, reason) VALUES (?, ?, ?, ?, ?, ?, ?, 0, '')`,
		e, r, kind, ref, amount, tx.Now, transfer).Error
}

// clawBack takes part of a cleared reward back.
func (h *house) clawBack(r id.Reward, m id.Member, lost money.Amount, ref string) {
	h.t.Helper()
	h.tx(func(tx *database.Tx) error {
		transfer, err := wallet.PostTx(tx, wallet.Move(fmt.Sprintf("reward:%d:clawed_back:%s", r, ref), "reward_clawed_back", money.CNY, lost,
			wallet.At(wallet.StagePayable, wallet.Member(m)), wallet.At(wallet.StageSource, wallet.Brand())))
		if err != nil {
			return err
		}
		return event(tx, tx.Next(), r, "clawed_back", ref, -lost, transfer)
	})
}

func (h *house) jump(d time.Duration) { h.DB.Clock.Jump(d) }

// open makes an open settlement of all programs.
func (h *house) open() id.Settlement {
	h.t.Helper()
	sid, err := h.Create(as(maker), settlement.CreateIn{UnitID: unit, Label: "2026-03"})
	h.must(err)
	return sid
}

// closed makes a settlement, closes it and works its job. What it holds then is
// what its preview said.
func (h *house) closed() settlement.Settlement {
	h.t.Helper()
	sid := h.open()
	said, err := h.Preview(as(maker), sid)
	h.must(err)
	h.must(h.Close(as(maker), sid))
	h.work()
	st := h.find(sid)
	if held := h.sums(st); !gocmp.Equal(said, held) {
		h.t.Errorf("previewed and held: %s", gocmp.Diff(said, held))
	}
	return st
}

// sums is what a sealed settlement holds, as a preview would say it.
func (h *house) sums(st settlement.Settlement) settlement.Preview {
	h.t.Helper()
	p := settlement.Preview{SettlementID: st.ID, CutAt: st.CutAt, LineCount: st.LineCount, Gross: st.Gross, Kinds: []settlement.PreviewKind{}}
	kinds, owed := map[settlement.Kind]settlement.PreviewKind{}, map[id.Member]money.Amount{}
	for _, l := range h.lines(st.ID) {
		k := kinds[l.Kind]
		kinds[l.Kind] = settlement.PreviewKind{Kind: l.Kind, LineCount: k.LineCount + 1, Gross: k.Gross + l.Gross}
		owed[l.MemberID] += l.Gross
	}
	for _, k := range []settlement.Kind{settlement.KindReward, settlement.KindClawback, settlement.KindFailed, settlement.KindFee, settlement.KindDebt, settlement.KindDeferred} {
		if kinds[k].LineCount > 0 {
			p.Kinds = append(p.Kinds, kinds[k])
		}
	}
	for _, n := range owed {
		if n > 0 {
			p.MemberCount++
		}
	}
	return p
}

func (h *house) work() {
	h.t.Helper()
	h.must(task.Drain(bg, h.DB, h.reg))
}

func (h *house) find(sid id.Settlement) settlement.Settlement {
	h.t.Helper()
	st, err := h.Find(bg, sid)
	h.must(err)
	return st
}

// paid takes a closed settlement through review and payment.
func (h *house) paid(st settlement.Settlement) settlement.Payout {
	h.t.Helper()
	h.must(h.Review(as(reviewer), st.ID, settlement.ReviewIn{Digest: st.Digest}))
	pid, err := h.CreatePayout(as(cashier), settlement.PayoutIn{SettlementID: st.ID})
	h.must(err)
	h.must(h.Pay(as(cashier), pid))
	h.work()
	p, err := h.FindPayout(bg, pid)
	h.must(err)
	return p
}

func (h *house) lines(sid id.Settlement) []settlement.Line {
	h.t.Helper()
	var all []settlement.Line
	for before := int64(0); ; {
		page, err := h.ListLines(bg, sid, database.Page{Before: before, Limit: database.PageMax})
		h.must(err)
		all = append(all, page.Items...)
		if page.NextCursor == "" {
			return all
		}
		before, err = database.ParseCursor(page.NextCursor)
		h.must(err)
	}
}

// kinds is what the lines of a settlement say in short.
func (h *house) kinds(sid id.Settlement) []string {
	h.t.Helper()
	out := []string{}
	for _, l := range h.lines(sid) {
		s := fmt.Sprintf("%s %d %s", l.Kind, l.MemberID, l.Net)
		if l.Corrects != "" {
			s += " corrects " + l.Corrects
		}
		out = append(out, s)
	}
	return out
}

func (h *house) balance(s wallet.Stage, m id.Member) money.Amount {
	h.t.Helper()
	n, err := wallet.Balance(h.DB.Read(bg), s, wallet.Member(m), money.CNY)
	h.must(err)
	return n
}

// proven fails the test unless V7 and V6 hold.
func (h *house) proven() {
	h.t.Helper()
	for _, breach := range h.broken() {
		h.t.Errorf("verify: %s", breach)
	}
	proofs, err := wallet.Verify(bg, h.DB)
	h.must(err)
	for _, p := range proofs {
		for _, breach := range p.Broken {
			h.t.Errorf("verify %s: %s", p.ID, breach)
		}
	}
}

func (h *house) broken() []string {
	h.t.Helper()
	proofs, err := settlement.Verify(bg, h.DB)
	h.must(err)
	var all []string
	for _, p := range proofs {
		all = append(all, p.Broken...)
	}
	return all
}

func now(db *database.DB) clock.Milli { return clock.MilliOf(db.Clock.Now()) }
