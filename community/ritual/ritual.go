// Package ritual is what a group does at a fixed time: 固定互动, a topic, a game
// or a quiz once a week, and the daily 群 SOP of whoever keeps it.
//
// Tables: rituals, ritual_days, ritual_steps, ritual_step_days, topics. A ritual
// names weekdays and a minute of the group's local day. Each day it is due has
// one row, made when its owner is reminded; held or not, that row is what the
// execution rate counts. A day that no worker saw is counted on the next, without
// a reminder. The steps of an SOP have rows of their own, and a day of it was held
// once all of them were. A topic of one day is planned beside. What holds always:
// one row per ritual and day, and per step; an edit changes nothing of what was
// due before it. api and web call it; the worker reminds.
package ritual

import (
	"context"
	"fmt"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/internal/webhook"
)

// Service is the room's use cases.
type Service struct {
	DB *database.DB
}

// Register takes the room's work.
func (s *Service) Register(r *task.Registry) {
	task.Every(r, "ritual:remind", time.Minute, s.remindAll)
}

// Kind is what sort of thing is done.
type Kind string

// The kinds. KindSOP is the keeper's daily routine, with steps if it has several.
const (
	KindTopic     Kind = "topic"
	KindGame      Kind = "game"
	KindQuiz      Kind = "quiz"
	KindCheckin   Kind = "checkin"
	KindRedPacket Kind = "red_packet"
	KindSOP       Kind = "sop"
)

// Ritual is something a group does at a fixed time. Weekdays are 1 for Monday
// to 7 for Sunday.
type Ritual struct {
	ID            id.Ritual   `json:"id"`
	GroupID       id.Group    `json:"group_id"`
	Kind          Kind        `json:"kind"`
	Title         string      `json:"title"`
	Weekdays      Weekdays    `json:"weekdays" gorm:"-"`
	MinuteOfDay   int         `json:"minute_of_day"`
	RemindMinutes int         `json:"remind_minutes"`
	Version       int         `json:"version"`
	EndedAt       clock.Milli `json:"ended_at"`
	CreatedAt     clock.Milli `json:"created_at"`
	EditedAt      clock.Milli `json:"edited_at"`      // the times above count from then
	Steps         []Step      `json:"steps" gorm:"-"` // of an SOP
	Open          []Noted     `json:"open_days" gorm:"-"`

	// Of the last 30 days: how often it was due, and held.
	Due  int `json:"due_30_days" gorm:"-"`
	Held int `json:"held_30_days" gorm:"-"`
}

// Noted is a day of a ritual that may still be noted, today or yesterday, and
// what was noted of it. Steps are those that were done, Left those that were not.
type Noted struct {
	Day    int         `json:"day"`
	DueAt  clock.Milli `json:"due_at"`
	HeldAt clock.Milli `json:"held_at"`
	People int         `json:"people"`
	Steps  []int       `json:"steps"`
	Left   []Left      `json:"left"`
}

// Left is a step of a day that nobody noted as done.
type Left struct {
	Step  int         `json:"step"`
	Title string      `json:"title"`
	DueAt clock.Milli `json:"due_at"`
}

const columns = "id, group_id, kind, title, weekdays, minute_of_day, remind_minutes, version, ended_at, created_at, edited_at"

// eventDue reminds whoever keeps the group; docs/events.md says when.
const eventDue webhook.Type = "ritual.due"

// The refusals.
var (
	ErrEnded  = fault.New(fault.KindConflict, "ritual.ended", "这个固定互动已停", "this ritual has ended")
	ErrNotDue = fault.New(fault.KindConflict, "ritual.not_due", "只能登记今天或昨天到点的", "only what was due today or yesterday can be noted")
	ErrFull   = fault.New(fault.KindConflict, "ritual.full", "一个群最多 {max} 个固定互动", "a group has at most {max} rituals")
)

// ritualsMost is how many rituals a group may have at a time.
const ritualsMost = 20

// In is a ritual to set up.
type In struct {
	Kind          Kind     `json:"kind"`
	Title         string   `json:"title"`
	Weekdays      Weekdays `json:"weekdays"`
	MinuteOfDay   int      `json:"minute_of_day"`
	RemindMinutes int      `json:"remind_minutes"`
	Steps         []StepIn `json:"steps"`
}

// Validate checks the ritual's form.
func (in In) Validate() error {
	var c fault.Check
	c.OneOf(string(in.Kind), "kind", string(KindTopic), string(KindGame), string(KindQuiz), string(KindCheckin), string(KindRedPacket), string(KindSOP))
	title := community.CleanLine(in.Title)
	c.Required(title, "title")
	c.Length(title, "title", 100)
	c.That(in.Weekdays.valid(), "weekdays", "range", "1（周一）到 7（周日），至少一天，不重复", "from 1 (Monday) to 7 (Sunday), one at least, each once")
	c.Range(int64(in.MinuteOfDay), "minute_of_day", 0, 24*60-1)
	c.Range(int64(in.RemindMinutes), "remind_minutes", 0, int64(remindMost/time.Minute))
	in.checkSteps(&c)
	return c.Err()
}

