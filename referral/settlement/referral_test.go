package settlement_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/secret"
	"siyu/referral"
	"siyu/wallet"
)

// TestFromOrderToPayment lets package referral make the rewards: paid order,
// refund of half of it before the settlement and of the rest after.
func TestFromOrderToPayment(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		keys, err := secret.New(secret.Fresh())
		h.must(err)
		ref := &referral.Service{DB: db, Secrets: keys, PublicURL: "https://siyu.example"}
		ref.Register(h.reg)
		people := &community.Service{DB: db, Secrets: keys}
		member := func(name string) id.Member {
			rows, err := people.UpsertMembers(bg, []community.MemberIn{{Identities: []community.Identity{{Kind: community.IdentityMall, Value: name}}}})
			h.must(err)
			return rows[0].Member
		}
		inviter, invitee := member("a"), member("b")
		no := false
		program, err := ref.CreateProgram(bg, referral.ProgramIn{UnitID: unit, Name: "老带新", Budget: 100_000, Rules: referral.RulesIn{
			Trigger: referral.TriggerEveryPaidOrder, InviterHasOrdered: &no,
			Rewards: []referral.Promise{{Rule: "inviter", To: referral.SideInviter, Mode: referral.ModePercent, Rate: 1000}},
		}})
		h.must(err)
		cid, err := ref.CreateCode(bg, referral.CodeIn{InviterID: inviter, ProgramID: program})
		h.must(err)
		codes, err := ref.CodesByID(bg, []id.Code{cid})
		h.must(err)
		_, err = ref.Bind(bg, referral.Bind{Code: codes[0].Code, Invitee: invitee})
		h.must(err)
		h.tx(func(tx *database.Tx) error {
			frozen, err := referral.FrozenIn(tx.DB, program, []id.Member{invitee}, tx.Now)
			if err != nil {
				return err
			}
			return referral.PaidTx(tx, referral.PaidOrder{Order: 5, Campaign: 3, Item: 4, Unit: unit, Invitee: invitee, Goods: 20_000, PaidAt: tx.Now, Frozen: frozen[invitee]})
		})
		h.jump(16 * 24 * time.Hour)
		h.work()
		refund := func(n id.Refund, cumulative money.Amount) {
			h.tx(func(tx *database.Tx) error { return referral.RefundedTx(tx, 5, n, cumulative) })
		}
		refund(1, 10_000)
		h.jump(time.Hour)
		first := h.closed()
		name := fmt.Sprintf("%s/1", first.ID)
		want := []string{fmt.Sprintf("reward %d 20.00", inviter), fmt.Sprintf("clawback %d -10.00 corrects %s", inviter, name)}
		if got := h.kinds(first.ID); !cmp.Equal(want, got) {
			t.Errorf("lines: %s", cmp.Diff(want, got))
		}
		h.paid(first)
		refund(2, 20_000)
		h.jump(time.Hour)
		second := h.closed()
		want = []string{fmt.Sprintf("clawback %d -10.00 corrects %s", inviter, name), fmt.Sprintf("deferred %d 10.00", inviter)}
		if got := h.kinds(second.ID); !cmp.Equal(want, got) {
			t.Errorf("lines: %s", cmp.Diff(want, got))
		}
		if paid, owed := h.balance(wallet.StagePaid, inviter), h.balance(wallet.StagePayable, inviter); paid != 1_000 || owed != -1_000 {
			t.Errorf("in the end: paid %s, owed %s", paid, owed)
		}
		h.proven()
	})
}
