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

// act is what earned: an order, or what hangs on one, with whom it rewards.
type act struct {
	PaidOrder
	fact      string // names it once and for all
	maturesAt clock.Milli
	level     int // the inviter's, as a promoter
	to        map[Side]id.Member
}

// earnTx writes what an act earned: lowered to what the caps allow, each under
// its unique key, reserved from the budget, counted, and looked at before it
// clears. The same act again changes nothing.
func earnTx(tx *database.Tx, rules Rules, a act, earned []Earned) error {
	var err error
	if a.Payer, err = payerTx(tx, a.Frozen.Program, a.Payer); err != nil {
		return err
	}
	list := make([]Reward, len(earned))
	for i, e := range earned {
		list[i] = a.reward(tx, rules.promise(e.Rule), e)
	}
	if err := fitTx(tx, rules, list); err != nil {
		return err
	}
	var fresh []Reward
	for _, r := range list {
		if r.Amount == 0 && r.Note == "" {
			continue // too small a share for its step
		}
		made, err := insertReward(tx, r)
		if err != nil {
			return err
		}
		if made && r.Amount > 0 {
			fresh = append(fresh, r)
		}
	}
	funded, err := reserveTx(tx, rules.BudgetFull, fresh)
	if err != nil || len(funded) == 0 {
		return err
	}
	if err := countTx(tx, rules, funded); err != nil {
		return err
	}
	if a.Order != 0 {
		return task.EnqueueTx(tx, LookAtOrder{a.Order}, tx.Now)
	}
	look := LookAtAct{}
	for _, r := range funded {
		look.Rewards = append(look.Rewards, r.ID)
	}
	return task.EnqueueTx(tx, look, tx.Now)
}

func (a act) reward(tx *database.Tx, p Promise, e Earned) Reward {
	r := Reward{
		ID: id.Reward(tx.Next()), UnitID: a.Unit, ProgramID: a.Frozen.Program, ProgramVersion: a.Frozen.Version,
		Fact: a.fact, BeneficiaryID: a.to[e.To], Rule: e.Rule, Side: e.To, OrderID: a.Order, CampaignID: a.Campaign,
		CodeID: a.Frozen.Code, BindingID: a.Frozen.Binding,
		Currency: p.pays(), UnitCost: p.unitCost(), CouponID: p.CouponID, ValidDays: p.ValidDays,
		PayerID: a.Payer, Base: a.Goods, Amount: e.Amount, Note: e.Note, EarnedAt: tx.Now, MaturesAt: a.maturesAt, Review: ReviewDue,
	}
	if e.To == SideInviter {
		r.Level = a.level
	}
	if a.FromCampaign {
		r.FundedBy = a.Campaign
	}
	return r
}

// insertReward writes the row unless its key stands already. What is no money
// stands on no line of a settlement ever, so nothing need look for it.
func insertReward(tx *database.Tx, r Reward) (bool, error) {
	settled := 0
	if r.Currency != money.CNY || r.Amount == 0 {
		settled = 1
	}
	err := tx.Exec(`INSERT INTO rewards (id, unit_id, program_id, program_version, fact, beneficiary_id, rule, side, order_id, campaign_id,
			code_id, binding_id, currency, base, amount, note, earned_at, matures_at, funded_by, review, unit_cost, coupon_id, valid_days, level_no, nth_no, step_no, payer_id, settled)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.UnitID, r.ProgramID, r.ProgramVersion, r.Fact, r.BeneficiaryID, r.Rule, r.Side, r.OrderID, r.CampaignID,
		r.CodeID, r.BindingID, r.Currency, r.Base, r.Amount, r.Note, r.EarnedAt, r.MaturesAt, r.FundedBy, r.Review, r.UnitCost, r.CouponID, r.ValidDays, r.Level, r.Nth, r.Step, r.PayerID, settled).Error
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
// It returns those that the budget carries, with what it carries of them.
func reserveTx(tx *database.Tx, full Full, list []Reward) ([]Reward, error) {
	moves := make([]wallet.Transfer, len(list))
	for i, r := range list {
		moves[i] = r.reserve()
	}
	ids, err := wallet.PostManyTx(tx, moves)
	if errors.Is(err, wallet.ErrInsufficient) {
		ids = make([]id.Transfer, len(list))
		for i := range list {
			if ids[i], err = list[i].squeezeTx(tx, full); err != nil {
				return nil, err
			}
		}
	}
	if err != nil {
		return nil, err
	}
	funded := list[:0]
	for i, r := range list {
		if ids[i] == 0 {
			continue
		}
		if err := r.earned(tx, ids[i]); err != nil {
			return nil, err
		}
		funded = append(funded, r)
	}
	return funded, nil
}

func (r Reward) reserve() wallet.Transfer {
	return r.move("earn", "reward_earn", r.Amount, wallet.At(wallet.StageBudget, r.payer()), r.at(wallet.StageReserved))
}

// squeezeTx reserves one reward from a budget that may not carry it: whole, or
// as many of its units as are left if it is to be clamped, or not at all.
func (r *Reward) squeezeTx(tx *database.Tx, full Full) (id.Transfer, error) {
	posted, err := wallet.PostTx(tx, r.reserve())
	if !errors.Is(err, wallet.ErrInsufficient) {
		return posted, err
	}
	r.Note, r.Amount = NoteBudgetExhausted, 0
	if full == FullClamp { // the refusal has locked the budget's row
		left, err := wallet.Balance(tx.DB, wallet.StageBudget, r.payer(), money.CNY)
		if err != nil {
			return 0, err
		}
		r.Amount = max(left, 0) / r.UnitCost
	}
	if r.Amount == 0 {
		r.Nth, r.Step = 0, 0
	}
	if err := tx.Exec("UPDATE rewards SET amount = ?, note = ?, nth_no = ?, step_no = ? WHERE id = ?", r.Amount, r.Note, r.Nth, r.Step, r.ID).Error; err != nil {
		return 0, fmt.Errorf("referral: lower %s: %w", r.ID, err)
	}
	if r.Amount == 0 {
		return 0, nil
	}
	return wallet.PostTx(tx, r.reserve())
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
	return r.ripenTx(tx)
}

// payer is whose budget pays the reward.
func (r Reward) payer() wallet.Owner {
	if r.FundedBy != 0 {
		return wallet.Campaign(r.FundedBy)
	}
	return wallet.Program(r.ProgramID)
}
