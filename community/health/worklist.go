package health

import (
	"cmp"
	"context"
	"slices"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// WorkList is what there is to do in one group today.
type WorkList struct {
	GroupID    id.Group      `json:"group_id"`
	Name       string        `json:"name"`
	State      State         `json:"state"`
	EarlyDeath bool          `json:"early_death"` // the rate fell to half in the last three days
	Next       Advice        `json:"next"`
	Candidates []Candidate   `json:"koc_candidates"`
	SwapOut    []SwapOut     `json:"swap_out"`
	Praise     []Praise      `json:"praise"`
	Feedback   Feedback      `json:"feedback"`
	Size       int           `json:"size"`
	Waiting    Figure        `json:"waiting"` // for a place; unknown where the group has no gate
	Cap        int           `json:"cap"`     // as many fit into a chat group
	AsOf       *WorkListAsOf `json:"as_of"`
}

// WorkListAsOf says what the lists rest on.
type WorkListAsOf struct {
	Day      int `json:"day"`
	Coverage int `json:"coverage"` // of 30 days
}

// SwapOut is somebody whose place another could take in a full group.
type SwapOut struct {
	Member   id.Member   `json:"member_id"`
	LastDay  int         `json:"last_day"` // on which he did something; 0: none of 112 days
	JoinedOn int         `json:"joined_on"`
	Ordered  clock.Milli `json:"ordered_at"`
}

// When a group is full, and who is not asked to leave it.
const (
	groupCap   = 500
	fullShare  = 9_500
	swapJoined = 30
	swapQuiet  = 60
	swapOrder  = 90 * 24 * time.Hour
	swapMost   = 20
)

// workListsMax is how many groups one page holds: their people are looked at
// one by one.
const workListsMax = 20

// ListWorkLists lists the groups the actor sees, newest first, each with its
// work of today.
func (s *Service) ListWorkLists(ctx context.Context, f community.GroupFilter, page database.Page) (database.Paged[WorkList], error) {
	if page.Limit <= 0 || page.Limit > workListsMax {
		page.Limit = workListsMax
	}
	f.Status = community.GroupActive
	groups, err := (&community.Service{DB: s.DB}).ListGroups(ctx, f, page)
	out := database.Paged[WorkList]{Items: []WorkList{}, NextCursor: groups.NextCursor}
	if err != nil {
		return out, err
	}
	for _, g := range groups.Items {
		w, err := s.workList(ctx, g)
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, w)
	}
	return out, nil
}

// FindWorkList is one group's.
func (s *Service) FindWorkList(ctx context.Context, group id.Group) (WorkList, error) {
	g, err := (&community.Service{DB: s.DB}).FindGroup(ctx, group)
	if err != nil {
		return WorkList{}, err
	}
	return s.workList(ctx, g)
}

func (s *Service) workList(ctx context.Context, g community.Group) (WorkList, error) {
	var out WorkList
	today, err := s.today(g)
	if err != nil {
		return out, err
	}
	now := clock.MilliOf(s.DB.Clock.Now())
	err = s.DB.Snapshot(ctx, func(q *database.Query) error {
		r, people, err := report(q, g, today)
		if err != nil {
			return err
		}
		deeds, err := community.DeedsOf(q, g.ID, plus(today, -monthDays))
		if err != nil {
			return err
		}
		waiting := Figure(Unknown)
		if g.Gated {
			n, err := community.WaitingIn(q, g.ID)
			if err != nil {
				return err
			}
			waiting = Figure(n)
		}
		out = workListOf(g, r, people, deeds, waiting, now)
		return nameAll(q, out.Praise)
	})
	return out, err
}

func workListOf(g community.Group, r Report, people Crowd, deeds []community.Deed, waiting Figure, now clock.Milli) WorkList {
	out := WorkList{
		GroupID: g.ID, Name: g.Name, State: StateUnknown, Next: r.Advice[0], Size: len(people.People), Cap: groupCap,
		Waiting:    waiting,
		Candidates: append([]Candidate{}, people.candidates()...), SwapOut: people.swapOut(now, waiting),
		Praise: append([]Praise{}, people.praises(deeds, now)...), Feedback: feedback(deeds),
	}
	if r.Standing != nil {
		out.State = r.Standing.State
		out.AsOf = &WorkListAsOf{r.Standing.Day, people.coverage(monthDays)}
	}
	for _, j := range r.History[max(0, len(r.History)-fallDays):] {
		out.EarlyDeath = out.EarlyDeath || j.Fall >= fallAlarm
	}
	return out
}

// swapOut are those who could make room in a group that is nearly full: in it
// for a month, silent for two, with no order and no reward for three, and
// nobody the group needs. Whether they are silent must be known. As many as wait
// for a place are named, where that is known.
func (c Crowd) swapOut(now clock.Milli, waiting Figure) []SwapOut {
	out := []SwapOut{}
	if len(c.People)*whole < groupCap*fullShare || c.coverage(swapQuiet) < enoughKnown {
		return out
	}
	for _, p := range c.People {
		switch {
		case p.Role != community.RoleMember, between(p.Joined, c.Today) < swapJoined:
		case p.active(plus(c.Today, -swapQuiet), c.Today) > 0:
		case p.OrderedAt > now.Add(-swapOrder), p.RewardedAt > now.Add(-swapOrder):
		default:
			out = append(out, SwapOut{p.ID, p.lastDay(), p.Joined, p.OrderedAt})
		}
	}
	slices.SortStableFunc(out, func(a, b SwapOut) int {
		return cmp.Or(cmp.Compare(a.LastDay, b.LastDay), cmp.Compare(a.JoinedOn, b.JoinedOn), cmp.Compare(a.Member, b.Member))
	})
	most := swapMost
	if waiting != Unknown {
		most = min(most, int(waiting))
	}
	return out[:min(len(out), most)]
}

func (p Person) lastDay() (last int) {
	for d, did := range p.Days {
		if d > last && talked(did) {
			last = d
		}
	}
	return last
}

func nameAll(q *database.Query, list []Praise) error {
	ids := make([]id.Member, len(list))
	for i, p := range list {
		ids[i] = p.Member
	}
	names, err := community.NamesOf(q, ids)
	for i := range list {
		list[i].say(names[list[i].Member])
	}
	return err
}
