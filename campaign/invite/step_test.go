package invite_test

import (
	"fmt"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/invite"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

const day = 24 * time.Hour

func TestSteps(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db, couponStep("stayed", 2, coupon(t, db, 10)))
		inviter := h.Members(1)[0]
		friends := h.bring(inviter, 3)
		h.join(friends...)
		h.after(6 * day)
		if p := h.progress(inviter); p.Maturing != 3 || p.Stayed != 0 || p.Steps[0].Have != 0 || p.NextStayAt == 0 {
			t.Errorf("maturing: got %+v", p)
		}
		h.leave(friends[0])
		h.after(day)
		w := h.stands(inviter, invite.RewardGiven, "")
		if w.MemberCouponID == 0 || w.GivenAt != h.now() || w.AvailableAt != h.now() {
			t.Errorf("got %+v", w)
		}
		if p := h.progress(inviter); p.Stayed != 2 || p.Steps[0].Have != 2 || p.Steps[0].Reward == nil {
			t.Errorf("got %+v", p)
		}
		h.leave(friends[1]) // stayed long enough: counts for good
		h.after(day)
		h.measure()
		if p := h.progress(inviter); p.Stayed != 2 {
			t.Errorf("after he left: got %d", p.Stayed)
		}
		h.stands(inviter, invite.RewardGiven, "")
		h.Verify()
	})
}

// A refund lowers a count that has not come to its step; a step reached stays.
func TestSteps_refunds(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db, `{"steps":[{"kind":"bought","count":1,"hold_days":3,"gift":{"kind":"points","points":50}},{"kind":"bought","count":2,"gift":{"kind":"points","points":70}}]}`)
		inviter := h.Members(1)[0]
		friends := h.bring(inviter, 2)
		o := h.buy(friends[0])
		h.measure()
		w := h.stands(inviter, invite.RewardMaturing, invite.ReasonHold)
		if w.AvailableAt != h.now().Add(3*day) {
			t.Errorf("available at %s", w.AvailableAt)
		}
		h.refund(o)
		h.after(time.Hour)
		if p := h.progress(inviter); p.Bought != 0 {
			t.Errorf("after the refund: got %d", p.Bought)
		}
		h.buy(friends[1])
		h.after(3 * day)
		h.stands(inviter, invite.RewardGiven, "") // and the second step is not reached
		if got := h.points(inviter); got != 50 {
			t.Errorf("got %d points", got)
		}
		h.Verify()
	})
}

func TestSteps_window(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db, pointsStep("stayed", 1, 50, `,"leaderboard":{"by":"stayed"}`))
		a, b := h.Members(1)[0], h.Members(1)[0]
		h.DB.Clock.Jump(5 * day)
		h.join(h.bring(a, 1)...)
		h.DB.Clock.Jump(5 * day) // the end
		h.join(h.bring(b, 1)...) // too late
		h.measure()
		h.after(2 * day)
		h.stands(a, invite.RewardGiven, "")
		if got := h.rewards(b); len(got) != 0 {
			t.Errorf("brought after the end: got %+v", got)
		}
		board, err := h.Invite.Leaderboard(bg, h.run.ID, 10)
		if err != nil || !board.Frozen || len(board.Places) != 0 {
			t.Errorf("stayed long enough after the end: got %+v, %v", board, err)
		}
		h.Verify()
	})
}

// TestEndAsSomebodyComes: who came at the very moment at which it ended counts
// for nothing, though he had been judged while nobody knew of the end.
func TestEndAsSomebodyComes(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db, `{"steps":[{"kind":"bought","count":1,"gift":{"kind":"points","points":50}}]}`)
		inviter := h.Members(1)[0]
		h.check(h.Campaign.Turn(bg, h.run.ID, campaign.Pause)) // nothing is granted meanwhile
		h.buy(h.bring(inviter, 1)[0])
		h.measure()
		if p := h.progress(inviter); p.Bought != 1 {
			t.Fatalf("judged before the end: got %d", p.Bought)
		}
		h.check(h.Campaign.Turn(bg, h.run.ID, campaign.End))
		h.measure()
		if p := h.progress(inviter); p.Bought != 0 || len(h.rewards(inviter)) > 0 {
			t.Errorf("got %d who bought, %d rewards", p.Bought, len(h.rewards(inviter)))
		}
		h.Verify()
	})
}

func TestGoods(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db, `{"steps":[{"kind":"bought","count":1,"gift":{"kind":"goods","name":"保温杯"}}]}`)
		inviter := h.Members(1)[0]
		h.buy(h.bring(inviter, 1)[0])
		h.measure()
		w := h.stands(inviter, invite.RewardReady, "")
		h.check(h.Invite.HandOver(bg, w.ID, invite.HandOver{Note: "SF1"}))
		h.stands(inviter, invite.RewardGiven, "")
		refused(t, h.Invite.HandOver(bg, w.ID, invite.HandOver{}), invite.ErrRewardState)
		h.after(day)
		h.Verify()
	})
}

func TestCoupon_that_ran_out(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		c := coupon(t, db, 1)
		h := newHouse(t, db, couponStep("bought", 1, c))
		a, b := h.Members(1)[0], h.Members(1)[0]
		h.buy(h.bring(a, 1)[0])
		h.measure()
		h.buy(h.bring(b, 1)[0])
		h.measure()
		h.stands(a, invite.RewardGiven, "")
		w := h.stands(b, invite.RewardWaiting, "coupon.gone")
		if w.NextAt <= h.now() {
			t.Errorf("tried next at %s", w.NextAt)
		}
		h.check(db.Tx(bg, func(tx *database.Tx) error { return tx.Exec("UPDATE coupons SET total_qty = 2 WHERE id = ?", c).Error }))
		h.after(10 * time.Minute)
		h.stands(b, invite.RewardGiven, "")
		h.Verify()
	})
}

