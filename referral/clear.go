package referral

import (
	"math"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/wallet"
)

// ClearReward asks to make a reward payable once it has matured.
type ClearReward struct {
	Reward id.Reward `json:"reward"`
}

// Kind names the task.
func (ClearReward) Kind() string { return "referral:clear_reward" }

// Register tells the worker what this room works on.
func (s *Service) Register(r *task.Registry) {
	task.Handle(r, clearTx)
	task.Handle(r, lookTx)
	task.HandleOutside(r, s.runBatch)
}

// ReceivedTx moves the maturity of an order's pending rewards to receipt plus
// the days of their program, and plans their clearing anew.
func ReceivedTx(tx *database.Tx, order id.Order, at clock.Milli) error {
	list, err := lockRewards(tx, "order_id", int64(order))
	if err != nil {
		return err
	}
	looks, soonest := false, clock.Milli(math.MaxInt64)
	for _, r := range list {
		if r.State != RewardPending {
			continue
		}
		rules, err := rulesOf(tx.DB, r.ProgramID, r.ProgramVersion)
		if err != nil {
			return err
		}
		matures := rules.maturesReceived(at)
		if matures == r.MaturesAt {
			continue
		}
		if err := tx.Exec("UPDATE rewards SET matures_at = ? WHERE id = ?", matures, r.ID).Error; err != nil {
			return err
		}
		if err := task.EnqueueTx(tx, ClearReward{r.ID}, matures); err != nil {
			return err
		}
		if looks = looks || r.Review == ReviewDue; looks {
			soonest = min(soonest, matures)
		}
	}
	if !looks {
		return nil
	}
	return task.EnqueueTx(tx, LookAtOrder{order}, soonest.Add(-lookAhead))
}

// clearTx makes a matured reward payable. It trusts nothing but the rows: a
// reward may have several tasks, because its maturity moves, and the one that
// comes too early or too late does nothing. One that a human must look at
// first waits: the look, or his word, asks again.
func clearTx(tx *database.Tx, a ClearReward) error {
	list, err := lockRewards(tx, "id", int64(a.Reward))
	if err != nil {
		return err
	}
	if len(list) == 0 || list[0].State != RewardPending || list[0].MaturesAt > tx.Now || !list[0].Review.clears() {
		return nil
	}
	r := list[0]
	transfer, err := wallet.PostTx(tx, r.move("clear", "reward_clear", r.Net,
		wallet.At(wallet.StageReserved, wallet.Member(r.BeneficiaryID)), wallet.At(wallet.StagePayable, wallet.Member(r.BeneficiaryID))))
	if err != nil {
		return err
	}
	if err := r.event(tx, RewardEvent{Kind: EventCleared, Ref: "matured", Amount: r.Net}, transfer); err != nil {
		return err
	}
	err = community.NoticeTx(tx, community.Notice{
		Member: r.BeneficiaryID, Name: community.NoticeRewardCleared, Fact: r.ID.String(),
		Params: map[string]string{"order_id": r.OrderID.String(), "amount": community.NoticeAmount(r.Net)},
	})
	if err != nil || r.Side != SideInviter {
		return err
	}
	return community.FactTx(tx, community.Fact{Member: r.BeneficiaryID, Kind: community.FactReferralKept, Ref: int64(r.BindingID), At: tx.Now})
}
