package promotion

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/campaign"
	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// TestHoldout sends an ad into two groups and holds two out: those get no
// slot and are told why, and what people do in both is set side by side.
func TestHoldout(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		groups := []id.Group{h.group(community.PresetRetail), h.group(community.PresetRetail), h.group(community.PresetRetail), h.group(community.PresetRetail)}
		served, held := groups[:2], groups[2:]
		m := h.Members(8)
		h.inGroup(served[0], -48*time.Hour, m[:3]...)
		h.inGroup(served[1], -48*time.Hour, m[3])
		h.inGroup(held[0], -48*time.Hour, m[4], m[0]) // the first is in groups of both sides
		h.inGroup(held[1], -48*time.Hour, m[5], m[0])

		p, err := h.s.Create(bg, In{CampaignID: h.offer.ID, Name: "对照", TextZH: "苹果今天 9.9", Groups: groups, Holdout: held,
			Windows: []guard.Window{{From: h.now(), To: h.now().Add(4 * time.Hour)}}, Channel: "file"})
		h.check(err)
		if got := h.sends(p)[held[0]]; got.Rule != guard.RuleHoldout || got.Outcome != guard.OutcomeDeny {
			t.Errorf("the plan of a holdout group: got %+v", got)
		}
		h.approve(p)
		if n := len(h.files()); n != 2 {
			t.Fatalf("files: got %d, want 2", n)
		}
		for _, g := range held {
			kept, err := h.s.Guard.ListDecisions(bg, guard.SlotFilter{Group: g, Promotion: p}, database.Page{Limit: 10})
			h.check(err)
			if len(kept.Items) != 1 || kept.Items[0].Rule != guard.RuleHoldout || kept.Items[0].SlotID != 0 {
				t.Errorf("the decisions on a holdout group: got %+v", kept.Items)
			}
		}
		for _, g := range served {
			_, err := h.s.Guard.Confirm(bg, h.sends(p)[g].SlotID, 0)
			h.check(err)
		}

		buy := func(who ...id.Member) {
			for _, w := range who {
				h.Pay(h.MustClaim(campaign.Claim{Campaign: h.offer.ID, Item: h.offer.Items[0].ID, Member: w}).ID)
			}
		}
		db.Clock.Jump(time.Hour)
		buy(m[0], m[3], m[7])         // m[7] is in none of the groups
		h.inGroup(served[0], 0, m[6]) // came after the window opened
		db.Clock.Jump(30 * time.Hour) // past the day after the window
		buy(m[1], m[6], m[4])         //
		h.leave(served[0], m[2])      // within the week alone
		db.Clock.Jump(8 * 24 * time.Hour)
		// Later than the week.
		_, err = h.Community.PutMemberships(bg, served[1], []community.MembershipIn{{MemberID: m[3], JoinedAt: h.windows(p)[0].From.Add(-time.Hour), LeftAt: h.now()}})
		h.check(err)

		got, err := h.s.Report(bg, p)
		h.check(err)
		from := h.windows(p)[0]
		want := &Comparison{
			From: from.From, DayTo: from.To.Add(24 * time.Hour), WeekTo: from.To.Add(7 * 24 * time.Hour),
			Served: Arm{Groups: 2, Shown: 2, Members: 4}, HeldOut: Arm{Groups: 2, Members: 4},
			Measures: []Measure{
				{Name: "orders_24h", ServedN: 2, HeldOutN: 2, Served: 50_000, HeldOut: 50_000},
				{Name: "orders_7d", ServedN: 3, HeldOutN: 3, Served: 75_000, HeldOut: 75_000},
				{Name: "left_24h"},
				{Name: "left_7d", ServedN: 1, Served: 25_000, Difference: 25_000},
			},
		}
		codes := func(c *Comparison) (list []string) {
			for _, w := range c.Warnings {
				list = append(list, w.Code)
			}
			return list
		}
		if got := codes(got.Comparison); !slices.Equal(got, []string{"few_groups", "overlap", "chosen"}) {
			t.Errorf("the warnings: got %v", got)
		}
		if n := got.Comparison.Warnings[1].N; n != 1 {
			t.Errorf("people in groups of both sides: got %d, want 1", n)
		}
		got.Comparison.Warnings = nil
		if diff := cmp.Diff(want, got.Comparison); diff != "" {
			t.Errorf("the comparison (-want +got):\n%s", diff)
		}
		if got.Total.Refused != 2 || len(got.RefusedBy) != 1 || got.RefusedBy[0] != (RuleCount{guard.RuleHoldout, 2}) {
			t.Errorf("what was refused: got %+v by %+v", got.Total, got.RefusedBy)
		}
		h.mustHold()
	})
}

// TestHoldoutDrawn draws half of the groups, and another ad of the campaign in
// one of them is warned of.
func TestHoldoutDrawn(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		var groups []id.Group
		for range 5 {
			groups = append(groups, h.group(community.PresetRetail))
		}
		in := In{CampaignID: h.offer.ID, Name: "抽取", TextZH: "苹果今天 9.9", Groups: groups, HoldoutBP: 5_000,
			Windows: []guard.Window{{From: h.now(), To: h.now().Add(4 * time.Hour)}}, Channel: "file"}
		p, err := h.s.Create(bg, in)
		h.check(err)
		h.approve(p)
		got, err := h.s.Find(bg, p)
		h.check(err)
		if len(got.HeldOut) != 2 || !slices.Equal(got.HeldOut, draw(p, groups, 5_000)) {
			t.Fatalf("held out: got %v", got.HeldOut)
		}
		if n := len(h.files()); n != 3 {
			t.Errorf("files: got %d, want 3", n)
		}
		_, err = h.s.Guard.PostByHand(bg, got.HeldOut[0], h.offer.ID, 0)
		h.check(err)
		report, err := h.s.Report(bg, p)
		h.check(err)
		var codes []string
		for _, w := range report.Comparison.Warnings {
			codes = append(codes, w.Code)
		}
		if !slices.Equal(codes, []string{"few_groups", "shown_elsewhere", "unfinished"}) {
			t.Errorf("the warnings: got %v", codes)
		}

		for name, bad := range map[string]func(*In){
			"drawn and named":   func(in *In) { in.Holdout = groups[:1] },
			"a share of none":   func(in *In) { in.HoldoutBP = 100 },
			"more than half":    func(in *In) { in.HoldoutBP = 5_001 },
			"all of them":       func(in *In) { in.HoldoutBP, in.Holdout = 0, groups },
			"one named twice":   func(in *In) { in.HoldoutBP, in.Holdout = 0, []id.Group{groups[0], groups[0]} },
			"one of no concern": func(in *In) { in.HoldoutBP, in.Holdout = 0, []id.Group{999} },
		} {
			wrong := in
			bad(&wrong)
			if _, err := h.s.Create(bg, wrong); !errors.Is(err, fault.Invalid) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
}
