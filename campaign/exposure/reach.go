package exposure

import (
	"slices"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Reach is how the audiences of a promotion's groups lie over one another.
// People are counted once, however many of its groups they are in; hosts are
// not counted.
type Reach struct {
	Members  int `json:"members"`  // in its groups
	Reached  int `json:"reached"`  // who see it at least once
	Repeated int `json:"repeated"` // of them: more than once
	Most     int `json:"most"`     // how often who sees it most often
}

// ReachOf counts who is in the groups and how many of the ads each sees. An ad
// is the window of which a moment shows it; groups without any count for
// Members alone. Those who are gone count where they saw one.
func ReachOf(q *database.Query, ads map[id.Group][]guard.Window, now clock.Milli) (Reach, error) {
	from, groups := now, make([]id.Group, 0, len(ads))
	spans := make(map[id.Group][]ad, len(ads))
	for g, list := range ads {
		groups = append(groups, g)
		for _, w := range list {
			from = min(from, w.From)
			spans[g] = append(spans[g], ad{w.From, w.To - 1})
		}
	}
	slices.Sort(groups)
	var all []sighting
	for part := range slices.Chunk(groups, groupsAtOnce) {
		err := community.Guests(q, part, from, func(s community.Stay) {
			if n := seenBy(spans[s.GroupID], s); n > 0 || s.LeftAt == 0 {
				all = append(all, sighting{s.MemberID, int32(n)})
			}
		})
		if err != nil {
			return Reach{}, err
		}
	}
	return reach(all), nil
}

// sighting is how many ads somebody sees in one group.
type sighting struct {
	who id.Member
	n   int32
}

func reach(all []sighting) (r Reach) {
	slices.SortFunc(all, func(a, b sighting) int { return int(min(max(a.who-b.who, -1), 1)) })
	for len(all) > 0 {
		n, i := 0, 0
		for ; i < len(all) && all[i].who == all[0].who; i++ {
			n += int(all[i].n)
		}
		all = all[i:]
		r.Members++
		if n > 0 {
			r.Reached++
		}
		if n > 1 {
			r.Repeated++
		}
		r.Most = max(r.Most, n)
	}
	return r
}
