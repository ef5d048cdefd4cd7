package health

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
)

// rollEvery is how soon a late event is counted at the latest.
const rollEvery = 5 * time.Minute

// Register tells the worker what this room does in the background.
func (s *Service) Register(r *task.Registry) {
	task.Every(r, "health:roll_up", rollEvery, func(ctx context.Context, _ clock.Milli) error {
		return s.RollUp(ctx)
	})
}

const (
	dueAtOnce  = 200 // groups looked up by one statement
	daysAtOnce = 31  // days counted in one transaction
	backDays   = 90  // how far back a group's first count reaches without a mark
)

// RollUp counts the days that are marked or over and judges what changed. It
// may be run at any time, by several at once; what is not due costs nothing.
func (s *Service) RollUp(ctx context.Context) error {
	for after := id.Group(0); ; {
		groups, err := s.due(ctx, after)
		if err != nil || len(groups) == 0 {
			return err
		}
		for _, g := range groups {
			turned, err := s.roll(ctx, g)
			if err == nil && turned {
				err = s.hatch(ctx, g)
			}
			if err != nil {
				return fmt.Errorf("health: roll up %s: %w", g, err)
			}
		}
		after = groups[len(groups)-1]
	}
}

// due are groups with something to count.
func (s *Service) due(ctx context.Context, after id.Group) ([]id.Group, error) {
	var groups []id.Group
	err := s.DB.Read(ctx).Raw(`SELECT g.id FROM chat_groups g LEFT JOIN group_standings s ON s.group_id = g.id
		WHERE g.id > ? AND g.status <> ? AND (s.group_id IS NULL OR s.next_at <= ?
			OR EXISTS (SELECT 1 FROM activity_marks k WHERE k.group_id = g.id))
		ORDER BY g.id LIMIT ?`, after, community.GroupDissolved, clock.MilliOf(s.DB.Clock.Now()), dueAtOnce).Scan(&groups).Error
	if err != nil {
		return nil, fmt.Errorf("health: due: %w", err)
	}
	return groups, nil
}

// roll counts a group's days, a transaction's worth at a time. Turned says that
// a day of its was over since it was last counted.
func (s *Service) roll(ctx context.Context, group id.Group) (turned bool, err error) {
	for more := true; more; {
		var step rolled
		err := s.DB.Tx(ctx, func(tx *database.Tx) error {
			var err error
			step, err = rollTx(tx, group)
			return err
		})
		if errors.Is(err, community.ErrGroupClosed) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		more, turned = step.more, turned || step.turned
	}
	return turned, nil
}

// rolled is what one transaction of a roll-up came to.
type rolled struct{ more, turned bool }

// rollTx counts up to daysAtOnce marked days of a group, the oldest first, and
// with the last of them judges every day since the first that changed. Days
// that are over by now are marked like those of late events.
func rollTx(tx *database.Tx, group id.Group) (did rolled, err error) {
	c, err := lockCourse(tx, group)
	if err != nil {
		return did, err
	}
	if did.turned = c.stands.NextAt <= tx.Now; did.turned {
		if err := c.turnTx(tx); err != nil {
			return did, err
		}
	}
	days, err := community.MarkedDays(tx.DB, group, daysAtOnce+1)
	if err != nil {
		return did, err
	}
	if did.more = len(days) > daysAtOnce; did.more {
		days = days[:daysAtOnce]
	}
	if len(days) > 0 {
		if err := c.countTx(tx, days); err != nil {
			return did, err
		}
		if err := community.UnmarkTx(tx, group, days); err != nil {
			return did, err
		}
		c.redo(days[0])
	}
	if c.stands.Redo == 0 {
		return did, nil // somebody else was here meanwhile
	}
	if !did.more {
		if err := c.judgeTx(tx); err != nil {
			return did, err
		}
	}
	return did, c.keepTx(tx)
}

