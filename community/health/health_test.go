package health_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/community"
	"siyu/community/health"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/secret"
)

func brand() context.Context {
	return database.WithActor(context.Background(), database.Actor{Kind: database.ActorStaff, Staff: 9, Role: "admin", Unit: 100})
}

// town is a store with groups and members, on a clock that stands.
type town struct {
	*community.Service
	health *health.Service
	events int
}

func run(t *testing.T, test func(t *testing.T, w *town)) {
	t.Helper()
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		keys, err := secret.New(secret.Fresh())
		if err != nil {
			t.Fatal(err)
		}
		w := &town{Service: &community.Service{DB: db, Secrets: keys}, health: &health.Service{DB: db}}
		test(t, w)
		for _, b := range w.broken(t) {
			t.Error(b)
		}
	})
}

// broken is what Verify finds.
func (w *town) broken(t testing.TB) []string {
	t.Helper()
	err := w.DB.MarkNow(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	proofs, err := health.Verify(context.Background(), w.DB)
	if err != nil || len(proofs) != 1 || proofs[0].Checked == 0 {
		t.Fatalf("Verify: %+v, %v", proofs, err)
	}
	return proofs[0].Broken
}

func (w *town) now() clock.Milli { return clock.MilliOf(w.DB.Clock.Now()) }

func (w *town) group(t testing.TB, in community.GroupIn) id.Group {
	t.Helper()
	in.Name = "群"
	g, err := w.CreateGroup(brand(), in)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (w *town) members(t testing.TB, g id.Group, n int, role community.Role, joined clock.Milli) []id.Member {
	t.Helper()
	var rows []community.MemberIn
	for i := range n {
		rows = append(rows, community.MemberIn{Identities: []community.Identity{{Kind: community.IdentityMall, Value: fmt.Sprintf("%s-%s-%d-%d", g, role, joined, i)}}})
	}
	made, err := w.UpsertMembers(brand(), rows)
	if err != nil {
		t.Fatal(err)
	}
	var out []id.Member
	var in []community.MembershipIn
	for _, m := range made {
		out = append(out, m.Member)
		in = append(in, community.MembershipIn{MemberID: m.Member, Role: role, JoinedAt: joined})
	}
	if _, err := w.PutMemberships(brand(), g, in); err != nil {
		t.Fatal(err)
	}
	return out
}

func (w *town) did(t testing.TB, g id.Group, kind community.ActivityKind, at clock.Milli, who ...id.Member) {
	t.Helper()
	var list []community.ActivityIn
	for _, m := range who {
		w.events++
		list = append(list, community.ActivityIn{EventID: fmt.Sprint(w.events), MemberID: m, Kind: kind, At: at})
	}
	w.put(t, g, community.ActivityBatch{Events: list})
}

func (w *town) put(t testing.TB, g id.Group, in community.ActivityBatch) {
	t.Helper()
	out, err := w.PutActivity(brand(), g, in)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range out {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
}

func (w *town) roll(t testing.TB) {
	t.Helper()
	if err := w.health.RollUp(context.Background()); err != nil {
		t.Fatalf("RollUp: %v", err)
	}
}

func (w *town) standing(t testing.TB, g id.Group) health.Standing {
	t.Helper()
	var s health.Standing
	if err := w.DB.Read(context.Background()).Raw("SELECT * FROM group_standings WHERE group_id = ? AND state <> ''", g).Scan(&s).Error; err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *town) days(t testing.TB, g id.Group) []health.Day {
	t.Helper()
	var rows []health.Day
	if err := w.DB.Read(context.Background()).Raw("SELECT * FROM group_days WHERE group_id = ? ORDER BY day", g).Scan(&rows).Error; err != nil {
		t.Fatal(err)
	}
	return rows
}

func (w *town) count(t testing.TB, sql string, args ...any) (n int) {
	t.Helper()
	if err := w.DB.Read(context.Background()).Raw(sql, args...).Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

const day = 24 * time.Hour

func TestRollUp(t *testing.T) {
	run(t, func(t *testing.T, w *town) {
		zone, err := time.LoadLocation(clock.Shanghai)
		if err != nil {
			t.Fatal(err)
		}
		start := w.now()
		g := w.group(t, community.GroupIn{BornAt: start.Add(-9 * day)})
		who := w.members(t, g, 10, community.RoleMember, start.Add(-9*day))
		on := func(back int) clock.Milli { return start.Add(-time.Duration(back) * day) }
		for back := range 9 {
			w.did(t, g, community.ActivityReply, on(back), who[:2]...)
		}
		if s := w.standing(t, g); s.GroupID != 0 {
			t.Errorf("before a roll-up there is a standing: %+v", s)
		}
		w.roll(t)
		s := w.standing(t, g)
		if s.State != health.StateHealthy || s.DAR != 2000 || s.Coverage != 8*10000/9 || s.Day != clock.Day(on(1).Time(), zone) || s.Since != clock.Day(on(8).Time(), zone) || s.Fatigue != health.Unknown {
			t.Errorf("got %+v, want a fifth, healthy since half of the days were known", s)
		}
		if n := w.count(t, "SELECT COUNT(*) FROM group_health WHERE group_id = ?", g); n != 9 {
			t.Errorf("got %d days judged, want 9", n)
		}

		t.Run("again changes nothing", func(t *testing.T) {
			before := w.days(t, g)
			w.roll(t)
			if d := cmp.Diff(before, w.days(t, g)); d != "" {
				t.Errorf("days (-before +after):\n%s", d)
			}
			if d := cmp.Diff(s, w.standing(t, g)); d != "" {
				t.Errorf("standing (-before +after):\n%s", d)
			}
		})
		t.Run("a late event is counted, and what rests on it judged again", func(t *testing.T) {
			w.did(t, g, community.ActivityPost, on(3), who[:9]...)
			if n := w.count(t, "SELECT COUNT(*) FROM activity_marks WHERE group_id = ?", g); n != 1 {
				t.Errorf("got %d marks, want the late day's", n)
			}
			w.roll(t)
			if got := w.standing(t, g); got.DAR != 3000 || got.Content != 9 || got.Held != 0 {
				t.Errorf("got %+v, want 3000 and nine posts", got)
			}
			if n := w.count(t, "SELECT COUNT(*) FROM activity_marks"); n != 0 {
				t.Errorf("%d marks are left", n)
			}
		})
		t.Run("a merge makes two people one", func(t *testing.T) {
			err := w.DB.Tx(context.Background(), func(tx *database.Tx) error {
				_, err := community.MergeTx(tx, who[0], who[1])
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			w.roll(t)
			if got := w.days(t, g)[8]; got.People != 1 || got.Events != 2 {
				t.Errorf("got %+v, want one person who said two things", got)
			}
		})
		t.Run("whoever becomes an admin counts no longer", func(t *testing.T) {
			in := []community.MembershipIn{{MemberID: who[1], Role: community.RoleAdmin, JoinedAt: on(9)}}
			if _, err := w.PutMemberships(brand(), g, in); err != nil {
				t.Fatal(err)
			}
			w.roll(t)
			if got := w.days(t, g)[8]; got.People != 0 || got.Host != 2 || got.Size != 8 {
				t.Errorf("got %+v, want a host who said two things to eight", got)
			}
		})
		t.Run("a day that passes is judged without any event", func(t *testing.T) {
			w.DB.Clock.Jump(day)
			w.put(t, g, community.ActivityBatch{CompleteDays: []int{clock.Day(start.Time(), zone)}})
			w.DB.Clock.Jump(day)
			w.roll(t)
			if got := w.standing(t, g); got.Day != clock.Day(start.Add(day).Time(), zone) {
				t.Errorf("got day %d", got.Day)
			}
			rows := w.days(t, g)
			if len(rows) != 12 || !rows[9].Complete || rows[10].Covered {
				t.Errorf("got %d days, complete %v, covered %v", len(rows), rows[9].Complete, rows[10].Covered)
			}
		})
	})
}

// TestRollUpOfManyDays: a backlog of more days than one transaction counts is
// what the same days one by one come to.
func TestRollUpOfManyDays(t *testing.T) {
	run(t, func(t *testing.T, w *town) {
		start := w.now()
		old := start.Add(-80 * day)
		g, one := w.group(t, community.GroupIn{BornAt: old}), w.group(t, community.GroupIn{BornAt: old})
		who := w.members(t, g, 6, community.RoleMember, old)
		for _, m := range who {
			if _, err := w.PutMemberships(brand(), one, []community.MembershipIn{{MemberID: m, JoinedAt: old}}); err != nil {
				t.Fatal(err)
			}
		}
		for back := range 80 {
			at := start.Add(-time.Duration(back) * day)
			w.did(t, g, community.ActivityTopic, at, who[:1+back%6]...)
			w.did(t, one, community.ActivityTopic, at, who[:1+back%6]...)
			if back%7 == 1 {
				w.roll(t) // the second group's days come in several times
			}
		}
		w.roll(t)
		got, want := w.standing(t, g), w.standing(t, one)
		got.GroupID, want.GroupID = 0, 0
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("standings (-want +got):\n%s", d)
		}
		again := w.group(t, community.GroupIn{BornAt: old})
		if _, err := w.PutMemberships(brand(), again, []community.MembershipIn{{MemberID: who[0], JoinedAt: old}}); err != nil {
			t.Fatal(err)
		}
		w.roll(t)
		if n := w.count(t, "SELECT COUNT(*) FROM group_days WHERE group_id = ? AND size = 1", again); n != 81 {
			t.Errorf("got %d days with their size, want 81", n)
		}
	})
}

// TestRollUpAtOnce: events come in while many roll up; none is lost.
func TestRollUpAtOnce(t *testing.T) {
	run(t, func(t *testing.T, w *town) {
		start := w.now()
		g := w.group(t, community.GroupIn{BornAt: start.Add(-3 * day)})
		who := w.members(t, g, 8, community.RoleMember, start.Add(-3*day))
		var all sync.WaitGroup
		for i, m := range who {
			all.Go(func() {
				_, err := w.PutActivity(brand(), g, community.ActivityBatch{Events: []community.ActivityIn{
					{EventID: fmt.Sprint("p", i), MemberID: m, Kind: community.ActivityReply, At: start.Add(-day)},
				}})
				if err == nil {
					err = w.health.RollUp(context.Background())
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		w.roll(t)
		if rows := w.days(t, g); len(rows) != 4 || rows[2].People != len(who) {
			t.Errorf("got %+v, want %d people the day before", rows, len(who))
		}
	})
}

// TestVerify: a day that drifted, an event nobody counted and a standing that is
// not the newest judgement are each seen.
func TestVerify(t *testing.T) {
	run(t, func(t *testing.T, w *town) {
		start := w.now()
		g := w.group(t, community.GroupIn{BornAt: start.Add(-3 * day)})
		who := w.members(t, g, 2, community.RoleMember, start.Add(-3*day))
		w.did(t, g, community.ActivityReply, start.Add(-day), who...)
		w.met(t, g, 6)
		w.roll(t)
		if got := w.broken(t); len(got) > 0 {
			t.Fatalf("before: %v", got)
		}
		for _, c := range []struct{ breaks, mends string }{
			{"UPDATE group_days SET said = said + 1 WHERE said = 2", "UPDATE group_days SET said = said - 1 WHERE said = 3"},
			{"UPDATE activity_events SET day = day + 1", "UPDATE activity_events SET day = day - 1"},
			{"UPDATE group_standings SET state = 'dead'", "UPDATE group_standings SET state = 'unknown'"},
			{"UPDATE group_gatherings SET people = people + 1", "UPDATE group_gatherings SET people = people - 1"},
			{"UPDATE group_standings SET day = day - 1", "UPDATE group_standings SET day = day + 1"},
		} {
			do := func(sql string) {
				if err := w.DB.Tx(context.Background(), func(tx *database.Tx) error { return tx.Exec(sql).Error }); err != nil {
					t.Fatal(err)
				}
			}
			do(c.breaks)
			if len(w.broken(t)) == 0 {
				t.Errorf("%s is not seen", c.breaks)
			}
			do(c.mends)
		}
	})
}
