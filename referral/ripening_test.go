package referral_test

import (
	"sync"
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
	"siyu/referral"
	"siyu/wallet"
)

// ripening is how many rows wait, of one reward or of all.
func (h *house) ripening(reward id.Reward) (n int) {
	h.t.Helper()
	if err := h.DB.Read(bg).Raw("SELECT COUNT(*) FROM ripening WHERE ? IN (0, reward_id)", reward).Scan(&n).Error; err != nil {
		h.t.Fatal(err)
	}
	return n
}

func (h *house) waits(what string, reward id.Reward, want int) {
	h.t.Helper()
	if got := h.ripening(reward); got != want {
		h.t.Errorf("%s: %d rows wait for its day, want %d", what, got, want)
	}
	h.proven()
}

// A process dies with a transaction's rewards cleared and not committed, the
// next between two transactions, then two go on at once: each reward has
// cleared once, and no row is left.
func TestRipeningKilled(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			url := dbtest.URL(t, engine)
			h := newHouse(t, dbtest.At(t, url))
			h.newProgram(10_000_000, everyOrder())
			anna, bob := h.member(), h.member()
			h.mustBind(anna, bob)
			const orders = 340 // more rewards than two transactions take
			for o := range orders {
				h.pay(id.Order(1+o), bob, 10_000)
			}
			h.DB.Clock.Jump(15*day - 30*time.Minute)
			h.drain() // the last looks
			h.DB.Clock.Jump(time.Hour)
			h.waits("before", 0, 2*orders)

			child := func(point string) bool {
				return dbtest.Killed(t, dbtest.Child(t, url, point, h.DB.Clock.Now(), "drain"))
			}
			if !child("task:rows_worked:1") {
				t.Fatal("not killed before a commit")
			}
			h.waits("killed before a commit", 0, 2*orders)
			if !child("task:rows_done:1") {
				t.Fatal("not killed after a commit")
			}
			// A server works two transactions at once; the other may have committed.
			if left := h.ripening(0); left == 2*orders || left == 0 && engine == "sqlite" {
				t.Errorf("killed after a commit: %d rows wait, want a part", left)
			}
			h.proven()
			var two sync.WaitGroup
			for range 2 {
				two.Go(func() {
					if child("") {
						t.Error("a child was killed at no point")
					}
				})
			}
			two.Wait()
			h.waits("at the end", 0, 0)
			if got := h.balance(wallet.StagePayable, wallet.Member(anna)); got != orders*1000 {
				t.Errorf("payable to the inviter: got %s, want %s", got, money.Amount(orders*1000))
			}
			if got := h.balance(wallet.StagePayable, wallet.Member(bob)); got != orders*500 {
				t.Errorf("payable to the invitee: got %s, want %s", got, money.Amount(orders*500))
			}
		})
	}
}

// The row is there exactly while the reward waits for nothing but its day.
func TestRipeningFollows(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(10_000_000, everyOrder())
		anna, bob := h.member(), h.member()
		h.mustBind(anna, bob)
		earn := func(order id.Order) id.Reward {
			t.Helper()
			h.pay(order, bob, 10_000)
			return h.rewards(referral.RewardFilter{Order: order, Member: anna})[0].ID
		}

		received := earn(1)
		h.waits("earned", received, 1)
		h.tx(func(tx *database.Tx) error { return referral.ReceivedTx(tx, 1, tx.Now) })
		h.waits("its goods arrived", received, 1)
		h.refund(1, 1, 4_000)
		h.waits("a part came back", received, 1)
		h.refund(1, 2, 10_000)
		h.waits("all came back", received, 0)

		stopped := earn(2)
		if err := h.ReviewReward(asStaff(8), stopped, referral.Finding{Note: "看一下"}); err != nil {
			t.Fatal(err)
		}
		h.waits("stopped for a human", stopped, 0)
		if err := h.ReviewReward(asStaff(8), stopped, referral.Finding{Found: "pass", Note: "没问题"}); err != nil {
			t.Fatal(err)
		}
		if err := h.ReleaseReward(asStaff(9), stopped, "同意"); err != nil {
			t.Fatal(err)
		}
		h.waits("let go before its day", stopped, 1)

		gone := earn(3)
		if err := h.VoidReward(asStaff(8), gone, "刷单"); err != nil {
			t.Fatal(err)
		}
		h.waits("voided", gone, 0)

		// Its day comes before the look does: the row is worked first and goes,
		// and the look brings it back.
		late := earn(4)
		db.Clock.Jump(30 * day)
		h.drain()
		h.waits("looked at late and cleared", late, 0)
		if got := h.rewards(referral.RewardFilter{State: referral.RewardCleared, Member: anna}); len(got) != 2 {
			t.Errorf("%d rewards of the inviter have cleared, want the one let go and the late one", len(got))
		}

		// verify sees a row that is missing, one too many and one at another day.
		bob = h.member()
		h.mustBind(anna, bob)
		lost := earn(5)
		do := func(query string, args ...any) {
			t.Helper()
			h.tx(func(tx *database.Tx) error { return tx.Exec(query, args...).Error })
		}
		broken := func(what string, want int) {
			t.Helper()
			proofs, err := referral.Verify(bg, db)
			if err != nil {
				t.Fatal(err)
			}
			got := 0
			for _, p := range proofs {
				got += len(p.Broken)
			}
			if got != want {
				t.Errorf("%s: %d breaches, want %d", what, got, want)
			}
		}
		broken("as it should be", 0)
		do("UPDATE ripening SET matures_at = matures_at + 1 WHERE reward_id = ?", lost)
		broken("another day", 2)
		do("DELETE FROM ripening WHERE reward_id = ?", lost)
		broken("no row", 1)
		h.tx(func(tx *database.Tx) error {
			return task.EnqueueTx(tx, referral.ClearReward{Reward: lost}, tx.Now.Add(day))
		})
		broken("a task of an older release instead", 0)
		do("INSERT INTO ripening (matures_at, reward_id, member_id) VALUES (1, ?, 1)", gone)
		broken("a row of what was voided", 1)
		h.drain()
		broken("worked like any other", 0)
	})
}
