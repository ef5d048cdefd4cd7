package promotion

import (
	"errors"
	"slices"
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// TestGroupsAreAddedToADraft by name and by what they are, none twice, and only
// to the draft that was read.
func TestGroupsAreAddedToADraft(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		retail := []id.Group{h.group(community.PresetRetail), h.group(community.PresetRetail), h.group(community.PresetRetail)}
		course := h.group(community.PresetCourse)
		p, err := h.s.Create(bg, In{CampaignID: h.offer.ID, Name: "分次加入", TextZH: "苹果今天 9.9", Groups: []id.Group{course, h.group(community.PresetBenefit)}, HoldoutBP: 5_000,
			Windows: []guard.Window{{From: h.now(), To: h.now().Add(4 * time.Hour)}}, Channel: "file"})
		h.check(err)
		add := func(version int, in GroupsIn) error { return h.s.AddGroups(bg, p, version, in) }

		h.check(add(1, GroupsIn{Groups: retail[:1]}))
		for name, c := range map[string]struct {
			in      GroupsIn
			version int
			want    error
		}{
			"the version before":          {GroupsIn{Groups: retail[1:]}, 1, fault.Stale},
			"one that is in it":           {GroupsIn{Groups: retail[:2]}, 2, fault.Invalid},
			"one that nobody knows":       {GroupsIn{Groups: []id.Group{12345}}, 2, fault.Invalid},
			"one twice":                   {GroupsIn{Groups: []id.Group{retail[1], retail[1]}}, 2, fault.Invalid},
			"none":                        {GroupsIn{}, 2, fault.Invalid},
			"of a kind that is wholly in": {GroupsIn{GroupsLike: &GroupsLike{Presets: []community.Preset{community.PresetCourse}}}, 2, fault.Invalid},
			"names and a kind of groups":  {GroupsIn{retail[1:], &GroupsLike{}}, 2, fault.Invalid},
			"a version that never was":    {GroupsIn{Groups: retail[1:]}, 0, fault.Stale},
		} {
			if err := add(c.version, c.in); !errors.Is(err, c.want) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		h.check(add(2, GroupsIn{GroupsLike: &GroupsLike{Presets: []community.Preset{community.PresetRetail}}}))
		got, err := h.s.Find(bg, p)
		h.check(err)
		if len(got.Groups) != 5 || !slices.Contains(got.Groups, retail[2]) || got.Version != 3 {
			t.Errorf("the draft has %d groups at version %d", len(got.Groups), got.Version)
		}
		later := slices.DeleteFunc(slices.Clone(got.HeldOut), func(g id.Group) bool { return !slices.Contains(retail[1:], g) })
		if len(got.HeldOut) != 2 || len(later) != 1 {
			t.Errorf("half of each addition is held out: got %v", got.HeldOut)
		}
		if err := h.s.Approve(bg, p, 2); !errors.Is(err, fault.Stale) {
			t.Errorf("approved as it was before: got %v", err)
		}
		h.check(h.s.Approve(bg, p, 3))
		if err := add(4, GroupsIn{Groups: []id.Group{h.group(community.PresetRetail)}}); !errors.Is(err, ErrStatus) {
			t.Errorf("added to what was approved: got %v", err)
		}
	})
}

// TestPlanIsBounded: a plan with more windows has fewer groups.
func TestPlanIsBounded(t *testing.T) {
	for _, c := range []struct {
		groups, windows int
		ok              bool
	}{{20_000, 3, true}, {20_001, 1, false}, {15_000, 4, true}, {15_001, 4, false}, {1_500, 40, true}, {1_501, 40, false}} {
		if err := bounded(c.groups, c.windows); (err == nil) != c.ok {
			t.Errorf("%d groups in %d windows: got %v", c.groups, c.windows, err)
		}
	}
}
