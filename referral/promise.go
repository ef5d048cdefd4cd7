package referral

import (
	"fmt"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/wallet"
)

// Coupons is the currency of a reward that is a coupon; the others are those
// of the ledger. Only money is settled and paid out.
const Coupons = "CPN"

// Promise is one reward of a program; Rule names it within the program. An
// amount is fen, points or a coupon as its currency says, none meaning money.
type Promise struct {
	Rule   string       `json:"rule"`
	To     Side         `json:"to"`
	Mode   Mode         `json:"mode"`
	Amount money.Amount `json:"amount_fen,omitempty"`
	Rate   money.Bps    `json:"rate_bp,omitempty"`
	Cap    money.Amount `json:"cap_fen,omitempty"`

	// Of points and coupons. UnitCost is what one costs the budget in fen.
	Currency  string       `json:"currency,omitempty"`
	Qty       money.Amount `json:"qty,omitempty"`
	CapQty    money.Amount `json:"cap_qty,omitempty"`
	UnitCost  money.Amount `json:"unit_cost_fen,omitempty"`
	CouponID  id.Coupon    `json:"coupon_id,omitempty"`
	ValidDays int          `json:"valid_days,omitempty"`

	Raises []Raise `json:"raises,omitempty"` // by the inviter's level, rising

	Steps      []Step    `json:"steps,omitempty"`       // by the inviter's count, rising
	StepWindow CapWindow `json:"step_window,omitempty"` // over which it is counted
}

// stored is the form that is kept: what says nothing but the default is empty,
// so that the digests of versions from before there were points stand.
func (p Promise) stored() Promise {
	switch {
	case p.Currency == money.CNY:
		p.Currency = ""
	case p.Currency == Coupons && p.Qty == 0:
		p.Qty = 1
	case p.Currency == money.PTS && p.ValidDays == 0:
		p.ValidDays = pointsDays
	}
	return p
}

// pays is the currency of the reward.
func (p Promise) pays() string {
	if p.Currency == "" {
		return money.CNY
	}
	return p.Currency
}

// unitCost is what one unit takes from the budget, in fen.
func (p Promise) unitCost() money.Amount {
	if p.pays() == money.CNY {
		return 1
	}
	return p.UnitCost
}

// fixed is the amount of a fixed reward and most the cap of a percentage, in
// units of the currency.
func (p Promise) fixed() money.Amount { return p.Amount + p.Qty }
func (p Promise) most() money.Amount  { return p.Cap + p.CapQty }

// WorstOf is the most the promise may cost for goods of a price, in fen times
// ten thousand, so that nothing is rounded.
func (p Promise) WorstOf(goods money.Amount) money.Amount {
	const whole = money.Amount(money.Whole)
	p = p.at(levelMost)
	cost := p.unitCost()
	for _, s := range p.Steps {
		cost = max(cost, s.UnitCost)
	}
	p, _ = p.onStep(stepFar)
	if p.Mode == ModeFixed {
		return p.fixed() * cost * whole
	}
	w := goods * money.Amount(p.Rate)
	if p.most() > 0 {
		w = min(w, p.most()*whole)
	}
	return w * p.unitCost()
}

// of is what the promise gives for goods.
func (p Promise) of(goods money.Amount) money.Amount {
	if p.Mode == ModeFixed {
		return p.fixed()
	}
	n := goods.Rate(p.Rate)
	if p.most() > 0 {
		n = min(n, p.most())
	}
	return n
}

// Bounds of a promise. The largest single reward is 1 million yuan: beyond it
// is a typing error.
const (
	most        = 100_000_000
	pointsMost  = 10_000_000
	unitMost    = 1_000_000 // 10,000 yuan for one
	pointsDays  = 365
	pointsLives = 3650
)

