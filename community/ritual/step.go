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

// Step is one thing of a daily SOP, at its own minute of the group's day. A day
// of the SOP was held once each of its steps was.
type Step struct {
	RitualID    id.Ritual `json:"-"`
	Step        int       `json:"step"` // from 1, in order of the day
	Title       string    `json:"title"`
	MinuteOfDay int       `json:"minute_of_day"`

	// Of the last 30 days: how often it was due, and done.
	Due  int `json:"due_30_days" gorm:"-"`
	Held int `json:"held_30_days" gorm:"-"`
}

// StepIn is a step of an SOP to set up.
type StepIn struct {
	Title       string `json:"title"`
	MinuteOfDay int    `json:"minute_of_day"`
}

// stepsMost is how many steps an SOP may have.
const stepsMost = 12

func (in In) checkSteps(c *fault.Check) {
	c.That(len(in.Steps) == 0 || in.Kind == KindSOP, "steps", "not_allowed", "只有 SOP 有步骤", "are for an SOP alone")
	c.Range(int64(len(in.Steps)), "steps", 0, stepsMost)
	last := in.MinuteOfDay - 1
	for i, x := range in.Steps[:min(len(in.Steps), stepsMost)] {
		at := fmt.Sprintf("steps[%d].", i)
		title := community.CleanLine(x.Title)
		c.Required(title, at+"title")
		c.Length(title, at+"title", 100)
		c.Range(int64(x.MinuteOfDay), at+"minute_of_day", 0, 24*60-1)
		c.That(x.MinuteOfDay > last, at+"minute_of_day", "order", "按时间先后，且不早于 SOP 的开始", "in order of the day, the first not before the SOP begins")
		last = x.MinuteOfDay
	}
}

func insertSteps(tx *database.Tx, ritual id.Ritual, steps []StepIn) error {
	for i, x := range steps {
		err := tx.Exec("INSERT INTO ritual_steps (ritual_id, step, minute_of_day, title) VALUES (?, ?, ?, ?)", ritual, i+1, x.MinuteOfDay, community.CleanLine(x.Title)).Error
		if err != nil {
			return fmt.Errorf("ritual: step of %s: %w", ritual, err)
		}
	}
	return nil
}

// readSteps fills in the steps of rituals; of what is no SOP there are none.
func readSteps(q *database.Query, list []Ritual) error {
	var sops []id.Ritual
	for i, r := range list {
		list[i].Steps = []Step{}
		if r.Kind == KindSOP {
			sops = append(sops, r.ID)
		}
	}
	var steps []Step
	for part := range slices.Chunk(sops, lookAtOnce) {
		var rows []Step
		if err := q.Raw("SELECT ritual_id, step, minute_of_day, title FROM ritual_steps WHERE ritual_id IN ? ORDER BY ritual_id, step", part).Scan(&rows).Error; err != nil {
			return fmt.Errorf("ritual: steps: %w", err)
		}
		steps = append(steps, rows...)
	}
	for _, x := range steps {
		i := slices.IndexFunc(list, func(r Ritual) bool { return r.ID == x.RitualID })
		list[i].Steps = append(list[i].Steps, x)
	}
	return nil
}

// at is the ritual as if it were its step alone.
func (r Ritual) at(s Step) Ritual {
	r.MinuteOfDay = s.MinuteOfDay
	return r
}

// stepDue makes the row of a step's due day, once, and reminds if it is in time.
func (s *Service) stepDue(ctx context.Context, r Ritual, step Step, g community.Group, due time.Time, zone *time.Location) error {
	day := clock.Day(due, zone)
	var stands int
	err := s.DB.Read(ctx).Raw("SELECT COUNT(*) FROM ritual_step_days WHERE ritual_id = ? AND day = ? AND step = ?", r.ID, day, step.Step).Scan(&stands).Error
	if err != nil || stands > 0 {
		return err
	}
	return once(s.DB.Tx(ctx, func(tx *database.Tx) error {
		told := toldAt(tx, due)
		err := tx.Exec("INSERT INTO ritual_step_days (ritual_id, day, step, due_at, reminded_at, held_at, held_by) VALUES (?, ?, ?, ?, ?, 0, 0)",
			r.ID, day, step.Step, clock.MilliOf(due), told).Error
		if err != nil || told == 0 {
			return err
		}
		return r.tell(tx, g, due, step.Step, step.Title)
	}))
}

// holdSteps notes a step of an SOP's day as done, or for step 0 all of them, and
// says whether that was the last.
func (r Ritual) holdSteps(tx *database.Tx, step, day int, midnight time.Time) (all bool, err error) {
	var held []int
	if err := tx.Raw("SELECT step FROM ritual_step_days WHERE ritual_id = ? AND day = ? AND held_at <> 0", r.ID, day).Scan(&held).Error; err != nil {
		return false, fmt.Errorf("ritual: steps of %s: %w", r.ID, err)
	}
	for _, x := range r.Steps {
		if slices.Contains(held, x.Step) || step != 0 && step != x.Step {
			continue
		}
		held = append(held, x.Step)
		res := tx.Exec("UPDATE ritual_step_days SET held_at = ?, held_by = ? WHERE ritual_id = ? AND day = ? AND step = ?", tx.Now, tx.Actor.Staff, r.ID, day, x.Step)
		if res.Error == nil && res.RowsAffected == 0 {
			due := time.Date(midnight.Year(), midnight.Month(), midnight.Day(), x.MinuteOfDay/60, x.MinuteOfDay%60, 0, 0, midnight.Location())
			res = tx.Exec("INSERT INTO ritual_step_days (ritual_id, day, step, due_at, reminded_at, held_at, held_by) VALUES (?, ?, ?, ?, 0, ?, ?)",
				r.ID, day, x.Step, clock.MilliOf(due), tx.Now, tx.Actor.Staff)
		}
		if res.Error != nil {
			return false, fmt.Errorf("ritual: hold step %d of %s: %w", x.Step, r.ID, res.Error)
		}
	}
	return len(held) == len(r.Steps), nil
}

// rateSteps fills in how often steps were due and done in the last 30 days.
func (s *Service) rateSteps(q *database.Query, r *Ritual) error {
	var rows []struct{ Step, Due, Held int }
	now := clock.MilliOf(s.DB.Clock.Now())
	err := q.Raw(`SELECT step, COUNT(*) AS due, COALESCE(SUM(CASE WHEN held_at <> 0 THEN 1 ELSE 0 END), 0) AS held FROM ritual_step_days
		WHERE ritual_id = ? AND due_at > ? AND (due_at <= ? OR held_at <> 0) GROUP BY step`, r.ID, now.Add(-rateDays*24*time.Hour), now).Scan(&rows).Error
	if err != nil {
		return fmt.Errorf("ritual: rate of steps of %s: %w", r.ID, err)
	}
	for _, x := range rows {
		if x.Step <= len(r.Steps) {
			r.Steps[x.Step-1].Due, r.Steps[x.Step-1].Held = x.Due, x.Held
		}
	}
	return nil
}
