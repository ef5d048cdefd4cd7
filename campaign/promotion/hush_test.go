package promotion

import (
	"errors"
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// silence stops ads for two hours as a colleague of the brand.
func (h *house) silence(in guard.SilenceIn) id.Silence {
	h.T.Helper()
	in.Reason, in.Until = "门店停电", h.now().Add(2*time.Hour)
	made, err := h.s.Silence(database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 3}), in)
	h.check(err)
	h.Drain(0)
	return made
}

func TestSilence(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		handed, other := h.group(community.PresetBenefit), h.group(community.PresetBenefit)
		p := h.plan("file", 8*time.Hour, handed, other)
		h.approve(p)
		if got := h.sends(p); got[handed].Send != SendHanded || got[other].Send != SendHanded || len(h.files()) != 2 {
			t.Fatalf("before: got %+v", got)
		}
		first := h.silence(guard.SilenceIn{Scope: guard.ScopeGroup, GroupID: handed})
		until := h.now().Add(2 * time.Hour)
		got := h.sends(p)
		if g := got[handed]; g.Send != SendDeferred || g.Rule != guard.RuleSilence || g.NotBefore != until || len(h.files()) != 1 {
			t.Fatalf("what the owner had not posted is taken back and waits for the end: got %+v", g)
		}
		if got[other].Send != SendHanded {
			t.Fatalf("another group's stays: got %+v", got[other])
		}

		t.Run("it lifts itself", func(t *testing.T) {
			db.Clock.Jump(2 * time.Hour)
			h.Drain(0)
			if g := h.sends(p)[handed]; g.Send != SendHanded || len(h.files()) != 2 {
				t.Fatalf("got %+v", g)
			}
			if err := h.s.Lift(bg, first); !errors.Is(err, guard.ErrLifted) {
				t.Errorf("lift what is over: got %v", err)
			}
		})
		t.Run("the whole house, lifted early", func(t *testing.T) {
			all := h.silence(guard.SilenceIn{Scope: guard.ScopeHouse})
			late := h.plan("file", 6*time.Hour, h.group(community.PresetChain))
			h.approve(late)
			for _, g := range h.sends(late) {
				if g.Send != SendDeferred || g.Rule != guard.RuleSilence {
					t.Fatalf("asked for in the silence: got %+v", g)
				}
			}
			db.Clock.Jump(10 * time.Minute)
			h.check(h.s.Lift(bg, all))
			h.Drain(0)
			for _, x := range []id.Promotion{p, late} {
				for g, got := range h.sends(x) {
					if got.Send != SendHanded {
						t.Errorf("%s after the lift: got %+v", g, got)
					}
				}
			}
		})
		t.Run("of another campaign or unit it is none", func(t *testing.T) {
			h.silence(guard.SilenceIn{Scope: guard.ScopeCampaign, CampaignID: 99})
			h.silence(guard.SilenceIn{Scope: guard.ScopeUnit, UnitID: 98, Units: []id.Unit{98, 99}})
			for g, got := range h.sends(p) {
				if got.Send != SendHanded {
					t.Errorf("%s: got %+v", g, got)
				}
			}
			h.silence(guard.SilenceIn{Scope: guard.ScopeCampaign, CampaignID: h.offer.ID})
			for g, got := range h.sends(p) {
				if got.Send != SendDeferred {
					t.Errorf("%s of its own campaign: got %+v", g, got)
				}
			}
		})
		t.Run("who may", func(t *testing.T) {
			region := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 3, Units: []id.Unit{5}})
			in := guard.SilenceIn{Scope: guard.ScopeHouse, Reason: "x", Until: h.now().Add(time.Hour)}
			if _, err := h.s.Silence(region, in); !errors.Is(err, guard.ErrHouse) {
				t.Errorf("the house by a region: got %v", err)
			}
			in.Scope, in.GroupID = guard.ScopeGroup, handed
			if _, err := h.s.Silence(region, in); !errors.Is(err, fault.NotFound) {
				t.Errorf("a foreign group: got %v", err)
			}
			in.CampaignID = 7
			if _, err := h.s.Silence(bg, in); !errors.Is(err, guard.ErrNoSilence) {
				t.Errorf("two things at once: got %v", err)
			}
		})
		h.mustHold()
	})
}

// TestVerifySeesADeliveryInASilence shows that V8 would notice.
func TestVerifySeesADeliveryInASilence(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		p := h.plan("file", 8*time.Hour, h.group(community.PresetBenefit))
		h.approve(p)
		h.silence(guard.SilenceIn{Scope: guard.ScopeCampaign, CampaignID: h.offer.ID})
		h.check(db.Tx(bg, func(tx *database.Tx) error {
			return tx.Exec("UPDATE slots SET started_at = ?, started_no = started_no + ?", tx.Now.Add(time.Minute), int64(10_000)<<22).Error
		}))
		proofs, err := guard.Verify(bg, db)
		h.check(err)
		if len(proofs[0].Broken) == 0 {
			t.Error("a delivery in a silence was not seen")
		}
	})
}
