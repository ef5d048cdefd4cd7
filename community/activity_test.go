package community_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// report sends events and returns how each ended.
func report(t testing.TB, s *community.Service, g id.Group, events ...community.ActivityIn) []community.ActivityOutcome {
	t.Helper()
	out, err := s.PutActivity(brand(), g, community.ActivityBatch{Events: events})
	if err != nil {
		t.Fatalf("PutActivity: %v", err)
	}
	ends := make([]community.ActivityOutcome, len(out))
	for i, r := range out {
		if ends[i] = r.Result; r.EventID != events[i].EventID || (r.Result == community.ActivityConflict || r.Result == community.ActivityRefused) != (r.Err != nil) {
			t.Errorf("event %d: got %+v", i, r)
		}
	}
	return ends
}

func activityDays(t testing.TB, s *community.Service, g id.Group, days int) []community.ActivityDay {
	t.Helper()
	list, err := s.ListActivity(brand(), g, days)
	if err != nil {
		t.Fatalf("ListActivity: %v", err)
	}
	return list
}

func wantEnds(t testing.TB, got []community.ActivityOutcome, want ...community.ActivityOutcome) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("outcomes (-want +got):\n%s", d)
	}
}

func TestPutActivity(t *testing.T) {
	const recorded, repeated, conflict, refused = community.ActivityRecorded, community.ActivityRepeated, community.ActivityConflict, community.ActivityRefused
	run(t, func(t *testing.T, s *community.Service) {
		g := newGroup(t, s, brand(), community.GroupIn{Name: "群"})
		other := newGroup(t, s, brand(), community.GroupIn{Name: "另一群"})
		now := milli(s.DB.Clock.Now())
		a, b := born(t, s, "a"), born(t, s, "b")
		post := community.ActivityIn{EventID: "e1", MemberID: a, Kind: community.ActivityPost, At: now - 1000}

		t.Run("an event is once, whenever it comes again", func(t *testing.T) {
			wantEnds(t, report(t, s, g, post, post), recorded, repeated)
			earlier := community.ActivityIn{EventID: "e0", MemberID: b, Kind: community.ActivityReply, At: now - 5000}
			wantEnds(t, report(t, s, g, earlier, post), recorded, repeated)
			wantEnds(t, report(t, s, other, post), recorded)
		})
		t.Run("the same id with other content is refused", func(t *testing.T) {
			for _, change := range []func(*community.ActivityIn){
				func(in *community.ActivityIn) { in.MemberID = b },
				func(in *community.ActivityIn) { in.Kind = community.ActivityGame },
				func(in *community.ActivityIn) { in.At-- },
			} {
				in := post
				change(&in)
				out, err := s.PutActivity(brand(), g, community.ActivityBatch{Events: []community.ActivityIn{in}})
				if err != nil {
					t.Fatal(err)
				}
				wantFault(t, out[0].Err, community.ErrActivityDiffers)
			}
		})
		t.Run("nor of another topic", func(t *testing.T) {
			in := community.ActivityIn{EventID: "t1", MemberID: a, Kind: community.ActivityTopic, At: now, Topic: "tea"}
			wantEnds(t, report(t, s, g, in, in), recorded, repeated)
			in.Topic = "water"
			wantEnds(t, report(t, s, g, in), conflict)
			in.EventID = "t2"
			wantEnds(t, report(t, s, g, in), recorded)
		})
		t.Run("a refused event leaves the others", func(t *testing.T) {
			fresh, ahead, unknown := post, post, post
			fresh.EventID, ahead.EventID, unknown.EventID = "e2", "e3", "e4"
			ahead.At, unknown.MemberID = milli(s.DB.Clock.Now().Add(time.Minute)), 404
			wantEnds(t, report(t, s, g, ahead, fresh, unknown), refused, recorded, refused)
		})
		t.Run("somebody of another unit is unknown, as is the group", func(t *testing.T) {
			mine := newGroup(t, s, as(north), community.GroupIn{Name: "北店群"})
			foreign := upsert(t, s, as(south), person("", mall("f"))).Member
			in := community.ActivityIn{EventID: "x", MemberID: foreign, Kind: community.ActivityReply, At: now}
			out, err := s.PutActivity(as(north), mine, community.ActivityBatch{Events: []community.ActivityIn{in}})
			if err != nil {
				t.Fatal(err)
			}
			wantFault(t, out[0].Err, community.ErrMemberUnknown)
			_, err = s.PutActivity(as(south), mine, community.ActivityBatch{Events: []community.ActivityIn{in}})
			wantFault(t, err, fault.NotFound)
			_, err = s.ListActivity(as(south), mine, 7)
			wantFault(t, err, fault.NotFound)
		})
		t.Run("an event of a merged member is still the same", func(t *testing.T) {
			mustMerge(t, s, a, b)
			wantEnds(t, report(t, s, g, post), repeated)
			if days := activityDays(t, s, g, 2); len(days) == 0 || days[len(days)-1].People != 1 {
				t.Errorf("got %+v, want one person a day", days)
			}
		})
		t.Run("more than one statement looks up", func(t *testing.T) {
			many := make([]community.ActivityIn, 500)
			for i := range many {
				many[i] = community.ActivityIn{EventID: fmt.Sprint("m", i), MemberID: b, Kind: community.ActivityMessage, At: now}
			}
			for _, want := range []community.ActivityOutcome{recorded, repeated} {
				for i, end := range report(t, s, g, many...) {
					if end != want {
						t.Fatalf("event %d: got %s, want %s", i, end, want)
					}
				}
			}
		})
		t.Run("forms that cannot be", func(t *testing.T) {
			for _, in := range []community.ActivityIn{
				{MemberID: a, Kind: community.ActivityReply, At: now},
				{EventID: "a b", MemberID: a, Kind: community.ActivityReply, At: now},
				{EventID: "y", Kind: community.ActivityReply, At: now},
				{EventID: "y", MemberID: a, Kind: "shouted", At: now},
				{EventID: "y", MemberID: a, Kind: community.ActivityReply},
				{EventID: "y", MemberID: a, Kind: community.ActivityReply, At: now, Topic: "tea"},
				{EventID: "y", MemberID: a, Kind: community.ActivityTopic, At: now, Topic: "a b"},
				{EventID: "y", MemberID: a, Kind: community.ActivityTopic, At: now, Topic: strings.Repeat("话", 65)},
			} {
				_, err := s.PutActivity(brand(), g, community.ActivityBatch{Events: []community.ActivityIn{in}})
				wantFault(t, err, fault.Invalid)
			}
			_, err := s.PutActivity(brand(), g, community.ActivityBatch{Events: make([]community.ActivityIn, 501)})
			wantFault(t, err, fault.Invalid)
		})
	})
}

