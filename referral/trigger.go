package referral

import (
	"fmt"

	"siyu/community"
	"siyu/internal/fault"
	"siyu/internal/money"
)

// Trigger is the act of the invitee that earns.
type Trigger string

// The triggers. Order triggers look at a paid order, a formed team's at its
// paid orders when it forms; the last two look once, some days after the
// invitation or the joining.
const (
	TriggerEveryPaidOrder Trigger = "every_paid_order"
	TriggerFirstPaidOrder Trigger = "first_paid_order"
	TriggerOrderAbove     Trigger = "order_above"
	TriggerTeamFormed     Trigger = "team_formed"
	TriggerStayed         Trigger = "joined_and_stayed"
	TriggerActivity       Trigger = "activity_reached"

	// TriggerMonthEnd is no act of an invitee: two colleagues reward the KOC
	// candidates of a group for a month.
	TriggerMonthEnd Trigger = "month_end"
)

func triggers() []string {
	return []string{string(TriggerEveryPaidOrder), string(TriggerFirstPaidOrder), string(TriggerOrderAbove), string(TriggerTeamFormed),
		string(TriggerStayed), string(TriggerActivity), string(TriggerMonthEnd)}
}

// WithoutOrder says that the act is no purchase: there is no base, and money
// for it would pay for heads.
func (t Trigger) WithoutOrder() bool { return t == TriggerStayed || t == TriggerActivity }

// Terms are the numbers of a trigger; each trigger has its own alone.
type Terms struct {
	Above money.Amount           `json:"above_fen,omitempty"` // order_above: the least base that earns
	Days  int                    `json:"days,omitempty"`      // joined_and_stayed and activity_reached
	Count int                    `json:"count,omitempty"`     // activity_reached
	Kind  community.ActivityKind `json:"kind,omitempty"`      // activity_reached: checkin or plain_message
}

// Bounds of a trigger's terms.
const (
	actDaysMost  = 90
	actCountMost = 1000
)

func (r Rules) checkTrigger(c *fault.Check) {
	c.OneOf(string(r.Trigger), "rules.trigger", triggers()...)
	t := r.Terms
	own := func(set bool, field string, of ...Trigger) {
		mine := false
		for _, x := range of {
			mine = mine || r.Trigger == x
		}
		c.That(mine || !set, "rules.terms."+field, "conflict", "该触发条件没有这一项", "the trigger has no such term")
	}
	own(t.Above != 0, "above_fen", TriggerOrderAbove)
	own(t.Days != 0, "days", TriggerStayed, TriggerActivity)
	own(t.Count != 0, "count", TriggerActivity)
	own(t.Kind != "", "kind", TriggerActivity)
	switch r.Trigger {
	case TriggerOrderAbove:
		c.Range(int64(t.Above), "rules.terms.above_fen", 1, most)
	case TriggerActivity:
		c.Range(int64(t.Count), "rules.terms.count", 1, actCountMost)
		c.OneOf(string(t.Kind), "rules.terms.kind", string(community.ActivityCheckin), string(community.ActivityMessage))
		fallthrough
	case TriggerStayed:
		c.Range(int64(t.Days), "rules.terms.days", 1, min(actDaysMost, int64(r.AttributionDays)))
	}
	if r.Trigger == TriggerMonthEnd {
		for i, p := range r.Rewards {
			at := fmt.Sprintf("rules.rewards[%d].", i)
			c.That(p.To == SideKOC, at+"to", "conflict", "月末奖励只发给 KOC", "what a month ends with is for KOCs alone")
			c.That(p.Mode == ModeFixed, at+"mode", "conflict", "没有订单，不能按比例", "there is no order to take a share of")
		}
	}
	if !r.Trigger.WithoutOrder() {
		return
	}
	for i, p := range r.Rewards {
		p.checkWithoutOrder(c, i)
	}
}
