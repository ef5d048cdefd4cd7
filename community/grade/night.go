package grade

import (
	"context"
	"fmt"
	"slices"
	"time"

	"siyu/community"
	"siyu/community/gathering"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/internal/webhook"
)

// eventMoved tells of a member's new grade; docs/events.md says when.
const eventMoved webhook.Type = "grade.moved"

const (
	window     = 30  // days of activity that count
	attendDays = 365 // days in which offline events count
	atOnce     = 200 // groups, and members of a transaction
)

// Register takes the room's work. It looks hourly, so that each group's night
// is its own zone's.
func (s *Service) Register(r *task.Registry) {
	task.Every(r, "grade:move", time.Hour, s.moveAll)
}

// moveAll judges the groups whose local day has changed since they were last
// judged.
func (s *Service) moveAll(ctx context.Context, _ clock.Milli) error {
	for after := id.Group(0); ; {
		q := s.DB.Read(ctx)
		var groups []id.Group
		err := q.Raw("SELECT id FROM chat_groups WHERE id > ? AND status = ? ORDER BY id LIMIT ?", after, community.GroupActive, atOnce).Scan(&groups).Error
		if err != nil || len(groups) == 0 {
			return err
		}
		known, err := community.GroupsIn(q, groups)
		if err != nil {
			return err
		}
		var done []struct {
			GroupID id.Group
			Day     int
		}
		if err := q.Raw("SELECT group_id, day FROM grade_days WHERE group_id IN ?", groups).Scan(&done).Error; err != nil {
			return fmt.Errorf("grade: days: %w", err)
		}
		last := map[id.Group]int{}
		for _, d := range done {
			last[d.GroupID] = d.Day
		}
		for _, g := range groups {
			after = g
			zone, err := time.LoadLocation(known[g].Zone)
			if err != nil {
				continue // a zone this machine does not know
			}
			today := clock.Day(s.DB.Clock.Now(), zone)
			if last[g] >= today {
				continue
			}
			if err := s.move(ctx, g, today, zone); err != nil {
				return fmt.Errorf("grade: of %s: %w", g, err)
			}
		}
	}
}

// move judges a group's members by what was until its today, and notes the day.
func (s *Service) move(ctx context.Context, group id.Group, today int, zone *time.Location) error {
	var r Rules
	var people []id.Member
	var facts map[id.Member]Facts
	known := false
	err := s.DB.Snapshot(ctx, func(q *database.Query) (err error) {
		if r, err = rules(q); err != nil {
			return err
		}
		people, facts, known, err = factsOf(q, group, s.DB.Clock.Now(), zone)
		return err
	})
	if err != nil {
		return err
	}
	if known {
		for part := range slices.Chunk(people, atOnce) {
			err := s.DB.Tx(ctx, func(tx *database.Tx) error { return judgeTx(tx, r, group, today, part, facts) })
			if err != nil {
				return err
			}
		}
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		if err := tx.Exec("DELETE FROM grade_days WHERE group_id = ?", group).Error; err != nil {
			return err
		}
		return tx.Exec("INSERT INTO grade_days (group_id, day) VALUES (?, ?)", group, today).Error
	})
}

// factsOf reads who is in a group, hosts left out, with the facts of each, and
// whether half of the days are known: without, silence may be nobody's report.
func factsOf(q *database.Query, group id.Group, now time.Time, zone *time.Location) (people []id.Member, facts map[id.Member]Facts, known bool, err error) {
	roster, err := community.RosterOf(q, group)
	if err != nil {
		return nil, nil, false, err
	}
	days := make([]int, window)
	local := now.In(zone)
	for i := range days {
		days[i] = clock.Day(local.AddDate(0, 0, -1-i), zone)
	}
	tallies, err := community.Tallies(q, group, days)
	if err != nil {
		return nil, nil, false, err
	}
	covered, err := community.CompleteDays(q, group, days)
	if err != nil {
		return nil, nil, false, err
	}
	active := map[id.Member]map[int]bool{}
	for _, t := range tallies {
		covered[t.Day] = true
		if !t.Kind.Counts() {
			continue
		}
		if active[t.Member] == nil {
			active[t.Member] = map[int]bool{}
		}
		active[t.Member][t.Day] = true
	}
	replies, err := community.RepliesTo(q, group, days[window-1], days[0])
	if err != nil {
		return nil, nil, false, err
	}
	attended, err := gathering.AttendedIn(q, group, clock.MilliOf(now.AddDate(0, 0, -attendDays)))
	if err != nil {
		return nil, nil, false, err
	}
	facts = map[id.Member]Facts{}
	for _, m := range roster {
		if m.LeftAt != 0 || m.Role.Host() {
			continue
		}
		people = append(people, m.MemberID)
		facts[m.MemberID] = Facts{
			DaysIn: int(clock.MilliOf(now)-m.JoinedAt) / int(24*time.Hour/time.Millisecond), ActiveDays: len(active[m.MemberID]),
			Replies: replies[m.MemberID], Attended: attended[m.MemberID],
		}
	}
	return people, facts, 2*len(covered) >= window, nil
}

// judgeTx brings part of a group's members to the grades their facts reach. Who
// was judged that day already stays.
func judgeTx(tx *database.Tx, r Rules, group id.Group, today int, people []id.Member, facts map[id.Member]Facts) error {
	var rows []row
	err := tx.Raw("SELECT "+rowColumns+" FROM member_grades WHERE group_id = ? AND member_id IN ? ORDER BY id"+tx.Dialect.ForUpdate, group, people).Scan(&rows).Error
	if err != nil {
		return fmt.Errorf("grade: grades of %s: %w", group, err)
	}
	stands := map[id.Member]row{}
	for _, x := range rows {
		stands[x.MemberID] = x
	}
	for _, m := range people {
		f := facts[m]
		now := Decide(r, f)
		before, had := stands[m]
		switch {
		case had && before.Day >= today:
			continue
		case had:
			err = tx.Exec("UPDATE member_grades SET grade = ?, day = ?, rules = ?, days_in = ?, active_days = ?, replies = ?, attended = ? WHERE id = ?",
				now.Key, today, r.Version, f.DaysIn, f.ActiveDays, f.Replies, f.Attended, before.ID).Error
		default:
			err = tx.Exec("INSERT INTO member_grades ("+rowColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
				tx.Next(), group, m, now.Key, today, r.Version, f.DaysIn, f.ActiveDays, f.Replies, f.Attended).Error
		}
		if err != nil {
			return fmt.Errorf("grade: of %s in %s: %w", m, group, err)
		}
		if before.Grade == now.Key {
			continue
		}
		err = tx.Exec("INSERT INTO grade_moves (id, group_id, member_id, day, grade_before, grade_after, rules, days_in, active_days, replies, attended) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			tx.Next(), group, m, today, before.Grade, now.Key, r.Version, f.DaysIn, f.ActiveDays, f.Replies, f.Attended).Error
		if err != nil {
			return fmt.Errorf("grade: move of %s in %s: %w", m, group, err)
		}
		if !had {
			continue // where somebody begins is no news
		}
		err = webhook.PublishTx(tx, eventMoved, map[string]any{"group_id": group, "member_id": m, "day": today, "before": before.Grade, "after": now.Key, "facts": f})
		if err != nil {
			return err
		}
	}
	return nil
}
