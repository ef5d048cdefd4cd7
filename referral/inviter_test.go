package referral_test

import (
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral"
	"siyu/referral/promoter"
)

func TestPromoters(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		closed := everyOrder()
		closed.Inviters = referral.InvitersApproved
		h.newProgram(100_000, closed)
		desk := &promoter.Service{DB: db}
		decide := func(p id.Promoter, act promoter.Act) {
			t.Helper()
			if err := desk.Decide(bg, p, act, "核查"); err != nil {
				t.Fatal(err)
			}
		}
		anna, bob := h.member(), h.member()
		_, err := h.CreateCode(bg, referral.CodeIn{InviterID: anna, ProgramID: h.program})
		refused(t, err, referral.ErrNotPromoter)
		p, err := h.ApplyPromoter(bg, referral.ApplyIn{ProgramID: h.program, MemberID: anna})
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.ApplyPromoter(bg, referral.ApplyIn{ProgramID: h.program, MemberID: anna})
		refused(t, err, promoter.ErrState)
		_, err = h.CreateCode(bg, referral.CodeIn{InviterID: anna, ProgramID: h.program})
		refused(t, err, referral.ErrNotPromoter)
		decide(p, promoter.Approve)
		guest := h.member()
		h.mustBind(anna, guest)

		t.Run("a frozen promoter's code says so and binds nobody", func(t *testing.T) {
			code := h.code(anna).Code
			page, err := h.Land(bg, code)
			if err != nil {
				t.Fatal(err)
			}
			decide(p, promoter.Freeze)
			_, err = h.Land(bg, code)
			refused(t, err, referral.ErrFrozen)
			_, err = h.Bind(bg, referral.Bind{Code: code, Invitee: bob, Page: page.Page})
			refused(t, err, referral.ErrFrozen)
			_, err = h.CreateCode(bg, referral.CodeIn{InviterID: anna, ProgramID: h.program, Channel: "poster"})
			refused(t, err, referral.ErrFrozen)
			decide(p, promoter.Thaw)
			if _, err := h.Land(bg, code); err != nil {
				t.Errorf("thawed: %v", err)
			}
		})
		t.Run("what was earned stays, and nothing more is", func(t *testing.T) {
			h.pay(1, guest, 10_000)
			decide(p, promoter.Freeze)
			h.pay(2, guest, 10_000)
			decide(p, promoter.Thaw)
			h.pay(3, guest, 10_000)
			for order, want := range map[id.Order]referral.Note{1: "", 2: referral.NotePromoterFrozen, 3: ""} {
				for _, r := range h.rewards(referral.RewardFilter{Order: order}) {
					switch {
					case r.Side == referral.SideInviter && (r.Note != want || (r.Amount == 0) != (want != "")):
						t.Errorf("order %d: got %s with note %q, want %q", order, r.Amount, r.Note, want)
					case r.Side == referral.SideInvitee && r.Amount != 500:
						t.Errorf("order %d: the invitee got %s", order, r.Amount)
					}
				}
			}
			db.Clock.Jump(20 * day)
			h.drain()
			if list := h.rewards(referral.RewardFilter{Order: 1, Member: anna}); len(list) != 1 || list[0].State != referral.RewardCleared {
				t.Errorf("the first: got %+v", list)
			}
		})
		t.Run("a scan of a frozen promoter's page does not count", func(t *testing.T) {
			counted := everyOrder()
			counted.Attribution = referral.Attribution{TouchDays: 7}
			h.newProgram(100_000, counted)
			next := h.member()
			h.scan(anna, next)
			decide(p, promoter.Freeze)
			db.Clock.Jump(time.Hour)
			code, page := h.scan(bob, next)
			if _, err := h.Bind(bg, referral.Bind{Code: code, Invitee: next, Page: page}); err != nil {
				t.Fatal(err)
			}
			if got := h.frozen(next).Inviter; got != bob {
				t.Errorf("bound to %s, want %s", got, bob)
			}
		})
		t.Run("a version is held to who may invite by it", func(t *testing.T) {
			h.newProgram(100_000, everyOrder())
			carl, next := h.member(), h.member()
			open, err := h.Land(bg, h.code(carl).Code)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := h.NewVersion(bg, h.program, closed); err != nil {
				t.Fatal(err)
			}
			_, err = h.Land(bg, open.Code)
			refused(t, err, referral.ErrNotPromoter)
			_, err = h.Bind(bg, referral.Bind{Code: open.Code, Invitee: next})
			refused(t, err, referral.ErrNotPromoter)
			if _, err := h.Bind(bg, referral.Bind{Code: open.Code, Invitee: next, Page: open.Page}); err != nil {
				t.Errorf("by the page shown before: %v", err)
			}
		})
		h.proven()
	})
}
