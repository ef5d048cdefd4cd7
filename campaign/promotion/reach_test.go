package promotion

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/campaign/exposure"
	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// TestReach: what a plan says of its audience, and what the report says of who
// saw it, each person counted once.
//
//	a: 0 1 2    b: 1 2 3    service, which takes no ad: 3 4    held out: 5
func TestReach(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		p := h.Members(6)
		join := func(g id.Group, who ...id.Member) {
			t.Helper()
			for _, m := range who {
				_, err := h.Community.PutMemberships(bg, g, []community.MembershipIn{{MemberID: m, JoinedAt: h.now().Add(-time.Hour)}})
				h.check(err)
			}
		}
		a, b, service, held := h.group(community.PresetChain), h.group(community.PresetChain), h.group(community.PresetService), h.group(community.PresetChain)
		join(a, p[0], p[1], p[2])
		join(b, p[1], p[2], p[3])
		join(service, p[3], p[4])
		join(held, p[5])
		day := 24 * time.Hour
		made, err := h.s.Create(bg, In{CampaignID: h.offer.ID, Name: "两天", TextZH: "接龙", Channel: "outage", Groups: []id.Group{a, b, service, held}, Holdout: []id.Group{held},
			Windows: []guard.Window{{From: h.now(), To: h.now().Add(2 * time.Hour)}, {From: h.now().Add(day), To: h.now().Add(day + 2*time.Hour)}}})
		h.check(err)
		says := func(want exposure.Reach) {
			t.Helper()
			plan, err := h.s.Plan(bg, made)
			h.check(err)
			if diff := cmp.Diff(want, plan.Reach); diff != "" {
				t.Errorf("the plan (-want +got):\n%s", diff)
			}
		}
		saw := func(want exposure.Reach) {
			t.Helper()
			report, err := h.s.Report(bg, made)
			h.check(err)
			if diff := cmp.Diff(want, report.Reach); diff != "" {
				t.Errorf("the report (-want +got):\n%s", diff)
			}
		}
		// Two windows in two groups: 1 and 2 see four, 0 and 3 two.
		says(exposure.Reach{Members: 5, Reached: 4, Repeated: 4, Most: 4})
		saw(exposure.Reach{Members: 5})
		h.approve(made)
		saw(exposure.Reach{Members: 5, Reached: 4, Repeated: 2, Most: 2})
		says(exposure.Reach{Members: 5, Reached: 4, Repeated: 4, Most: 4})

		// Who leaves in between has seen the first; who comes, sees the second.
		db.Clock.Jump(time.Hour)
		_, err = h.Community.PutMemberships(bg, a, []community.MembershipIn{{MemberID: p[0], JoinedAt: h.now().Add(-5 * time.Hour), LeftAt: h.now()}})
		h.check(err)
		_, err = h.Community.PutMemberships(bg, a, []community.MembershipIn{{MemberID: p[4], JoinedAt: h.now()}})
		h.check(err)
		h.Drain(24 * time.Hour)
		saw(exposure.Reach{Members: 5, Reached: 5, Repeated: 3, Most: 4})
		h.mustHold()
	})
}
