package campaign

import (
	"context"
	"errors"
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/webhook"
	"siyu/wallet"
)

// fundTx fills the campaign's budget from the brand's outside money.
func fundTx(tx *database.Tx, cid id.Campaign, n money.Amount) error {
	if n == 0 {
		return nil
	}
	_, err := wallet.FundTx(tx, wallet.Fund{Key: fundKey(tx, cid), Owner: wallet.Campaign(cid), Currency: money.CNY, Amount: n})
	return err
}

func fundKey(tx *database.Tx, cid id.Campaign) string {
	return fmt.Sprintf("campaign:%d:fund:%d", cid, tx.Next())
}

// moveBudget carries an edit of the budget into the ledger. A budget may be
// lowered as far as nothing is spent or reserved of it. Raising it deletes the
// marks of what was announced, so that running low is announced again.
func moveBudget(tx *database.Tx, was, next Campaign) error {
	more := next.Budget - was.Budget
	if more > 0 {
		if err := tx.Exec("DELETE FROM budget_marks WHERE campaign_id = ?", next.ID).Error; err != nil {
			return err
		}
		return fundTx(tx, next.ID, more)
	}
	if more == 0 {
		return nil
	}
	owner := wallet.Campaign(next.ID)
	_, err := wallet.PostTx(tx, wallet.Move(fundKey(tx, next.ID), "fund", money.CNY, -more, wallet.At(wallet.StageBudget, owner), wallet.At(wallet.StageSource, wallet.Brand())))
	if !errors.Is(err, wallet.ErrInsufficient) {
		return err
	}
	left, err := wallet.Balance(tx.DB, wallet.StageBudget, owner, money.CNY)
	if err != nil {
		return err
	}
	least := was.Budget - left
	return fault.Invalid.Field("budget_fen", "range", "已用和预留 "+least.String()+" 元，不能更低", least.String()+" yuan are spent or reserved; it cannot be lower")
}

// keepsAccepting notes an edit that takes from members a way to pay they were
// shown.
func (in CampaignEdit) keepsAccepting(check *fault.Check, c Campaign, phase Status) {
	if phase == StatusDraft {
		return
	}
	check.That(in.AcceptsCoupons == nil || *in.AcceptsCoupons || !c.AcceptsCoupons, "accepts_coupons", "tighter",
		"发布后不能取消；请复制活动", "can only be turned on once published; copy the campaign to turn it off")
	check.That(in.AcceptsPoints == nil || *in.AcceptsPoints >= c.AcceptsPoints, "accepts_points_bp", "tighter",
		"发布后只能提高；请复制活动", "can only be raised once published; copy the campaign to lower it")
}

// budgetMark is when a budget was said to be low and to be exhausted.
type budgetMark struct {
	LowAt, ExhaustedAt clock.Milli
}

// lowAt is the part of the budget that is left when it counts as low: a fifth.
const lowAt money.Bps = 2000

// markBudget says once that four fifths of the budget are used, and once that
// all of it is. The budget's account was locked by what used it.
func markBudget(tx *database.Tx, c Campaign) error {
	if c.Budget == 0 {
		return nil
	}
	left, err := wallet.Balance(tx.DB, wallet.StageBudget, wallet.Campaign(c.ID), money.CNY)
	if err != nil || left > c.Budget.Rate(lowAt) {
		return err
	}
	if err := markOnce(tx, c, left, "low"); err != nil || left > 0 {
		return err
	}
	return markOnce(tx, c, left, "exhausted")
}

// markOnce sets one of the two marks and says so, unless it stands.
func markOnce(tx *database.Tx, c Campaign, left money.Amount, mark string) error {
	var there int
	if err := tx.Raw("SELECT COUNT(*) FROM budget_marks WHERE campaign_id = ?", c.ID).Scan(&there).Error; err != nil {
		return err
	}
	if there == 0 {
		err := tx.Exec("INSERT INTO budget_marks (campaign_id, low_at, exhausted_at) VALUES (?, 0, 0)", c.ID).Error
		if err != nil && !database.IsDuplicate(err) {
			return err
		}
	}
	res := tx.Exec("UPDATE budget_marks SET "+mark+"_at = ? WHERE campaign_id = ?"+tx.Only(mark+"_at = 0"), tx.Now, c.ID)
	if res.Error != nil || res.RowsAffected == 0 {
		return res.Error
	}
	return webhook.PublishTx(tx, budgetTold[mark], map[string]any{"id": c.ID, "budget_fen": c.Budget, "left_fen": left})
}