// Create sets a ritual up in a group that the actor may see.
func (s *Service) Create(ctx context.Context, group id.Group, in In) (id.Ritual, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	var made id.Ritual
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		g, err := community.LockGroupTx(tx, group)
		switch {
		case err != nil:
			return err
		case !g.SeenBy(tx.Actor):
			return fault.NotFound
		}
		var n int
		if err := tx.Raw("SELECT COUNT(*) FROM rituals WHERE group_id = ? AND ended_at = 0", group).Scan(&n).Error; err != nil {
			return fmt.Errorf("ritual: of %s: %w", group, err)
		}
		if n >= ritualsMost {
			return ErrFull.With("max", ritualsMost)
		}
		made = id.Ritual(tx.Next())
		err = tx.Exec("INSERT INTO rituals ("+columns+") VALUES (?, ?, ?, ?, ?, ?, ?, 1, 0, ?, 0)",
			made, group, in.Kind, community.CleanLine(in.Title), in.Weekdays.mask(), in.MinuteOfDay, in.RemindMinutes, tx.Now).Error
		if err != nil {
			return fmt.Errorf("ritual: create: %w", err)
		}
		if err := insertSteps(tx, made, in.Steps); err != nil {
			return err
		}
		tx.SetResult("ritual", int64(made), 201)
		return database.AuditTx(tx, "ritual.create", made, nil, in)
	})
	return made, err
}

// End ends a ritual; once more changes nothing.
func (s *Service) End(ctx context.Context, ritual id.Ritual) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		r, err := s.seen(tx.DB, tx.Actor, ritual)
		if err != nil || r.EndedAt != 0 {
			return err
		}
		if err := tx.Exec("UPDATE rituals SET ended_at = ? WHERE id = ? AND ended_at = 0", tx.Now, ritual).Error; err != nil {
			return err
		}
		return database.AuditTx(tx, "ritual.end", ritual, nil, nil)
	})
}

// seen reads a ritual of a group that the actor may see.
func (s *Service) seen(q *database.Query, actor database.Actor, ritual id.Ritual) (Ritual, error) {
	list, err := read(q, "id = ?", ritual)
	if err == nil && len(list) == 0 {
		err = fault.NotFound
	}
	if err != nil {
		return Ritual{}, err
	}
	known, err := community.GroupsIn(q, []id.Group{list[0].GroupID})
	if err == nil && !known[list[0].GroupID].SeenBy(actor) {
		err = fault.NotFound
	}
	return list[0], err
}

func read(q *database.Query, cond string, args ...any) ([]Ritual, error) {
	var rows []struct {
		Ritual
		Mask int `gorm:"column:weekdays"`
	}
	if err := q.Raw("SELECT "+columns+" FROM rituals WHERE "+cond, args...).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("ritual: read: %w", err)
	}
	out := make([]Ritual, len(rows))
	for i, r := range rows {
		out[i] = r.Ritual
		out[i].Weekdays = daysOf(r.Mask)
	}
	return out, readSteps(q, out)
}

// Find reads a ritual with its rate.
func (s *Service) Find(ctx context.Context, ritual id.Ritual) (Ritual, error) {
	q := s.DB.Read(ctx)
	r, err := s.seen(q, database.ActorOf(ctx), ritual)
	if err != nil {
		return Ritual{}, err
	}
	list := []Ritual{r}
	if err = s.rate(q, list); err == nil {
		err = s.open(q, list)
	}
	return list[0], err
}

// List lists a group's rituals, those that last.
func (s *Service) List(ctx context.Context, group id.Group) ([]Ritual, error) {
	q := s.DB.Read(ctx)
	known, err := community.GroupsIn(q, []id.Group{group})
	switch {
	case err != nil:
		return nil, err
	case known[group].ID == 0 || !known[group].SeenBy(database.ActorOf(ctx)):
		return nil, fault.NotFound
	}
	list, err := read(q, "group_id = ? AND ended_at = 0 ORDER BY minute_of_day, id", group)
	if err != nil {
		return nil, err
	}
	if err := s.rate(q, list); err != nil {
		return nil, err
	}
	return list, s.open(q, list)
}

// rateDays is over how many days the execution rate goes.
const rateDays = 30

// rate fills in how often rituals were due and held in the last 30 days; what
// is due and not over yet does not count.
func (s *Service) rate(q *database.Query, list []Ritual) error {
	now := clock.MilliOf(s.DB.Clock.Now())
	for i := range list {
		var n struct{ Due, Held int }
		err := q.Raw(`SELECT COUNT(*) AS due, COALESCE(SUM(CASE WHEN held_at <> 0 THEN 1 ELSE 0 END), 0) AS held FROM ritual_days
			WHERE ritual_id = ? AND due_at > ? AND (due_at <= ? OR held_at <> 0)`, list[i].ID, now.Add(-rateDays*24*time.Hour), now).Scan(&n).Error
		if err != nil {
			return fmt.Errorf("ritual: rate of %s: %w", list[i].ID, err)
		}
		list[i].Due, list[i].Held = n.Due, n.Held
		if len(list[i].Steps) > 0 {
			if err := s.rateSteps(q, &list[i]); err != nil {
				return err
			}
		}
	}
	return nil
}
