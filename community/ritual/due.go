package ritual

import (
	"context"
	"fmt"
	"slices"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Due is a ritual on a day of its group, today or yesterday, on which it can be
// noted as held.
type Due struct {
	Ritual
	Day    int
	DueAt  clock.Milli
	HeldAt clock.Milli // 0: nobody said so
	People int
}

// ListDue lists what was due yesterday and is due today in some groups, of
// those that the actor sees, held or not; what was due first first.
func (s *Service) ListDue(ctx context.Context, groups []id.Group) ([]Due, error) {
	q, actor := s.DB.Read(ctx), database.ActorOf(ctx)
	known, err := community.GroupsIn(q, groups)
	if err != nil {
		return nil, err
	}
	groups = slices.DeleteFunc(slices.Clone(groups), func(g id.Group) bool {
		return known[g].ID == 0 || known[g].Status != community.GroupActive || !known[g].SeenBy(actor)
	})
	if len(groups) == 0 {
		return nil, nil
	}
	list, err := read(q, "group_id IN ? AND ended_at = 0 ORDER BY id", groups)
	if err != nil {
		return nil, err
	}
	now := s.DB.Clock.Now()
	held, err := heldSince(q, groups, now.AddDate(0, 0, -3))
	if err != nil {
		return nil, err
	}
	var out []Due
	for _, r := range list {
		zone, err := time.LoadLocation(known[r.GroupID].Zone)
		if err != nil {
			return nil, fmt.Errorf("ritual: zone of %s: %w", r.GroupID, err)
		}
		for _, at := range []time.Time{now.AddDate(0, 0, -1), now} {
			due, is := r.DueOn(at, zone)
			if !is {
				continue
			}
			d := Due{Ritual: r, Day: clock.Day(due, zone), DueAt: clock.MilliOf(due)}
			note := held[noted{r.ID, d.Day}]
			d.HeldAt, d.People = note.HeldAt, note.People
			out = append(out, d)
		}
	}
	slices.SortStableFunc(out, func(a, b Due) int { return int(a.DueAt - b.DueAt) })
	return out, nil
}

// noted names one day of a ritual.
type noted struct {
	ritual id.Ritual
	day    int
}

type note struct {
	RitualID id.Ritual
	Day      int
	HeldAt   clock.Milli
	People   int
}

// heldSince are the days of the groups' rituals, due since a moment, on which
// somebody said that they were held.
func heldSince(q *database.Query, groups []id.Group, since time.Time) (map[noted]note, error) {
	var rows []note
	err := q.Raw(`SELECT d.ritual_id, d.day, d.held_at, d.people FROM rituals r JOIN ritual_days d ON d.ritual_id = r.id
		WHERE r.group_id IN ? AND r.ended_at = 0 AND d.due_at >= ? AND d.held_at <> 0`, groups, clock.MilliOf(since)).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("ritual: held: %w", err)
	}
	out := map[noted]note{}
	for _, n := range rows {
		out[noted{n.RitualID, n.Day}] = n
	}
	return out, nil
}
