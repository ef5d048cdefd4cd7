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
// is at all: not on another weekday, nor before it was set up or last edited.
func (r Ritual) DueOn(at time.Time, zone *time.Location) (time.Time, bool) {
	day := at.In(zone)
	weekday := (int(day.Weekday())+6)%7 + 1
	due := time.Date(day.Year(), day.Month(), day.Day(), r.MinuteOfDay/60, r.MinuteOfDay%60, 0, 0, zone)
	return due, slices.Contains(r.Weekdays, weekday) && !due.Before(max(r.CreatedAt, r.EditedAt).Time())
}

// lookAtOnce is how many rituals one look reads.
const lookAtOnce = 150

// remindAll reminds of what rituals and topics are due.
func (s *Service) remindAll(ctx context.Context, at clock.Milli) error {
	if err := s.remind(ctx, at); err != nil {
		return err
	}
	return s.remindTopics(ctx)
}

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
				if err := s.remindOn(ctx, r, g, at, zone); err != nil {
					return err
				}
			}
		}
	}
}

// remindOn looks at the ritual and its steps on the local day of a moment.
func (s *Service) remindOn(ctx context.Context, r Ritual, g community.Group, at time.Time, zone *time.Location) error {
	soon := func(due time.Time) bool {
		return !s.DB.Clock.Now().Before(due.Add(-time.Duration(r.RemindMinutes) * time.Minute))
	}
	if due, is := r.DueOn(at, zone); is && soon(due) {
		if err := s.dayDue(ctx, r, g, due, zone); err != nil {
			return err
		}
	}
	for _, step := range r.Steps {
		if due, is := r.at(step).DueOn(at, zone); is && soon(due) {
			if err := s.stepDue(ctx, r, step, g, due, zone); err != nil {
				return err
			}
		}
	}
	return nil
}

// remindMost is how long before its time a reminder comes at the most.
const remindMost = 2 * time.Hour

// remindFor is how long after its time a reminder still helps.
const remindFor = 30 * time.Minute

// dayDue makes the row of a due day, once, and reminds if it is in time.
func (s *Service) dayDue(ctx context.Context, r Ritual, g community.Group, due time.Time, zone *time.Location) error {
	day := clock.Day(due, zone)
	var stands int
	if err := s.DB.Read(ctx).Raw("SELECT COUNT(*) FROM ritual_days WHERE ritual_id = ? AND day = ?", r.ID, day).Scan(&stands).Error; err != nil || stands > 0 {
		return err
	}
	return once(s.DB.Tx(ctx, func(tx *database.Tx) error {
		if stands, err := r.stands(tx); err != nil || !stands {
			return err
		}
		told := toldAt(tx, due)
		if len(r.Steps) > 0 {
			told = 0 // its steps are reminded of
		}
		err := tx.Exec("INSERT INTO ritual_days (ritual_id, day, due_at, reminded_at, held_at, people, held_by) VALUES (?, ?, ?, ?, 0, 0, 0)",
			r.ID, day, clock.MilliOf(due), told).Error
		if err != nil || told == 0 {
			return err
		}
		return r.tell(tx, g, due, 0, "")
	}))
}

// stands locks the ritual and says whether it still is as it was read. A look
// that began before an edit would note a time that is no longer due.
func (r Ritual) stands(tx *database.Tx) (bool, error) {
	var version int
	err := tx.Raw("SELECT version FROM rituals WHERE id = ? AND ended_at = 0"+tx.Dialect.ForUpdate, r.ID).Scan(&version).Error
	return version == r.Version, err
}

// toldAt is when the owner is reminded of what is due: now, or never once it is
// long over.
func toldAt(tx *database.Tx, due time.Time) clock.Milli {
	if tx.Now.Time().After(due.Add(remindFor)) {
		return 0
	}
	return tx.Now
}

// once takes the row of another replica that was first for its own.
func once(err error) error {
	if database.IsDuplicate(err) {
		return nil
	}
	return err
}

// tell reminds the owner; step is 0 for the ritual itself.
func (r Ritual) tell(tx *database.Tx, g community.Group, due time.Time, step int, title string) error {
	return webhook.PublishTx(tx, eventDue, map[string]any{
		"ritual_id": r.ID, "group_id": r.GroupID, "owner_id": g.OwnerID, "kind": r.Kind, "title": r.Title, "due_at": clock.MilliOf(due), "step": step, "step_title": title,
	})
}

// HoldIn says that a ritual was held: today, or yesterday for one that is
// noted late.
type HoldIn struct {
	Day    int `json:"day"` // yyyymmdd of the group; today, if left out
	People int `json:"people"`
	Step   int `json:"step"` // of an SOP with steps; 0 says that all were done
}

// Validate checks the note's form.
func (in HoldIn) Validate() error {
	var c fault.Check
	c.Range(int64(in.People), "people", 0, 100_000)
	c.That(in.Step >= 0, "step", "range", "不小于 0", "must not be below 0")
	return c.Err()
}

