package referral

import (
	"context"
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/wallet"
)

// verifyGiven checks that points and coupons lie where their rewards say: the
// cost of what is pending is set aside with the program, of what has cleared it
// is given; points were earned once, and a coupon is held unless it was taken
// back.
func verifyGiven(ctx context.Context, db *database.DB) (database.Proof, error) {
	p := database.Proof{ID: "V5", Says: "points and coupons are given once and cost the budget what was stated"}
	var programs []id.Program
	err := db.Read(ctx).Raw("SELECT DISTINCT program_id FROM rewards WHERE currency <> ? ORDER BY program_id", money.CNY).Scan(&programs).Error
	if err != nil {
		return p, fmt.Errorf("referral: verify given: %w", err)
	}
	for _, program := range programs {
		if err := db.Snapshot(ctx, func(q *database.Query) error { return proveCosts(q, program, &p) }); err != nil {
			return p, fmt.Errorf("referral: verify given: %w", err)
		}
	}
	for after := id.Reward(0); ; {
		var rows []Reward
		err := db.Snapshot(ctx, func(q *database.Query) error {
			err := q.Raw("SELECT "+rewardColumns+" FROM rewards r WHERE r.id > ? AND r.currency <> ? ORDER BY r.id LIMIT ?",
				after, money.CNY, inAtOnce).Scan(&rows).Error
			if err != nil || len(rows) == 0 {
				return err
			}
			if rows, err = foldAll(q, rows); err != nil {
				return err
			}
			return proveGiven(q, rows, &p)
		})
		if err != nil {
			return p, fmt.Errorf("referral: verify given: %w", err)
		}
		if len(rows) == 0 {
			return p, nil
		}
		after = rows[len(rows)-1].ID
	}
}

// proveCosts compares a program's accounts of what is set aside and given with
// its rewards in points and coupons.
func proveCosts(q *database.Query, program id.Program, p *database.Proof) error {
	var sum struct{ Pending, Given money.Amount }
	err := q.Raw(`SELECT COALESCE(SUM(CASE WHEN `+isCleared+` THEN 0 ELSE `+netOf+` * r.unit_cost END), 0) AS pending,
			COALESCE(SUM(CASE WHEN `+isCleared+` THEN `+netOf+` * r.unit_cost ELSE 0 END), 0) AS given
		FROM rewards r WHERE r.program_id = ? AND r.currency <> ?`, program, money.CNY).Scan(&sum).Error
	if err != nil {
		return err
	}
	for _, a := range []struct {
		stage wallet.Stage
		want  money.Amount
	}{{wallet.StageReserved, sum.Pending}, {wallet.StageGiven, sum.Given}} {
		got, err := wallet.Balance(q, a.stage, wallet.Program(program), money.CNY)
		if err != nil {
			return err
		}
		if got != a.want {
			p.Break("program %s has %s as %s, its points and coupons say %s", program, got, a.stage, a.want)
		}
	}
	return nil
}

func proveGiven(q *database.Query, rows []Reward, p *database.Proof) error {
	held, err := wallet.GivenFor(q, sourceReward, idsOf(rows))
	if err != nil {
		return err
	}
	for _, r := range rows {
		p.Checked++
		g := held[r.ID.String()]
		switch cleared := r.ClearedAt != 0; {
		case r.Currency == money.PTS && (g.Earned != 0) != cleared:
			p.Break("reward %s is %s and gave %d points", r.ID, r.State, g.Earned)
		case r.Currency == Coupons && (g.Coupons != 0) != (cleared && r.Net > 0):
			p.Break("reward %s is %s with %d left, and its member holds %d coupons for it", r.ID, r.State, r.Net, g.Coupons)
		}
	}
	return nil
}

func idsOf(rows []Reward) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.ID.String()
	}
	return out
}
