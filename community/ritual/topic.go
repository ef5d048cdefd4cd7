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

// Topic is what a group is to talk about on one day. Joined are the members who
// took part, by the events that name it; nil while nothing of that is known.
type Topic struct {
	ID            id.Topic    `json:"id"`
	GroupID       id.Group    `json:"group_id"`
	Day           int         `json:"day"`
	Title         string      `json:"title"`
	StartsAt      clock.Milli `json:"starts_at" gorm:"column:due_at"`
	RemindMinutes int         `json:"remind_minutes"`
	HeldAt        clock.Milli `json:"held_at"`
	People        int         `json:"people"`
	CancelledAt   clock.Milli `json:"cancelled_at"`
	CreatedAt     clock.Milli `json:"created_at"`
	Joined        *int        `json:"joined" gorm:"-"`
}

const topicColumns = "id, group_id, day, title, due_at, remind_minutes, held_at, people, cancelled_at, created_at"

// eventTopicDue reminds whoever keeps the group; docs/events.md says when.
const eventTopicDue webhook.Type = "topic.due"

// The refusals of topics.
var (
	ErrTopicsFull = fault.New(fault.KindConflict, "ritual.topics_full", "一个群一天最多 {max} 个话题", "a group has at most {max} topics a day")
	ErrTopicBegun = fault.New(fault.KindConflict, "ritual.topic_begun", "话题已开始，不能取消", "the topic has begun and cannot be called off")
	ErrTopicOff   = fault.New(fault.KindConflict, "ritual.topic_cancelled", "这个话题已取消", "this topic was called off")
)

// What bounds topics: so many a day, and so far ahead.
const (
	topicsMost  = 5
	topicsAhead = 90 * 24 * time.Hour
)

// TopicIn is a topic to plan.
type TopicIn struct {
	Title         string      `json:"title"`
	StartsAt      clock.Milli `json:"starts_at"`
	RemindMinutes int         `json:"remind_minutes"`
}

// Validate checks the plan's form.
func (in TopicIn) Validate() error {
	var c fault.Check
	title := community.CleanLine(in.Title)
	c.Required(title, "title")
	c.Length(title, "title", 100)
	c.That(in.StartsAt != 0, "starts_at", "required", "必填", "is required")
	c.Range(int64(in.RemindMinutes), "remind_minutes", 0, 120)
	return c.Err()
}

// PlanTopic plans a topic of a group that the actor may see.
func (s *Service) PlanTopic(ctx context.Context, group id.Group, in TopicIn) (id.Topic, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	var made id.Topic
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		g, err := community.LockGroupTx(tx, group)
		switch {
		case err != nil:
			return err
		case !g.SeenBy(tx.Actor):
			return fault.NotFound
		case in.StartsAt <= tx.Now || in.StartsAt > tx.Now.Add(topicsAhead):
			return fault.Invalid.Field("starts_at", "range", "应在现在之后 90 天内", "must lie ahead, by 90 days at most")
		}
		zone, err := g.Location()
		if err != nil {
			return err
		}
		day := clock.Day(in.StartsAt.Time(), zone)
		var n int
		if err := tx.Raw("SELECT COUNT(*) FROM topics WHERE group_id = ? AND day = ? AND cancelled_at = 0", group, day).Scan(&n).Error; err != nil {
			return fmt.Errorf("ritual: topics of %s: %w", group, err)
		}
		if n >= topicsMost {
			return ErrTopicsFull.With("max", topicsMost)
		}
		made = id.Topic(tx.Next())
		err = tx.Exec(`INSERT INTO topics (id, group_id, day, title, due_at, remind_minutes, remind_at, reminded_at, held_at, people, held_by, cancelled_at, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, ?)`, made, group, day, community.CleanLine(in.Title), in.StartsAt, in.RemindMinutes,
			in.StartsAt.Add(-time.Duration(in.RemindMinutes)*time.Minute), tx.Now).Error
		if err != nil {
			return fmt.Errorf("ritual: plan a topic: %w", err)
		}
		tx.SetResult("topic", int64(made), 201)
		return database.AuditTx(tx, "topic.plan", made, nil, in)
	})
	return made, err
}

// CancelTopic calls a topic off before it begins; once more changes nothing.
func (s *Service) CancelTopic(ctx context.Context, topic id.Topic) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		t, err := seenTopic(tx.DB, tx.Actor, topic)
		switch {
		case err != nil || t.CancelledAt != 0:
			return err
		case t.StartsAt <= tx.Now || t.HeldAt != 0:
			return ErrTopicBegun
		}
		err = database.One(tx.Exec("UPDATE topics SET cancelled_at = ? WHERE id = ?"+tx.Only("held_at = 0"), tx.Now, topic), ErrTopicBegun)
		if err != nil {
			return err
		}
		return database.AuditTx(tx, "topic.cancel", topic, nil, nil)
	})
}

