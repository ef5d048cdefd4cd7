package referral

import (
	"fmt"
	"maps"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Step is what a promise pays an inviter from a count on. Before the first
// step it pays what it says itself.
type Step struct {
	From     int64        `json:"from"`
	Amount   money.Amount `json:"amount_fen,omitempty"`
	Rate     money.Bps    `json:"rate_bp,omitempty"`
	Qty      money.Amount `json:"qty,omitempty"`       // of points
	CouponID id.Coupon    `json:"coupon_id,omitempty"` // another coupon
	UnitCost money.Amount `json:"unit_cost_fen,omitempty"`
}

// Bounds of steps.
const (
	stepsMost = 9
	stepFar   = 1_000_000
)

// onStep is the promise as the nth is paid, and which step that is: 1 is the
// promise as it stands.
func (p Promise) onStep(nth int64) (Promise, int) {
	on := 1
	for i, s := range p.Steps {
		if s.From > nth {
			break
		}
		on = i + 2
		p.Amount, p.Rate = s.Amount, s.Rate
		if s.CouponID == 0 {
			p.Qty = s.Qty
		} else {
			p.CouponID, p.UnitCost = s.CouponID, s.UnitCost
		}
	}
	p.Steps = nil
	return p, on
}

// checkSteps holds steps to rising counts that each pay more, in the way of
// the promise; of coupons each is another one.
func (p Promise) checkSteps(c *fault.Check, at string) {
	if len(p.Steps) == 0 {
		c.That(p.StepWindow == "", at+"step_window", "conflict", "没有阶梯，不填计数周期", "belongs to steps")
		return
	}
	c.That(p.To == SideInviter, at+"steps", "conflict", "只有邀请人的奖励可以按人数阶梯", "only an inviter's reward has steps by his count")
	c.That(len(p.Raises) == 0, at+"steps", "conflict", "阶梯和等级不能同时使用", "steps and raises by level exclude each other")
	c.That(len(p.Steps) <= stepsMost, at+"steps", "range", "最多 9 个阶梯", "at most 9 steps")
	c.OneOf(string(p.StepWindow), at+"step_window", string(CapDay), string(CapMonth), string(CapEver))
	was := Step{From: 1, Amount: p.Amount, Rate: p.Rate, Qty: p.Qty, CouponID: p.CouponID}
	for i, s := range p.Steps {
		in := fmt.Sprintf("%ssteps[%d].", at, i)
		c.Range(s.From, in+"from", 2, stepFar)
		c.That(s.From > was.From, in+"from", "order", "人数应逐级增加", "counts must rise")
		c.That(p.more(was, s), in+"from", "conflict", "每一阶应比上一阶多，且与该奖励同为金额、积分、比例或优惠券", "each step must pay more than the one before, in the way of the promise; of coupons another one")
		c.Range(int64(s.Amount), in+"amount_fen", 0, most)
		c.Range(int64(s.Qty), in+"qty", 0, pointsMost)
		c.Range(int64(s.Rate), in+"rate_bp", 0, int64(money.Whole))
		if p.pays() == Coupons {
			c.Range(int64(s.UnitCost), in+"unit_cost_fen", 1, unitMost)
		}
		was = s
	}
}

// more says whether a step pays more than the one before it, with nothing set
// beside what the promise pays by.
func (p Promise) more(was, s Step) bool {
	only := Step{From: s.From}
	switch {
	case p.pays() == Coupons:
		only.CouponID, only.UnitCost = s.CouponID, s.UnitCost
		return s == only && s.CouponID != 0 && s.CouponID != was.CouponID
	case p.Mode == ModePercent:
		only.Rate = s.Rate
		return s == only && s.Rate > was.Rate
	case p.pays() == money.PTS:
		only.Qty = s.Qty
		return s == only && s.Qty > was.Qty
	}
	only.Amount = s.Amount
	return s == only && s.Amount > was.Amount
}

// counter names the row that counts for the steps of a promise and one inviter.
func (p Promise) counter(m id.Member, at clock.Milli) counter {
	return counter{p.Rule, m, p.StepWindow.number(at)}
}

// climb is what the promise pays for goods to the next of a count, and the
// count with him in it.
func (p Promise) climb(goods money.Amount, m id.Member, at clock.Milli, counts map[counter]used) (now Promise, n money.Amount, nth int64, step int) {
	nth = counts[p.counter(m, at)].Qty + 1
	now, step = p.onStep(nth)
	return now, now.of(goods), nth, step
}

// stepTx counts a reward that was funded at its place. The condition is the
// second lock.
func (r Reward) stepTx(tx *database.Tx, p Promise) error {
	c := p.counter(r.BeneficiaryID, tx.Now)
	res := tx.Exec("UPDATE reward_counts SET qty = qty + 1 WHERE program_id = ? AND member_id = ? AND rule = ? AND window_no = ?"+
		tx.Only("qty = ?"), r.ProgramID, c.member, c.rule, c.window, r.Nth-1)
	return database.One(res, fault.Unavailable.Wrap(fmt.Errorf("referral: place %d of %s in %s was taken meanwhile", r.Nth, r.Rule, r.ProgramID)))
}

// unstepTx takes rewards of which nothing is left out of their counts. It comes
// before any account is locked, as counting does. Who was paid keeps his step;
// those who come later are counted without them.
func unstepTx(tx *database.Tx, list []taken) error {
	gone := map[id.Program]map[counter]int64{}
	for _, l := range list {
		if l.Nth == 0 || l.n == 0 || l.n < l.Net {
			continue
		}
		rules, err := rulesOf(tx.DB, l.ProgramID, l.ProgramVersion)
		if err != nil {
			return err
		}
		if gone[l.ProgramID] == nil {
			gone[l.ProgramID] = map[counter]int64{}
		}
		gone[l.ProgramID][rules.promise(l.Rule).counter(l.BeneficiaryID, l.EarnedAt)]++
	}
	for _, p := range slices.Sorted(maps.Keys(gone)) {
		counters := slices.SortedFunc(maps.Keys(gone[p]), counter.compare)
		if _, err := lockCounts(tx, p, counters); err != nil {
			return err
		}
		for _, c := range counters {
			err := tx.Exec("UPDATE reward_counts SET qty = qty - ? WHERE program_id = ? AND member_id = ? AND rule = ? AND window_no = ?",
				gone[p][c], p, c.member, c.rule, c.window).Error
			if err != nil {
				return fmt.Errorf("referral: count of %s in %s: %w", c.rule, p, err)
			}
		}
	}
	return nil
}
