package health

import (
	"encoding/json"
	"fmt"
	"slices"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// judgeTx judges the days that are over since the first whose judgement no
// longer stands, and writes what the group is now.
func (c *course) judgeTx(tx *database.Tx) error {
	s, before := &c.stands, c.stands
	newest := Judgement{Fall: Unknown}
	first := max(s.Redo, c.born)
	s.Redo = 0
	h, err := c.history(tx.DB, first)
	if err != nil {
		return err
	}
	var rows []healthRow
	since, state, err := c.before(tx.DB, first)
	if err != nil {
		return err
	}
	for i, d := range h.Days {
		if d.Day < first || d.Day >= c.today {
			continue
		}
		j := h.judge(i)
		if newest = j; j.State != state {
			since, state = d.Day, j.State
		}
		row, err := rowOf(c.group.ID, j)
		if err != nil {
			return err
		}
		rows = append(rows, row)
		s.Day, s.State, s.Since, s.Coverage, s.DAR, s.Fatigue = j.Day, j.State, since, j.Coverage, j.DAR, j.Fatigue
	}
	if err := c.writeTx(tx, first, rows); err != nil {
		return err
	}
	last := len(h.Days) - 1
	content, ads := h.content(last)
	s.Content, s.Ads = Figure(content), ads
	s.Held = h.held(last)
	s.JudgedAt = tx.Now
	return tellTx(tx, before, *s, newest)
}

// history reads the days a judgement from the first day on looks at, up to
// today: the weeks before it, and those that are the group's own measure.
func (c *course) history(q *database.Query, first int) (History, error) {
	h := History{Born: c.born}
	from, ownFirst, ownLast := plus(first, -adsBack), plus(c.born, ownFrom-1), plus(c.born, ownTo-1)
	var rows []Day
	err := q.Raw("SELECT * FROM group_days WHERE group_id = ? AND day <= ? AND (day >= ? OR day >= ? AND day <= ?) ORDER BY day",
		c.group.ID, c.today, from, ownFirst, ownLast).Scan(&rows).Error
	if err != nil {
		return h, fmt.Errorf("health: days of %s: %w", c.group.ID, err)
	}
	h.Days = unbroken(rows, c.today)
	return h, c.moments(q, &h, clock.MilliOf(noon(from)))
}

// adsBack is how far back ads are looked at: what came before weighs little.
const adsBack = 100

// moments reads the ads since a moment, and if there were any who left and who
// refused.
func (c *course) moments(q *database.Query, h *History, since clock.Milli) error {
	var ads []clock.Milli
	if err := q.Raw("SELECT at FROM group_ads WHERE group_id = ? AND at >= ? ORDER BY at", c.group.ID, since).Scan(&ads).Error; err != nil {
		return fmt.Errorf("health: ads of %s: %w", c.group.ID, err)
	}
	for _, at := range ads {
		h.Ads = append(h.Ads, Ad{at, clock.Day(at.Time(), c.zone)})
	}
	if len(ads) == 0 {
		return nil
	}
	err := q.Raw("SELECT left_at FROM memberships WHERE group_id = ? AND left_at >= ? AND role NOT IN (?, ?) ORDER BY left_at",
		c.group.ID, since, community.RoleAdmin, community.RoleOwner).Scan(&h.Leaves).Error
	if err != nil {
		return fmt.Errorf("health: who left %s: %w", c.group.ID, err)
	}
	err = q.Raw(`SELECT c.at FROM memberships s JOIN consents c ON c.member_id = s.member_id AND c.purpose = ?
		WHERE s.group_id = ? AND c.granted = 0 AND c.at >= ? ORDER BY c.at`, community.PurposeMarketing, c.group.ID, since).Scan(&h.Refusals).Error
	if err != nil {
		return fmt.Errorf("health: who refused in %s: %w", c.group.ID, err)
	}
	return nil
}

// unbroken fills the days between the first row and today: of a day without a
// row nothing is known.
func unbroken(rows []Day, today int) []Day {
	if len(rows) == 0 {
		return []Day{{Day: today, Size: Unknown}}
	}
	out := make([]Day, 0, between(rows[0].Day, today)+1)
	for _, r := range rows {
		for len(out) > 0 && plus(out[len(out)-1].Day, 1) < r.Day {
			out = append(out, Day{Day: plus(out[len(out)-1].Day, 1), Size: Unknown})
		}
		out = append(out, r)
	}
	for last := out[len(out)-1].Day; last < today; {
		last = plus(last, 1)
		out = append(out, Day{Day: last, Size: Unknown})
	}
	return out
}

// healthRow is one day's judgement as it lies in the table.
type healthRow struct {
	GroupID  id.Group `gorm:"column:group_id"`
	Day      int      `gorm:"column:day"`
	State    State    `gorm:"column:state"`
	Coverage int      `gorm:"column:coverage"`
	Metrics  string   `gorm:"column:metrics"`
}

// TableName is the table's.
func (healthRow) TableName() string { return "group_health" }

func rowOf(group id.Group, j Judgement) (healthRow, error) {
	text, err := json.Marshal(j)
	return healthRow{group, j.Day, j.State, j.Coverage, string(text)}, err
}

// before is the state on the day before the first, and since when.
func (c *course) before(q *database.Query, first int) (since int, state State, err error) {
	var days []healthRow
	err = q.Raw("SELECT day, state FROM group_health WHERE group_id = ? AND day < ? ORDER BY day DESC", c.group.ID, first).Scan(&days).Error
	if err != nil || len(days) == 0 {
		return 0, "", err
	}
	state, since = days[0].State, days[0].Day
	for _, d := range days {
		if d.State != state {
			break
		}
		since = d.Day
	}
	return since, state, nil
}

// writeTx puts the judgements in the place of those since the first day.
func (c *course) writeTx(tx *database.Tx, first int, rows []healthRow) error {
	if err := tx.Exec("DELETE FROM group_health WHERE group_id = ? AND day >= ?", c.group.ID, first).Error; err != nil {
		return fmt.Errorf("health: judgements of %s: %w", c.group.ID, err)
	}
	for part := range slices.Chunk(rows, 500) {
		if err := tx.Create(&part).Error; err != nil {
			return fmt.Errorf("health: judgements of %s: %w", c.group.ID, err)
		}
	}
	return nil
}
