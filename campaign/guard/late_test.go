package guard_test

import (
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// TestLateFromItsEnd: an ad is late from the very end of its window on, and in
// time from its very beginning.
func TestLateFromItsEnd(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		w := guard.Window{From: now(db).Add(time.Minute), To: now(db).Add(time.Hour)}
		first, last, after := newGroup(t, db, community.PresetChain), newGroup(t, db, community.PresetChain), newGroup(t, db, community.PresetChain)
		got := reserve(t, s, 1, w, first, last, after)
		db.Clock.Jump(2 * time.Hour)
		for _, a := range got {
			at, late := w.From, false
			switch a.GroupID {
			case last:
				at = w.To.Add(-time.Millisecond)
			case after:
				at, late = w.To, true
			}
			row, err := s.Confirm(bg, a.SlotID, at)
			if err != nil || row.Late != late {
				t.Errorf("shown at %s of %s to %s: got late %v, %v; want %v", at, w.From, w.To, row.Late, err, late)
			}
		}
		mustHold(t, db)
	})
}
