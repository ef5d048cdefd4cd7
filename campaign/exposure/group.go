package exposure

import (
	"context"
	"slices"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Standing is a group by the newest count: how many of its members, hosts left
// out, saw or will see the ceiling or more. Known false says that nothing is
// known: no count yet or one too old, or nobody reported its members.
type Standing struct {
	GroupID    id.Group      `json:"group_id"`
	Known      bool          `json:"known"`
	AsOf       clock.Milli   `json:"as_of"`
	WindowDays int           `json:"window_days"`
	Ceiling    int           `json:"ceiling"`
	BoundBP    int           `json:"bound_bp"`
	Mode       guard.Mode    `json:"mode"`
	Members    int           `json:"members"`
	Over       int           `json:"over"`
	ShareBP    int           `json:"share_bp"`
	CoverageBP int           `json:"coverage_bp"` // of the members: whose groups Siyu knew during the whole window
	Seen       []Seen        `json:"seen"`        // of the members who saw ads in other groups too
	Reasons    guard.Reasons `json:"reasons"`     // where the share is above the bound, or unknown
}

// Seen is how many members saw so many ads, in the last row so many or more.
type Seen struct {
	Ads     int `json:"ads"`
	Members int `json:"members"`
}

// OfGroup shows a group the actor may see.
func (s *Service) OfGroup(ctx context.Context, group id.Group) (Standing, error) {
	q := s.DB.Read(ctx)
	groups, err := community.GroupsIn(q, []id.Group{group})
	if err != nil {
		return Standing{}, err
	}
	if g := groups[group]; g.ID == 0 || !g.SeenBy(database.ActorOf(ctx)) {
		return Standing{}, fault.NotFound
	}
	list, err := s.standings(q, []id.Group{group})
	if err != nil {
		return Standing{}, err
	}
	return list[0], nil
}

// standings are groups by the newest count and the policies in force.
func (s *Service) standings(q *database.Query, groups []id.Group) ([]Standing, error) {
	b, err := readBook(q)
	if err != nil {
		return nil, err
	}
	of, err := b.policies(q, groups, s.now())
	if err != nil {
		return nil, err
	}
	c, err := newest(q)
	if err != nil {
		return nil, err
	}
	rows, err := groupRows(q, groups)
	if err != nil {
		return nil, err
	}
	out := make([]Standing, len(groups))
	for i, g := range groups {
		out[i] = standing(g, of[g], c, rows[g], c.stands(s.now()))
	}
	return out, nil
}

func standing(g id.Group, p Policy, c Counted, r groupRow, stands bool) Standing {
	if c.ID != 0 {
		p.WindowDays = c.WindowDays
	}
	out := Standing{GroupID: g, AsOf: c.AsOf, WindowDays: p.WindowDays, Ceiling: p.Ceiling, BoundBP: p.ShareBP, Mode: p.Mode, Seen: []Seen{}}
	v := Verdict{Policy: p}
	if stands && r.Members > 0 {
		by := parseSeen(r.Seen)
		v.Known, v.Members, v.Over = true, r.Members, by.over(p.Ceiling)
		out.Known, out.Members, out.Over, out.ShareBP, out.CoverageBP = true, v.Members, v.Over, v.ShareBP(), r.Known*10_000/r.Members
		out.Seen = by.list(1)
	}
	out.Reasons = v.Reasons()
	return out
}

// LeftOut are those of some groups that the newest count alone leaves out, for
// plans over many groups. They are few.
func (s *Service) LeftOut(ctx context.Context, groups []id.Group) (map[id.Group]bool, error) {
	out := map[id.Group]bool{}
	q := s.DB.Read(ctx)
	b, err := readBook(q)
	now := s.now()
	if err != nil || !b.asks(guard.ModeEnforce, now) {
		return out, err
	}
	c, err := newest(q)
	if err != nil || !c.stands(now) {
		return out, err
	}
	of, err := b.policies(q, groups, now)
	if err != nil {
		return nil, err
	}
	for part := range slices.Chunk(groups, groupsAtOnce) {
		rows, err := groupRows(q, part)
		if err != nil {
			return nil, err
		}
		for g, r := range rows {
			out[g] = Verdict{Policy: of[g], Known: true, Members: r.Members, Over: parseSeen(r.Seen).over(of[g].Ceiling)}.Refuses()
		}
	}
	return out, nil
}
