package referral_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

func TestRotate(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(0, everyOrder())
		rotate := func(code referral.Code, in referral.RotateIn) referral.Code {
			t.Helper()
			made, err := h.RotateCode(bg, code.Code, in)
			if err != nil {
				t.Fatal(err)
			}
			list, err := h.CodesByID(bg, []id.Code{made})
			if err != nil || len(list) != 1 {
				t.Fatalf("%v, %v", list, err)
			}
			return list[0]
		}
		lands := func(code referral.Code) id.Code {
			t.Helper()
			l, err := h.Land(bg, code.Code)
			if err != nil {
				t.Fatal(err)
			}
			return l.CodeID
		}

		t.Run("prints of every earlier code lead on to the newest", func(t *testing.T) {
			first := h.code(h.member())
			second := rotate(first, referral.RotateIn{})
			third := rotate(second, referral.RotateIn{})
			if second.ID == first.ID || third.ID == second.ID || third.Status != referral.CodeLive {
				t.Errorf("got %s, %s, %+v", first.ID, second.ID, third)
			}
			for _, code := range []referral.Code{first, second, third} {
				if got := lands(code); got != third.ID {
					t.Errorf("%s lands at %s, want %s", code.ID, got, third.ID)
				}
			}
			old, err := h.FindCode(bg, first.Code)
			if err != nil || old.Status != referral.CodeRotated || old.SuccessorID != third.ID {
				t.Errorf("the first: %+v, %v", old, err)
			}
			if again := h.code(first.InviterID); again.ID != third.ID {
				t.Errorf("the place has %s, want %s", again.ID, third.ID)
			}
			bound, err := h.Bind(bg, referral.Bind{Code: first.Code, Invitee: h.member()})
			if err != nil || h.codeOf(bound) != third.ID {
				t.Errorf("bound by the first print: %s, %v", h.codeOf(bound), err)
			}
			h.proven()
		})
		t.Run("a page opened before the rotation still binds, by the code it showed", func(t *testing.T) {
			code := h.code(h.member())
			l, err := h.Land(bg, code.Code)
			if err != nil {
				t.Fatal(err)
			}
			rotate(code, referral.RotateIn{})
			bound, err := h.Bind(bg, referral.Bind{Code: code.Code, Page: l.Page, Invitee: h.member()})
			if err != nil || h.codeOf(bound) != code.ID {
				t.Errorf("got %s, %v", h.codeOf(bound), err)
			}
			_, err = h.Bind(bg, referral.Bind{Code: h.code(h.member()).Code, Page: l.Page, Invitee: h.member()})
			refused(t, err, referral.ErrPage)
		})
		t.Run("an expired print comes back to life", func(t *testing.T) {
			in := referral.CodeIn{InviterID: h.member(), ProgramID: h.program, Channel: "poster", Cost: 5, ExpiresAt: h.now().Add(time.Hour)}
			old := h.codes(in)[0]
			h.DB.Clock.Jump(2 * time.Hour)
			_, err := h.Land(bg, old.Code)
			refused(t, err, referral.ErrCode)
			until, cost := h.now().Add(time.Hour), money.Amount(9)
			next := rotate(old, referral.RotateIn{ExpiresAt: &until, Cost: &cost})
			if next.ExpiresAt != until || next.Cost != 9 || lands(old) != next.ID {
				t.Errorf("got %+v", next)
			}
			h.DB.Clock.Jump(2 * time.Hour)
			_, err = h.Land(bg, old.Code)
			refused(t, err, referral.ErrCode)
		})
		t.Run("a revoked successor ends its prints, and a revoked code is not rotated", func(t *testing.T) {
			old := h.code(h.member())
			next := rotate(old, referral.RotateIn{})
			if _, err := h.RevokeCode(bg, next.Code); err != nil {
				t.Fatal(err)
			}
			_, err := h.Land(bg, old.Code)
			refused(t, err, referral.ErrCode)
			for _, code := range []referral.Code{old, next} {
				_, err = h.RotateCode(bg, code.Code, referral.RotateIn{})
				refused(t, err, referral.ErrCodeState)
				_, err = h.RevokeCode(bg, code.Code)
				refused(t, err, referral.ErrCodeState)
			}
		})
		t.Run("of several at once one rotates", func(t *testing.T) {
			code := h.code(h.member())
			var all sync.WaitGroup
			made := make([]error, 6)
			for i := range made {
				all.Go(func() { _, made[i] = h.RotateCode(bg, code.Code, referral.RotateIn{}) })
			}
			all.Wait()
			won := 0
			for _, err := range made {
				if err == nil {
					won++
				} else {
					refused(t, err, referral.ErrCodeState)
				}
			}
			if won != 1 {
				t.Errorf("%d rotated it", won)
			}
			h.proven()
		})
		t.Run("what is foreign or past is refused", func(t *testing.T) {
			code := h.code(h.member())
			other := database.WithActor(bg, database.Actor{Kind: database.ActorMember, Member: h.member()})
			own := database.WithActor(bg, database.Actor{Kind: database.ActorMember, Member: code.InviterID})
			elsewhere := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 1, Unit: 99, Units: []id.Unit{99}})
			for _, who := range []context.Context{other, elsewhere} {
				_, err := h.RotateCode(who, code.Code, referral.RotateIn{})
				refused(t, err, referral.ErrCode)
			}
			past, cost, wrong := clock.Milli(1), money.Amount(1), money.Amount(-1)
			for who, in := range map[context.Context]referral.RotateIn{bg: {ExpiresAt: &past}, own: {Cost: &cost}, elsewhere: {Cost: &wrong}} {
				_, err := h.RotateCode(who, code.Code, in)
				refused(t, err, fault.Invalid)
			}
			_, err := h.CreateCode(bg, referral.CodeIn{InviterID: code.InviterID, ProgramID: h.program, Channel: "late", ExpiresAt: past})
			refused(t, err, fault.Invalid)
		})
		t.Run("the proof sees a code that leads astray", func(t *testing.T) {
			a, b := h.code(h.member()), h.code(h.member())
			rotate(a, referral.RotateIn{})
			h.tx(func(tx *database.Tx) error {
				return tx.Exec("UPDATE codes SET successor_id = ? WHERE id = ?", b.ID, a.ID).Error
			})
			proofs, err := referral.Verify(bg, db)
			if err != nil {
				t.Fatal(err)
			}
			var broken []string
			for _, p := range proofs {
				broken = append(broken, p.Broken...)
			}
			if len(broken) != 1 {
				t.Errorf("got %v", broken)
			}
		})
	})
}

// codeOf is the code that a binding was made by.
func (h *house) codeOf(b id.Binding) (code id.Code) {
	h.t.Helper()
	if err := h.DB.Read(bg).Raw("SELECT code_id FROM bindings WHERE id = ?", b).Row().Scan(&code); err != nil {
		h.t.Fatal(err)
	}
	return code
}
