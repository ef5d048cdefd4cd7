package health

import (
	"context"
	"encoding/json"
	"fmt"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Report is all that is known of a group's health. A group is a community 社群
// once it has a pass, for good; until then it is a group 群. Incubation says how
// its first 90 days look today.
type Report struct {
	GroupID    id.Group    `json:"group_id"`
	Name       string      `json:"name"`
	Community  bool        `json:"community"`
	Standing   *Standing   `json:"standing"` // null before a day was over
	Tier       Tier        `json:"tier"`
	Metrics    []Metric    `json:"metrics"`
	Pyramid    Pyramid     `json:"pyramid"`
	Core       Core        `json:"core"`
	Head       Head        `json:"head"`
	Sales      Sales       `json:"sales"`
	Inviters   []Inviter   `json:"inviters"` // up to 20, who brought most first
	Incubation Incubation  `json:"incubation"`
	Pass       *Pass       `json:"pass"`    // null until it passed
	History    []Judgement `json:"history"` // up to 90 days, oldest first
	Advice     []Advice    `json:"advice"`  // what to do next, the most urgent first
}

// FindReport reads a group's health in one snapshot.
func (s *Service) FindReport(ctx context.Context, group id.Group) (Report, error) {
	var out Report
	g, err := (&community.Service{DB: s.DB}).FindGroup(ctx, group)
	if err != nil {
		return out, err
	}
	today, err := s.today(g)
	if err != nil {
		return out, err
	}
	err = s.DB.Snapshot(ctx, func(q *database.Query) error {
		out, _, err = report(q, g, today)
		return err
	})
	return out, err
}

// report works the group's health out, and hands on who is in it.
func report(q *database.Query, g community.Group, today int) (Report, Crowd, error) {
	out := Report{GroupID: g.ID, Name: g.Name, Metrics: []Metric{}, History: []Judgement{}, Inviters: []Inviter{}}
	c, err := courseOf(q, g, today)
	if err != nil {
		return out, Crowd{}, err
	}
	people, err := crowd(q, g, today, c.zone)
	if err != nil {
		return out, people, err
	}
	out.Pyramid, out.Core, out.Head = people.pyramid(), people.core(), people.head()
	out.Sales, out.Inviters = people.sales(), people.inviters()
	if c.stands.State != "" {
		out.Standing = &c.stands
	}
	if out.History, err = judgements(q, g.ID, plus(today, -backDays)); err != nil {
		return out, people, err
	}
	h, err := c.history(q, max(c.born, plus(today, -backDays)))
	if err != nil {
		return out, people, err
	}
	if i := len(h.Days) - 2; i >= 0 {
		out.Tier, out.Metrics = tierOf(h.Days[i].Size), metrics(g, h, i, people)
	}
	out.Incubation, err = c.incubation(q, people)
	if err != nil {
		return out, people, err
	}
	out.Pass, err = passOf(q, g.ID)
	out.Community = out.Pass != nil
	out.Advice = advise(out)
	return out, people, err
}

// incubation reads the group's first 90 days, and who was in it at their end.
func (c *course) incubation(q *database.Query, now Crowd) (Incubation, error) {
	h, err := c.firstDays(q)
	if err != nil {
		return Incubation{}, err
	}
	end := c.hatchedBy()
	if end < c.today {
		if now, err = crowd(q, c.group, end, c.zone); err != nil {
			return Incubation{}, err
		}
	}
	now.Today = end
	return incubation(c.group, h, now, between(c.born, c.today)+1), nil
}

// hatchedBy is the day after the group's ninetieth, or today before that.
func (c *course) hatchedBy() int { return min(c.today, plus(c.born, incubationDays)) }

// firstDays are those of the group's first 90 days that are over.
func (c *course) firstDays(q *database.Query) (History, error) {
	then := *c
	then.today = c.hatchedBy()
	h, err := then.history(q, c.born)
	if err == nil {
		h.Days = h.Days[:len(h.Days)-1]
	}
	return h, err
}

// judgements are a group's history since a day.
func judgements(q *database.Query, group id.Group, since int) ([]Judgement, error) {
	var rows []string
	err := q.Raw("SELECT metrics FROM group_health WHERE group_id = ? AND day >= ? ORDER BY day", group, since).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("health: history of %s: %w", group, err)
	}
	out := make([]Judgement, len(rows))
	for i, text := range rows {
		if err := json.Unmarshal([]byte(text), &out[i]); err != nil {
			return nil, fmt.Errorf("health: history of %s: %w", group, err)
		}
	}
	return out, nil
}