func TestCaps(t *testing.T) {
	two := `{"steps":[{"kind":"bought","count":1,"gift":{"kind":"points","points":60}},{"kind":"bought","count":2,"gift":{"kind":"points","points":60}}],"caps":{%s}}`
	for name, x := range map[string]struct {
		caps   string
		state  invite.RewardState
		why    invite.Reason
		points int64
		later  int64
	}{
		"in all":       {`"per_inviter":1`, invite.RewardSkipped, invite.ReasonInviterCap, 60, 60},
		"per campaign": {`"per_campaign":1`, invite.RewardSkipped, invite.ReasonCampaignCap, 60, 60},
		"points clamp": {`"points":100`, invite.RewardGiven, invite.ReasonPointsClamped, 100, 100},
		"points out":   {`"points":60`, invite.RewardSkipped, invite.ReasonPointsCap, 60, 60},
		"per day":      {`"per_inviter_day":1`, invite.RewardWaiting, invite.ReasonInviterDayCap, 60, 120},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Run(t, func(t *testing.T, db *database.DB) {
				h := newHouse(t, db, fmt.Sprintf(two, x.caps))
				inviter := h.Members(1)[0]
				for _, m := range h.bring(inviter, 2) {
					h.buy(m)
				}
				h.measure()
				list := h.rewards(inviter)
				if len(list) != 2 || list[0].State != x.state || list[0].Reason != x.why {
					t.Fatalf("got %+v", list)
				}
				if got := h.points(inviter); int64(got) != x.points {
					t.Errorf("got %d points, want %d", got, x.points)
				}
				h.after(day)
				if got := h.points(inviter); int64(got) != x.later {
					t.Errorf("a day later: got %d points, want %d", got, x.later)
				}
				h.Verify()
			})
		})
	}
}

// Whom a merge makes one person is paid a step once, and counts once.
func TestMerge(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db, pointsStep("bought", 1, 50, ""))
		a, b := h.Members(1)[0], h.Members(1)[0]
		h.buy(h.bring(a, 1)[0])
		h.measure()
		twins := h.bring(b, 2)
		h.check(h.Campaign.MergeMembers(bg, a, b))
		for _, m := range twins {
			h.buy(m)
		}
		h.measure()
		h.stands(b, invite.RewardGiven, "")
		h.check(h.Campaign.MergeMembers(bg, twins[0], twins[1]))
		h.after(time.Hour)
		if p := h.progress(b); p.Bought != 2 { // a's friend and the one person
			t.Errorf("got %d", p.Bought)
		}
		h.Verify()
	})
}

func TestBreaker(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db, pointsStep("stayed", 1, 50, `,"breaker":{"sample":5,"keep_bp":5000}`))
		bad, good := h.Members(1)[0], h.Members(1)[0]
		friends := h.bring(bad, 5)
		h.join(friends...)
		for _, m := range friends {
			h.DB.Clock.Jump(time.Minute)
			h.leave(m)
		}
		h.join(h.bring(good, 1)...)
		h.measure()
		run, err := h.Invite.FindRun(bg, h.run.ID)
		if err != nil || run.Status != invite.RunTripped || run.Sample != 5 || run.Kept != 0 {
			t.Fatalf("got %+v, %v", run, err)
		}
		h.after(8 * day)
		if p := h.progress(good); len(h.rewards(good)) != 0 || p.Stayed != 1 || !p.Paused {
			t.Errorf("granted while tripped: %+v", p)
		}
		h.check(h.Invite.Resume(bg, h.run.ID, invite.Resume{Reason: "已核实，群主误操作"}))
		refused(t, h.Invite.Resume(bg, h.run.ID, invite.Resume{Reason: "x"}), invite.ErrNotTripped)
		h.measure()
		h.stands(good, invite.RewardGiven, "")
		h.Verify()
	})
}

func TestLeaderboard(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db, `{"leaderboard":{"by":"bought"}}`)
		people := h.Members(4)
		for i, n := range []int{1, 2, 2, 0} {
			if n == 0 {
				continue
			}
			for _, m := range h.bring(people[i], n) {
				h.buy(m)
			}
		}
		h.measure()
		ranks := func(me int, n int) (out []int64, own int64) {
			ctx := database.WithActor(bg, database.Actor{Kind: database.ActorMember, Member: people[me]})
			b, err := h.Invite.Leaderboard(ctx, h.run.ID, n)
			h.check(err)
			for _, p := range b.Places {
				if p.Name != "王*" {
					t.Errorf("name %q", p.Name)
				}
				out = append(out, p.Rank)
			}
			if b.Own != nil {
				own = b.Own.Rank
			}
			return out, own
		}
		if got, own := ranks(0, 10); fmt.Sprint(got) != "[1 1 3]" || own != 3 {
			t.Errorf("got %v, own %d", got, own)
		}
		if got, own := ranks(0, 1); fmt.Sprint(got) != "[1]" || own != 3 {
			t.Errorf("outside the head: got %v, own %d", got, own)
		}
		if _, own := ranks(3, 10); own != 0 {
			t.Errorf("who brought nobody has place %d", own)
		}
		h.check(h.Campaign.Turn(bg, h.run.ID, campaign.End))
		h.after(time.Minute)
		for _, m := range h.bring(people[0], 3) {
			h.buy(m)
		}
		h.after(time.Hour)
		if got, own := ranks(0, 10); fmt.Sprint(got) != "[1 1 3]" || own != 3 {
			t.Errorf("after the end: got %v, own %d", got, own)
		}
		h.Verify()
	})
}