// noteExhausted says that a claim was refused for want of budget. The claim's
// own transaction is gone by then.
func (s *Service) noteExhausted(ctx context.Context, cid id.Campaign) error {
	var mark budgetMark
	if err := s.DB.Read(ctx).Raw("SELECT low_at, exhausted_at FROM budget_marks WHERE campaign_id = ?", cid).Scan(&mark).Error; err != nil || mark.ExhaustedAt != 0 {
		return err
	}
	return s.DB.Tx(database.WithoutKey(ctx), func(tx *database.Tx) error {
		var c Campaign
		if err := tx.Raw("SELECT * FROM campaigns WHERE id = ?", cid).Scan(&c).Error; err != nil {
			return err
		}
		left, err := wallet.Balance(tx.DB, wallet.StageBudget, wallet.Campaign(cid), money.CNY)
		if err != nil {
			return err
		}
		return markOnce(tx, c, left, "exhausted")
	})
}

// BudgetStats is where a campaign's budget stands, and when it would be used
// up if it went on as in the last hours. Spent is what discounts of paid
// orders and rewards took, Reserved what held orders may yet take.
type BudgetStats struct {
	Budget   money.Amount `json:"budget_fen"`
	Spent    money.Amount `json:"spent_fen"`
	Reserved money.Amount `json:"reserved_fen"`
	Left     money.Amount `json:"left_fen"`
	Rate     money.Amount `json:"rate_fen_per_hour"`
	UsedUpAt clock.Milli  `json:"used_up_at"`
}

// burnWindow is how far back the rate of a budget looks.
const burnWindow = 6 * time.Hour

// budgetOf is nil for a campaign without a budget.
func budgetOf(q *database.Query, c Campaign, now clock.Milli) (*BudgetStats, error) {
	if c.Budget == 0 {
		return nil, nil
	}
	b := BudgetStats{Budget: c.Budget}
	var err error
	if b.Left, err = wallet.Balance(q, wallet.StageBudget, wallet.Campaign(c.ID), money.CNY); err != nil {
		return nil, err
	}
	if b.Reserved, err = wallet.Balance(q, wallet.StageReserved, wallet.Campaign(c.ID), money.CNY); err != nil {
		return nil, err
	}
	b.Spent = b.Budget - b.Left - b.Reserved
	since := max(now.Add(-burnWindow), min(c.StartsAt, now))
	used, err := wallet.Used(q, wallet.Campaign(c.ID), money.CNY, since)
	if err != nil {
		return nil, err
	}
	b.Rate, b.UsedUpAt = burn(b.Left, used, since, now)
	return &b, nil
}

// burn is the hourly rate of what was used since, and when what is left would
// be used up at it: a moment that has come if nothing is left, 0 if it never
// would be. A window under a minute counts as one.
func burn(left, used money.Amount, since, now clock.Milli) (rate money.Amount, usedUpAt clock.Milli) {
	if left <= 0 {
		usedUpAt = now
	}
	if used <= 0 {
		return 0, usedUpAt
	}
	window := money.Amount(max(now-since, clock.Milli(time.Minute.Milliseconds())))
	rate = used.Share(money.Amount(time.Hour.Milliseconds()), window)
	switch {
	case left <= 0:
	case left >= used.Share(forecastMost, window):
		usedUpAt = now + clock.Milli(forecastMost)
	default:
		usedUpAt = now + clock.Milli(left.Share(window, used))
	}
	return rate, usedUpAt
}

// forecastMost bounds a forecast to ten years: beyond that it says nothing.
const forecastMost = money.Amount(10 * 365 * 24 * int64(time.Hour/time.Millisecond))
