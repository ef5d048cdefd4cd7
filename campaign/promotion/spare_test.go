package promotion

import (
	"fmt"
	"testing"
	"time"

	"siyu/campaign/exposure"
	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// same makes groups of the same people, each of whom saw one ad in each.
func (h *house) same(groups, people int) []id.Group {
	h.T.Helper()
	who := make([]community.MembershipIn, people)
	for i, m := range h.Members(people) {
		who[i] = community.MembershipIn{MemberID: m, JoinedAt: h.now().Add(-100 * 24 * time.Hour)}
	}
	var out []id.Group
	for range groups {
		g := h.group(community.PresetBenefit)
		_, err := h.Community.PutMemberships(bg, g, who)
		h.check(err)
		_, err = h.s.Guard.PostByHand(bg, g, 0, 0)
		h.check(err)
		out = append(out, g)
	}
	return out
}

// sees sets the ceiling of a member's exposure.
func (h *house) sees(mode guard.Mode, ceiling int) {
	h.T.Helper()
	was, err := h.s.Exposure.Find(bg, 0)
	h.check(err)
	_, err = h.s.Exposure.Set(bg, 0, exposure.In{Mode: mode, Ceiling: &ceiling}, was.Version)
	h.check(err)
	h.check(h.s.Exposure.Count(bg))
}

// TestSpare: of five groups of the same people, who saw five ads and may see
// seven, two get a promotion; the others are told why, wait, and get it once
// what was seen is more than a week old.
func TestSpare(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		groups := h.same(5, 6)
		db.Clock.Jump(4 * time.Hour)
		h.sees(guard.ModeAdvise, 7)
		p := h.plan("file", 7*time.Hour, groups...)
		told := func() (n int) {
			for _, g := range h.sends(p) {
				for _, r := range g.Advice {
					if r.Rule == guard.RuleExposure && g.Outcome == guard.OutcomeAllow {
						n++
					}
				}
			}
			return n
		}
		if n := told(); n != 3 {
			t.Fatalf("as advice %d groups are told of, want 3", n)
		}

		h.sees(guard.ModeEnforce, 7)
		left := func() map[SendStatus]int {
			t.Helper()
			n := map[SendStatus]int{}
			for _, g := range h.sends(p) {
				n[g.Send]++
				if g.Rule != guard.RuleExposure {
					continue
				}
				want := guard.Reasons{{Rule: guard.RuleExposure, Observed: 10_000, Limit: 5_000}, {Rule: guard.RuleExposureCeiling, Observed: 7, Limit: 7}}
				if g.Outcome != guard.OutcomeDefer || g.NotBefore != h.now().Add(time.Hour) || fmt.Sprint(g.Reasons) != fmt.Sprint(want) {
					t.Fatalf("left out: got %+v", g)
				}
				n["spared"]++
			}
			return n
		}
		if n := left(); n["spared"] != 3 {
			t.Fatalf("the draft: got %v", n)
		}
		h.approve(p)
		if n := left(); n[SendHanded] != 2 || n[SendDeferred] != 3 || n["spared"] != 3 {
			t.Fatalf("once it runs: got %v", n)
		}
		kept, err := h.s.Guard.ListDecisions(bg, guard.SlotFilter{Promotion: p}, database.Page{Limit: 50})
		h.check(err)
		spared := 0
		for _, d := range kept.Items {
			if d.Rule == guard.RuleExposure && d.Outcome == guard.OutcomeDefer && len(d.Reasons) == 2 && d.SlotID == 0 {
				spared++
			}
		}
		if spared != 3 {
			t.Errorf("%d decisions say why, want 3", spared)
		}
		h.check(h.s.Exposure.Count(bg))
		calendar, err := h.s.Calendar(bg)
		h.check(err)
		if c := calendar.Promotions[0].LeftOut; len(c) != 1 || c[0] != (Cause{guard.RuleExposure, 3, 0}) {
			t.Errorf("the calendar: got %+v", c)
		}
		h.Drain(2 * time.Hour)
		if n := left(); n[SendDeferred] != 3 {
			t.Errorf("two hours later: got %v", n)
		}
		h.Drain(6 * time.Hour)
		report, err := h.s.Report(bg, p)
		h.check(err)
		if report.Total.Missed != 3 || len(report.MissedBy) != 1 || report.MissedBy[0] != (RuleCount{guard.RuleExposure, 3}) {
			t.Errorf("the report: got %+v, missed by %v", report.Total, report.MissedBy)
		}

		// A week later the five they saw first are forgotten.
		db.Clock.Jump(7*24*time.Hour - 11*time.Hour)
		h.check(h.s.Exposure.Count(bg))
		again := h.plan("file", 3*time.Hour, groups...)
		for _, g := range h.sends(again) {
			if g.Outcome != guard.OutcomeAllow {
				t.Errorf("a week later: got %+v", g)
			}
		}
		h.mustHold()
	})
}

// TestSpare_leaves_the_guard_its_word: what the guard itself refuses keeps its
// rule, and what a group is held out of is no exposure.
func TestSpare_leaves_the_guard_its_word(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		groups := append(h.same(5, 6), h.group(community.PresetService))
		db.Clock.Jump(time.Hour) // the gap of three hours is not over
		h.sees(guard.ModeEnforce, 3)
		p, err := h.s.Create(bg, In{CampaignID: h.offer.ID, Name: "周一好价", TextZH: "苹果今天 9.9", Groups: groups, Holdout: groups[:1], Channel: "file",
			Windows: []guard.Window{{From: h.now(), To: h.now().Add(8 * time.Hour)}}})
		h.check(err)
		got := h.sends(p)
		if got[groups[0]].Rule != guard.RuleHoldout || got[groups[1]].Rule != guard.RuleGap || got[groups[5]].Outcome != guard.OutcomeDeny {
			t.Errorf("got %+v", got)
		}
	})
}
