package health_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/community"
	"siyu/community/health"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// TestPass follows a small group that does all that is asked: it has no pass
// while a role is missing or its ninetieth day is not over, gets one with the
// night's judgement, once, and keeps it whatever becomes of it.
func TestPass(t *testing.T) {
	run(t, func(t *testing.T, w *town) {
		if _, err := (&webhook.Service{DB: w.DB, Secrets: w.Secrets}).Create(brand(), webhook.In{URL: "https://mall.example/hook", Events: []string{"group.passed"}}); err != nil {
			t.Fatal(err)
		}
		g, start := w.lively(t, 89)
		report := func() health.Report {
			t.Helper()
			w.roll(t)
			got, err := w.health.FindReport(brand(), g)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		if got := report(); got.Community || got.Pass != nil || got.Incubation.Day != 90 {
			t.Errorf("on its ninetieth day: got %+v", got.Pass)
		}
		w.DB.Clock.Jump(day) // the ninety-first has begun; a role is missing still
		if got := report(); got.Community || got.Pass != nil || got.Incubation.Passed {
			t.Errorf("without a KOC: got %+v", got.Pass)
		}
		w.members(t, g, 1, community.RoleKOC, start)
		if got := report(); got.Community || got.Pass != nil || !got.Incubation.Passed {
			t.Errorf("before the night: pass %+v, incubation %+v", got.Pass, got.Incubation)
		}
		w.DB.Clock.Jump(day)
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				if err := w.health.RollUp(context.Background()); err != nil {
					t.Errorf("RollUp: %v", err)
				}
			})
		}
		all.Wait()
		first := report()
		if !first.Community || first.Pass == nil || first.Pass.PassedAt != w.now() || first.Pass.Day != first.Standing.Day || len(first.Pass.Criteria) != 9 {
			t.Fatalf("after the night: got %+v", first.Pass)
		}
		told := func() int { return w.count(t, "SELECT COUNT(*) FROM events WHERE type = 'group.passed'") }
		if told() != 1 {
			t.Errorf("told %d times", told())
		}
		w.DB.Clock.Jump(40 * day) // nobody says a word
		if _, err := w.PutMemberships(brand(), g, []community.MembershipIn{{MemberID: w.holder(t, g, community.RoleKOL), Role: community.RoleMember}}); err != nil {
			t.Fatal(err)
		}
		later := report()
		if d := cmp.Diff(first.Pass, later.Pass); d != "" || !later.Community || later.Standing.State == health.StateHealthy || later.Incubation.Passed || told() != 1 {
			t.Errorf("of a group that declined: state %s, incubation %v (-first +later):\n%s", later.Standing.State, later.Incubation.Passed, d)
		}
	})
}

// TestPassOfOlderStore: a group that passed before passes were kept gets its
// own with the next night.
func TestPassOfOlderStore(t *testing.T) {
	run(t, func(t *testing.T, w *town) {
		g, start := w.lively(t, 200)
		w.members(t, g, 1, community.RoleKOC, start)
		w.roll(t)
		err := w.DB.Tx(context.Background(), func(tx *database.Tx) error { return tx.Exec("DELETE FROM group_passes").Error })
		if err != nil {
			t.Fatal(err)
		}
		w.roll(t)
		if n := w.count(t, "SELECT COUNT(*) FROM group_passes"); n != 0 {
			t.Errorf("%d passes before a day was over", n)
		}
		w.DB.Clock.Jump(day)
		w.roll(t)
		if got, err := w.health.FindReport(brand(), g); err != nil || !got.Community || got.Pass.Day != got.Standing.Day {
			t.Errorf("got %+v, %v", got.Pass, err)
		}
	})
}

// lively is a benefit group so many days old that did, on its first 90, all
// that incubation asks, but for a KOC.
func (w *town) lively(t testing.TB, age int) (id.Group, clock.Milli) {
	t.Helper()
	start := w.now().Add(-time.Duration(age) * day)
	g := w.group(t, community.GroupIn{BornAt: start, Preset: community.PresetBenefit})
	who := w.members(t, g, 8, community.RoleMember, start)
	who = append(who, w.members(t, g, 1, community.RoleKOL, start)...)
	w.members(t, g, 1, community.RoleOwner, start)
	zone, err := time.LoadLocation(clock.Shanghai)
	if err != nil {
		t.Fatal(err)
	}
	var days []int
	for n := range min(age, 90) {
		at := start.Add(time.Duration(n) * day)
		w.did(t, g, community.ActivityTopic, at, who[:6]...)
		w.did(t, g, community.ActivityCheckin, at, who[0])
		if n%30 == 0 {
			w.did(t, g, community.ActivityIncentive, at, who[0])
		}
		days = append(days, clock.Day(at.Time(), zone))
	}
	w.put(t, g, community.ActivityBatch{CompleteDays: days})
	return g, start
}

func (w *town) holder(t testing.TB, g id.Group, role community.Role) (m id.Member) {
	t.Helper()
	err := w.DB.Read(context.Background()).Raw("SELECT member_id FROM memberships WHERE group_id = ? AND role = ?", g, role).Scan(&m).Error
	if err != nil {
		t.Fatal(err)
	}
	return m
}
