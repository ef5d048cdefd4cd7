// Package welcome greets the new members of a group together, at hours the
// group states, so that each newcomer does not bring a message of his own.
//
// Tables: welcome_rules, welcomes. What holds always: a group is told once for
// an hour; nobody is greeted twice for one joining; nothing is said in the
// quiet hours of the charter, and whom that leaves out is greeted at the next
// hour. A greeting is no ad: its text holds no address, and the guard neither
// counts nor delays it. Siyu posts nothing itself; whoever hears
// group.welcome does. api sets it, the worker tells.
package welcome

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Service is the room's use cases.
type Service struct {
	DB *database.DB
}

// Rules are when and how a group greets; no minutes: not at all. Version is 0
// where nobody said anything.
type Rules struct {
	GroupID id.Group    `json:"group_id"`
	Version int         `json:"version"`
	Minutes []int       `json:"minutes_of_day" gorm:"-"` // of the group's local day
	TextZH  string      `json:"text_zh"`
	TextEN  string      `json:"text_en"`
	Since   clock.Milli `json:"-"` // who joined before is not new
}

// In are rules to set.
type In struct {
	Minutes []int  `json:"minutes_of_day"`
	TextZH  string `json:"text_zh"`
	TextEN  string `json:"text_en"`
}

// Validate checks the rules' form.
func (in In) Validate() error {
	var c fault.Check
	sorted := slices.Sorted(slices.Values(in.Minutes))
	c.Range(int64(len(sorted)), "minutes_of_day", 0, 8)
	for i, m := range sorted {
		c.That(m >= 0 && m < 24*60 && (i == 0 || m-sorted[i-1] >= least), "minutes_of_day", "range", "0 到 1439，彼此至少隔 30 分钟", "from 0 to 1439, at least 30 minutes apart")
	}
	for _, x := range []struct{ name, text string }{{"text_zh", in.TextZH}, {"text_en", in.TextEN}} {
		c.That(len(in.Minutes) == 0 || community.CleanLine(x.text) != "", x.name, "required", "必填", "is required")
		c.Length(x.text, x.name, 200)
		c.That(!strings.Contains(x.text, "://") && !strings.Contains(strings.ToLower(x.text), "www."), x.name, "no_ad", "欢迎语不带链接，推广请走推送计划", "holds no link; ads are promotions")
	}
	return c.Err()
}

// least is how many minutes lie between two greetings.
const least = 30

func find(q *database.Query, group id.Group, lock string) (Rules, error) {
	list, err := read(q, "group_id = ?"+lock, group)
	if err != nil || len(list) == 0 {
		return Rules{GroupID: group, Minutes: []int{}}, err
	}
	return list[0], nil
}

func read(q *database.Query, cond string, args ...any) ([]Rules, error) {
	var rows []struct {
		Rules
		Text string `gorm:"column:minutes"`
	}
	if err := q.Raw("SELECT group_id, version, minutes, text_zh, text_en, since FROM welcome_rules WHERE "+cond, args...).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("welcome: rules: %w", err)
	}
	out := make([]Rules, len(rows))
	for i, r := range rows {
		out[i] = r.Rules
		if err := json.Unmarshal([]byte(r.Text), &out[i].Minutes); err != nil {
			return nil, fmt.Errorf("welcome: minutes of %s: %w", r.GroupID, err)
		}
	}
	return out, nil
}

// Find reads the rules of a group that the actor may see.
func (s *Service) Find(ctx context.Context, group id.Group) (Rules, error) {
	q := s.DB.Read(ctx)
	known, err := community.GroupsIn(q, []id.Group{group})
	switch {
	case err != nil:
		return Rules{}, err
	case known[group].ID == 0 || !known[group].SeenBy(database.ActorOf(ctx)):
		return Rules{}, fault.NotFound
	}
	return find(q, group, "")
}

// Set replaces the rules when version is the one last read, 0 for a group that
// has none. Who joins from now on is new.
func (s *Service) Set(ctx context.Context, group id.Group, version int, in In) (Rules, error) {
	if err := in.Validate(); err != nil {
		return Rules{}, err
	}
	after := Rules{GroupID: group, Version: version + 1, Minutes: append([]int{}, slices.Sorted(slices.Values(in.Minutes))...),
		TextZH: community.CleanLine(in.TextZH), TextEN: community.CleanLine(in.TextEN)}
	text, err := json.Marshal(after.Minutes)
	if err != nil {
		return after, err
	}
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		if _, err := community.LockGroupTx(tx, group); err != nil {
			return err
		}
		before, err := find(tx.DB, group, tx.Dialect.ForUpdate)
		switch {
		case err != nil:
			return err
		case before.Version != version:
			return fault.Stale
		}
		if after.Since = before.Since; len(before.Minutes) == 0 {
			after.Since = tx.Now
		}
		if version == 0 {
			err = tx.Exec("INSERT INTO welcome_rules (group_id, version, minutes, text_zh, text_en, since) VALUES (?, 1, ?, ?, ?, ?)", group, string(text), after.TextZH, after.TextEN, after.Since).Error
		} else {
			err = database.One(tx.Exec("UPDATE welcome_rules SET version = version + 1, minutes = ?, text_zh = ?, text_en = ?, since = ? WHERE group_id = ?"+tx.Only("version = ?"),
				string(text), after.TextZH, after.TextEN, after.Since, group, version), fault.Stale)
		}
		if err != nil {
			return err
		}
		return database.AuditTx(tx, "group.welcome", group, before, after)
	})
	return after, err
}

// render puts the group's name and how many came into a text.
func render(text, group string, people int) string {
	return strings.NewReplacer("{group}", group, "{people}", strconv.Itoa(people)).Replace(text)
}
