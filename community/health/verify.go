package health

import (
	"context"
	"fmt"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// verifyGroups is how many groups one snapshot of Verify looks at.
const verifyGroups = 100

// Verify proves that every day that is not marked holds what its events come
// to, that no event lies on a day nobody counted, and that a standing is the
// newest judgement; and that a pass holds criteria that were met. Days of which
// events may be gone are left out.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V18", Says: "every day of a group is what its events come to, its standing the newest judgement, and its pass rests on criteria that were met"}
	for after := id.Group(0); ; {
		var groups []id.Group
		err := db.Snapshot(ctx, func(q *database.Query) error {
			err := q.Raw("SELECT group_id FROM group_standings WHERE group_id > ? ORDER BY group_id LIMIT ?", after, verifyGroups).Scan(&groups).Error
			if err != nil || len(groups) == 0 {
				return err
			}
			now, err := database.StoreNow(q)
			if err != nil {
				return err
			}
			oldest := plus(clock.Day(now.Add(-community.ActivityKept).Time(), time.UTC), 3)
			if err := proveDays(q, &p, groups, oldest); err != nil {
				return err
			}
			return provePasses(q, &p, groups)
		})
		if err != nil {
			return nil, fmt.Errorf("health: verify: %w", err)
		}
		if len(groups) == 0 {
			return []database.Proof{p}, nil
		}
		p.Checked += int64(len(groups))
		after = groups[len(groups)-1]
	}
}

const unmarked = " AND NOT EXISTS (SELECT 1 FROM activity_marks k WHERE k.group_id = %[1]s.group_id AND k.day = %[1]s.day)"

func proveDays(q *database.Query, p *database.Proof, groups []id.Group, oldest int) error {
	for _, sql := range []string{
		`SELECT d.group_id AS id, d.day, 'is not what its events come to' AS what FROM group_days d
			WHERE d.group_id IN @groups AND d.day >= @oldest` + fmt.Sprintf(unmarked, "d") + `
			AND d.said + d.host + d.incentives + d.violations + d.off_topic <>
				(SELECT COUNT(*) FROM activity_events e WHERE e.group_id = d.group_id AND e.day = d.day)`,
		`SELECT g.group_id AS id, g.day, 'lacks people who met' AS what FROM group_gatherings g
			JOIN group_days d ON d.group_id = g.group_id AND d.day = g.day
			WHERE g.group_id IN @groups AND d.drawn < g.people` + fmt.Sprintf(unmarked, "g"),
		`SELECT e.group_id AS id, e.day, 'has events and was never counted' AS what FROM activity_events e
			LEFT JOIN group_days d ON d.group_id = e.group_id AND d.day = e.day
			WHERE e.group_id IN @groups AND e.day >= (SELECT MIN(f.day) FROM group_days f WHERE f.group_id = e.group_id)
			AND e.day >= @oldest AND d.group_id IS NULL` + fmt.Sprintf(unmarked, "e") + " GROUP BY e.group_id, e.day",
		`SELECT s.group_id AS id, s.day, 'is no standing of the newest judgement' AS what FROM group_standings s
			LEFT JOIN group_health h ON h.group_id = s.group_id AND h.day = s.day AND h.state = s.state
			WHERE s.group_id IN @groups AND s.day <> 0 AND s.redo = 0
			AND (h.group_id IS NULL OR s.day <> (SELECT MAX(m.day) FROM group_health m WHERE m.group_id = s.group_id))`,
	} {
		var broken []struct {
			ID   id.Group
			Day  int
			What string
		}
		if err := q.Raw(sql, map[string]any{"groups": groups, "oldest": oldest}).Scan(&broken).Error; err != nil {
			return err
		}
		for _, b := range broken {
			p.Break("group %s day %d %s", b.ID, b.Day, b.What)
		}
	}
	return nil
}
