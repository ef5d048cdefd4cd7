package invite_test

import (
	"testing"
	"time"

	"siyu/campaign/invite"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral"
)

// Whoever was merged with his inviter is nobody's invitee any more. Another
// inviter who binds him later is not paid for the stay that came before.
func TestSecondInviterGetsNoOldStay(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db, pointsStep("stayed", 1, 50, ""))
		first, second := h.Members(1)[0], h.Members(1)[0]
		friend := h.bring(first, 1)[0]
		h.join(friend)
		h.measure()
		h.DB.Clock.Jump(time.Hour)
		h.check(h.Campaign.MergeMembers(bg, first, friend))
		h.after(8 * day) // the void binding's stay is long enough now
		code, err := h.Referral.CreateCode(bg, referral.CodeIn{InviterID: second, ProgramID: h.program, CampaignID: h.run.ID})
		h.check(err)
		list, err := h.Referral.CodesByID(bg, []id.Code{code})
		h.check(err)
		_, err = h.Referral.Bind(bg, referral.Bind{Code: list[0].Code, Invitee: friend})
		h.check(err)
		h.after(time.Hour)
		if p := h.progress(second); p.Stayed != 0 || len(h.rewards(second)) != 0 {
			t.Errorf("%d stayed and %d rewards, want none", p.Stayed, len(h.rewards(second)))
		}
		h.buy(friend) // what he does now counts
		h.after(time.Hour)
		if p := h.progress(second); p.Bought != 1 {
			t.Errorf("%d bought, want 1", p.Bought)
		}
		if list := h.rewards(friend); len(list) > 0 && list[0].State == invite.RewardGiven {
			t.Errorf("his own inviter was given %+v", list[0])
		}
		h.Verify()
	})
}