// Hold notes that a ritual was held and how many took part; the last word
// counts.
func (s *Service) Hold(ctx context.Context, ritual id.Ritual, in HoldIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		r, g, err := s.lockSeen(tx, ritual)
		switch {
		case err != nil:
			return err
		case r.EndedAt != 0:
			return ErrEnded
		}
		zone, err := g.Location()
		if err != nil {
			return err
		}
		d, err := r.noting(tx, in, zone)
		if err != nil {
			return err
		}
		held := tx.Now
		if len(d.steps) > 0 {
			all, err := r.holdSteps(tx, in.Step, d)
			if err != nil {
				return err
			}
			if !all {
				held = d.heldAt // a day held before steps were added stays so
			}
		}
		if d.stands {
			err = tx.Exec("UPDATE ritual_days SET held_at = ?, people = ?, held_by = ? WHERE ritual_id = ? AND day = ?", held, in.People, tx.Actor.Staff, r.ID, d.day).Error
		} else {
			err = tx.Exec("INSERT INTO ritual_days (ritual_id, day, due_at, reminded_at, held_at, people, held_by) VALUES (?, ?, ?, 0, ?, ?, ?)",
				r.ID, d.day, d.dueAt, held, in.People, tx.Actor.Staff).Error
		}
		if err != nil {
			return fmt.Errorf("ritual: hold %s: %w", r.ID, err)
		}
		if err := community.GatherTx(tx, r.GroupID, d.day, int64(r.ID), in.People); err != nil {
			return err
		}
		tx.SetResult("ritual", int64(r.ID), 200)
		return database.AuditTx(tx, "ritual.hold", r.ID, nil, map[string]int{"day": d.day, "people": in.People, "step": in.Step})
	})
}

// lockSeen reads a ritual of a group that the actor may see, and locks the
// group and then it, behind which all notes, edits and looks stand in line.
func (s *Service) lockSeen(tx *database.Tx, ritual id.Ritual) (Ritual, community.Group, error) {
	r, err := s.seen(tx.DB, tx.Actor, ritual)
	if err != nil {
		return r, community.Group{}, err
	}
	g, err := community.LockGroupTx(tx, r.GroupID)
	if err != nil {
		return r, g, err
	}
	list, err := read(tx.DB, "id = ?"+tx.Dialect.ForUpdate, ritual)
	if err != nil {
		return r, g, err
	}
	return list[0], g, nil
}

// dueDay is a local day on which a ritual was due, or is by the times in force.
type dueDay struct {
	day    int
	dueAt  clock.Milli
	heldAt clock.Milli
	people int
	steps  []stepDay
	stands bool // as a row
}

// on is the ritual on the local day of a moment, and whether it was due on it,
// is, or was noted. An SOP is also due on a day of which only some steps are, so
// that one set up or edited in mid-day has its rest.
func (r Ritual) on(q *database.Query, at time.Time, zone *time.Location) (dueDay, bool, error) {
	due, is := r.DueOn(at, zone)
	d := dueDay{day: clock.Day(at, zone), dueAt: clock.MilliOf(due)}
	var row []struct {
		DueAt, HeldAt clock.Milli
		People        int
	}
	err := q.Raw("SELECT due_at, held_at, people FROM ritual_days WHERE ritual_id = ? AND day = ?", r.ID, d.day).Scan(&row).Error
	if err != nil {
		return d, false, fmt.Errorf("ritual: days of %s: %w", r.ID, err)
	}
	if len(row) > 0 {
		d.stands, d.dueAt, d.heldAt, d.people = true, row[0].DueAt, row[0].HeldAt, row[0].People
	}
	d.steps, err = r.stepsOn(q, at, zone)
	return d, is || d.stands || len(d.steps) > 0, err
}

// noting is the day that a note is about, 0 meaning today.
func (r Ritual) noting(tx *database.Tx, in HoldIn, zone *time.Location) (dueDay, error) {
	now := tx.Now.Time()
	for _, at := range []time.Time{now, now.AddDate(0, 0, -1)} {
		if this := clock.Day(at, zone); in.Day != this && (in.Day != 0 || !at.Equal(now)) {
			continue
		}
		d, is, err := r.on(tx.DB, at, zone)
		if err != nil {
			return d, err
		}
		of := in.Step == 0 || slices.ContainsFunc(d.steps, func(x stepDay) bool { return x.Step == in.Step })
		switch {
		case !of && r.stepAt(in.Step) < 0:
			return d, fault.Invalid.Field("step", "unknown_value", "这个固定互动没有这一步", "the ritual has no such step")
		case is && of:
			return d, nil
		}
	}
	return dueDay{}, ErrNotDue
}

// open fills in the days that may still be noted: yesterday and today where the
// ritual is due.
func (s *Service) open(q *database.Query, list []Ritual) error {
	if len(list) == 0 {
		return nil
	}
	known, err := community.GroupsIn(q, []id.Group{list[0].GroupID})
	if err != nil {
		return err
	}
	zone, err := known[list[0].GroupID].Location()
	if err != nil {
		return err
	}
	now := s.DB.Clock.Now()
	for i := range list {
		r := &list[i]
		r.Open = []Noted{}
		if r.EndedAt != 0 {
			continue
		}
		for _, at := range []time.Time{now.AddDate(0, 0, -1), now} {
			d, is, err := r.on(q, at, zone)
			if err != nil {
				return err
			}
			if is {
				r.Open = append(r.Open, d.noted())
			}
		}
	}
	return nil
}

func (d dueDay) noted() Noted {
	n := Noted{Day: d.day, DueAt: d.dueAt, HeldAt: d.heldAt, People: d.people, Steps: []int{}, Left: []Left{}}
	for _, x := range d.steps {
		if x.HeldAt != 0 {
			n.Steps = append(n.Steps, x.Step)
		} else {
			n.Left = append(n.Left, Left{x.Step, x.Title, x.DueAt})
		}
	}
	return n
}
