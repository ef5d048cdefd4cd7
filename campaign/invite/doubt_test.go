package invite_test

import (
	"context"
	"testing"
	"time"

	"siyu/campaign/campaigntest"
	"siyu/campaign/invite"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral"
	"siyu/referral/review"
)

// A step waits while the review holds up an invitation it rests on: it is given
// once two people let that go on, or once another invitee makes up for one whom
// they refused. Other steps are given meanwhile.
func TestStepsInReview(t *testing.T) {
	for name, refuse := range map[string]bool{"released": false, "refused": true} {
		t.Run(name, func(t *testing.T) {
			dbtest.Run(t, func(t *testing.T, db *database.DB) {
				h := newHouse(t, db, `{"steps":[{"kind":"bought","count":2,"hold_days":1,"gift":{"kind":"points","points":50}}]}`)
				h.sale = h.Run(campaigntest.Sale{Stock: 1000, Program: h.program, Hours: 24 * 60})
				inviter, other := h.Members(1)[0], h.Members(1)[0]
				friends := h.bring(inviter, 3)
				for _, m := range h.bring(other, 2) {
					h.buy(m)
				}
				h.buy(friends[0])
				stopped := h.rewardOf(h.buy(friends[1]))
				h.check(h.Referral.ReviewReward(asStaff(1), stopped, referral.Finding{Note: "同一台设备"}))
				h.measure()
				h.after(day + time.Minute)
				h.stands(inviter, invite.RewardWaiting, invite.ReasonReview)
				h.stands(other, invite.RewardGiven, "")

				if refuse {
					h.check(h.Referral.ReviewReward(asStaff(1), stopped, referral.Finding{Found: review.FindRefuse, Note: "是同一个人"}))
					h.check(h.Referral.VoidReward(asStaff(2), stopped, "是同一个人"))
					h.after(time.Hour)
					h.stands(inviter, invite.RewardWaiting, invite.ReasonReview)
					h.buy(friends[2])
				} else {
					h.check(h.Referral.ReviewReward(asStaff(1), stopped, referral.Finding{Found: review.FindPass, Note: "一家人"}))
					h.check(h.Referral.ReleaseReward(asStaff(2), stopped, "一家人"))
				}
				h.after(time.Hour)
				h.after(time.Hour)
				h.stands(inviter, invite.RewardGiven, "")
				h.Verify()
			})
		})
	}
}

func asStaff(n id.Staff) context.Context {
	return database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: n})
}

// rewardOf is what an order earned.
func (h *house) rewardOf(o id.Order) id.Reward {
	h.t.Helper()
	list, err := h.Referral.ListRewards(bg, referral.RewardFilter{Order: o}, database.Page{})
	h.check(err)
	if len(list.Items) != 1 {
		h.t.Fatalf("got %d rewards of %s", len(list.Items), o)
	}
	return list.Items[0].ID
}
