package ritual

import (
	"cmp"
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
	Step        int       `json:"step"` // its number, which no other step of the ritual ever has
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

// StepsMost is how many steps an SOP may have.
const StepsMost = 12

func (in In) checkSteps(c *fault.Check) {
	c.That(len(in.Steps) == 0 || in.Kind == KindSOP, "steps", "not_allowed", "只有 SOP 有步骤", "are for an SOP alone")
	c.Range(int64(len(in.Steps)), "steps", 0, StepsMost)
	last := in.MinuteOfDay - 1
	for i, x := range in.Steps[:min(len(in.Steps), StepsMost)] {
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
		if err := q.Raw("SELECT ritual_id, step, minute_of_day, title FROM ritual_steps WHERE ritual_id IN ? AND ended_at = 0 ORDER BY ritual_id, minute_of_day", part).Scan(&rows).Error; err != nil {
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
		if stands, err := r.stands(tx); err != nil || !stands {
			return err
		}
		told := toldAt(tx, due)
		err := tx.Exec("INSERT INTO ritual_step_days (ritual_id, day, step, due_at, reminded_at, held_at, held_by) VALUES (?, ?, ?, ?, ?, 0, 0)",
			r.ID, day, step.Step, clock.MilliOf(due), told).Error
		if err != nil || told == 0 {
			return err
		}
		return r.tell(tx, g, due, step.Step, step.Title)
	}))
}

// stepAt is where a step stands in the ritual's list; -1: nowhere.
func (r Ritual) stepAt(number int) int {
	return slices.IndexFunc(r.Steps, func(x Step) bool { return x.Step == number })
}

// stepDay is a step on a day it was due, or is by the times in force.
type stepDay struct {
	Step   int
	Title  string
	DueAt  clock.Milli
	HeldAt clock.Milli
	stands bool // as a row
}

// stepsOn are the steps of the local day of a moment: those that were due on it
// before an edit, whatever became of them, and those that are.
func (r Ritual) stepsOn(q *database.Query, at time.Time, zone *time.Location) ([]stepDay, error) {
	if r.Kind != KindSOP {
		return nil, nil
	}
	var list []stepDay
	err := q.Raw(`SELECT d.step, s.title, d.due_at, d.held_at FROM ritual_step_days d JOIN ritual_steps s ON s.ritual_id = d.ritual_id AND s.step = d.step
		WHERE d.ritual_id = ? AND d.day = ?`, r.ID, clock.Day(at, zone)).Scan(&list).Error
	if err != nil {
		return nil, fmt.Errorf("ritual: steps of %s: %w", r.ID, err)
	}
	for i := range list {
		list[i].stands = true
	}
	for _, x := range r.Steps {
		due, is := r.at(x).DueOn(at, zone)
		if is && !slices.ContainsFunc(list, func(s stepDay) bool { return s.Step == x.Step }) {
			list = append(list, stepDay{Step: x.Step, Title: x.Title, DueAt: clock.MilliOf(due)})
		}
	}
	slices.SortFunc(list, func(a, b stepDay) int { return cmp.Or(cmp.Compare(a.DueAt, b.DueAt), a.Step-b.Step) })
	return list, nil
}

// holdSteps notes a step of an SOP's day as done, or for step 0 all of them, and
// says whether that was the last.
func (r Ritual) holdSteps(tx *database.Tx, step int, d dueDay) (all bool, err error) {
	all = true
	for _, x := range d.steps {
		if x.HeldAt != 0 {
			continue
		}
		if step != 0 && step != x.Step {
			all = false
			continue
		}
		if x.stands {
			err = tx.Exec("UPDATE ritual_step_days SET held_at = ?, held_by = ? WHERE ritual_id = ? AND day = ? AND step = ?", tx.Now, tx.Actor.Staff, r.ID, d.day, x.Step).Error
		} else {
			err = tx.Exec("INSERT INTO ritual_step_days (ritual_id, day, step, due_at, reminded_at, held_at, held_by) VALUES (?, ?, ?, ?, 0, ?, ?)",
				r.ID, d.day, x.Step, x.DueAt, tx.Now, tx.Actor.Staff).Error
		}
		if err != nil {
			return false, fmt.Errorf("ritual: hold step %d of %s: %w", x.Step, r.ID, err)
		}
	}
	return all, nil
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
		if i := r.stepAt(x.Step); i >= 0 {
			r.Steps[i].Due, r.Steps[i].Held = x.Due, x.Held
		}
	}
	return nil
}
