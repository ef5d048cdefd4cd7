package referral

import (
	"context"
	"fmt"
	"slices"

	"siyu/internal/database"
	"siyu/internal/money"
	"siyu/wallet"
)

// verifyGiven checks that points and coupons lie where their rewards say: of
// what has cleared, points were earned once, and a coupon is held unless it was
// taken back. What they cost the budget is in the books of verifyRewards.
func verifyGiven(ctx context.Context, db *database.DB) (database.Proof, error) {
	p := database.Proof{ID: "V5", Says: "points and coupons are given once"}
	_, err := db.InRanges(ctx, "rewards", "id", span, func(q *database.Query, after, upto int64) error {
		var list []Reward
		err := q.Raw("SELECT "+rewardColumns+" FROM rewards r WHERE r.id > ? AND r.id <= ? AND r.currency <> ?", after, upto, money.CNY).Scan(&list).Error
		if err != nil {
			return err
		}
		for rows := range slices.Chunk(list, inAtOnce) {
			if rows, err = foldAll(q, rows); err != nil {
				return err
			}
			if err := proveGiven(q, rows, &p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return p, fmt.Errorf("referral: verify given: %w", err)
	}
	return p, nil
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
