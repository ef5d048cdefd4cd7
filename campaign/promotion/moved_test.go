package promotion

import (
	"context"
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/task"
)

// TestMovedGroup: a group that moves to another unit with a slot reserved is
// silenced with the unit it is in, not with the one it left, and whoever keeps
// it there sees and settles its slot.
func TestMovedGroup(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.regions()
		g := h.groupOf(42)
		p := h.plan("file", 8*time.Hour, g)
		h.check(h.s.Approve(database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 2}), p, 0))
		h.check(h.s.openWindow(bg, task.Job{}, openWindow{Promotion: p, Window: 1}))
		if got := h.sends(p)[g]; got.Slot != guard.StatusReserved {
			t.Fatalf("before it moves: got %+v, want a slot that no channel has", got)
		}
		to := id.Unit(43)
		_, err := h.Community.UpdateGroup(bg, g, 1, community.GroupChange{UnitID: &to})
		h.check(err)
		h.silence(guard.SilenceIn{Scope: guard.ScopeUnit, UnitID: 41, Units: []id.Unit{41, 42}})
		got := h.sends(p)[g]
		if got.Send != SendHanded {
			t.Fatalf("the unit it left is silent: got %+v, want it handed out", got)
		}
		keeper := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 7, Unit: 43, Units: []id.Unit{43}, Role: "group_owner", Own: true})
		slot, err := h.s.Guard.FindSlot(keeper, got.SlotID)
		h.check(err)
		if slot.UnitID != 43 {
			t.Errorf("its delivery began in unit %s, want %s: the proof holds it to that one's silences", slot.UnitID, to)
		}
		seen := func(who context.Context, want int) {
			t.Helper()
			open, err := h.s.Guard.ListOpen(who, []id.Group{g})
			h.check(err)
			list, err := h.s.Guard.ListSlots(who, guard.SlotFilter{Group: g}, database.Page{Limit: 9})
			h.check(err)
			if len(open) != want || len(list.Items) != want {
				t.Errorf("%d slots are open and %d listed, want %d", len(open), len(list.Items), want)
			}
		}
		seen(keeper, 1)
		h.silence(guard.SilenceIn{Scope: guard.ScopeUnit, UnitID: 43, Units: []id.Unit{43}})
		if got := h.sends(p)[g]; got.Send != SendDeferred || got.Rule != guard.RuleSilence {
			t.Fatalf("the unit it is in is silent: got %+v, want it taken back", got)
		}
		h.mustHold()

		db.Clock.Jump(3 * time.Hour) // both silences are over
		other := h.groupOf(42)
		late := h.plan("file", 8*time.Hour, other)
		h.approve(late)
		_, err = h.Community.UpdateGroup(bg, other, 1, community.GroupChange{UnitID: &to})
		h.check(err)
		sent := h.sends(late)[other]
		if open, err := h.s.Guard.ListOpen(keeper, []id.Group{other}); err != nil || len(open) != 1 {
			t.Errorf("handed out before it moved: whoever keeps it now sees %d slots, %v; want 1", len(open), err)
		}
		if _, err := h.s.Guard.Confirm(keeper, sent.SlotID, 0); err != nil {
			t.Errorf("handed out before it moved, and shown: got %v", err)
		}
		stranger := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 8, Unit: 41, Units: []id.Unit{41}, Role: "marketer"})
		if _, err := h.s.Guard.FindSlot(stranger, sent.SlotID); err == nil {
			t.Error("a unit that never had the group sees its slot")
		}
		h.mustHold()
	})
}
