package grade

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/fault"
)

// Service is the room's use cases.
type Service struct {
	DB *database.DB
}

// RulesIn is a ladder to put in force.
type RulesIn struct {
	Grades []Grade `json:"grades"`
}

var key = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// Validate checks that each grade asks no less than the one below it, and the
// lowest nothing.
func (in RulesIn) Validate() error {
	var c fault.Check
	c.Range(int64(len(in.Grades)), "grades", 2, 6)
	seen, below := map[string]bool{}, Grade{}
	for i, g := range in.Grades[:min(len(in.Grades), 6)] {
		at := fmt.Sprintf("grades[%d]", i)
		c.That(key.MatchString(g.Key) && !seen[g.Key], at+".key", "format", "小写字母、数字、下划线，不重复", "lower case letters, digits and _, each once")
		seen[g.Key] = true
		for _, x := range []struct{ name, text string }{{"name_zh", g.NameZH}, {"name_en", g.NameEN}} {
			c.Required(community.CleanLine(x.text), at+"."+x.name)
			c.Length(x.text, at+"."+x.name, 20)
		}
		c.Range(int64(g.DaysIn), at+".days_in", 0, 3650)
		c.Range(int64(g.ActiveDays), at+".active_days", 0, window)
		c.Range(int64(g.Replies), at+".replies", 0, 1000)
		c.Range(int64(g.Attended), at+".attended", 0, 100)
		rises := below.reaches(Facts{g.DaysIn, g.ActiveDays, g.Replies, g.Attended}) && (i == 0) == (g.reaches(Facts{}))
		c.That(rises, at, "order", "最低一级不设条件，往上每级不低于前一级", "the lowest asks nothing, each above it something and no less than the one below")
		below = g
	}
	return c.Err()
}

// rules are those in force.
func rules(q *database.Query) (Rules, error) {
	r := house()
	var row struct {
		Version int
		Grades  string
	}
	if err := q.Raw("SELECT version, grades FROM grade_rules ORDER BY version DESC LIMIT 1").Scan(&row).Error; err != nil {
		return r, fmt.Errorf("grade: rules: %w", err)
	}
	if row.Version == 0 {
		return r, nil
	}
	r = Rules{Version: row.Version}
	if err := json.Unmarshal([]byte(row.Grades), &r.Grades); err != nil {
		return r, fmt.Errorf("grade: rules %d: %w", row.Version, err)
	}
	if len(r.Grades) == 0 {
		return r, fmt.Errorf("grade: rules %d hold no grade", row.Version)
	}
	return r, nil
}

// Rules are those in force; version 0 are the house's own.
func (s *Service) Rules(ctx context.Context) (Rules, error) { return rules(s.DB.Read(ctx)) }

// SetRules puts a ladder in force from the next night on when version is the
// one last read.
func (s *Service) SetRules(ctx context.Context, version int, in RulesIn) (Rules, error) {
	if err := in.Validate(); err != nil {
		return Rules{}, err
	}
	after := Rules{version + 1, in.Grades}
	text, err := json.Marshal(in.Grades)
	if err != nil {
		return after, err
	}
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		before, err := rules(tx.DB)
		switch {
		case err != nil:
			return err
		case before.Version != version:
			return fault.Stale
		}
		err = tx.Exec("INSERT INTO grade_rules (version, grades, created_by, created_at) VALUES (?, ?, ?, ?)", after.Version, string(text), tx.Actor.Staff, tx.Now).Error
		if database.IsDuplicate(err) {
			return fault.Stale
		}
		if err != nil {
			return fmt.Errorf("grade: set rules: %w", err)
		}
		return database.AuditTx(tx, "grade.rules", named(after.Version), before, after)
	})
	return after, err
}

// named is a version of the rules as an audited object.
type named int

// String names it.
func (v named) String() string { return fmt.Sprintf("grade_rules:%d", int(v)) }
