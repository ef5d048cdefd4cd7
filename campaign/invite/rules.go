package invite

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"siyu/campaign"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// StepKind is what invitees must have done to count for a step.
type StepKind string

// The kinds of step. Checked-in waits for activity to be recorded.
const (
	StepStayed    StepKind = "stayed"
	StepBought    StepKind = "bought"
	stepCheckedIn StepKind = "checked_in"
)

// GiftKind is what a step gives.
type GiftKind string

// The kinds of gift. Cash is none: it would pay for heads.
const (
	GiftCoupon GiftKind = "coupon"
	GiftPoints GiftKind = "points"
	GiftGoods  GiftKind = "goods"
)

// Rules are a referral campaign's own rules; without steps there are none.
type Rules struct {
	StayDays    int      `json:"stay_days"` // how long an invitee stays before he counts
	Steps       []Step   `json:"steps"`
	Caps        Caps     `json:"caps"`
	Leaderboard *Board   `json:"leaderboard,omitempty"`
	Breaker     *Breaker `json:"breaker,omitempty"`
}

// Step gives its gift once so many invitees count.
type Step struct {
	Kind     StepKind `json:"kind"`
	Count    int      `json:"count"`
	HoldDays int      `json:"hold_days"` // from reaching it until it is given
	Gift     Gift     `json:"gift"`
}

// Gift is what a step gives; the fields of its kind alone are set.
type Gift struct {
	Kind      GiftKind  `json:"kind"`
	Coupon    id.Coupon `json:"coupon_id,omitempty"`
	Points    int64     `json:"points,omitempty"`
	ValidDays int       `json:"valid_days,omitempty"` // of points; 365
	Name      string    `json:"name,omitempty"`       // of goods
	Qty       int       `json:"qty,omitempty"`        // of goods; 1
}

// Caps bound what steps give; 0 is no bound. Beyond the day's a reward waits
// for the next day, beyond the others a step gives nothing and says so; the
// last points are clamped to what is left.
type Caps struct {
	PerInviterDay int64 `json:"per_inviter_day"`
	PerInviter    int64 `json:"per_inviter"`
	PerCampaign   int64 `json:"per_campaign"`
	Points        int64 `json:"points"`
}

// Board is the leaderboard, by one kind of count.
type Board struct {
	By StepKind `json:"by"`
}

// Breaker stops new steps when fewer than KeepRate of the last Sample judged
// invitees were kept: still in their group after StayDays, and not refunded.
type Breaker struct {
	Sample   int   `json:"sample"`
	KeepRate int64 `json:"keep_bp"`
}

const (
	stepsMax      = 20
	stayDefault   = 7
	validDefault  = 365
	headsMax      = 100_000
	capMax        = 100_000_000
	pointsGiftMax = 1_000_000
)

// complete checks the rules and returns them with defaults written out.
func complete(raw json.RawMessage) (json.RawMessage, error) {
	r, err := read(raw)
	if err != nil {
		return nil, err
	}
	if len(r.Steps) == 0 && r.Leaderboard == nil && r.Breaker == nil && r.Caps == (Caps{}) && r.StayDays == 0 {
		return json.RawMessage("{}"), nil
	}
	for _, step := range r.Steps {
		if step.Kind == stepCheckedIn {
			return nil, fault.NotYet.Field("rules.steps", "not_yet", "暂不支持按打卡计数，请用 stayed 或 bought", "counting check-ins is not supported yet; use stayed or bought")
		}
	}
	if r.StayDays == 0 {
		r.StayDays = stayDefault
	}
	for i := range r.Steps {
		r.Steps[i].Gift.fill()
	}
	var check fault.Check
	r.check(&check)
	if err := check.Err(); err != nil {
		return nil, err
	}
	return json.Marshal(r)
}

// read reads JSON that may have no other fields.
func read(raw json.RawMessage) (Rules, error) {
	var r Rules
	if len(raw) == 0 {
		return r, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, fault.Invalid.Field("rules", "format", "应为 {stay_days, steps: [{kind, count, hold_days, gift}], caps, leaderboard, breaker} 的对象，没有其他字段；人头阶梯没有现金奖励",
			"must be an object of stay_days, steps of kind, count, hold_days and gift, caps, leaderboard and breaker, with no other field; a step never gives cash").Wrap(err)
	}
	return r, nil
}

func (g *Gift) fill() {
	if g.Kind == GiftPoints && g.ValidDays == 0 {
		g.ValidDays = validDefault
	}
	if g.Kind == GiftGoods && g.Qty == 0 {
		g.Qty = 1
	}
}