func TestActivityDays(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		g := newGroup(t, s, brand(), community.GroupIn{Name: "群"})
		a, b, owner := born(t, s, "a"), born(t, s, "b"), born(t, s, "owner")
		put(t, s, g, community.MembershipIn{MemberID: a}, community.MembershipIn{MemberID: owner, Role: community.RoleOwner})
		zone, err := time.LoadLocation(clock.Shanghai)
		if err != nil {
			t.Fatal(err)
		}
		midnight := clock.StartOfDay(s.DB.Clock.Now(), zone)
		yesterday, today := milli(midnight.Add(-time.Millisecond)), milli(midnight)
		seq := 0
		did := func(m id.Member, kind community.ActivityKind, at clock.Milli, times int) {
			t.Helper()
			for range times {
				seq++
				wantEnds(t, report(t, s, g, community.ActivityIn{EventID: fmt.Sprint(seq), MemberID: m, Kind: kind, At: at}), community.ActivityRecorded)
			}
		}
		did(a, community.ActivityReply, today, 4) // the fourth no longer counts
		did(a, community.ActivityPost, today, 2)
		did(b, community.ActivityAnswer, today, 1)
		did(owner, community.ActivityPost, today, 3)             // staff never counts
		did(a, community.ActivityReply, yesterday, 1)            // late, and a millisecond before midnight
		did(owner, community.ActivityReply, today-3*dayMilli, 1) // a day of which nothing counts

		day := func(at clock.Milli) int { return clock.Day(time.UnixMilli(int64(at)), zone) }
		want := []community.ActivityDay{
			{Day: day(yesterday), People: 1, Events: 1, Points: 1},
			{Day: day(today), People: 2, Events: 6, Points: 12},
		}
		if d := cmp.Diff(want, activityDays(t, s, g, 90)); d != "" {
			t.Errorf("days (-want +got):\n%s", d)
		}
		if d := cmp.Diff(want[1:], activityDays(t, s, g, 1)); d != "" {
			t.Errorf("today alone (-want +got):\n%s", d)
		}
		for _, days := range []int{0, 91} {
			_, err := s.ListActivity(brand(), g, days)
			wantFault(t, err, fault.Invalid)
		}
	})
}

const dayMilli = clock.Milli(24 * 60 * 60 * 1000)

