package exposure

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// TestCount_by_hand: three groups, ten people, and what each saw worked out on
// paper.
//
//	people      groups      ads: A 2 shown, 1 to come; B 2 shown; C 1 shown
//	0 1 2       A           3, of one group alone
//	3 4 5       A B         5
//	6           A B C       6
//	7           B, came when its first ad was over   1
//	8           C, left before its ad                0
//	9           A as an admin, C                     1
func TestCount_by_hand(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.set(guard.ModeAdvise, 5, 7, 5_000)
		a, b, c := w.group(), w.group(), w.group()
		p := w.people(10)
		long := w.now().Add(-100 * 24 * hour)
		w.join(a, long, p[:7]...)
		w.join(b, long, p[3:7]...)
		w.join(c, long, p[6], p[8], p[9])
		_, err := w.community.PutMemberships(bg, a, []community.MembershipIn{{MemberID: p[9], JoinedAt: long, Role: community.RoleAdmin}})
		w.check(err)
		for range 2 { // before the window
			w.show(a)
			db.Clock.Jump(time.Minute)
		}
		db.Clock.Jump(7*24*hour - time.Minute)
		w.show(a)
		w.show(b)
		db.Clock.Jump(hour)
		w.join(b, w.now(), p[7])
		_, err = w.community.PutMemberships(bg, c, []community.MembershipIn{{MemberID: p[8], JoinedAt: long, LeftAt: w.now()}})
		w.check(err)
		db.Clock.Jump(hour)
		w.show(a)
		w.show(b)
		w.show(c)
		w.reserve(a)
		_, err = w.guard.Release(bg, w.reserve(b), guard.ReleaseCancelled, nil)
		w.check(err)
		w.check(w.s.Count(bg))

		want := map[id.Member]int{p[0]: 3, p[1]: 3, p[2]: 3, p[3]: 5, p[4]: 5, p[5]: 5, p[6]: 6, p[7]: 1, p[9]: 1}
		got, err := kept(db)
		w.check(err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("members (-want +got):\n%s", diff)
		}
		as := w.standing(a)
		if as.Members != 7 || as.Over != 4 || as.ShareBP != 5714 || as.CoverageBP != 10_000 || !as.Known {
			t.Errorf("A: got %+v, want 4 of 7", as)
		}
		if diff := cmp.Diff([]Seen{{5, 3}, {6, 1}}, as.Seen); diff != "" {
			t.Errorf("A, who saw others too (-want +got):\n%s", diff)
		}
		if bs := w.standing(b); bs.Members != 5 || bs.Over != 4 || bs.ShareBP != 8_000 {
			t.Errorf("B: got %+v, want 4 of 5", bs)
		}
		if cs := w.standing(c); cs.Members != 2 || cs.Over != 1 || len(cs.Reasons) != 0 {
			t.Errorf("C: got %+v, want 1 of 2, which is not above a half", cs)
		}
		zh, en := as.Reasons[0].Text("zh")+";"+as.Reasons[1].Text("zh"), as.Reasons[0].Text("en")+"; "+as.Reasons[1].Text("en")
		if zh != "本群 57.1% 的群友在各群一共看到的推广已到上限，超过 50% 的群先不发;上限：一个人 7 天内在各群一共看到 5 条" ||
			en != "57.1 % of the members see as many ads as they may in all their groups; a group above 50 % is left out for now; the ceiling: 5 ads for one person within 7 days, all groups together" {
			t.Errorf("got %s; %s", zh, en)
		}
		shown, err := w.s.Find(bg, 0)
		w.check(err)
		if n := shown.Counted; n.Groups != 3 || n.Ads != 6 || n.Members != 9 || n.Stays != 15 {
			t.Errorf("the count: got %+v", n)
		}

		// What was shown a week ago counts no more; the next count forgets.
		db.Clock.Jump(8 * 24 * hour)
		if got := w.standing(a); got.Known || len(got.Reasons) != 1 || got.Reasons[0].Observed != guard.Unknown {
			t.Errorf("by a count of eight days ago: got %+v", got)
		}
		for range 3 {
			w.check(w.s.Count(bg))
		}
		var counts, blocks int
		w.check(db.Read(bg).Raw("SELECT COUNT(*) FROM exposure_counts").Scan(&counts).Error)
		w.check(db.Read(bg).Raw("SELECT COUNT(*) FROM exposure_members").Scan(&blocks).Error)
		if got := w.standing(a); got.Over != 0 || got.Members != 7 || counts != 2 || blocks > 1 {
			t.Errorf("a week later: got %+v, %d counts, %d blocks", got, counts, blocks)
		}
	})
}

// kept is what the newest count holds of members.
func kept(db *database.DB) (map[id.Member]int, error) {
	q := db.Read(bg)
	c, err := newest(q)
	if err != nil {
		return nil, err
	}
	var rows []blockRow
	if err := q.Raw("SELECT first_id, last_id, member_n, seen FROM exposure_members WHERE count_id = ?", c.ID).Scan(&rows).Error; err != nil {
		return nil, err
	}
	out := map[id.Member]int{}
	for _, r := range rows {
		n := 0
		err := (&block{r.FirstID, r.LastID, r.N, r.Seen}).each(func(m id.Member, ads int) { out[m] = ads; n++ })
		if err != nil || n != r.N {
			return nil, err
		}
	}
	return out, nil
}

