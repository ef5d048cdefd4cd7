package referral_test

import (
	"sync"
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
	"siyu/referral"
	"siyu/wallet"
)

// Hundreds of rewards mature at one moment. Four workers clear them by the same
// rows at once, each has a task besides, a part is refunded meanwhile, and every
// reward is payable once.
func TestClearingManyAtOnce(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(10_000_000, everyOrder())
		anna := h.member()
		const buyers, orders = 6, 40
		for b := range buyers {
			bob := h.member()
			h.mustBind(anna, bob)
			for o := range orders {
				h.pay(id.Order(1+b*orders+o), bob, 10_000)
			}
		}
		h.drain() // the looks
		db.Clock.Jump(30 * day)
		all := h.everyReward()
		h.tx(func(tx *database.Tx) error {
			for _, r := range all {
				if err := task.EnqueueTx(tx, referral.ClearReward{Reward: r.ID}, 0); err != nil {
					return err
				}
			}
			return nil
		})
		var work sync.WaitGroup
		for range 4 {
			work.Go(func() {
				if err := task.Drain(bg, db, h.tasks); err != nil {
					t.Error(err)
				}
			})
		}
		work.Go(func() {
			for o := range orders {
				err := db.Tx(bg, func(tx *database.Tx) error { return referral.RefundedTx(tx, id.Order(1+o), id.Refund(1+o), 5_000) })
				if err != nil {
					t.Error(err)
				}
			}
		})
		work.Wait()
		h.drain()
		for _, r := range h.everyReward() {
			n := 0
			for _, e := range r.Events {
				if e.Kind == referral.EventCleared {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%s was cleared %d times", r.ID, n)
			}
		}
		// 10 % of 240 orders of 100 yuan, less 5 % of the 40 refunded by half.
		if got, want := h.balance(wallet.StagePayable, wallet.Member(anna)), money.Amount(240*1000-40*500); got != want {
			t.Errorf("payable to the inviter: got %s, want %s", got, want)
		}
		if got := h.balance(wallet.StageReserved, wallet.Member(anna)); got != 0 {
			t.Errorf("%s is still reserved", got)
		}
		h.proven()
	})
}

// everyReward reads all pages.
func (h *house) everyReward() (all []referral.Reward) {
	h.t.Helper()
	page := database.Page{Limit: 100}
	for {
		list, err := h.ListRewards(bg, referral.RewardFilter{}, page)
		if err != nil {
			h.t.Fatal(err)
		}
		all = append(all, list.Items...)
		if list.NextCursor == "" {
			return all
		}
		page.Before = int64(all[len(all)-1].ID)
	}
}

// A receipt that is reported once the reward cleared, or came to nothing, moves
// nothing: the day it matured on stays, and nothing waits to clear again.
func TestAReceiptAfterTheEndMovesNothing(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(100_000, capped())
		anna := h.member()
		cleared := h.earns(anna, 1)
		h.mature()
		gone := h.earns(anna, 2)
		h.refund(2, 21, 20_000)
		for order, was := range map[id.Order]referral.Reward{1: cleared, 2: gone} {
			h.tx(func(tx *database.Tx) error { return referral.ReceivedTx(tx, order, tx.Now) })
			if now := h.rewards(referral.RewardFilter{Order: order})[0]; now.MaturesAt != was.MaturesAt {
				t.Errorf("order %d: matured at %d, now at %d", order, was.MaturesAt, now.MaturesAt)
			}
		}
		var waiting int
		if err := db.Read(bg).Raw("SELECT COUNT(*) FROM ripening").Row().Scan(&waiting); err != nil || waiting != 0 {
			t.Errorf("%d wait to clear (%v)", waiting, err)
		}
		h.proven()
	})
}
