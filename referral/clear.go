package referral

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/internal/webhook"
	"siyu/wallet"
)

// ClearReward asks to make one reward payable. Rewards clear by their rows of
// ripening; this task is for one whose clearing failed by itself, and what a
// release before those rows left behind.
type ClearReward struct {
	Reward id.Reward `json:"reward"`
}

// Kind names the task.
func (ClearReward) Kind() string { return "referral:clear_reward" }

// Register tells the worker what this room works on.
func (s *Service) Register(r *task.Registry) {
	task.HandleRows(r, ripens())
	task.HandleMany(r, clearMost, clearTx)
	task.HandleMany(r, giveMost, giveTx)
	task.Handle(r, lookTx)
	task.Handle(r, lookActTx)
	task.Handle(r, weighStayTx)
	task.HandleOutside(r, s.runBatch)
	task.Every(r, "referral:judge_levels", 24*time.Hour, s.JudgeLevels)
	task.Every(r, "referral:end_lapsed", time.Hour, func(ctx context.Context, _ clock.Milli) error { return s.EndLapsed(ctx) })
}

// ReceivedTx moves the maturity of an order's pending rewards to receipt plus
// the days of their program, and plans their clearing anew.
func ReceivedTx(tx *database.Tx, order id.Order, at clock.Milli) error {
	list, err := lockRewards(tx, "order_id", int64(order))
	if err != nil {
		return err
	}
	soonest := clock.Milli(math.MaxInt64)
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
		if err := r.restTx(tx); err != nil {
			return err
		}
		r.MaturesAt = matures
		if err := r.ripenTx(tx); err != nil {
			return err
		}
		if r.Review == ReviewDue {
			soonest = min(soonest, matures)
		}
	}
	if soonest == math.MaxInt64 {
		return nil
	}
	return task.EnqueueTx(tx, LookAtOrder{order}, soonest.Add(-lookAhead))
}

// clearMost is how many tasks are cleared in one transaction, below the 190 ids
// of an IN list from which on MySQL and MariaDB guess instead of looking into
// the index; a fresh table's guess is to read all of it.
const clearMost = 167

// clearTx makes matured rewards payable. It trusts nothing but the rows: a task
// that comes too early or too late does nothing.
func clearTx(tx *database.Tx, list []ClearReward) error {
	ids := make([]id.Reward, len(list))
	for i, a := range list {
		ids[i] = a.Reward
	}
	ripe, err := lockRipe(tx, ids)
	if err != nil {
		return err
	}
	if err := clearRipe(tx, ripe); err != nil {
		return err
	}
	rows := make([]ripening, len(ripe))
	for i, r := range ripe {
		rows[i] = r.row()
	}
	return unripenTx(tx, rows)
}

// clearRipe makes rewards payable, their rows locked. That each clears once is
// held by that lock and by the unique key of its event.
func clearRipe(tx *database.Tx, ripe []Reward) error {
	if len(ripe) == 0 {
		return nil
	}
	byProgram(ripe)
	events, together := clearingsOf(tx, ripe)
	moves := make([]wallet.Onward, len(together))
	for i, at := 0, 0; i < len(together); i++ {
		n := together[i].RewardCount
		moves[i] = together[i].move(ripe[at : at+n])
		at += n
	}
	posted, err := wallet.OnwardTx(tx, moves)
	if err != nil {
		return err
	}
	transfers := make([]id.Transfer, 0, len(ripe))
	for i, c := range together {
		transfers = append(transfers, slices.Repeat(posted[i:i+1], c.RewardCount)...)
	}
	if err := clearedTx(tx, ripe, events, together, transfers); err != nil {
		return err
	}
	if told, err := clearedTold(tx.DB); err != nil || !told {
		return err
	}
	ids := make([]id.Reward, len(ripe))
	for i, r := range ripe {
		ids[i] = r.ID
	}
	for part := range slices.Chunk(ids, inAtOnce) {
		whole, err := lockMany(tx, part)
		if err != nil {
			return err
		}
		if err := tellClearedTx(tx, whole); err != nil {
			return err
		}
	}
	return nil
}

// clearedTold says whether anybody listens to what clears.
func clearedTold(q *database.Query) (bool, error) {
	wanted, err := webhook.Wanted(q, eventRewardCleared)
	if err != nil || wanted {
		return wanted, err
	}
	return community.NoticesHeard(q)
}

// ripe says that the reward may clear now.
func (r Reward) ripe(now clock.Milli) bool {
	return r.State == RewardPending && r.MaturesAt <= now && r.Review.clears()
}

// clearedTx appends the facts: to each reward, of what was cleared together,
// and of whom was kept to his inviter. The list is in the order of byProgram.
func clearedTx(tx *database.Tx, list []Reward, events []int64, together []Clearing, transfers []id.Transfer) error {
	var kept []community.Fact
	text := make([]byte, 0, 130*len(list))
	text = append(text, "INSERT INTO reward_events (id, reward_id, kind, ref, amount, at, transfer_id, staff_id, reason) VALUES "...)
	for i, r := range list {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(append(text, '('), events[i], 10)
		text = strconv.AppendInt(append(text, ','), int64(r.ID), 10)
		text = strconv.AppendInt(append(text, ",'cleared','matured',"...), int64(r.Net), 10)
		text = strconv.AppendInt(append(text, ','), int64(tx.Now), 10)
		text = strconv.AppendInt(append(text, ','), int64(transfers[i]), 10)
		text = strconv.AppendInt(append(text, ','), int64(tx.Actor.Staff), 10)
		text = append(text, ",'')"...)
		if r.Side == SideInviter {
			kept = append(kept, community.Fact{Member: r.BeneficiaryID, Kind: community.FactReferralKept, Ref: int64(r.BindingID), At: tx.Now})
		}
	}
	if err := tx.Exec(string(text)).Error; err != nil {
		return fmt.Errorf("referral: cleared: %w", err)
	}
	if err := ClearingsTx(tx, together); err != nil {
		return err
	}
	return community.FactsTx(tx, kept)
}

// tellClearedTx tells webhooks and members, where anybody listens.
func tellClearedTx(tx *database.Tx, list []Reward) error {
	wanted, err := webhook.Wanted(tx.DB, eventRewardCleared)
	if err != nil {
		return err
	}
	heard, err := community.NoticesHeard(tx.DB)
	if err != nil {
		return err
	}
	for _, r := range list {
		if wanted {
			if err := publishReward(tx, r, RewardEvent{Kind: EventCleared, Amount: r.Net}); err != nil {
				return err
			}
		}
		if !heard {
			continue
		}
		if err := community.NoticeTx(tx, r.notice()); err != nil {
			return err
		}
	}
	return nil
}
