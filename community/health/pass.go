package health

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// Pass is that a group passed incubation, with the criteria as they were found
// then. It is history: what becomes of the group later takes nothing away.
type Pass struct {
	Day      int         `json:"day"` // the last local day that was over
	PassedAt clock.Milli `json:"passed_at"`
	Criteria []Criterion `json:"criteria"`
}

// passRow is a pass as it lies in the table.
type passRow struct {
	GroupID  id.Group    `gorm:"column:group_id"`
	Day      int         `gorm:"column:day"`
	PassedAt clock.Milli `gorm:"column:passed_at"`
	Report   string      `gorm:"column:report"`
}

// TableName is the table's.
func (passRow) TableName() string { return "group_passes" }

func (r passRow) pass() (Pass, error) {
	p := Pass{Day: r.Day, PassedAt: r.PassedAt}
	if err := json.Unmarshal([]byte(r.Report), &p.Criteria); err != nil {
		return p, fmt.Errorf("health: pass of %s: %w", r.GroupID, err)
	}
	return p, nil
}

// passOf is a group's pass, nil if it has not passed.
func passOf(q *database.Query, group id.Group) (*Pass, error) {
	var rows []passRow
	if err := q.Raw("SELECT group_id, day, passed_at, report FROM group_passes WHERE group_id = ?", group).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("health: pass of %s: %w", group, err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	p, err := rows[0].pass()
	return &p, err
}

// hatch keeps that a group passed, once. It looks outside any transaction,
// because people are looked at one by one; what is found is what held when it
// looked.
func (s *Service) hatch(ctx context.Context, group id.Group) error {
	var found Incubation
	var day int
	err := s.DB.Snapshot(ctx, func(q *database.Query) error {
		var err error
		found, day, err = s.hatched(q, group)
		return err
	})
	if err != nil || !found.Passed {
		return err
	}
	report, err := json.Marshal(found.Criteria)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		if _, err := community.LockGroupTx(tx, group); errors.Is(err, community.ErrGroupClosed) {
			return nil
		} else if err != nil {
			return err
		}
		if kept, err := passOf(tx.DB, group); err != nil || kept != nil {
			return err // another replica was first
		}
		row := passRow{group, day, tx.Now, string(report)}
		if err := tx.Create(&row).Error; err != nil {
			return fmt.Errorf("health: pass of %s: %w", group, err)
		}
		return webhook.PublishTx(tx, eventPassed, passed{group, day, tx.Now, found.Criteria})
	})
}

// hatched judges a group that is old enough and has no pass yet; day is the
// last that was over. Who is in the group is read only where nothing that its
// days say fails it already.
func (s *Service) hatched(q *database.Query, group id.Group) (found Incubation, day int, err error) {
	known, err := community.GroupsIn(q, []id.Group{group})
	if err != nil {
		return found, 0, err
	}
	g := known[group]
	today, err := s.today(g)
	if err != nil {
		return found, 0, err
	}
	c, err := courseOf(q, g, today)
	if err != nil || between(c.born, today) < incubationDays {
		return found, 0, err
	}
	if kept, err := passOf(q, group); err != nil || kept != nil {
		return found, 0, err
	}
	h, err := c.firstDays(q)
	if err != nil {
		return found, 0, err
	}
	if incubation(g, h, Crowd{}, between(c.born, today)+1).fails() {
		return found, 0, nil
	}
	people, err := crowd(q, g, plus(c.born, incubationDays), c.zone)
	if err != nil {
		return found, 0, err
	}
	return incubation(g, h, people, between(c.born, today)+1), plus(today, -1), nil
}

// fails says that a criterion is known not to be met.
func (n Incubation) fails() bool {
	for _, k := range n.Criteria {
		if k.Passed != nil && !*k.Passed {
			return true
		}
	}
	return false
}

// provePasses looks at passes: each holds criteria, all of them met.
func provePasses(q *database.Query, p *database.Proof, groups []id.Group) error {
	var rows []passRow
	if err := q.Raw("SELECT group_id, day, passed_at, report FROM group_passes WHERE group_id IN ?", groups).Scan(&rows).Error; err != nil {
		return err
	}
	for _, r := range rows {
		kept, err := r.pass()
		if err != nil {
			return err
		}
		met := len(kept.Criteria) > 0
		for _, k := range kept.Criteria {
			met = met && k.Passed != nil && *k.Passed
		}
		if !met {
			p.Break("group %s day %d passed and its criteria say otherwise", r.GroupID, r.Day)
		}
	}
	return nil
}
