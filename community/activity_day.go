package community

import (
	"context"
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// ActivityDay is what members did in a group on one local day. Of one member
// three events of a kind count, so that nobody makes a group lively alone;
// the group's owner and admins do not count. Points weigh a post of one's own
// and a helpful answer three, everything else one.
type ActivityDay struct {
	Day    int `json:"day"`
	People int `json:"people"`
	Events int `json:"events"`
	Points int `json:"points"`
}

// activityDaysMax is how far back days are counted, the length of an
// incubation.
const activityDaysMax = 90

// ListActivity counts a group's last days, today among them, oldest first. A
// day of which nothing counts is left out: that nobody reported is not that
// nobody spoke.
func (s *Service) ListActivity(ctx context.Context, group id.Group, days int) ([]ActivityDay, error) {
	var c fault.Check
	c.Range(int64(days), "days", 1, activityDaysMax)
	if err := c.Err(); err != nil {
		return nil, err
	}
	q := s.DB.Read(ctx)
	g, err := seenGroup(ctx, q, group)
	if err != nil {
		return nil, err
	}
	zone, err := g.Location()
	if err != nil {
		return nil, err
	}
	y, m, d := s.DB.Clock.Now().In(zone).Date()
	first := clock.Day(time.Date(y, m, d-days+1, 12, 0, 0, 0, zone), zone) // noon is on every day
	list := []ActivityDay{}
	err = q.Raw(`SELECT t.day, COUNT(DISTINCT t.who) AS people,
			SUM(CASE WHEN t.n > 3 THEN 3 ELSE t.n END) AS events,
			SUM(CASE WHEN t.n > 3 THEN 3 ELSE t.n END * CASE WHEN t.kind IN ('ugc_post', 'helpful_answer') THEN 3 ELSE 1 END) AS points
		FROM (SELECT e.day AS day, CASE WHEN m.merged_into <> 0 THEN m.merged_into ELSE m.id END AS who, e.kind AS kind, COUNT(*) AS n
			FROM activity_events e JOIN members m ON m.id = e.member_id
			WHERE e.group_id = ? AND e.day >= ? AND e.kind NOT IN ('incentive', 'violation', 'off_topic')
			GROUP BY e.day, CASE WHEN m.merged_into <> 0 THEN m.merged_into ELSE m.id END, e.kind) t
		LEFT JOIN memberships s ON s.group_id = ? AND s.member_id = t.who
		WHERE s.role IS NULL OR s.role NOT IN (?, ?)
		GROUP BY t.day ORDER BY t.day`, group, first, group, RoleAdmin, RoleOwner).Scan(&list).Error
	if err != nil {
		return nil, fmt.Errorf("community: activity of %s: %w", group, err)
	}
	return list, nil
}
