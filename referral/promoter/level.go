package promoter

import (
	"fmt"

	"siyu/internal/fault"
	"siyu/internal/money"
)

// Fact is what a level may ask for, counted over the ladder's period.
type Fact string

// The facts: orders the promoter paid himself; those he brought whose reward
// cleared, each once; what cleared for him as an inviter less what was clawed
// back, in fen.
const (
	FactOwnOrders    Fact = "own_orders"
	FactInviteesKept Fact = "invitees_kept"
	FactReward       Fact = "reward_fen"
)

// Facts are what a promoter did in the period.
type Facts struct {
	OwnOrders    int64        `json:"own_orders"`
	InviteesKept int64        `json:"invitees_kept"`
	Reward       money.Amount `json:"reward_fen"`
}

// Of is the number of one fact.
func (f Facts) Of(name Fact) int64 {
	switch name {
	case FactOwnOrders:
		return f.OwnOrders
	case FactInviteesKept:
		return f.InviteesKept
	}
	return int64(f.Reward)
}

// Condition is all of some, any of some, or one fact of at least so much.
type Condition struct {
	All     []Condition `json:"all,omitempty"`
	Any     []Condition `json:"any,omitempty"`
	Fact    Fact        `json:"fact,omitempty"`
	AtLeast int64       `json:"at_least,omitempty"`
}

// Holds decides whether the facts meet the condition.
func (x Condition) Holds(f Facts) bool {
	switch {
	case len(x.All) > 0:
		for _, y := range x.All {
			if !y.Holds(f) {
				return false
			}
		}
		return true
	case len(x.Any) > 0:
		for _, y := range x.Any {
			if y.Holds(f) {
				return true
			}
		}
		return false
	}
	return f.Of(x.Fact) >= x.AtLeast
}

// Level is one step: what it takes to reach it and, where that differs, to
// keep it.
type Level struct {
	NameZH string     `json:"name_zh"`
	NameEN string     `json:"name_en"`
	Reach  Condition  `json:"reach"`
	Keep   *Condition `json:"keep,omitempty"`
}

// Ladder is the levels, 1 being the lowest; 0 is none of them.
type Ladder struct {
	PeriodDays int     `json:"period_days"`
	Levels     []Level `json:"levels"`
}

// Judge decides the level of a promoter who stands at one: the highest that he
// reaches, or that he has and keeps. Levels between may be passed over both
// ways. It is a pure function.
func (l Ladder) Judge(f Facts, stands int) int {
	for no := len(l.Levels); no > 0; no-- {
		level := l.Levels[no-1]
		if level.Reach.Holds(f) || no <= stands && level.Keep != nil && level.Keep.Holds(f) {
			return no
		}
	}
	return 0
}

// Bounds of a ladder.
const (
	levelsMost     = 9
	periodMost     = 730
	conditionsMost = 20
	deepest        = 3
	atLeastMost    = 1_000_000_000_000
)

// Validate names everything wrong with a ladder.
func (l Ladder) Validate() error {
	var c fault.Check
	c.That(l.Levels != nil, "levels", "required", "必填；不设等级请填 []", "is required; [] for no levels")
	c.Range(int64(len(l.Levels)), "levels", 0, levelsMost)
	if len(l.Levels) > 0 || l.PeriodDays != 0 {
		c.Range(int64(l.PeriodDays), "period_days", 1, periodMost)
	}
	for i, level := range l.Levels {
		at := fmt.Sprintf("levels[%d].", i)
		c.Required(level.NameZH, at+"name_zh")
		c.Length(level.NameZH, at+"name_zh", 20)
		c.Required(level.NameEN, at+"name_en")
		c.Length(level.NameEN, at+"name_en", 20)
		left := conditionsMost
		level.Reach.check(&c, at+"reach", deepest, &left)
		if level.Keep != nil {
			level.Keep.check(&c, at+"keep", deepest, &left)
		}
		c.That(left >= 0, at+"reach", "range", "条件最多 20 个", "at most 20 conditions")
	}
	return c.Err()
}

func (x Condition) check(c *fault.Check, at string, depth int, left *int) {
	if *left--; *left < 0 {
		return
	}
	forms := 0
	for _, has := range []bool{len(x.All) > 0, len(x.Any) > 0, x.Fact != ""} {
		if has {
			forms++
		}
	}
	c.That(forms == 1, at, "format", "请填写 all、any、fact 三者之一", "must be one of all, any and fact")
	if forms != 1 {
		return
	}
	if x.Fact != "" {
		c.OneOf(string(x.Fact), at+".fact", string(FactOwnOrders), string(FactInviteesKept), string(FactReward))
		c.Range(x.AtLeast, at+".at_least", 1, atLeastMost)
		return
	}
	c.That(x.AtLeast == 0, at+".at_least", "conflict", "all、any 没有 at_least", "all and any have no at_least")
	c.That(depth > 0, at, "range", "条件最多嵌套 3 层", "conditions nest at most 3 deep")
	if depth == 0 {
		return
	}
	for i, y := range x.All {
		y.check(c, fmt.Sprintf("%s.all[%d]", at, i), depth-1, left)
	}
	for i, y := range x.Any {
		y.check(c, fmt.Sprintf("%s.any[%d]", at, i), depth-1, left)
	}
}
