package invite_test

import (
	"strings"
	"sync"
	"testing"

	"siyu/campaign"
	"siyu/campaign/invite"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// race counts while nothing may be granted, and then grants and gives from 64
// sides at once. It returns the points that came of one step of 50.
func race(t *testing.T, db *database.DB, exact bool) int64 {
	t.Helper()
	h := newHouse(t, db, pointsStep("bought", 1, 50, `,"caps":{"per_campaign":1}`))
	inviter := h.Members(1)[0]
	h.buy(h.bring(inviter, 1)[0])
	h.check(h.Campaign.Turn(bg, h.run.ID, campaign.Pause))
	h.measure()
	if got := h.rewards(inviter); len(got) != 0 {
		t.Fatalf("granted while paused: %+v", got)
	}
	h.check(h.Campaign.Turn(bg, h.run.ID, campaign.Resume))
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if err := h.Invite.Measure(bg, 0); err != nil && exact {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if exact {
		h.stands(inviter, invite.RewardGiven, "")
		h.Verify()
		return int64(h.points(inviter))
	}
	return int64(len(h.rewards(inviter))) * 50
}

func TestRace(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		if got := race(t, db, true); got != 50 {
			t.Errorf("got %d points of one step", got)
		}
	})
	for _, engine := range dbtest.Engines {
		t.Run(engine+"/breaks without its locks", func(t *testing.T) {
			for range 20 {
				if race(t, dbtest.Unlocked(t, engine, "invite_rewards.invite_rewards_step"), false) > 50 {
					return
				}
			}
			t.Error("the step was paid once without locks: the test cannot fail")
		})
	}
}

// Verify finds what should not be: it can fail.
func TestVerify_finds(t *testing.T) {
	for name, c := range map[string]struct{ breach, want string }{
		"points of no reward": {`INSERT INTO transfers (id, transfer_key, kind, currency, corrects, at)
			SELECT 7, 'points:earn:invite:7', kind, currency, corrects, at FROM transfers WHERE transfer_key LIKE 'points:earn:invite:%'`, "have no reward"},
		"a coupon of no reward": {`INSERT INTO member_coupons (id, coupon_id, member_id, issue_no, taken_by, taken_no, issued_day, day_no, source_kind, source_id, issued_at, valid_from, valid_until, redeemed_at, returned_at)
			VALUES (7, 7, 7, 1, 7, 1, 20261101, 1, 'invite', 'x', 1, 1, 2, 0, 0)`, "which did not give it"},
		"a reward without its points": {"DELETE FROM transfers WHERE transfer_key LIKE 'points:earn:invite:%'", "0 moves of points"},
		"points without a reward":     {"UPDATE invite_rewards SET state = 'waiting', given_at = 0", "is waiting"},
		"a counter that is wrong":     {"UPDATE invite_scores SET bought_qty = bought_qty + 1", "not what is on record"},
		"a cap passed":                {"UPDATE invite_runs SET inviter_cap = 1, rewards_qty = 3", "counts 3 rewards"},
		"a day that is wrong":         {"UPDATE invite_days SET qty = 0", "counted 0"},
	} {
		t.Run(name, func(t *testing.T) {
			db := dbtest.Open(t, "sqlite")
			h := newHouse(t, db, pointsStep("bought", 1, 50, ""))
			inviter := h.Members(1)[0]
			h.buy(h.bring(inviter, 1)[0])
			h.measure()
			h.stands(inviter, invite.RewardGiven, "")
			h.check(db.Tx(bg, func(tx *database.Tx) error { return tx.Exec(c.breach).Error }))
			proofs, err := invite.Verify(bg, db)
			h.check(err)
			if got := proofs[0].Broken; len(got) != 1 || !strings.Contains(got[0], c.want) {
				t.Errorf("want one breach, %q; got %q", c.want, got)
			}
		})
	}
}
