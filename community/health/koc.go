package health

import (
	"cmp"
	"slices"

	"siyu/community"
	"siyu/internal/id"
)

// Candidate is a member who could become a KOC, and why.
type Candidate struct {
	Member id.Member `json:"member_id"`
	Merits
}

// Merits are what a candidate did in a month. What rewards him keeps the same
// facts, field by field.
type Merits struct {
	Score      int `json:"score"` // of 100
	ActiveDays int `json:"active_days"`
	Helped     int `json:"helped"`
	Kept       int `json:"kept"`
	Checkins   int `json:"checkins"`
	Posts      int `json:"posts"`
	Violations int `json:"violations"`
}

// What a candidate needs.
const (
	kocScore = 70
	kocDays  = 12
)

// candidates are the members, not yet KOL or KOC, who deserve the title, best
// first. A part is the share of the other members who did less.
func (c Crowd) candidates() []Candidate {
	if c.coverage(monthDays) < enoughKnown {
		return nil
	}
	var out []Candidate
	for _, one := range c.scores() {
		if one.role == community.RoleMember && one.exact >= kocScore*whole && one.ActiveDays >= kocDays {
			out = append(out, one.Candidate)
		}
	}
	slices.SortStableFunc(out, func(a, b Candidate) int { return cmp.Compare(b.Score, a.Score) })
	return out
}

type score struct {
	Candidate
	role  community.Role
	exact int // the score × whole
}

func (c Crowd) scores() []score {
	from, to := c.month()
	members := c.members()
	out := make([]score, len(members))
	parts := make([][]int, 4)
	for i, p := range members {
		out[i] = score{role: p.Role, Candidate: Candidate{
			Member: p.ID, Merits: Merits{ActiveDays: p.active(from, to), Helped: p.Helped, Kept: p.Kept,
				Checkins: p.days(community.ActivityCheckin, from, to), Posts: p.of(community.ActivityPost, from, to),
				Violations: p.of(community.ActivityViolation, from, to)},
		}}
		for k, n := range []int{out[i].ActiveDays, out[i].Helped, out[i].Kept, out[i].Posts} {
			parts[k] = append(parts[k], n)
		}
	}
	for k := range parts {
		slices.Sort(parts[k])
	}
	for i := range out {
		one := &out[i]
		part := func(k, n int) int {
			below, _ := slices.BinarySearch(parts[k], n)
			return below * whole / max(1, len(out)-1)
		}
		one.exact = 35*part(0, one.ActiveDays) + 20*part(1, one.Helped) + 20*part(2, one.Kept) +
			15*one.Checkins*whole/monthDays + 10*part(3, one.Posts) - 20*one.Violations*whole
		one.Score = max(0, one.exact/whole)
	}
	return out
}