func (r Rules) check(c *fault.Check) {
	c.Range(int64(r.StayDays), "rules.stay_days", 1, 90)
	c.That(len(r.Steps) > 0 || r.Leaderboard != nil, "rules.steps", "required", "至少一个阶梯，或一个榜单", "give it at least one step or a leaderboard")
	c.That(len(r.Steps) <= stepsMax, "rules.steps", "range", fmt.Sprintf("最多 %d 个阶梯", stepsMax), fmt.Sprintf("at most %d steps", stepsMax))
	last := map[StepKind]int{}
	for i, s := range r.Steps {
		at := fmt.Sprintf("rules.steps[%d].", i)
		c.OneOf(string(s.Kind), at+"kind", string(StepStayed), string(StepBought))
		c.Range(int64(s.Count), at+"count", 1, headsMax)
		c.That(s.Count > last[s.Kind], at+"count", "not_rising", "同类阶梯的人数必须逐级增加", "must be more than that of the step of its kind before")
		last[s.Kind] = s.Count
		c.Range(int64(s.HoldDays), at+"hold_days", 0, 90)
		s.Gift.check(c, at+"gift.")
	}
	for _, cap := range []struct {
		name string
		n    int64
	}{
		{"per_inviter_day", r.Caps.PerInviterDay}, {"per_inviter", r.Caps.PerInviter}, {"per_campaign", r.Caps.PerCampaign}, {"points", r.Caps.Points},
	} {
		c.Range(cap.n, "rules.caps."+cap.name, 0, capMax)
	}
	if r.Leaderboard != nil {
		c.OneOf(string(r.Leaderboard.By), "rules.leaderboard.by", string(StepStayed), string(StepBought))
	}
	if r.Breaker != nil {
		c.Range(int64(r.Breaker.Sample), "rules.breaker.sample", 5, 1000)
		c.Range(r.Breaker.KeepRate, "rules.breaker.keep_bp", 1, 10000)
	}
}

// check refuses a gift that is not one. Cash for heads is refused by name: the
// law takes pay by the number of people brought in for pyramid selling.
func (g Gift) check(c *fault.Check, at string) {
	if g.Kind == "cash" {
		c.That(false, at+"kind", "cash", "按人头给现金属于《禁止传销条例》第七条禁止的拉人头计酬；阶梯只能给优惠券、积分或实物，现金请用奖励方案按被邀请人的付款订单发放",
			"paying cash by head-count is pyramid selling under art. 7 of the regulation (State Council 444); steps give coupons, points or goods, and cash comes from the program, for an invitee's paid order")
		return
	}
	c.OneOf(string(g.Kind), at+"kind", string(GiftCoupon), string(GiftPoints), string(GiftGoods))
	is := func(k GiftKind) bool { return g.Kind == k }
	c.That(is(GiftCoupon) == (g.Coupon != 0), at+"coupon_id", "gift", "奖励为优惠券时必填，其他奖励不填", "belongs to a coupon, and only there")
	c.That(is(GiftPoints) == (g.Points != 0) && 0 <= g.Points && g.Points <= pointsGiftMax, at+"points", "gift", "奖励为积分时应为 1 到 1000000，其他奖励不填", "is from 1 to 1,000,000 for points, and belongs only there")
	c.That(is(GiftPoints) == (g.ValidDays != 0) && 0 <= g.ValidDays && g.ValidDays <= 3650, at+"valid_days", "gift", "积分有效期为 1 到 3650 天，其他奖励不填", "is from 1 to 3650 for points, and belongs only there")
	c.That(is(GiftGoods) == (g.Name != ""), at+"name", "gift", "奖励为实物时请写名称，其他奖励不填", "names goods, and belongs only there")
	c.Length(g.Name, at+"name", 100)
	c.That(is(GiftGoods) == (g.Qty != 0) && 0 <= g.Qty && g.Qty <= 100, at+"qty", "gift", "实物数量为 1 到 100，其他奖励不填", "is from 1 to 100 for goods, and belongs only there")
}

// publishable refuses coupons that are not there or belong to another unit.
func publishable(q *database.Query, c campaign.Campaign) error {
	r, err := Terms(c)
	if err != nil {
		return err
	}
	var check fault.Check
	for i, s := range r.Steps {
		if s.Gift.Kind != GiftCoupon {
			continue
		}
		var unit []id.Unit
		if err := q.Raw("SELECT unit_id FROM coupons WHERE id = ?", s.Gift.Coupon).Scan(&unit).Error; err != nil {
			return err
		}
		check.That(len(unit) == 1 && database.ActorOf(q.Statement.Context).Sees(unit[0]), fmt.Sprintf("rules.steps[%d].gift.coupon_id", i), "not_found",
			"没有这张优惠券，请从优惠券列表取编号", "there is no such coupon; take the id from the list of coupons")
	}
	return check.Err()
}

// Terms reads the rules of a referral campaign.
func Terms(c campaign.Campaign) (Rules, error) {
	var r Rules
	if c.Kind != Kind().Name {
		return r, ErrNoSteps
	}
	if err := json.Unmarshal([]byte(c.RulesText), &r); err != nil {
		return r, errors.Join(fmt.Errorf("invite: rules of %s", c.ID), err)
	}
	return r, nil
}

// counts says whether the campaign counts anything at all.
func (r Rules) counts() bool { return len(r.Steps) > 0 || r.Leaderboard != nil }