// course is one group being rolled up, under its row lock.
type course struct {
	group  community.Group
	zone   *time.Location
	born   int
	today  int
	stands Standing
	fresh  bool // it has no row yet
}

func lockCourse(tx *database.Tx, group id.Group) (course, error) {
	g, err := community.LockGroupTx(tx, group)
	if err != nil {
		return course{}, err
	}
	zone, err := g.Location()
	if err != nil {
		return course{}, err
	}
	return courseOf(tx.DB, g, clock.Day(tx.Now.Time(), zone))
}

func courseOf(q *database.Query, g community.Group, today int) (course, error) {
	zone, err := g.Location()
	if err != nil {
		return course{}, err
	}
	stands, err := lastStanding(q, g.ID)
	c := course{group: g, zone: zone, born: clock.Day(g.BornAt.Time(), zone), today: today, stands: stands}
	if c.fresh = stands.GroupID == 0; c.fresh {
		c.stands = Standing{GroupID: g.ID, DAR: Unknown, Fatigue: Unknown, Content: Unknown}
	}
	return c, err
}

// redo notes that judgements since a day no longer stand.
func (c *course) redo(day int) {
	if c.stands.Redo == 0 || day < c.stands.Redo {
		c.stands.Redo = day
	}
}

// turnTx marks the days since the last one that was judged, or those of a group
// that never was. Of an ad that was told of late the last two weeks are judged
// again.
func (c *course) turnTx(tx *database.Tx) error {
	from := max(c.born, plus(c.today, -backDays))
	if c.stands.Day != 0 {
		from = max(from, plus(c.stands.Day, 1))
		c.redo(plus(c.stands.Day, -14))
	}
	var days []int
	for d := from; d <= c.today; d = plus(d, 1) {
		days = append(days, d)
	}
	tomorrow := clock.StartOfDay(tx.Now.Time(), c.zone).AddDate(0, 0, 1)
	c.stands.NextAt = clock.MilliOf(clock.StartOfDay(tomorrow.Add(2*time.Hour), c.zone))
	return community.MarkTx(tx, c.group.ID, days)
}

// countTx writes the days anew.
func (c *course) countTx(tx *database.Tx, days []int) error {
	g := c.group.ID
	tallies, err := community.Tallies(tx.DB, g, days)
	if err != nil {
		return err
	}
	var discussed []int
	for _, t := range tallies {
		if t.Kind == community.ActivityTopic {
			discussed = append(discussed, t.Day)
		}
	}
	topics, err := community.TopicTallies(tx.DB, g, slices.Compact(discussed))
	if err != nil {
		return err
	}
	complete, err := community.CompleteDays(tx.DB, g, days)
	if err != nil {
		return err
	}
	stays, err := community.RosterOf(tx.DB, g)
	if err != nil {
		return err
	}
	met, err := community.Gatherings(tx.DB, g, days)
	if err != nil {
		return err
	}
	rows := count(g, days, tallies, topics, complete, rosterOf(stays, c.zone))
	for i := range rows {
		rows[i].Drawn = max(rows[i].Drawn, met[rows[i].Day])
	}
	if err := tx.Exec("DELETE FROM group_days WHERE group_id = ? AND day IN ?", g, days).Error; err != nil {
		return fmt.Errorf("health: days of %s: %w", g, err)
	}
	if err := tx.Create(&rows).Error; err != nil {
		return fmt.Errorf("health: days of %s: %w", g, err)
	}
	return nil
}

// keepTx writes the group's standing.
func (c *course) keepTx(tx *database.Tx) error {
	if !c.fresh {
		if err := tx.Exec("DELETE FROM group_standings WHERE group_id = ?", c.group.ID).Error; err != nil {
			return fmt.Errorf("health: standing of %s: %w", c.group.ID, err)
		}
	}
	if err := tx.Create(&c.stands).Error; err != nil {
		return fmt.Errorf("health: standing of %s: %w", c.group.ID, err)
	}
	return nil
}
