package review

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Setting is what a policy says about one rule.
type Setting struct {
	Act   Act   `json:"act"`
	Limit int64 `json:"limit"`
}

// Policy is what rewards are held to. Version 1 is the house's own; a brand's
// versions count from 2 and never change.
type Policy struct {
	Version   int
	Rules     map[Rule]Setting
	AlarmDays int // a case older than this is told of, again and again
}

// Bounds of AlarmDays.
const (
	alarmDays    = 3
	alarmDaysMax = 60
)

// DefaultPolicy is the policy while nobody has set one.
func DefaultPolicy() Policy {
	p := Policy{Version: 1, Rules: make(map[Rule]Setting, len(rules)), AlarmDays: alarmDays}
	for _, r := range rules {
		p.Rules[r.name] = Setting{r.act, r.limit}
	}
	return p
}

// String names the version in the audit.
func (p Policy) String() string { return fmt.Sprintf("review_policy_%d", p.Version) }

// PolicyIn is a policy as it comes in; a rule or field left out takes its
// default.
type PolicyIn struct {
	Rules     map[Rule]SettingIn `json:"rules"`
	AlarmDays int                `json:"alarm_days"`
}

// SettingIn is one rule of it.
type SettingIn struct {
	Act   Act    `json:"act"`
	Limit *int64 `json:"limit"`
}

// Validate names everything wrong with the input.
func (in PolicyIn) Validate() error {
	var c fault.Check
	known := map[Rule]rule{}
	for _, r := range rules {
		known[r.name] = r
	}
	for _, name := range slices.Sorted(maps.Keys(in.Rules)) {
		at, set := "rules."+string(name), in.Rules[name]
		r, ok := known[name]
		c.That(ok, at, "unknown_value", "没有这条规则", "there is no such rule")
		if !ok {
			continue
		}
		if set.Act != "" {
			c.OneOf(string(set.Act), at+".act", acts(r)...)
		}
		if set.Limit != nil {
			c.Range(*set.Limit, at+".limit", r.min, r.max)
		}
	}
	c.Range(int64(in.AlarmDays), "alarm_days", 0, alarmDaysMax)
	return c.Err()
}

func acts(r rule) []string {
	list := []string{string(ActOff), string(ActReview)}
	if r.refuses {
		list = append(list, string(ActRefuse))
	}
	return list
}

// policy lays the input over the defaults.
func (in PolicyIn) policy(version int) Policy {
	p := DefaultPolicy()
	p.Version = version
	if in.AlarmDays != 0 {
		p.AlarmDays = in.AlarmDays
	}
	for name, set := range in.Rules {
		s := p.Rules[name]
		if set.Act != "" {
			s.Act = set.Act
		}
		if set.Limit != nil {
			s.Limit = *set.Limit
		}
		p.Rules[name] = s
	}
	return p
}

// ShownPolicy is a policy with what each rule may be set to.
type ShownPolicy struct {
	Version   int         `json:"version"`
	AlarmDays int         `json:"alarm_days"`
	Rules     []ShownRule `json:"rules"`
	SetBy     id.Staff    `json:"set_by"`
	SetAt     clock.Milli `json:"set_at"`
}

// ShownRule is one rule as it is set, with its default and bounds.
type ShownRule struct {
	Rule         Rule     `json:"rule"`
	Act          Act      `json:"act"`
	Limit        int64    `json:"limit"`
	DefaultAct   Act      `json:"default_act"`
	DefaultLimit int64    `json:"default_limit"`
	Min          int64    `json:"min"`
	Max          int64    `json:"max"`
	Acts         []string `json:"acts"`
}

func (p Policy) shown() ShownPolicy {
	out := ShownPolicy{Version: p.Version, AlarmDays: p.AlarmDays}
	for _, r := range rules {
		set := p.Rules[r.name]
		out.Rules = append(out.Rules, ShownRule{r.name, set.Act, set.Limit, r.act, r.limit, r.min, r.max, acts(r)})
	}
	return out
}

// policyRow is a version as it lies in the table.
type policyRow struct {
	Number    int
	Policy    string
	StaffID   id.Staff
	CreatedAt clock.Milli
}

func (policyRow) TableName() string { return "review_policies" }

// PolicyNow is the policy in force.
func PolicyNow(q *database.Query) (Policy, error) {
	p, _, err := newest(q)
	return p, err
}

func newest(q *database.Query) (Policy, policyRow, error) {
	var row policyRow
	err := q.Raw("SELECT number, policy, staff_id, created_at FROM review_policies ORDER BY number DESC LIMIT 1").Scan(&row).Error
	if err != nil || row.Number == 0 {
		return DefaultPolicy(), row, err
	}
	var in PolicyIn
	if err := json.Unmarshal([]byte(row.Policy), &in); err != nil {
		return Policy{}, row, fmt.Errorf("review: policy %d: %w", row.Number, err)
	}
	return in.policy(row.Number), row, nil
}

// FindPolicy is the policy in force with its bounds.
func (s *Service) FindPolicy(ctx context.Context) (ShownPolicy, error) {
	p, row, err := newest(s.DB.Read(ctx))
	out := p.shown()
	out.SetBy, out.SetAt = row.StaffID, row.CreatedAt
	return out, err
}

// SetPolicy adds the next version; rewards looked at from now on are held to
// it. Since is the version it was made from.
func (s *Service) SetPolicy(ctx context.Context, since int, in PolicyIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	text, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		if tx.Actor.Units != nil {
			return fault.Forbidden // the policy is the whole brand's
		}
		before, _, err := newest(tx.DB)
		if err != nil {
			return err
		}
		if before.Version != since {
			return fault.Stale
		}
		row := policyRow{before.Version + 1, string(text), tx.Actor.Staff, tx.Now}
		err = tx.Create(&row).Error
		switch {
		case database.IsDuplicate(err): // the same number, written at once
			return fault.Stale
		case err != nil:
			return fmt.Errorf("review: policy %d: %w", row.Number, err)
		}
		return database.AuditTx(tx, "review.policy", in.policy(row.Number), before.Rules, in)
	})
}
