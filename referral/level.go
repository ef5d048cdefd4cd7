package referral

import (
	"context"
	"fmt"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/promoter"
)

// Raise is what a promise pays an inviter from a level on.
type Raise struct {
	Level  int          `json:"level"`
	Amount money.Amount `json:"amount_fen,omitempty"`
	Rate   money.Bps    `json:"rate_bp,omitempty"`
}

// levelMost is the highest level there may be.
const levelMost = 9

// at is the promise as somebody of a level is paid it: the raise of his level,
// or of the next one below.
func (p Promise) at(level int) Promise {
	for _, r := range p.Raises {
		if r.Level <= level {
			p.Amount, p.Rate = r.Amount, r.Rate
		}
	}
	p.Raises = nil
	return p
}

// checkRaises holds raises to rising levels that each pay more.
func (p Promise) checkRaises(c *fault.Check, at string) {
	c.That(len(p.Raises) == 0 || p.To == SideInviter, at+"raises", "conflict", "只有邀请人的奖励可以按等级提高", "only an inviter's reward rises with his level")
	c.That(len(p.Raises) == 0 || p.Mode == ModePercent || p.pays() == money.CNY, at+"raises", "conflict", "积分按等级提高请用比例，优惠券不能提高", "points rise as a percentage, coupons not")
	c.That(len(p.Raises) <= levelMost, at+"raises", "range", "最多 9 个等级", "at most 9 levels")
	was := Raise{Amount: p.Amount, Rate: p.Rate}
	for i, r := range p.Raises {
		in := fmt.Sprintf("%sraises[%d].", at, i)
		c.Range(int64(r.Level), in+"level", 1, levelMost)
		c.That(r.Level > was.Level, in+"level", "order", "等级应从低到高", "levels must rise")
		more := r.Amount > was.Amount && r.Rate == 0
		if p.Mode == ModePercent {
			more = r.Rate > was.Rate && r.Amount == 0
		}
		c.That(more, in+"level", "conflict", "更高的等级应奖励更多，且与该奖励同为金额或比例", "a higher level must pay more, in the way of the promise")
		c.Range(int64(r.Amount), in+"amount_fen", 0, most)
		c.Range(int64(r.Rate), in+"rate_bp", 0, int64(money.Whole))
		was = r
	}
}

// top is the most a promise may come to by rate.
func (p Promise) top() money.Bps {
	p, _ = p.at(levelMost).onStep(stepFar)
	return p.Rate
}

// judgeMost is how many promoters one transaction judges.
const judgeMost = 100

// JudgeLevels moves promoters up and down the ladder by what they did in its
// period, which ends at due. The same pass again moves nobody.
func (s *Service) JudgeLevels(ctx context.Context, due clock.Milli) error {
	for after, n := id.Promoter(0), judgeMost; n == judgeMost; {
		err := s.DB.Tx(ctx, func(tx *database.Tx) error {
			ladder, err := promoter.LadderNow(tx.DB)
			if err != nil || ladder.SetAt == 0 {
				n = 0
				return err
			}
			list, err := promoter.ToJudge(tx, after, judgeMost)
			if n = len(list); err != nil || n == 0 {
				return err
			}
			who := make([]id.Member, n)
			for i, p := range list {
				who[i] = p.MemberID
			}
			facts, err := levelFacts(tx.DB, who, due.Add(-days(ladder.PeriodDays)), due)
			if err != nil {
				return err
			}
			for _, p := range list {
				if err := p.StepTx(tx, ladder, facts[p.MemberID]); err != nil {
					return err
				}
			}
			after = list[n-1].ID
			return nil
		})
		if err != nil {
			return fmt.Errorf("referral: judge levels: %w", err)
		}
	}
	return nil
}

// levelFacts are what these members did from one moment to before another.
func levelFacts(q *database.Query, who []id.Member, from, to clock.Milli) (map[id.Member]promoter.Facts, error) {
	counts, err := community.CountFacts(q, who, []community.FactKind{community.FactOrderPaid, community.FactReferralKept}, from, to)
	if err != nil {
		return nil, err
	}
	var sums []struct {
		BeneficiaryID id.Member
		Amount        money.Amount
	}
	err = q.Raw(`SELECT r.beneficiary_id, SUM(e.amount) AS amount FROM rewards r JOIN reward_events e ON e.reward_id = r.id
		WHERE r.beneficiary_id IN ? AND r.side = ? AND r.currency = ? AND e.kind IN ? AND e.at >= ? AND e.at < ? GROUP BY r.beneficiary_id`,
		who, SideInviter, money.CNY, []EventKind{EventCleared, EventClawedBack}, from, to).Scan(&sums).Error
	if err != nil {
		return nil, fmt.Errorf("referral: what promoters earned: %w", err)
	}
	out := make(map[id.Member]promoter.Facts, len(who))
	for _, m := range who {
		out[m] = promoter.Facts{OwnOrders: counts[m][community.FactOrderPaid], InviteesKept: counts[m][community.FactReferralKept]}
	}
	for _, x := range sums {
		f := out[x.BeneficiaryID]
		f.Reward = x.Amount
		out[x.BeneficiaryID] = f
	}
	return out, nil
}

// Progress is what a member has done towards a level, up to now.
type Progress struct {
	Ladder promoter.ShownLadder
	Facts  promoter.Facts
	Since  clock.Milli
}

// LevelProgress is how far a member has come in the period of the ladder.
func (s *Service) LevelProgress(ctx context.Context, m id.Member) (Progress, error) {
	now := clock.MilliOf(s.DB.Clock.Now())
	ladder, err := promoter.LadderNow(s.DB.Read(ctx))
	out := Progress{Ladder: ladder, Since: now.Add(-days(ladder.PeriodDays))}
	if err != nil || len(ladder.Levels) == 0 {
		return out, err
	}
	facts, err := levelFacts(s.DB.Read(ctx), []id.Member{m}, out.Since, now.Add(time.Millisecond))
	out.Facts = facts[m]
	return out, err
}
