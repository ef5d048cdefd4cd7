package referral_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/referral"
)

// Pausing and ending stop new invitations; who was bound before is paid what
// was promised.
func TestProgramStates(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		p := h.newProgram(100_000, everyOrder())
		anna, bob, carl := h.member(), h.member(), h.member()
		bound := h.mustBind(anna, bob)
		if err := h.PauseProgram(bg, p); err != nil {
			t.Fatal(err)
		}
		refused(t, h.PauseProgram(bg, p), referral.ErrProgramState)
		_, err := h.bind(anna, carl)
		refused(t, err, referral.ErrNotTaking)
		if again := h.mustBind(anna, bob); again != bound {
			t.Errorf("the binding that stands: got %s, want %s", again, bound)
		}
		h.pay(1, bob, 20_000)
		if got := h.rewards(referral.RewardFilter{Order: 1, State: referral.RewardPending}); len(got) != 2 {
			t.Errorf("while paused a bound invitee earned %d rewards, want 2", len(got))
		}
		if err := h.ResumeProgram(bg, p); err != nil {
			t.Fatal(err)
		}
		h.mustBind(anna, carl)
		code := h.code(anna)
		if err := h.EndProgram(bg, p); err != nil {
			t.Fatal(err)
		}
		for name, err := range map[string]error{"resume": h.ResumeProgram(bg, p), "pause": h.PauseProgram(bg, p), "end": h.EndProgram(bg, p)} {
			t.Run("ended is for good: "+name, func(t *testing.T) { refused(t, err, referral.ErrProgramState) })
		}
		_, err = h.NewVersion(bg, p, firstOrder())
		refused(t, err, referral.ErrProgramState)
		_, err = h.CreateCode(bg, referral.CodeIn{InviterID: bob, ProgramID: p})
		refused(t, err, referral.ErrProgramState)
		l, err := h.Land(bg, code.Code)
		if err != nil || l.ProgramStatus != referral.ProgramEnded {
			t.Errorf("its codes open a page that tells: got %q, %v", l.ProgramStatus, err)
		}
		h.pay(2, carl, 20_000)
		if got := h.rewards(referral.RewardFilter{Order: 2, State: referral.RewardPending}); len(got) != 2 {
			t.Errorf("after the end a bound invitee earned %d rewards, want 2", len(got))
		}
		h.proven()
	})
}

func TestListVersions(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		p := h.newProgram(0, everyOrder())
		other := everyOrder()
		other.Rewards[0].Rate = 2000
		if _, err := h.NewVersion(bg, p, other); err != nil {
			t.Fatal(err)
		}
		list, err := h.ListVersions(bg, p, database.Page{Limit: 1})
		if err != nil || len(list.Items) != 1 || list.NextCursor == "" {
			t.Fatalf("first page: got %+v, %v", list, err)
		}
		rest, err := h.ListVersions(bg, p, database.Page{Limit: 1, Before: 2})
		if err != nil || len(rest.Items) != 1 {
			t.Fatalf("second page: got %+v, %v", rest, err)
		}
		if diff := cmp.Diff([]referral.Rules{other.Rules(), everyOrder().Rules()}, []referral.Rules{list.Items[0].Rules, rest.Items[0].Rules}); diff != "" {
			t.Error(diff)
		}
	})
}