// recount counts members by plain loops over the rows, sharing nothing with
// the count: by member, by group those at a ceiling or over it who saw an ad
// elsewhere too, and how many of the people in groups saw how many.
func recount(t rapid.TB, db *database.DB, from clock.Milli, ceiling int) (total map[id.Member]int, members, over map[id.Group]int, spread map[int]int) {
	type membership struct {
		GroupID  id.Group
		MemberID id.Member
		Role     string
		JoinedAt clock.Milli
		LeftAt   clock.Milli
	}
	type slot struct {
		GroupID     id.Group
		FromAt      clock.Milli
		ToAt        clock.Milli
		ConfirmedAt clock.Milli
		ReleasedAt  clock.Milli
	}
	var all []membership
	var slots []slot
	q := db.Read(bg)
	if err := q.Raw("SELECT * FROM memberships").Scan(&all).Error; err != nil {
		t.Fatal(err)
	}
	if err := q.Raw("SELECT * FROM slots").Scan(&slots).Error; err != nil {
		t.Fatal(err)
	}
	type pair struct {
		g id.Group
		m id.Member
	}
	total, members, over = map[id.Member]int{}, map[id.Group]int{}, map[id.Group]int{}
	own := map[pair]int{}
	for _, m := range all {
		if m.Role == "admin" || m.Role == "owner" {
			continue
		}
		for _, s := range slots {
			first, last := s.FromAt, s.ToAt-1
			if s.ConfirmedAt != 0 {
				first, last = s.ConfirmedAt, s.ConfirmedAt
			}
			if s.GroupID != m.GroupID || s.ReleasedAt != 0 || last < from || m.JoinedAt > last || m.LeftAt != 0 && m.LeftAt <= first {
				continue
			}
			total[m.MemberID]++
			own[pair{m.GroupID, m.MemberID}]++
		}
	}
	in := map[id.Member]bool{}
	spread = map[int]int{}
	for _, m := range all {
		if m.LeftAt != 0 || m.Role == "admin" || m.Role == "owner" {
			continue
		}
		if !in[m.MemberID] {
			in[m.MemberID] = true
			spread[min(total[m.MemberID], CeilingMost)]++
		}
		members[m.GroupID]++
		if n := total[m.MemberID]; n >= ceiling && n > own[pair{m.GroupID, m.MemberID}] {
			over[m.GroupID]++
		}
	}
	return total, members, over, spread
}

// TestCount_equals_a_recount plays joining, leaving, roles and ads in any
// order, counts in small steps, and holds what is kept against plain loops.
func TestCount_equals_a_recount(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		var groups []id.Group
		for range 5 {
			groups = append(groups, w.group())
		}
		people := w.people(9)
		var waiting []id.Slot
		const ceiling, days = 3, 2
		w.set(guard.ModeEnforce, ceiling, days, 5_000)
		roles := []community.Role{community.RoleMember, community.RoleMember, community.RoleMember, community.RoleKOC, community.RoleAdmin}
		rapid.Check(t, func(r *rapid.T) {
			group := func() id.Group { return rapid.SampledFrom(groups).Draw(r, "group") }
			r.Repeat(map[string]func(*rapid.T){
				"join": func(r *rapid.T) {
					_, err := w.community.PutMemberships(bg, group(), []community.MembershipIn{{MemberID: rapid.SampledFrom(people).Draw(r, "who"), Role: rapid.SampledFrom(roles).Draw(r, "role"),
						JoinedAt: w.now().Add(-time.Duration(rapid.IntRange(0, 100).Draw(r, "hours ago")) * hour)}})
					w.check(err)
				},
				"leave": func(r *rapid.T) {
					at := w.now().Add(-time.Duration(rapid.IntRange(0, 60).Draw(r, "hours ago")) * hour)
					_, err := w.community.PutMemberships(bg, group(), []community.MembershipIn{{MemberID: rapid.SampledFrom(people).Draw(r, "who"), JoinedAt: at.Add(-hour), LeftAt: at}})
					w.check(err)
				},
				"show": func(*rapid.T) { w.show(group()) },
				"reserve": func(*rapid.T) {
					if slot := w.reserve(group()); slot != 0 {
						waiting = append(waiting, slot)
					}
				},
				"end": func(r *rapid.T) {
					if len(waiting) == 0 {
						return
					}
					i := rapid.IntRange(0, len(waiting)-1).Draw(r, "slot")
					var err error
					if rapid.Bool().Draw(r, "confirm") {
						_, err = w.guard.Confirm(bg, waiting[i], 0)
					} else {
						_, err = w.guard.Release(bg, waiting[i], guard.ReleaseNotSent, nil)
					}
					w.check(err)
					waiting = slices.Delete(waiting, i, i+1)
				},
				"clock": func(r *rapid.T) {
					db.Clock.Jump(time.Duration(rapid.IntRange(1, 900).Draw(r, "minutes")) * time.Minute)
				},
				"count": func(r *rapid.T) {
					w.check(w.s.count(bg, steps{rapid.IntRange(1, 9).Draw(r, "stays"), rapid.IntRange(1, 4).Draw(r, "block")}))
					total, members, over, spread := recount(r, db, w.now().Add(-days*24*hour), ceiling)
					got, err := kept(db)
					w.check(err)
					if diff := cmp.Diff(total, got); diff != "" {
						r.Fatalf("members (-want +got):\n%s", diff)
					}
					shown, err := w.s.Find(bg, 0)
					w.check(err)
					if diff := cmp.Diff(seen(spread).list(0), shown.Counted.Seen); diff != "" {
						r.Fatalf("people by ads (-want +got):\n%s", diff)
					}
					for _, g := range groups {
						if s := w.standing(g); s.Members != members[g] || s.Over != over[g] {
							r.Fatalf("%s: got %d of %d, want %d of %d", g, s.Over, s.Members, over[g], members[g])
						}
					}
				},
			})
		})
		w.check(w.s.Count(bg))
		if total, err := kept(db); err != nil || len(total) == 0 {
			t.Errorf("the games showed nobody an ad: %v, %v", slices.Collect(maps.Values(total)), err)
		}
	})
}
