package exposure

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// TestCount_of_units: a unit's count is of the people in its groups and in
// those of the units below it, each once, by what they saw in all their groups.
//
//	people   groups           saw
//	0        shop             2
//	1        shop, region     3
//	2        region, other    4
//	3        other            3
//	4        other, its host  nothing that counts
func TestCount_of_units(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		const brand, region, shop, other, bare = id.Unit(3), id.Unit(1), id.Unit(2), id.Unit(4), id.Unit(5)
		w.place(brand, "/3/")
		w.place(region, "/3/1/")
		w.place(shop, "/3/1/2/")
		w.place(other, "/3/4/")
		w.place(bare, "/3/5/")
		w.set(guard.ModeAdvise, 5, 7, 5_000)
		of, p, long := map[id.Unit]id.Group{}, w.people(5), w.now().Add(-100*24*hour)
		for _, u := range []id.Unit{region, shop, other} {
			of[u] = w.group()
			w.exec("UPDATE chat_groups SET unit_id = ? WHERE id = ?", u, of[u])
		}
		w.join(of[shop], long, p[0], p[1])
		w.join(of[region], long, p[1], p[2])
		w.join(of[other], long, p[2], p[3], p[4])
		_, err := w.community.PutMemberships(bg, of[other], []community.MembershipIn{{MemberID: p[4], JoinedAt: long, Role: community.RoleAdmin}})
		w.check(err)
		for u, n := range map[id.Unit]int{shop: 2, region: 1, other: 3} {
			for range n {
				w.show(of[u])
				db.Clock.Jump(time.Minute)
			}
		}
		w.check(w.s.Count(bg))

		all := Counted{Groups: 3, Ads: 6, Stays: 6, Members: 4, People: 4, Seen: []Seen{{2, 1}, {3, 2}, {4, 1}}}
		for u, want := range map[id.Unit]Counted{
			0: all, brand: all,
			region: {Groups: 2, Ads: 3, Stays: 4, Members: 3, People: 3, Seen: []Seen{{2, 1}, {3, 1}, {4, 1}}},
			shop:   {Groups: 1, Ads: 2, Stays: 2, Members: 2, People: 2, Seen: []Seen{{2, 1}, {3, 1}}},
			other:  {Groups: 1, Ads: 3, Stays: 2, Members: 2, People: 2, Seen: []Seen{{3, 1}, {4, 1}}},
			bare:   {Seen: []Seen{}},
		} {
			shown, err := w.s.Find(bg, u)
			w.check(err)
			got := *shown.Counted
			if diff := cmp.Diff(want, Counted{Groups: got.Groups, Ads: got.Ads, Stays: got.Stays, Members: got.Members, People: got.People, Seen: got.Seen}); diff != "" {
				t.Errorf("of unit %d (-want +got):\n%s", u, diff)
			}
		}

		// The counts of units go with theirs.
		for range 3 {
			w.check(w.s.Count(bg))
		}
		var kept int
		if w.check(db.Read(bg).Raw("SELECT COUNT(*) FROM exposure_unit_counts").Scan(&kept).Error); kept != 2*4 {
			t.Errorf("%d counts of units are kept, want those of two counts", kept)
		}
		w.exec("UPDATE exposure_counts SET unit_n = -1")
		if shown, err := w.s.Find(bg, shop); err != nil || shown.Counted != nil {
			t.Errorf("of before units were counted: got %+v, %v", shown.Counted, err)
		}
	})
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	w.check(w.db.Tx(bg, func(tx *database.Tx) error { return tx.Exec(sql, args...).Error }))
}
