package promotion

import (
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/task"
)

// TestPreempt: an ad of higher priority takes slots that no channel has yet,
// within the bound; the loser is told, asks again, and reports what it lost.
func TestPreempt(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.check(db.Tx(bg, func(tx *database.Tx) error {
			return tx.Exec("INSERT INTO webhooks (id, unit_id, url, events, secret, status, version, created_at) VALUES (?, 1, 'http://shop.example/', 'promotion.*', '', 'active', 1, 1)", tx.Next()).Error
		}))
		var groups []id.Group
		for range 10 {
			groups = append(groups, h.group(community.PresetRetail))
		}
		plan := func(priority int, length time.Duration) id.Promotion {
			t.Helper()
			p, err := h.s.Create(database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 1}), In{CampaignID: h.offer.ID, Name: "好价", TextZH: "苹果今天 9.9",
				Groups: groups, Windows: []guard.Window{{From: h.now(), To: h.now().Add(length)}}, Priority: priority, Channel: "file"})
			h.check(err)
			h.check(h.s.Approve(database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 2}), p, 0))
			return p
		}
		opens := func(p id.Promotion) {
			t.Helper()
			h.check(h.s.openWindow(bg, task.Job{}, openWindow{Promotion: p, Window: 1}))
		}
		outcomes := func(p id.Promotion) map[SendStatus]int {
			out := map[SendStatus]int{}
			for _, g := range h.sends(p) {
				out[g.Send]++
			}
			return out
		}
		low := plan(1, 30*time.Hour)
		opens(low)
		same := plan(1, 5*time.Hour)
		opens(same)
		if got := outcomes(same); got[SendRefused] != 10 {
			t.Fatalf("of the same priority: got %v", got)
		}
		high := plan(4, 5*time.Hour)
		opens(high)
		// One in five of ten.
		if got := outcomes(high); got[SendReserved] != 2 || got[SendRefused] != 8 {
			t.Fatalf("of higher priority: got %v", got)
		}
		higher := plan(7, 5*time.Hour)
		opens(higher)
		if got := outcomes(higher); got[SendReserved] != 2 || outcomes(high)[SendReserved] != 0 && outcomes(high)[SendReserved] != 2 {
			t.Fatalf("of still higher priority: got %v, and what it took from %v", got, outcomes(high))
		}
		h.Drain(0) // the losers ask again, and what stands goes out
		if got := outcomes(low); got[SendHanded] != 8 || got[SendDeferred] != 2 {
			t.Errorf("the loser: got %v", got)
		}
		var told int
		h.check(db.Read(bg).Raw("SELECT COUNT(*) FROM events WHERE type = ?", EventSlotsTaken).Scan(&told).Error)
		if told < 1 || told > 2 {
			t.Errorf("%d events tell of slots that were taken", told)
		}
		var decided int
		h.check(db.Read(bg).Raw("SELECT COUNT(*) FROM decisions WHERE promotion_id = ? AND outcome = ? AND rule_name = ?", low, guard.OutcomeTaken, guard.RuleTaken).Scan(&decided).Error)
		if decided != 2 {
			t.Errorf("%d decisions say that a slot was lost, want 2", decided)
		}
		db.Clock.Jump(26 * time.Hour) // the next noon, 20 hours after the ads that took its place
		h.Drain(0)
		if got := outcomes(low); got[SendHanded] != 2 || got[SendClosed] != 8 {
			t.Errorf("the loser the next day: got %v", got)
		}
		h.mustHold()
	})
}
