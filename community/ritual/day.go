package ritual

import (
	"context"
	"fmt"
	"slices"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// Weekdays are days of the week, 1 for Monday to 7 for Sunday.
type Weekdays []int

func (w Weekdays) valid() bool {
	sorted := slices.Sorted(slices.Values(w))
	return len(w) > 0 && sorted[0] >= 1 && sorted[len(sorted)-1] <= 7 && len(slices.Compact(sorted)) == len(w)
}

func (w Weekdays) mask() (mask int) {
	for _, d := range w {
		mask |= 1 << d
	}
	return mask
}

func daysOf(mask int) Weekdays {
	out := Weekdays{}
	for d := 1; d <= 7; d++ {
		if mask&(1<<d) != 0 {
			out = append(out, d)
		}
	}
	return out
}

// DueOn is when the ritual is due on the local day of a moment, and whether it
// is at all: not on another weekday, nor before it was set up.
func (r Ritual) DueOn(at time.Time, zone *time.Location) (time.Time, bool) {
	day := at.In(zone)
	weekday := (int(day.Weekday())+6)%7 + 1
	due := time.Date(day.Year(), day.Month(), day.Day(), r.MinuteOfDay/60, r.MinuteOfDay%60, 0, 0, zone)
	return due, slices.Contains(r.Weekdays, weekday) && !due.Before(r.CreatedAt.Time())
}

// lookAtOnce is how many rituals one look reads.
const lookAtOnce = 200

// remind makes the rows of the days that are due and reminds of those that are
// still to come or just begun. Of a day that no worker saw it only makes the row.
func (s *Service) remind(ctx context.Context, _ clock.Milli) error {
	for after := id.Ritual(0); ; {
		q := s.DB.Read(ctx)
		list, err := read(q, "ended_at = 0 AND id > ? ORDER BY id LIMIT ?", after, lookAtOnce)
		if err != nil || len(list) == 0 {
			return err
		}
		groups := make([]id.Group, len(list))
		for i, r := range list {
			groups[i] = r.GroupID
		}
		known, err := community.GroupsIn(q, groups)
		if err != nil {
			return err
		}
		now := s.DB.Clock.Now()
		for _, r := range list {
			after = r.ID
			g := known[r.GroupID]
			zone, err := time.LoadLocation(g.Zone)
			if err != nil || g.Status != community.GroupActive {
				continue
			}
			for _, at := range []time.Time{now.AddDate(0, 0, -1), now} {
				due, is := r.DueOn(at, zone)
				if !is || now.Before(due.Add(-time.Duration(r.RemindMinutes)*time.Minute)) {
					continue
				}
				if err := s.dayDue(ctx, r, g, due, zone); err != nil {
					return err
				}
			}
		}
	}
}

// remindFor is how long after its time a reminder still helps.
const remindFor = 30 * time.Minute

// dayDue makes the row of a due day, once, and reminds if it is in time.
func (s *Service) dayDue(ctx context.Context, r Ritual, g community.Group, due time.Time, zone *time.Location) error {
	day := clock.Day(due, zone)
	var stands int
	if err := s.DB.Read(ctx).Raw("SELECT COUNT(*) FROM ritual_days WHERE ritual_id = ? AND day = ?", r.ID, day).Scan(&stands).Error; err != nil || stands > 0 {
		return err
	}
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		told := clock.Milli(0)
		if !tx.Now.Time().After(due.Add(remindFor)) {
			told = tx.Now
		}
		err := tx.Exec("INSERT INTO ritual_days (ritual_id, day, due_at, reminded_at, held_at, people, held_by) VALUES (?, ?, ?, ?, 0, 0, 0)",
			r.ID, day, clock.MilliOf(due), told).Error
		if err != nil || told == 0 {
			return err
		}
		return webhook.PublishTx(tx, eventDue, map[string]any{
			"ritual_id": r.ID, "group_id": r.GroupID, "owner_id": g.OwnerID, "kind": r.Kind, "title": r.Title, "due_at": clock.MilliOf(due),
		})
	})
	if database.IsDuplicate(err) {
		return nil // another replica was first
	}
	return err
}

// HoldIn says that a ritual was held: today, or yesterday for one that is
// noted late.
type HoldIn struct {
	Day    int `json:"day"` // yyyymmdd of the group; today, if left out
	People int `json:"people"`
}

// Validate checks the note's form.
func (in HoldIn) Validate() error {
	var c fault.Check
	c.Range(int64(in.People), "people", 0, 100_000)
	return c.Err()
}

// Hold notes that a ritual was held and how many took part; the last word
// counts.
func (s *Service) Hold(ctx context.Context, ritual id.Ritual, in HoldIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		r, err := s.seen(tx.DB, tx.Actor, ritual)
		switch {
		case err != nil:
			return err
		case r.EndedAt != 0:
			return ErrEnded
		}
		g, err := community.LockGroupTx(tx, r.GroupID)
		if err != nil {
			return err
		}
		zone, err := time.LoadLocation(g.Zone)
		if err != nil {
			return fmt.Errorf("ritual: zone of %s: %w", g.ID, err)
		}
		due, day, ok := r.heldOn(in.Day, tx.Now.Time(), zone)
		if !ok {
			return ErrNotDue
		}
		res := tx.Exec("UPDATE ritual_days SET held_at = ?, people = ?, held_by = ? WHERE ritual_id = ? AND day = ?", tx.Now, in.People, tx.Actor.Staff, r.ID, day)
		if res.Error == nil && res.RowsAffected == 0 {
			res = tx.Exec("INSERT INTO ritual_days (ritual_id, day, due_at, reminded_at, held_at, people, held_by) VALUES (?, ?, ?, 0, ?, ?, ?)",
				r.ID, day, clock.MilliOf(due), tx.Now, in.People, tx.Actor.Staff)
		}
		if res.Error != nil {
			return fmt.Errorf("ritual: hold %s: %w", r.ID, res.Error)
		}
		if err := community.GatherTx(tx, r.GroupID, day, int64(r.ID), in.People); err != nil {
			return err
		}
		tx.SetResult("ritual", int64(r.ID), 200)
		return database.AuditTx(tx, "ritual.hold", r.ID, nil, map[string]int{"day": day, "people": in.People})
	})
}

// heldOn is the due day that a note is about, 0 meaning today.
func (r Ritual) heldOn(day int, now time.Time, zone *time.Location) (time.Time, int, bool) {
	for _, at := range []time.Time{now, now.AddDate(0, 0, -1)} {
		due, is := r.DueOn(at, zone)
		if this := clock.Day(at, zone); is && (day == this || day == 0 && at.Equal(now)) {
			return due, this, true
		}
	}
	return time.Time{}, 0, false
}
