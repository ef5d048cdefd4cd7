package promotion

import (
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// TestDigestRefused: where a group's owner refuses a digest's main ad, that one
// is over, and those that went along wait for another message at once, the next
// of them as its main ad. He need not see their promotions.
func TestDigestRefused(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		g := h.had()
		first, second, third := h.late(OnNoSlotDigest, 600, 0, g), h.late(OnNoSlotDigest, 500, 0, g), h.late(OnNoSlotDigest, 400, 0, g)
		h.approveAll(first, second, third)
		h.Drain(3 * time.Hour)
		h.Drain(19 * time.Hour)
		slot := h.sends(first)[g].SlotID
		if slot == 0 || h.sends(second)[g].SlotID != slot {
			t.Fatalf("no digest: got %+v", h.sends(first)[g])
		}
		group, err := h.Community.FindGroup(bg, g)
		h.check(err)
		keeper := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 7, Unit: group.UnitID, Units: []id.Unit{group.UnitID, 99}, Role: "group_owner", Own: true})
		h.check(db.Tx(bg, func(tx *database.Tx) error { return tx.Exec("UPDATE promotions SET unit_id = 98").Error }))
		if _, err := h.s.Find(keeper, first); err == nil {
			t.Fatal("the owner sees the promotion: the test proves less than it should")
		}
		for range 2 {
			_, err = h.s.Release(keeper, slot, guard.ReleaseNotSent)
			h.check(err)
		}
		h.Drain(0)
		if got := h.sends(first)[g]; got.Send != SendClosed || got.Slot != guard.StatusReleased {
			t.Errorf("what was refused: got %+v", got)
		}
		main, line := h.sends(second)[g], h.sends(third)[g]
		if main.SlotID == 0 || main.SlotID == slot || line.SlotID != main.SlotID || main.Send != SendHanded || line.Send != SendJoined {
			t.Errorf("what went along: got %+v and %+v, want both in one new message", main, line)
		}
		_, err = h.s.Guard.Confirm(keeper, main.SlotID, 0)
		h.check(err)
		h.Drain(9 * 24 * time.Hour)
		for p, want := range map[id.Promotion]Outcome{first: {Asked: 1, Unsent: 1}, second: {Asked: 1, Digest: 1}, third: {Asked: 1, Digest: 1}} {
			if r := h.report(p); r.Total != want || h.status(p) != StatusDone {
				t.Errorf("%s: got %+v, %s; want %+v, done", p, r.Total, h.status(p), want)
			}
		}
		h.mustHold()
	})
}

// TestReportedAfterASilence: an ad that was taken back in a silence from a channel
// which must say whether it was shown is asked for again once that says no, not
// before the silence is over, and not once its window is.
func TestReportedAfterASilence(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.check(db.Tx(bg, func(tx *database.Tx) error {
			return tx.Exec("INSERT INTO webhooks (id, unit_id, url, events, secret, status, version, created_at) VALUES (?, 1, 'http://wecom.example/', 'promotion.*', '', 'active', 1, 1)", tx.Next()).Error
		}))
		soon, late, never, shown, lifted := h.group(community.PresetBenefit), h.group(community.PresetBenefit), h.group(community.PresetBenefit), h.group(community.PresetBenefit), h.group(community.PresetBenefit)
		p := h.plan("webhook", 8*time.Hour, soon, late, never, shown, lifted)
		h.approve(p)
		silence := h.silence(guard.SilenceIn{Scope: guard.ScopeHouse}) // two hours
		slots := h.sends(p)
		says := func(g id.Group, status string) {
			t.Helper()
			h.check(h.s.Settle(bg, slots[g].SlotID, guard.ReportIn{Status: status}))
			h.Drain(0)
		}
		says(soon, string(guard.ReleaseCancelled))
		says(shown, guard.ReportSent)
		if got := h.sends(p)[soon]; got.Send != SendDeferred || got.Rule != guard.RuleSilence || got.NotBefore != h.now().Add(2*time.Hour) {
			t.Errorf("not shown, and silent still: got %+v", got)
		}
		h.Drain(10 * time.Minute)
		h.check(h.s.Lift(bg, silence))
		says(lifted, string(guard.ReleaseCancelled))
		if got := h.sends(p)[lifted]; got.Send != SendHanded {
			t.Errorf("not shown, and the silence was lifted: got %+v", got)
		}
		h.Drain(3 * time.Hour)
		says(late, string(guard.ReleaseNotSent))
		got := h.sends(p)
		for _, g := range []id.Group{soon, late} {
			if x := got[g]; x.Send != SendHanded || x.SlotID == slots[g].SlotID || x.Slot != guard.StatusStarted {
				t.Errorf("after the silence: got %+v, want it handed out anew", x)
			}
		}
		if x := got[shown]; x.Slot != guard.StatusConfirmed || x.SlotID != slots[shown].SlotID {
			t.Errorf("it was shown: got %+v", x)
		}
		h.Drain(6 * time.Hour)
		says(never, string(guard.ReleaseCancelled))
		if x := h.sends(p)[never]; x.Send != SendClosed || x.Slot != guard.StatusReleased {
			t.Errorf("after its window: got %+v", x)
		}
		h.mustHold()
	})
}
