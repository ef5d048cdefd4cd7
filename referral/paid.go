package referral

import (
	"errors"
	"fmt"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
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

	// FromCampaign: the campaign has a budget, and its rewards are paid from it
	// instead of the program's.
	FromCampaign bool
}

// PaidTx writes the rewards that a paid order earns, reserves them from the
// program's budget and plans their clearing. Called again for the same order
// it changes nothing. A reward that the budget cannot carry in full is written
// with amount zero and the note budget_exhausted: a promise is kept whole or
// visibly not at all.
func PaidTx(tx *database.Tx, o PaidOrder) error {
	if o.Frozen.Binding == 0 || o.Goods <= 0 {
		return nil
	}
	rules, err := rulesOf(tx.DB, o.Frozen.Program, o.Frozen.Version)
	if err != nil {
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
	if err := renewPaidTx(tx, o, rules); err != nil {
		return err
	}
	fact, err := orderFact(tx, o, rules, inviter, invitee)
	if err != nil {
		return err
	}
	to := map[Side]id.Member{SideInviter: inviter, SideInvitee: invitee}
	var fresh []Reward
	for _, e := range Earn(rules, fact) {
		r := Reward{
			ID: id.Reward(tx.Next()), UnitID: o.Unit, ProgramID: o.Frozen.Program, ProgramVersion: o.Frozen.Version,
			Fact: factOf(rules, o.Order, invitee), BeneficiaryID: to[e.To], Rule: e.Rule, Side: e.To, OrderID: o.Order, CampaignID: o.Campaign,
			CodeID: o.Frozen.Code, BindingID: o.Frozen.Binding, Currency: money.CNY, Base: o.Goods, Amount: e.Amount, Note: e.Note,
			EarnedAt: tx.Now, MaturesAt: rules.maturesUnreceived(o.PaidAt), Review: ReviewDue,
		}
		if o.FromCampaign {
			r.FundedBy = o.Campaign
		}
		made, err := insertReward(tx, r)
		if err != nil {
			return err
		}
		if made && r.Amount > 0 {
			fresh = append(fresh, r)
		}
	}
	if err := reserveTx(tx, fresh); err != nil || len(fresh) == 0 {
		return err
	}
	return task.EnqueueTx(tx, LookAtOrder{o.Order}, tx.Now)
}

// orderFact asks what the rules look at. The binding's row is locked first, so
// that of two orders of one invitee paid at once only one is his first.
func orderFact(tx *database.Tx, o PaidOrder, rules Rules, inviter, invitee id.Member) (OrderFact, error) {
	f := OrderFact{Goods: o.Goods}
	var locked id.Binding
	if err := tx.Raw("SELECT id FROM bindings WHERE id = ?"+tx.Dialect.ForUpdate, o.Frozen.Binding).Scan(&locked).Error; err != nil {
		return f, fmt.Errorf("referral: lock %s: %w", o.Frozen.Binding, err)
	}
	if rules.Trigger == TriggerFirstPaidOrder {
		before, err := community.HasFactBeside(tx.DB, invitee, community.FactOrderPaid, int64(o.Order))
		if err != nil {
			return f, err
		}
		f.First = !before
	}
	if rules.InviterHasOrdered {
		var err error
		if f.InviterHasOrdered, err = community.HasFact(tx.DB, inviter, community.FactOrderPaid); err != nil {
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

// insertReward writes the row unless its key stands already.
func insertReward(tx *database.Tx, r Reward) (bool, error) {
	err := tx.Exec(`INSERT INTO rewards (id, unit_id, program_id, program_version, fact, beneficiary_id, rule, side, order_id, campaign_id,
			code_id, binding_id, currency, base, amount, note, earned_at, matures_at, funded_by, review)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.UnitID, r.ProgramID, r.ProgramVersion, r.Fact, r.BeneficiaryID, r.Rule, r.Side, r.OrderID, r.CampaignID,
		r.CodeID, r.BindingID, r.Currency, r.Base, r.Amount, r.Note, r.EarnedAt, r.MaturesAt, r.FundedBy, r.Review).Error
	switch {
	case database.IsDuplicate(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("referral: reward: %w", err)
	}
	return true, nil
}

// reserveTx moves the promised amounts from budget to reserved: all at once,
// or one by one in the order of the rules when the budget is nearly used up.
func reserveTx(tx *database.Tx, list []Reward) error {
	moves := make([]wallet.Transfer, len(list))
	for i, r := range list {
		moves[i] = r.move("earn", "reward_earn", r.Amount, wallet.At(wallet.StageBudget, r.payer()),
			wallet.At(wallet.StageReserved, wallet.Member(r.BeneficiaryID)))
	}
	ids, err := wallet.PostManyTx(tx, moves)
	if errors.Is(err, wallet.ErrInsufficient) {
		ids = make([]id.Transfer, len(list))
		for i := range moves {
			if ids[i], err = wallet.PostTx(tx, moves[i]); errors.Is(err, wallet.ErrInsufficient) {
				err = exhausted(tx, list[i].ID)
			}
			if err != nil {
				return err
			}
		}
	}
	if err != nil {
		return err
	}
	for i, r := range list {
		if ids[i] == 0 {
			continue
		}
		if err := r.earned(tx, ids[i]); err != nil {
			return err
		}
	}
	return nil
}

func exhausted(tx *database.Tx, r id.Reward) error {
	return tx.Exec("UPDATE rewards SET amount = 0, note = ? WHERE id = ?", NoteBudgetExhausted, r).Error
}

// earned records a funded reward and plans its clearing.
func (r Reward) earned(tx *database.Tx, transfer id.Transfer) error {
	if err := r.event(tx, RewardEvent{Kind: EventEarned, Ref: r.Fact, Amount: r.Amount}, transfer); err != nil {
		return err
	}
	err := community.FactTx(tx, community.Fact{Member: r.BeneficiaryID, Kind: community.FactRewardOpen, Ref: int64(r.ID), At: tx.Now})
	if err != nil {
		return err
	}
	return task.EnqueueTx(tx, ClearReward{r.ID}, r.MaturesAt)
}

// payer is whose budget pays the reward.
func (r Reward) payer() wallet.Owner {
	if r.FundedBy != 0 {
		return wallet.Campaign(r.FundedBy)
	}
	return wallet.Program(r.ProgramID)
}

// FundedBy is what rewards have taken from a campaign's budget and not given
// back.
func FundedBy(q *database.Query, c id.Campaign) (money.Amount, error) {
	var n money.Amount
	err := q.Raw(`SELECT COALESCE((SELECT SUM(amount) FROM rewards WHERE campaign_id = ? AND funded_by = ?), 0)
		+ COALESCE((SELECT SUM(e.amount) FROM rewards r JOIN reward_events e ON e.reward_id = r.id
			WHERE r.campaign_id = ? AND r.funded_by = ? AND e.kind IN ('reduced', 'clawed_back', 'voided')), 0)`, c, c, c, c).Scan(&n).Error
	return n, err
}

// move is a ledger transfer of the reward; step makes its key.
func (r Reward) move(step, kind string, n money.Amount, from, to wallet.Leg) wallet.Transfer {
	return wallet.Move(fmt.Sprintf("reward:%d:%s", r.ID, step), kind, r.Currency, n, from, to)
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
