package referral_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/secret"
	"siyu/internal/task"
	"siyu/referral"
	"siyu/referral/promoter"
	"siyu/wallet"
)

var bg = context.Background()

// house is a room with a program and people to bind.
type house struct {
	*referral.Service
	t       *testing.T
	tasks   *task.Registry
	people  int
	program id.Program
}

func newHouse(t *testing.T, db *database.DB) *house {
	t.Helper()
	keys, err := secret.New(secret.Fresh())
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, tasks: task.NewRegistry(), Service: &referral.Service{DB: db, Secrets: keys, PublicURL: "https://siyu.example", QRURL: "https://q.example"}}
	h.Register(h.tasks)
	return h
}

// everyOrder pays the inviter 10 % and the invitee 5 yuan on every order.
func everyOrder() referral.RulesIn {
	no := false
	return referral.RulesIn{
		Trigger: referral.TriggerEveryPaidOrder, InviterHasOrdered: &no,
		Rewards: []referral.Promise{
			{Rule: "inviter", To: referral.SideInviter, Mode: referral.ModePercent, Rate: 1000},
			{Rule: "welcome", To: referral.SideInvitee, Mode: referral.ModeFixed, Amount: 500},
		},
	}
}

func firstOrder() referral.RulesIn {
	in := everyOrder()
	in.Trigger = referral.TriggerFirstPaidOrder
	return in
}

func (h *house) newProgram(budget money.Amount, rules referral.RulesIn) id.Program {
	h.t.Helper()
	p, err := h.CreateProgram(bg, referral.ProgramIn{Name: "老带新", Budget: budget, Rules: rules})
	if err != nil {
		h.t.Fatal(err)
	}
	h.program = p
	return p
}

// member is somebody with a mall id.
func (h *house) member() id.Member {
	h.t.Helper()
	h.people++
	c := &community.Service{DB: h.DB, Secrets: h.Secrets}
	rows, err := c.UpsertMembers(bg, []community.MemberIn{{
		Identities: []community.Identity{{Kind: community.IdentityMall, Value: fmt.Sprint("m", h.people)}},
	}})
	if err != nil {
		h.t.Fatal(err)
	}
	return rows[0].Member
}

func (h *house) code(inviter id.Member) referral.Code {
	h.t.Helper()
	c, err := h.CreateCode(bg, referral.CodeIn{InviterID: inviter, ProgramID: h.program})
	if err != nil {
		h.t.Fatal(err)
	}
	list, err := h.CodesByID(bg, []id.Code{c})
	if err != nil || len(list) != 1 {
		h.t.Fatalf("code: %v, %v", list, err)
	}
	return list[0]
}

func (h *house) bind(inviter, invitee id.Member) (id.Binding, error) {
	h.t.Helper()
	return h.Bind(bg, referral.Bind{Code: h.code(inviter).Code, Invitee: invitee})
}

func (h *house) mustBind(inviter, invitee id.Member) id.Binding {
	h.t.Helper()
	b, err := h.bind(inviter, invitee)
	if err != nil {
		h.t.Fatal(err)
	}
	return b
}

// merge moves what this room and the people's know of one member to another.
func (h *house) merge(from, into id.Member) {
	h.t.Helper()
	h.tx(func(tx *database.Tx) error {
		for _, room := range []func(*database.Tx, id.Member, id.Member) (int, error){referral.MergeTx, community.MergeTx} {
			if _, err := room(tx, from, into); err != nil {
				return err
			}
		}
		return nil
	})
}

func (h *house) now() clock.Milli { return clock.MilliOf(h.DB.Clock.Now()) }

func (h *house) tx(fn func(tx *database.Tx) error) {
	h.t.Helper()
	if err := h.DB.Tx(bg, fn); err != nil {
		h.t.Fatal(err)
	}
}

// pay has the invitee pay an order with the bindings he has now.
func (h *house) pay(order id.Order, invitee id.Member, goods money.Amount) {
	h.t.Helper()
	if err := h.tryPay(order, invitee, goods); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) tryPay(order id.Order, invitee id.Member, goods money.Amount) error {
	return h.DB.Tx(bg, func(tx *database.Tx) error {
		frozen, err := referral.FrozenIn(tx.DB, h.program, []id.Member{invitee}, tx.Now)
		if err != nil {
			return err
		}
		err = referral.PaidTx(tx, referral.PaidOrder{Order: order, Campaign: 3, Item: 4, Invitee: invitee, Goods: goods, PaidAt: tx.Now, Frozen: frozen[invitee]})
		if err != nil {
			return err
		}
		return community.FactTx(tx, community.Fact{Member: invitee, Kind: community.FactOrderPaid, Ref: int64(order), At: tx.Now})
	})
}

func (h *house) refund(order id.Order, refund id.Refund, cumulative money.Amount) {
	h.t.Helper()
	h.tx(func(tx *database.Tx) error { return referral.RefundedTx(tx, order, refund, cumulative) })
}

func (h *house) drain() {
	h.t.Helper()
	if err := task.Drain(bg, h.DB, h.tasks); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) rewards(f referral.RewardFilter) []referral.Reward {
	h.t.Helper()
	list, err := h.ListRewards(bg, f, database.Page{})
	if err != nil {
		h.t.Fatal(err)
	}
	return list.Items
}

func (h *house) balance(s wallet.Stage, o wallet.Owner) money.Amount {
	h.t.Helper()
	n, err := wallet.Balance(h.DB.Read(bg), s, o, money.CNY)
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

// proven runs the proofs of this room and the ledger.
func (h *house) proven() {
	h.t.Helper()
	for _, verify := range []func(context.Context, *database.DB) ([]database.Proof, error){referral.Verify, promoter.Verify, wallet.Verify} {
		proofs, err := verify(bg, h.DB)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, p := range proofs {
			for _, b := range p.Broken {
				h.t.Errorf("%s: %s", p.ID, b)
			}
		}
	}
}

func refused(t *testing.T, err error, want *fault.Fault) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %s", err, want.Code)
	}
}
