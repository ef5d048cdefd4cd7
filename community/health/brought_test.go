package health_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/community"
	"siyu/community/health"
	"siyu/internal/database"
	"siyu/internal/id"
)

// TestBrought: those whom a member brought are told apart from those of another,
// also once two inviters became one; who left within a week was not kept.
func TestBrought(t *testing.T) {
	run(t, func(t *testing.T, w *town) {
		g := w.group(t, community.GroupIn{BornAt: w.now().Add(-day)})
		hosts := w.members(t, g, 3, community.RoleMember, w.now().Add(-day))
		elsewhere := w.group(t, community.GroupIn{})
		come := func(by id.Member, n int) []id.Member {
			t.Helper()
			who := w.members(t, elsewhere, n, community.RoleMember, w.now())
			for _, m := range who {
				if err := w.Join(brand(), community.Join{Group: g, Member: m, Code: 7, Inviter: by}); err != nil {
					t.Fatal(err)
				}
			}
			w.DB.Clock.Jump(time.Millisecond) // the next ones are others by their moment
			return who
		}
		first := come(hosts[0], 3)
		come(hosts[1], 2)
		third := come(0, 1)
		var list []community.ActivityIn
		for i, m := range append(first[:2:2], third...) {
			list = append(list, community.ActivityIn{EventID: string(rune('a' + i)), MemberID: m, Kind: community.ActivityReply, At: w.now()})
		}
		w.put(t, g, community.ActivityBatch{Events: list})
		w.DB.Clock.Jump(3 * day)
		if _, err := w.PutMemberships(brand(), g, []community.MembershipIn{{MemberID: first[2], LeftAt: w.now()}}); err != nil {
			t.Fatal(err)
		}
		w.DB.Clock.Jump(6 * day)
		w.roll(t)
		inviters := func(want ...health.Inviter) health.Report {
			t.Helper()
			got, err := w.health.FindReport(brand(), g)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got.Inviters); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			return got
		}
		inviters(health.Inviter{Member: hosts[0], Invited: 3, Kept: 2, Spoke: health.Unknown}, health.Inviter{Member: hosts[1], Invited: 2, Kept: 2, Spoke: health.Unknown})
		days := w.days(t, g)
		var all []int
		for _, d := range days[:len(days)-1] {
			all = append(all, d.Day)
		}
		w.put(t, g, community.ActivityBatch{CompleteDays: all})
		w.DB.Clock.Jump(12 * day) // so that half of 37 days may be known
		w.roll(t)
		all = all[:0]
		for _, d := range w.days(t, g) {
			all = append(all, d.Day)
		}
		w.put(t, g, community.ActivityBatch{CompleteDays: all[:len(all)-1]})
		w.roll(t)
		got := inviters(health.Inviter{Member: hosts[0], Invited: 3, Kept: 2, Spoke: 2}, health.Inviter{Member: hosts[1], Invited: 2, Kept: 2})
		for _, m := range got.Metrics {
			if want := map[string]int{"invited_kept": 5 * 10_000 / 6, "invited_spoke": 5_000}[m.Name]; want != 0 && (m.Value == nil || *m.Value != want) {
				t.Errorf("%s: got %+v, want %d", m.Name, m, want)
			}
		}
		if err := w.DB.Tx(context.Background(), func(tx *database.Tx) error {
			_, err := community.MergeTx(tx, hosts[1], hosts[0])
			return err
		}); err != nil {
			t.Fatal(err)
		}
		inviters(health.Inviter{Member: hosts[0], Invited: 5, Kept: 4, Spoke: 2})
	})
}
