package referral

import (
	"fmt"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/promoter"
	"siyu/wallet"
)

// PaidOrder is an order that was paid: Goods is what was paid for goods after
// discounts, Frozen the binding kept on the order.
type PaidOrder struct {
	Order    id.Order
	Campaign id.Campaign
	Item     id.Item
	Unit     id.Unit
	Invitee  id.Member
	Goods    money.Amount
	PaidAt   clock.Milli
	Frozen   Frozen
	Payer    id.Payer // the campaign's, for programs that name none

	// FromCampaign: the campaign has a budget, and its rewards are paid from it
	// instead of the program's.
	FromCampaign bool
}

// PaidTx writes the rewards that a paid order earns, reserves them from the
// program's budget and plans their clearing. Called again for the same order
// it changes nothing. A reward that the budget cannot carry in full is written
// with amount zero and the note budget_exhausted: a promise is kept whole or
// visibly not at all.
func PaidTx(tx *database.Tx, o PaidOrder) error { return orderTx(tx, o, false) }

// orderTx is what an order earns when it is paid, or when its team forms.
func orderTx(tx *database.Tx, o PaidOrder, formed bool) error {
	if o.Frozen.Binding == 0 || o.Goods <= 0 {
		return nil
	}
	rules, err := rulesOf(tx.DB, o.Frozen.Program, o.Frozen.Version)
	if err != nil {
		return err
	}
	// The lock comes first: a merge of either waits for it, or is seen. And of two
	// orders of one invitee paid at once only one is his first.
	if o.Frozen.Group, err = lockBindingTx(tx, o.Frozen.Binding); err != nil {
		return err
	}
	people, err := community.FollowMerges(tx.DB, []id.Member{o.Frozen.Inviter, o.Invitee})
	if err != nil {
		return err
	}
	inviter, invitee := people[o.Frozen.Inviter], people[o.Invitee]
	if inviter == 0 || invitee == 0 || inviter == invitee {
		return nil // a merge showed that they are one person
	}
	if !formed {
		if err := renewPaidTx(tx, o, rules); err != nil {
			return err
		}
	}
	fact, err := orderFact(tx, o, rules, inviter, invitee)
	if err != nil {
		return err
	}
	fact.Formed = formed
	owner, err := workersTx(tx, rules, &fact, o.Frozen.Group, inviter, invitee)
	if err != nil {
		return err
	}
	return earnTx(tx, rules, act{
		PaidOrder: o, fact: factOf(rules, o.Order, invitee), maturesAt: rules.maturesUnreceived(o.PaidAt), level: fact.InviterLevel,
		to: map[Side]id.Member{SideInviter: inviter, SideInvitee: invitee, SideKOC: inviter, SideGroupOwner: owner},
	}, Earn(rules, fact))
}

// lockBindingTx locks an order's binding and says which group its code named;
// the order itself does not keep that.
func lockBindingTx(tx *database.Tx, b id.Binding) (group id.Group, err error) {
	if err = tx.Raw("SELECT group_id FROM bindings WHERE id = ?"+tx.Dialect.ForUpdate, b).Scan(&group).Error; err != nil {
		return 0, fmt.Errorf("referral: lock %s: %w", b, err)
	}
	return group, nil
}

// orderFact asks what the rules look at; the caller has locked the binding.
func orderFact(tx *database.Tx, o PaidOrder, rules Rules, inviter, invitee id.Member) (OrderFact, error) {
	f := OrderFact{Goods: o.Goods}
	if rules.Trigger == TriggerFirstPaidOrder {
		before, err := community.HasFactBeside(tx.DB, invitee, community.FactOrderPaid, int64(o.Order))
		if err != nil {
			return f, err
		}
		f.First = !before
	}
	around, err := factAround(tx, rules, inviter, invitee, o.PaidAt)
	around.Goods, around.First = f.Goods, f.First
	return around, err
}

// factAround asks what the rules look at of the two people at a moment.
func factAround(tx *database.Tx, rules Rules, inviter, invitee id.Member, at clock.Milli) (f OrderFact, err error) {
	if rules.InviterHasOrdered {
		if f.InviterHasOrdered, err = community.HasFact(tx.DB, inviter, community.FactOrderPaid); err != nil {
			return f, err
		}
	}
	standing, err := promoter.StandingIn(tx.DB, []id.Member{inviter})
	if err != nil {
		return f, err
	}
	f.InviterFrozen = standing[inviter] == promoter.Frozen
	if standing[inviter] != promoter.None {
		if f.InviterLevel, err = promoter.LevelAt(tx.DB, inviter, at); err != nil {
			return f, err
		}
	}
	strong, err := community.StrongIn(tx.DB, []id.Member{inviter, invitee})
	f.InviterStrong, f.InviteeStrong = strong[inviter], strong[invitee]
	return f, err
}

// factOf names what is rewarded. A first order is a fact of the invitee, so
// that the unique key of rewards refuses a second one.
func factOf(rules Rules, order id.Order, invitee id.Member) string {
	if rules.Trigger == TriggerFirstPaidOrder {
		return "first:" + invitee.String()
	}
	return order.String()
}

// FundedBy is what rewards have taken from a campaign's budget and not given
// back.
func FundedBy(q *database.Query, c id.Campaign) (money.Amount, error) {
	var n money.Amount
	err := q.Raw(`SELECT COALESCE((SELECT SUM(amount * unit_cost) FROM rewards WHERE campaign_id = ? AND funded_by = ?), 0)
		+ COALESCE((SELECT SUM(e.amount * r.unit_cost) FROM rewards r JOIN reward_events e ON e.reward_id = r.id
			WHERE r.campaign_id = ? AND r.funded_by = ? AND e.kind IN ('reduced', 'clawed_back', 'voided')), 0)`, c, c, c, c).Scan(&n).Error
	return n, err
}

// at is where the reward's money lies at a stage: with its beneficiary, or for
// points and coupons, which cost the budget their stated price, with the
// program, set aside and then given.
func (r Reward) at(s wallet.Stage) wallet.Leg {
	switch {
	case r.Currency == money.CNY:
		return wallet.At(s, wallet.Member(r.BeneficiaryID))
	case s == wallet.StagePayable:
		s = wallet.StageGiven
	}
	return wallet.At(s, wallet.Program(r.ProgramID))
}

// move is a ledger transfer of what n of the reward cost; step makes its key.
func (r Reward) move(step, kind string, n money.Amount, from, to wallet.Leg) wallet.Transfer {
	return wallet.Move(fmt.Sprintf("reward:%d:%s", r.ID, step), kind, money.CNY, n*r.UnitCost, from, to)
}

// event appends a fact about the reward.
func (r Reward) event(tx *database.Tx, e RewardEvent, transfer id.Transfer) error {
	err := tx.Exec(`INSERT INTO reward_events (id, reward_id, kind, ref, amount, at, transfer_id, staff_id, reason)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, tx.Next(), r.ID, e.Kind, e.Ref, e.Amount, tx.Now, transfer, tx.Actor.Staff, e.Reason).Error
	if err != nil {
		return fmt.Errorf("referral: %s %s: %w", r.ID, e.Kind, err)
	}
	return publishReward(tx, r, e)
}
