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
// those that the actor sees, held or not, also by times that an edit has changed
// since; what was due first first.
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
	rows, err := daysSince(q, groups, now.AddDate(0, 0, -3))
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
			d := Due{Ritual: r, Day: clock.Day(at, zone), DueAt: clock.MilliOf(due)}
			if row, stands := rows[ritualDay{r.ID, d.Day}]; stands {
				d.DueAt, d.HeldAt, d.People, is = row.DueAt, row.HeldAt, row.People, true
			}
			if is {
				out = append(out, d)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Due) int { return int(a.DueAt - b.DueAt) })
	return out, nil
}

type ritualDay struct {
	ritual id.Ritual
	day    int
}

type dayRow struct {
	RitualID id.Ritual
	Day      int
	DueAt    clock.Milli
	HeldAt   clock.Milli
	People   int
}

// daysSince are the days of the groups' rituals, due since a moment, that stand
// as rows.
func daysSince(q *database.Query, groups []id.Group, since time.Time) (map[ritualDay]dayRow, error) {
	var rows []dayRow
	err := q.Raw(`SELECT d.ritual_id, d.day, d.due_at, d.held_at, d.people FROM rituals r JOIN ritual_days d ON d.ritual_id = r.id
		WHERE r.group_id IN ? AND r.ended_at = 0 AND d.due_at >= ?`, groups, clock.MilliOf(since)).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("ritual: days: %w", err)
	}
	out := map[ritualDay]dayRow{}
	for _, n := range rows {
		out[ritualDay{n.RitualID, n.Day}] = n
	}
	return out, nil
}
