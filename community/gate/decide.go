package gate

import (
	"slices"

	"siyu/internal/fault"
)

// Facts are what a decision on an application rests on.
type Facts struct {
	Paid       bool // an order as recent as the gate asks
	Vouched    bool
	Region     string
	Answers    map[string]string
	Blocked    bool // on the brand's blocklist
	Violations int  // noted in the last 180 days, in any group
}

// violationsMost is how many violations lead an applicant to a look.
const violationsMost = 3

// Decide says what keeps an applicant out, nothing for who may go on, and
// whether somebody looks at him first.
func Decide(g Gate, f Facts) (missing []fault.Field, review bool) {
	var c fault.Check
	c.That(!f.Blocked, "member", "blocked", "暂不能申请入群", "cannot apply now")
	c.That(g.PaidWithinDays == 0 || f.Paid, "paid_order", "required", "需要近期有一笔已付款订单", "a recent paid order is required")
	c.That(g.VouchDays == 0 || f.Vouched, "vouch_id", "required", "需要一位群友的邀请", "a voucher of somebody in the group is required")
	c.That(len(g.Regions) == 0 || slices.Contains(g.Regions, f.Region), "region", "unknown_value", "不在本群的地区", "lies outside the group's regions")
	for _, q := range g.Questions {
		at := "answers." + q.Key
		c.That(!q.Required || f.Answers[q.Key] != "", at, "required", "请回答", "is required")
		c.Length(f.Answers[q.Key], at, 200)
	}
	for key := range f.Answers {
		c.That(slices.ContainsFunc(g.Questions, func(q Question) bool { return q.Key == key }), "answers."+key, "unknown", "没有这个问题", "is not asked")
	}
	if err, ok := fault.As(c.Err()); ok {
		return err.Fields, false
	}
	return nil, g.Review || f.Violations >= violationsMost
}