// HoldTopic notes on the topic's day, or the day after, that it was held and how
// many took part; the last word counts.
func (s *Service) HoldTopic(ctx context.Context, topic id.Topic, people int) error {
	if err := (HoldIn{People: people}).Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		t, err := seenTopic(tx.DB, tx.Actor, topic)
		if err != nil {
			return err
		}
		g, err := community.LockGroupTx(tx, t.GroupID)
		if err != nil {
			return err
		}
		zone, err := g.Location()
		if err != nil {
			return err
		}
		now := tx.Now.Time()
		if !slices.Contains([]int{clock.Day(now, zone), clock.Day(now.AddDate(0, 0, -1), zone)}, t.Day) {
			return ErrNotDue
		}
		err = database.One(tx.Exec("UPDATE topics SET held_at = ?, people = ?, held_by = ? WHERE id = ?"+tx.Only("cancelled_at = 0"),
			tx.Now, people, tx.Actor.Staff, topic), ErrTopicOff)
		if err != nil {
			return err
		}
		if err := community.GatherTx(tx, t.GroupID, t.Day, int64(topic), people); err != nil {
			return err
		}
		tx.SetResult("topic", int64(topic), 200)
		return database.AuditTx(tx, "topic.hold", topic, nil, map[string]int{"people": people})
	})
}

// FindTopic reads a topic with who took part.
func (s *Service) FindTopic(ctx context.Context, topic id.Topic) (Topic, error) {
	q := s.DB.Read(ctx)
	t, err := seenTopic(q, database.ActorOf(ctx), topic)
	if err != nil {
		return t, err
	}
	list := []Topic{t}
	err = joined(q, t.GroupID, list)
	return list[0], err
}

// ListTopics lists a group's topics, the newest planned first.
func (s *Service) ListTopics(ctx context.Context, group id.Group, page database.Page) (database.Paged[Topic], error) {
	q := s.DB.Read(ctx)
	if err := community.Seen(ctx, q, group); err != nil {
		return database.Paged[Topic]{}, err
	}
	list, err := topics(q, "group_id = ? AND id < ? ORDER BY id DESC LIMIT ?", group, page.Bound(), page.Fetch())
	if err != nil {
		return database.Paged[Topic]{}, err
	}
	if err := joined(q, group, list); err != nil {
		return database.Paged[Topic]{}, err
	}
	return database.Cut(page, list, func(t Topic) int64 { return int64(t.ID) }), nil
}

func topics(q *database.Query, cond string, args ...any) ([]Topic, error) {
	list := []Topic{}
	if err := q.Raw("SELECT "+topicColumns+" FROM topics WHERE "+cond, args...).Scan(&list).Error; err != nil {
		return nil, fmt.Errorf("ritual: topics: %w", err)
	}
	return list, nil
}

// seenTopic reads a topic of a group that the actor may see.
func seenTopic(q *database.Query, actor database.Actor, topic id.Topic) (Topic, error) {
	list, err := topics(q, "id = ?", topic)
	if err == nil && len(list) == 0 {
		err = fault.NotFound
	}
	if err != nil {
		return Topic{}, err
	}
	known, err := community.GroupsIn(q, []id.Group{list[0].GroupID})
	if err == nil && !known[list[0].GroupID].SeenBy(actor) {
		err = fault.NotFound
	}
	return list[0], err
}

// joined fills in who took part. Of a day of which not all was reported, nobody
// having named the topic says nothing.
func joined(q *database.Query, group id.Group, list []Topic) error {
	names, days := make([]string, len(list)), make([]int, len(list))
	for i, t := range list {
		names[i], days[i] = t.ID.String(), t.Day
	}
	people, err := community.TopicPeople(q, group, names, days)
	if err != nil {
		return err
	}
	complete, err := community.CompleteDays(q, group, days)
	if err != nil {
		return err
	}
	for i, t := range list {
		if n := people[names[i]]; n > 0 || complete[t.Day] {
			list[i].Joined = &n
		}
	}
	return nil
}

// remindTopics reminds of the topics that begin soon or just began, each once.
func (s *Service) remindTopics(ctx context.Context) error {
	now := clock.MilliOf(s.DB.Clock.Now())
	for after := id.Topic(0); ; {
		list, err := topics(s.DB.Read(ctx), "remind_at <= ? AND remind_at > ? AND due_at > ? AND reminded_at = 0 AND cancelled_at = 0 AND id > ? ORDER BY id LIMIT ?",
			now, now.Add(-remindFor-remindMost), now.Add(-remindFor), after, lookAtOnce)
		if err != nil || len(list) == 0 {
			return err
		}
		groups := make([]id.Group, len(list))
		for i, t := range list {
			groups[i] = t.GroupID
		}
		known, err := community.GroupsIn(s.DB.Read(ctx), groups)
		if err != nil {
			return err
		}
		for _, t := range list {
			after = t.ID
			if g := known[t.GroupID]; g.Status == community.GroupActive {
				if err := s.topicDue(ctx, t, g); err != nil {
					return err
				}
			}
		}
	}
}

func (s *Service) topicDue(ctx context.Context, t Topic, g community.Group) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		res := tx.Exec("UPDATE topics SET reminded_at = ? WHERE id = ? AND reminded_at = 0 AND cancelled_at = 0", tx.Now, t.ID)
		if res.Error != nil || res.RowsAffected == 0 {
			return res.Error // another replica was first
		}
		return webhook.PublishTx(tx, eventTopicDue, map[string]any{
			"topic_id": t.ID, "group_id": t.GroupID, "owner_id": g.OwnerID, "title": t.Title, "due_at": t.StartsAt,
		})
	})
}