// TestStreamActivity: lines of several groups stand each for itself.
func TestStreamActivity(t *testing.T) {
	const recorded, repeated, refused = community.ActivityRecorded, community.ActivityRepeated, community.ActivityRefused
	run(t, func(t *testing.T, s *community.Service) {
		a, b := newGroup(t, s, brand(), community.GroupIn{Name: "群"}), newGroup(t, s, brand(), community.GroupIn{Name: "另一群"})
		m, now := born(t, s, "a"), milli(s.DB.Clock.Now())
		line := func(g id.Group, event string) community.ActivityLine {
			return community.ActivityLine{GroupID: g, ActivityIn: community.ActivityIn{EventID: event, MemberID: m, Kind: community.ActivityReply, At: now}}
		}
		var lines []community.ActivityLine
		for i := range 1_100 {
			lines = append(lines, line([]id.Group{a, b}[i%2], fmt.Sprint(i)))
		}
		ahead, nobody := line(a, "ahead"), line(a, "nobody")
		ahead.At, nobody.MemberID = now+1, 0
		yesterday := clock.Day(s.DB.Clock.Now().Add(-36*time.Hour), time.UTC)
		lines = append(lines, line(b, "1"), line(404, "x"), ahead, nobody, line(0, "y"),
			community.ActivityLine{GroupID: a, CompleteDay: yesterday}, community.ActivityLine{GroupID: a, CompleteDay: 20991231})
		want := append(slices.Repeat([]community.ActivityOutcome{recorded}, 1_100), repeated, refused, refused, refused, refused, recorded, refused)
		out, err := s.StreamActivity(brand(), lines)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range out {
			if r.Result != want[i] || (r.Err != nil) != (want[i] == refused) || r.Err != nil && len(r.Err.Fields) == 0 {
				t.Errorf("line %d: got %+v, want %s", i, r, want[i])
			}
		}
		if n := count(t, s.DB, "SELECT COUNT(*) FROM activity_events"); n != 1_100 {
			t.Errorf("got %d events", n)
		}
		if out, err = s.StreamActivity(brand(), lines[:1_100]); err != nil || out[0].Result != repeated || out[1_099].Result != repeated {
			t.Errorf("again: got %v and %v", out[0], err)
		}
	})
}

// TestActivityIsForgotten: an erased member's events go, of himself and of whom
// he was merged from, and with time everybody's.
func TestActivityIsForgotten(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		g := newGroup(t, s, brand(), community.GroupIn{Name: "群", BornAt: milli(s.DB.Clock.Now().AddDate(-1, 0, 0))})
		old, m, other := born(t, s, "old"), born(t, s, "m"), born(t, s, "other")
		did := func(m id.Member, n int, at clock.Milli) {
			var list []community.ActivityIn
			for i := range n {
				list = append(list, community.ActivityIn{EventID: fmt.Sprintf("%s-%d", m, i), MemberID: m, Kind: community.ActivityPost, At: at})
			}
			report(t, s, g, list...)
		}
		now := milli(s.DB.Clock.Now())
		did(old, 1, now-dayMilli)
		did(m, 500, now)
		did(other, 2, now)
		mustMerge(t, s, old, m)
		out, err := s.ExportMember(brand(), m)
		if err != nil || len(out.Activity) != 501 || out.Activity[0].At != now-dayMilli || out.Activity[0].GroupID != g {
			t.Fatalf("export: %d events, %v", len(out.Activity), err)
		}
		for range 2 {
			if err := s.EraseMember(brand(), m); err != nil {
				t.Fatal(err)
			}
		}
		if n := count(t, s.DB, "SELECT COUNT(*) FROM activity_events WHERE member_id <> ?", other); n != 0 {
			t.Errorf("%d of his events are left", n)
		}
		if n := count(t, s.DB, "SELECT COUNT(*) FROM activity_marks WHERE group_id = ?", g); n != 2 {
			t.Errorf("%d days wait to be counted, want both", n)
		}
		s.DB.Clock.Jump(401 * 24 * time.Hour)
		if err := s.PurgeActivity(context.Background()); err != nil {
			t.Fatal(err)
		}
		if n := count(t, s.DB, "SELECT COUNT(*) FROM activity_events"); n != 2 {
			t.Errorf("after 401 days: got %d events, want 2", n)
		}
		s.DB.Clock.Jump(3 * 24 * time.Hour)
		if err := s.PurgeActivity(context.Background()); err != nil {
			t.Fatal(err)
		}
		if n := count(t, s.DB, "SELECT COUNT(*) FROM activity_events"); n != 0 {
			t.Errorf("after 404 days: got %d events", n)
		}
	})
}

// TestActivityAtOnce: the same batch from many sides is recorded once.
func TestActivityAtOnce(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		g := newGroup(t, s, brand(), community.GroupIn{Name: "群"})
		m := born(t, s, "a")
		events := make([]community.ActivityIn, 20)
		for i := range events {
			events[i] = community.ActivityIn{EventID: fmt.Sprint(i), MemberID: m, Kind: community.ActivityReply, At: milli(s.DB.Clock.Now())}
		}
		var recorded [6]int
		var wg sync.WaitGroup
		for side := range recorded {
			wg.Go(func() {
				out, err := s.PutActivity(brand(), g, community.ActivityBatch{Events: events})
				if err != nil {
					t.Errorf("side %d: %v", side, err)
				}
				for _, r := range out {
					if r.Result == community.ActivityRecorded {
						recorded[side]++
					}
				}
			})
		}
		wg.Wait()
		sum := 0
		for _, n := range recorded {
			sum += n
		}
		if n := count(t, s.DB, "SELECT COUNT(*) FROM activity_events"); n != len(events) || sum != n {
			t.Errorf("got %d rows, %d told as recorded, want %d", n, sum, len(events))
		}
	})
}
