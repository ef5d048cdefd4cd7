package health_test

import (
	"context"
	"fmt"
	"slices"
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

// TestNinetyDays is one group's life, worked out by hand: twenty members, of
// whom four reply on odd days and two on even ones; one ad at noon of day 80,
// after which one of them leaves.
func TestNinetyDays(t *testing.T) {
	run(t, func(t *testing.T, w *town) {
		start := w.now() // 10:00 in the group's zone, on day 91
		on := func(n int) clock.Milli { return start.Add(-time.Duration(91-n) * day) }
		g := w.group(t, community.GroupIn{BornAt: on(1), Preset: community.PresetRetail})
		who := w.members(t, g, 20, community.RoleMember, on(1))
		owner := w.members(t, g, 1, community.RoleOwner, on(1))
		for n := 1; n <= 90; n++ {
			w.did(t, g, community.ActivityReply, on(n), who[:2+2*(n%2)]...)
		}
		w.did(t, g, community.ActivityPost, on(90), owner...)
		err := w.DB.Tx(context.Background(), func(tx *database.Tx) error { return health.AdShownTx(tx, g, 1, on(80).Add(2*time.Hour)) })
		if err != nil {
			t.Fatal(err)
		}
		left := []community.MembershipIn{{MemberID: who[19], JoinedAt: on(1), LeftAt: on(80).Add(4 * time.Hour)}}
		if _, err := w.PutMemberships(brand(), g, left); err != nil {
			t.Fatal(err)
		}
		w.roll(t)
		got, err := w.health.FindReport(brand(), g)
		if err != nil {
			t.Fatal(err)
		}

		// Rates: 4/20 and 2/20; since day 81 4/19 and 2/19; on day 80, when
		// twenty became nineteen, 2/19.5. The last week has four even days:
		// (4 × 1052 + 3 × 2105) / 7.
		last := got.History[89]
		want := health.Judgement{
			Day: last.Day, State: health.StateHealthy, Coverage: 10_000, Size: 19, Rate: 1_052, DAR: 1_503,
			HostShare: 233, // 1 of 43: 7 days × 4, 7 × 2 and the host's post, rounded up
			Week:      0, Content: 1, Fatigue: 10_000, FatigueKnown: 10_000, Fall: health.Unknown,
		}
		if d := cmp.Diff(want, last); d != "" {
			t.Errorf("the last day (-want +got):\n%s", d)
		}
		// Day 1 is a fifth; then the mean lies below it. From day 44 on there
		// are 14 days to measure the group by, and it is like itself.
		states := map[health.State][]int{}
		for i, j := range got.History {
			states[j.State] = append(states[j.State], i+1)
		}
		if h, wm := states[health.StateHealthy], states[health.StateWarm]; len(h) != 48 || h[0] != 1 || h[1] != 44 || len(wm) != 42 || len(got.History) != 90 {
			t.Errorf("healthy on %v, warm on %v of %d", h, wm, len(got.History))
		}
		if got.Standing == nil || got.Standing.Since != got.History[43].Day || got.Standing.Fatigue != 10_000 {
			t.Errorf("standing: got %+v", got.Standing)
		}
		// Of 30 days two replied on each, two on every second: 30, 30, 15, 15.
		if d := cmp.Diff(health.Head{Top: got.Head.Top, CR1: 3_333, HHI: 2_777, LOO: 6_666, High: true}, got.Head); d != "" {
			t.Errorf("head (-want +got):\n%s", d)
		}
		if d := cmp.Diff(health.Pyramid{Hosts: 1, Rest: 19, Index: 7_500}, got.Pyramid); d != "" {
			t.Errorf("pyramid (-want +got):\n%s", d)
		}
		seen := map[string]string{}
		for _, k := range got.Incubation.Criteria {
			switch {
			case k.Passed == nil:
				seen[k.Name] = "unknown"
			case *k.Passed:
				seen[k.Name] = "passed"
			default:
				seen[k.Name] = "failed"
			}
		}
		criteria := map[string]string{
			"size": "failed", "early_rate_days": "failed", "topic_days": "failed", "managers": "passed", "kols": "failed", "kocs": "failed",
			"checkin_share": "failed", "incentives_a_month": "unknown", "violations_a_month": "unknown", "on_topic": "unknown",
		}
		if d := cmp.Diff(criteria, seen); d != "" || got.Community || got.Incubation.Day != 91 {
			t.Errorf("incubation on day %d, passed %v (-want +got):\n%s", got.Incubation.Day, got.Community, d)
		}
		if len(got.Advice) == 0 || got.Advice[0].Code != "rest_from_ads" {
			t.Errorf("advice: got %+v, want rest first", got.Advice)
		}
	})
}

// TestImportedGroups: of 300 groups that lived for two years before Siyu knew
// them, with an ad each and no data, nothing is zero and nothing is blamed.
func TestImportedGroups(t *testing.T) {
	run(t, func(t *testing.T, w *town) {
		var groups []id.Group
		for part := range 2 {
			rows := make([]community.GroupIn, 150)
			for i := range rows {
				rows[i] = community.GroupIn{ExternalID: fmt.Sprint("wr", part*150+i), Name: "老客群", Preset: community.PresetRetail, BornAt: w.now().Add(-730 * day)}
			}
			made, err := w.PutGroups(brand(), rows)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range made {
				groups = append(groups, r.Group)
			}
		}
		err := w.DB.Tx(context.Background(), func(tx *database.Tx) error {
			for i, g := range groups {
				if err := health.AdShownTx(tx, g, id.Slot(i+1), w.now().Add(-3*day)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		w.roll(t)
		for part := range slices.Chunk(groups, 150) {
			var all []health.Standing
			err := w.DB.Read(context.Background()).Raw("SELECT * FROM group_standings WHERE group_id IN ? AND state <> ''", part).Scan(&all).Error
			if err != nil || len(all) != len(part) {
				t.Fatalf("%d standings of %d, %v", len(all), len(part), err)
			}
			for _, s := range all {
				if s.State != health.StateUnknown || s.DAR != health.Unknown || s.Content != health.Unknown || s.Fatigue != health.Unknown || s.Coverage != 0 || s.Ads != 1 {
					t.Fatalf("got %+v, want unknown and one ad", s)
				}
			}
		}
		got, err := w.health.FindReport(brand(), groups[299])
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range got.Metrics {
			if m.Value != nil || m.Unknown == "" || m.Meets != nil {
				t.Errorf("%s: got %+v, want unknown", m.Name, m)
			}
		}
		if got.Community || len(got.Advice) != 1 || got.Advice[0].Code != "report_activity" {
			t.Errorf("advice: got %+v, community %v", got.Advice, got.Community)
		}
	})
}

// TestTells: a state that changes and a rate that falls to half are told, each
// once.
func TestTells(t *testing.T) {
	run(t, func(t *testing.T, w *town) {
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		_, err := (&webhook.Service{DB: w.DB, Secrets: w.Secrets}).Create(brand(), webhook.In{URL: "https://mall.example/hook", Events: []string{"group.*"}})
		must(err)
		g := w.group(t, community.GroupIn{BornAt: w.now()})
		who := w.members(t, g, 10, community.RoleMember, w.now())
		told := func(kind string) int {
			return w.count(t, "SELECT COUNT(*) FROM events WHERE type = ?", kind)
		}
		for _, c := range []struct{ people, states, falls int }{{4, 0, 0}, {4, 0, 0}, {1, 0, 1}, {1, 0, 2}, {1, 0, 2}} {
			w.did(t, g, community.ActivityReply, w.now(), who[:c.people]...)
			w.DB.Clock.Jump(day)
			w.roll(t)
			w.roll(t)
			if s, f := told("group.state_changed"), told("group.early_death"); s != c.states || f != c.falls {
				t.Errorf("after a day of %d: %d states and %d falls are told, want %d and %d (%s)", c.people, s, f, c.states, c.falls, w.standing(t, g).State)
			}
		}
		for range 8 {
			w.did(t, g, community.ActivityReply, w.now(), who[0])
			w.DB.Clock.Jump(day)
			w.roll(t)
		}
		if n := told("group.state_changed"); n != 1 || w.standing(t, g).State != health.StateWarm {
			t.Errorf("%d states are told, want that it is warm now: %s", n, w.standing(t, g).State)
		}
	})
}
