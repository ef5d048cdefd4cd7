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
)

// EditIn is what a ritual is to be from now on. Its kind may be left out and
// stays: the days that were held count as what they were. A step that names its
// number goes on with its days, one without is new, and one that is left out is
// due no more.
type EditIn struct {
	Kind          Kind       `json:"kind"`
	Title         string     `json:"title"`
	Weekdays      Weekdays   `json:"weekdays"`
	MinuteOfDay   int        `json:"minute_of_day"`
	RemindMinutes int        `json:"remind_minutes"`
	Steps         []StepEdit `json:"steps"`
}

// StepEdit is a step of an edited SOP; number 0 is a new one.
type StepEdit struct {
	Step int `json:"step"`
	StepIn
}

// checkFor checks the edit's form for a ritual.
func (in EditIn) checkFor(r Ritual) error {
	whole := In{r.Kind, in.Title, in.Weekdays, in.MinuteOfDay, in.RemindMinutes, nil}
	var c fault.Check
	c.That(in.Kind == "" || in.Kind == r.Kind, "kind", "frozen", "类型不可修改，已登记的日子按原类型算；请停掉它，新设一个", "never changes, because its days count as what they were; end it and set up a new one")
	seen := map[int]bool{}
	for i, x := range in.Steps {
		whole.Steps = append(whole.Steps, x.StepIn)
		c.That(x.Step == 0 || r.stepAt(x.Step) >= 0 && !seen[x.Step], fmt.Sprintf("steps[%d].step", i), "unknown_value", "没有这一步，或写了两次", "no step of the ritual, or named twice")
		seen[x.Step] = true
	}
	if err := whole.Validate(); err != nil {
		return err
	}
	return c.Err()
}

// Edit changes the version of a ritual that the caller has read. What was due
// until now stays as it was, held or not, and may be noted as long as it could;
// the new times count from now on.
func (s *Service) Edit(ctx context.Context, ritual id.Ritual, version int, in EditIn) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		before, g, err := s.lockSeen(tx, ritual)
		switch {
		case err != nil:
			return err
		case before.EndedAt != 0:
			return ErrEnded
		case before.Version != version:
			return fault.Stale
		}
		if err := in.checkFor(before); err != nil {
			return err
		}
		zone, err := g.Location()
		if err != nil {
			return err
		}
		err = database.One(tx.Exec("UPDATE rituals SET title = ?, weekdays = ?, minute_of_day = ?, remind_minutes = ?, version = version + 1, edited_at = ? WHERE id = ?"+tx.Only("version = ? AND ended_at = 0"),
			community.CleanLine(in.Title), in.Weekdays.mask(), in.MinuteOfDay, in.RemindMinutes, tx.Now, ritual, version), fault.Stale)
		if err != nil {
			return err
		}
		if g.Status == community.GroupActive {
			if err := before.keepPast(tx, zone); err != nil {
				return err
			}
		}
		if err := before.editSteps(tx, in.Steps); err != nil {
			return err
		}
		after, err := s.seen(tx.DB, tx.Actor, ritual)
		if err != nil {
			return err
		}
		if err := after.dropAhead(tx, zone); err != nil {
			return err
		}
		return database.AuditTx(tx, "ritual.edit", ritual, before, after)
	})
}

// keepPast makes the rows of what was due until now that no look has made yet.
// As with a look, that is yesterday and today.
func (r Ritual) keepPast(tx *database.Tx, zone *time.Location) error {
	now := tx.Now.Time()
	for _, at := range []time.Time{now.AddDate(0, 0, -1), now} {
		d, _, err := r.on(tx.DB, at, zone)
		if err != nil {
			return err
		}
		if _, is := r.DueOn(at, zone); is && !d.stands && d.dueAt <= tx.Now {
			err := tx.Exec("INSERT INTO ritual_days (ritual_id, day, due_at, reminded_at, held_at, people, held_by) VALUES (?, ?, ?, 0, 0, 0, 0)", r.ID, d.day, d.dueAt).Error
			if err != nil {
				return fmt.Errorf("ritual: keep a day of %s: %w", r.ID, err)
			}
		}
		for _, x := range d.steps {
			if x.stands || x.DueAt > tx.Now {
				continue
			}
			err := tx.Exec("INSERT INTO ritual_step_days (ritual_id, day, step, due_at, reminded_at, held_at, held_by) VALUES (?, ?, ?, ?, 0, 0, 0)", r.ID, d.day, x.Step, x.DueAt).Error
			if err != nil {
				return fmt.Errorf("ritual: keep a step of %s: %w", r.ID, err)
			}
		}
	}
	return nil
}

