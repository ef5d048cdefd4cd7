package community

import (
	"time"

	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// TagRule says who is given a tag: whoever meets every condition that is set.
// Days are periods of 24 hours back from the moment of asking. Paid orders
// count as paid whether or not they were refunded later.
type TagRule struct {
	Days           int          `json:"days,omitempty"`             // over which paid orders count; 0 is ever
	PaidOrders     int          `json:"paid_orders,omitempty"`      // at least so many paid orders
	PaidFen        money.Amount `json:"paid_fen,omitempty"`         // goods of paid orders worth at least this
	SeenWithinDays int          `json:"seen_within_days,omitempty"` // first seen no longer ago
	SeenBeforeDays int          `json:"seen_before_days,omitempty"` // first seen at least so long ago
	Groups         []id.Group   `json:"groups,omitempty"`           // in any of these groups
	InactiveDays   int          `json:"inactive_days,omitempty"`    // for so long first seen, and neither paid nor joined a group
	ReferralsKept  int          `json:"referrals_kept,omitempty"`   // so many people brought who stayed
}

// Bounds of a rule.
const (
	ruleDaysMax   = 3660
	ruleCountMax  = 10_000
	ruleFenMax    = 10_000_000_000
	ruleGroupsMax = 50
)

func (r TagRule) check(c *fault.Check) {
	c.Range(int64(r.Days), "rule.days", 0, ruleDaysMax)
	c.Range(int64(r.PaidOrders), "rule.paid_orders", 0, ruleCountMax)
	c.Range(int64(r.PaidFen), "rule.paid_fen", 0, ruleFenMax)
	c.Range(int64(r.SeenWithinDays), "rule.seen_within_days", 0, ruleDaysMax)
	c.Range(int64(r.SeenBeforeDays), "rule.seen_before_days", 0, ruleDaysMax)
	c.Range(int64(len(r.Groups)), "rule.groups", 0, ruleGroupsMax)
	c.Range(int64(r.InactiveDays), "rule.inactive_days", 0, ruleDaysMax)
	c.Range(int64(r.ReferralsKept), "rule.referrals_kept", 0, ruleCountMax)
	c.That(r.Days == 0 || r.PaidOrders > 0 || r.PaidFen > 0, "rule.days", "unused", "只限定订单，请同时填写单数或金额", "counts orders; say how many or how much")
	some := r.PaidOrders > 0 || r.PaidFen > 0 || r.SeenWithinDays > 0 || r.SeenBeforeDays > 0 || len(r.Groups) > 0 || r.InactiveDays > 0 || r.ReferralsKept > 0
	c.That(some, "rule", "required", "至少一个条件", "needs at least one condition")
}

// TagFacts is what is known of a member when a rule is asked.
type TagFacts struct {
	FirstSeen clock.Milli
	Paid      []PaidFact
	Groups    map[id.Group]bool // which he is in
	Joined    clock.Milli       // when he last joined any group, also one he left
	Kept      int
}

// PaidFact is an order that was paid.
type PaidFact struct {
	At     clock.Milli
	Amount money.Amount
}

// Holds says whether the rule gives the tag to such a member now.
func (r TagRule) Holds(f TagFacts, now clock.Milli) bool {
	ago := func(days int) clock.Milli { return now.Add(-time.Duration(days) * 24 * time.Hour) }
	orders, worth, active := 0, money.Amount(0), max(f.FirstSeen, f.Joined)
	for _, p := range f.Paid {
		active = max(active, p.At)
		if r.Days == 0 || p.At >= ago(r.Days) {
			orders, worth = orders+1, worth+p.Amount
		}
	}
	in := len(r.Groups) == 0
	for _, g := range r.Groups {
		in = in || f.Groups[g]
	}
	return in && orders >= r.PaidOrders && worth >= r.PaidFen && f.Kept >= r.ReferralsKept &&
		(r.SeenWithinDays == 0 || f.FirstSeen >= ago(r.SeenWithinDays)) &&
		(r.SeenBeforeDays == 0 || f.FirstSeen <= ago(r.SeenBeforeDays)) &&
		(r.InactiveDays == 0 || active <= ago(r.InactiveDays))
}
