package community

import (
	"fmt"
	"slices"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// ActivityKept is how long events are kept. An older one is refused, because
// its day can no longer be counted.
const ActivityKept = 400 * 24 * time.Hour

// MarkTx asks for days of a group to be counted anew. The caller holds the
// group's row lock, as does who takes marks away, so none is lost.
func MarkTx(tx *database.Tx, group id.Group, days []int) error {
	days = slices.Clone(days)
	slices.Sort(days)
	for part := range slices.Chunk(slices.Compact(days), activityLook) {
		var had []int
		if err := tx.Raw("SELECT day FROM activity_marks WHERE group_id = ? AND day IN ?", group, part).Scan(&had).Error; err != nil {
			return fmt.Errorf("community: marks of %s: %w", group, err)
		}
		rows := make([]activityMark, 0, len(part))
		for _, d := range part {
			if !slices.Contains(had, d) {
				rows = append(rows, activityMark{group, d})
			}
		}
		if len(rows) == 0 {
			continue
		}
		if err := tx.Create(&rows).Error; err != nil {
			return fmt.Errorf("community: mark %s: %w", group, err)
		}
	}
	return nil
}

type activityMark struct {
	GroupID id.Group `gorm:"column:group_id"`
	Day     int      `gorm:"column:day"`
}

// TableName is the table's.
func (activityMark) TableName() string { return "activity_marks" }

// activityMarkedMax bounds how far back a change of who is in a group has its
// days counted anew.
const activityMarkedMax = 90

// markSince marks the days from a moment to today, as long as there is the
// group.
func markSince(tx *database.Tx, g Group, from clock.Milli) error {
	zone, err := g.Location()
	if err != nil {
		return err
	}
	from = max(from, g.BornAt)
	today := tx.Now.Time().In(zone)
	var days []int
	for back := range activityMarkedMax {
		y, m, d := today.Date()
		noon := time.Date(y, m, d-back, 12, 0, 0, 0, zone) // noon is on every day
		days = append(days, clock.Day(noon, zone))
		if clock.StartOfDay(noon, zone).UnixMilli() <= int64(from) {
			break
		}
	}
	return MarkTx(tx, g.ID, days)
}

// markMerged marks the days on which a member did something, before he becomes
// one with another.
func markMerged(tx *database.Tx, member id.Member) (int, error) {
	var groups []id.Group
	err := tx.Raw("SELECT id FROM chat_groups WHERE id IN (SELECT group_id FROM activity_events WHERE member_id = ?) ORDER BY id"+tx.Dialect.ForUpdate, member).Scan(&groups).Error
	if err != nil || len(groups) == 0 {
		return 0, err
	}
	res := tx.Exec(`INSERT INTO activity_marks (group_id, day) SELECT DISTINCT e.group_id, e.day FROM activity_events e
		WHERE e.member_id = ? AND NOT EXISTS (SELECT 1 FROM activity_marks k WHERE k.group_id = e.group_id AND k.day = e.day)`, member)
	return int(res.RowsAffected), res.Error
}

// MarkedDays are a group's days that wait to be counted, at most so many,
// oldest first.
func MarkedDays(q *database.Query, group id.Group, limit int) ([]int, error) {
	var days []int
	err := q.Raw("SELECT day FROM activity_marks WHERE group_id = ? ORDER BY day LIMIT ?", group, limit).Scan(&days).Error
	if err != nil {
		return nil, fmt.Errorf("community: marks of %s: %w", group, err)
	}
	return days, nil
}

// UnmarkTx takes marks away that were counted, under the group's row lock.
func UnmarkTx(tx *database.Tx, group id.Group, days []int) error {
	for part := range slices.Chunk(days, activityLook) {
		if err := tx.Exec("DELETE FROM activity_marks WHERE group_id = ? AND day IN ?", group, part).Error; err != nil {
			return fmt.Errorf("community: unmark %s: %w", group, err)
		}
	}
	return nil
}

// Location is the group's zone.
func (g Group) Location() (*time.Location, error) {
	zone, err := time.LoadLocation(g.Zone)
	if err != nil {
		return nil, fmt.Errorf("community: zone of %s: %w", g.ID, err)
	}
	return zone, nil
}