// editSteps ends the steps that are left out, changes those that are named and
// adds the rest under numbers that none had.
func (r Ritual) editSteps(tx *database.Tx, steps []StepEdit) error {
	var last int
	if err := tx.Raw("SELECT COALESCE(MAX(step), 0) FROM ritual_steps WHERE ritual_id = ?", r.ID).Scan(&last).Error; err != nil {
		return fmt.Errorf("ritual: steps of %s: %w", r.ID, err)
	}
	for _, x := range r.Steps {
		if slices.ContainsFunc(steps, func(s StepEdit) bool { return s.Step == x.Step }) {
			continue
		}
		if err := tx.Exec("UPDATE ritual_steps SET ended_at = ? WHERE ritual_id = ? AND step = ?", tx.Now, r.ID, x.Step).Error; err != nil {
			return fmt.Errorf("ritual: end a step of %s: %w", r.ID, err)
		}
	}
	for _, x := range steps {
		var err error
		if title := community.CleanLine(x.Title); x.Step != 0 {
			err = tx.Exec("UPDATE ritual_steps SET minute_of_day = ?, title = ? WHERE ritual_id = ? AND step = ?", x.MinuteOfDay, title, r.ID, x.Step).Error
		} else {
			last++
			err = tx.Exec("INSERT INTO ritual_steps (ritual_id, step, minute_of_day, title) VALUES (?, ?, ?, ?)", r.ID, last, x.MinuteOfDay, title).Error
		}
		if err != nil {
			return fmt.Errorf("ritual: step of %s: %w", r.ID, err)
		}
	}
	return nil
}

// dropAhead takes back what was reminded of for a time that lies ahead and is no
// longer due then, so that the new time is reminded of; what was held already
// stays.
func (r Ritual) dropAhead(tx *database.Tx, zone *time.Location) error {
	var rows []struct {
		Day, Step int
		DueAt     clock.Milli
	}
	err := tx.Raw(`SELECT day, 0 AS step, due_at FROM ritual_days WHERE ritual_id = ? AND due_at > ? AND held_at = 0
		UNION ALL SELECT day, step, due_at FROM ritual_step_days WHERE ritual_id = ? AND due_at > ? AND held_at = 0`, r.ID, tx.Now, r.ID, tx.Now).Scan(&rows).Error
	if err != nil {
		return fmt.Errorf("ritual: days ahead of %s: %w", r.ID, err)
	}
	for _, x := range rows {
		of := r
		if x.Step != 0 {
			i := r.stepAt(x.Step)
			if i >= 0 {
				of = r.at(r.Steps[i])
			} else {
				of.Weekdays = nil // ended: due on no day
			}
		}
		if due, is := of.DueOn(x.DueAt.Time(), zone); is && clock.MilliOf(due) == x.DueAt {
			continue
		}
		if x.Step == 0 {
			err = tx.Exec("DELETE FROM ritual_days WHERE ritual_id = ? AND day = ?", r.ID, x.Day).Error
		} else {
			err = tx.Exec("DELETE FROM ritual_step_days WHERE ritual_id = ? AND day = ? AND step = ?", r.ID, x.Day, x.Step).Error
		}
		if err != nil {
			return fmt.Errorf("ritual: drop a day of %s: %w", r.ID, err)
		}
	}
	return nil
}
