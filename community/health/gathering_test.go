package health_test

import (
	"testing"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// met notes what the owner says of something he held today.
func (w *town) met(t testing.TB, g id.Group, people int) {
	t.Helper()
	err := w.DB.Tx(brand(), func(tx *database.Tx) error {
		locked, err := community.LockGroupTx(tx, g)
		if err != nil {
			return err
		}
		zone, err := locked.Location()
		if err != nil {
			return err
		}
		if err := community.GatherTx(tx, g, clock.Day(tx.Now.Time(), zone), 1, people); err != nil {
			return err
		}
		return database.AuditTx(tx, "ritual.hold", g, nil, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestHeldByOwner: what an owner held is an interaction, also in a group of
// which nobody reports anything, once it drew enough; his last word counts.
func TestHeldByOwner(t *testing.T) {
	run(t, func(t *testing.T, w *town) {
		long := w.now().Add(-40 * day)
		for _, c := range []struct {
			people []int
			held   bool
		}{{[]int{4}, false}, {[]int{5}, true}, {[]int{9, 4}, false}, {[]int{1, 5}, true}} {
			g := w.group(t, community.GroupIn{BornAt: long})
			w.members(t, g, 8, community.RoleMember, long)
			for _, n := range c.people {
				w.met(t, g, n)
			}
			w.DB.Clock.Jump(24 * time.Hour)
			w.roll(t)
			if got := w.standing(t, g); (got.Held != 0) != c.held {
				t.Errorf("%v met: %+v, want held %v", c.people, got, c.held)
			}
		}
	})
}