func (p Promise) check(c *fault.Check, at string) {
	c.That(ruleName.MatchString(p.Rule), at+"rule", "format", "1 到 24 个小写字母、数字或下划线", "1 to 24 lower case letters, digits or underscores")
	c.OneOf(string(p.To), at+"to", sides()...)
	c.Required(string(p.Mode), at+"mode")
	p.checkRaises(c, at)
	p.checkSteps(c, at)
	c.OneOf(p.pays(), at+"currency", money.CNY, money.PTS, Coupons)
	switch p.pays() {
	case money.CNY:
		unused(c, at+"qty", p.Qty, "现金用 amount_fen 和 cap_fen", "cash has amount_fen and cap_fen")
		unused(c, at+"cap_qty", p.CapQty, "现金用 amount_fen 和 cap_fen", "cash has amount_fen and cap_fen")
		c.That(p.UnitCost == 0, at+"unit_cost_fen", "conflict", "现金的成本就是金额", "cash costs what it is")
		p.checkSum(c, at, "amount_fen", p.Amount, most, "cap_fen", p.Cap)
	case money.PTS:
		unused(c, at+"amount_fen", p.Amount, "积分用 qty 和 cap_qty", "points have qty and cap_qty")
		unused(c, at+"cap_fen", p.Cap, "积分用 qty 和 cap_qty", "points have qty and cap_qty")
		c.Range(int64(p.UnitCost), at+"unit_cost_fen", 1, unitMost)
		c.Range(int64(p.ValidDays), at+"valid_days", 1, pointsLives)
		p.checkSum(c, at, "qty", p.Qty, pointsMost, "cap_qty", p.CapQty)
	case Coupons:
		c.That(p.Mode == ModeFixed && p.Qty == 1 && p.Amount == 0 && p.Rate == 0 && p.Cap == 0 && p.CapQty == 0, at+"qty", "conflict",
			"优惠券每条奖励一张；要多张请写多条", "a reward in coupons is one coupon; write one for each")
		c.Range(int64(p.UnitCost), at+"unit_cost_fen", 1, unitMost)
	}
	c.That((p.pays() == Coupons) == (p.CouponID != 0), at+"coupon_id", "conflict", "奖励为优惠券时必填，其他奖励不填", "belongs to a coupon, and only there")
	c.That(p.pays() == money.PTS || p.ValidDays == 0, at+"valid_days", "conflict", "只有积分填写有效天数", "belongs to points alone")
}

// unused refuses a number that belongs to rewards of another currency.
func unused(c *fault.Check, field string, n money.Amount, zh, en string) {
	c.That(n == 0, field, "conflict", zh, en)
}

// checkSum checks the amount of a fixed reward, or rate and cap of a
// percentage.
func (p Promise) checkSum(c *fault.Check, at, amount string, n money.Amount, top int64, bound string, capped money.Amount) {
	switch p.Mode {
	case ModeFixed:
		c.Range(int64(n), at+amount, 1, top)
		c.That(p.Rate == 0, at+"rate_bp", "conflict", "固定奖励不能同时填写比例", "a fixed reward has no rate")
		c.That(capped == 0, at+bound, "conflict", "固定奖励不需要封顶", "a fixed reward has no cap")
	case ModePercent:
		c.Range(int64(p.Rate), at+"rate_bp", 1, int64(money.Whole))
		c.Range(int64(capped), at+bound, 0, top)
		c.That(n == 0, at+amount, "conflict", "按比例奖励不能同时填写固定数额", "a percentage has no fixed amount")
	}
}

// Coupons are those that the promise may give, on all its steps.
func (p Promise) Coupons() (ids []id.Coupon) {
	if p.CouponID != 0 {
		ids = append(ids, p.CouponID)
	}
	for _, s := range p.Steps {
		if s.CouponID != 0 {
			ids = append(ids, s.CouponID)
		}
	}
	return ids
}

// givable refuses coupons that are not there or that belong to another unit.
func (in RulesIn) givable(tx *database.Tx) error {
	var ids []id.Coupon
	for _, p := range in.Rewards {
		ids = append(ids, p.Coupons()...)
	}
	known, err := wallet.CouponsIn(tx.DB, tx.Actor, ids)
	if err != nil {
		return err
	}
	var c fault.Check
	there := func(coupon id.Coupon, at string) {
		c.That(coupon == 0 || known[coupon].ID != 0, at+"coupon_id", "not_found",
			"没有这张优惠券，请从优惠券列表取编号", "there is no such coupon; take the id from the list of coupons")
	}
	for i, p := range in.Rewards {
		at := fmt.Sprintf("rules.rewards[%d].", i)
		there(p.CouponID, at)
		for k, s := range p.Steps {
			there(s.CouponID, fmt.Sprintf("%ssteps[%d].", at, k))
		}
	}
	return c.Err()
}
