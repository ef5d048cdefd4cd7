package referral

import (
	"context"
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral/review"
)

// verifyReviews checks each case against its reward, and each cleared reward
// against the review.
func verifyReviews(ctx context.Context, db *database.DB) (database.Proof, error) {
	p := database.Proof{ID: "V5", Says: "nothing clears that waits for a human or was refused; two people decide"}
	n, err := db.InRanges(ctx, "rewards", "id", span, func(q *database.Query, after, upto int64) error {
		return checkReviews(q, after, upto, &p)
	})
	if err != nil {
		return p, fmt.Errorf("referral: verify reviews: %w", err)
	}
	p.Checked += n
	return p, nil
}

// checkReviews reads the rewards of a range that have a case or whose review
// says more than that they passed; nothing can be wrong with the others.
func checkReviews(q *database.Query, after, upto int64, p *database.Proof) error {
	var rows []struct {
		ID        id.Reward
		Review    Review
		Cleared   int
		Net       int64
		CaseID    id.ReviewCase
		State     review.State
		FoundBy   id.Staff
		DecidedBy id.Staff
	}
	err := q.Raw(`SELECT r.id, r.review, `+isCleared+` AS cleared, `+netOf+` AS net, COALESCE(c.id, 0) AS case_id,
			COALESCE(c.state, '') AS state, COALESCE(c.found_by, 0) AS found_by, COALESCE(c.decided_by, 0) AS decided_by
		FROM rewards r LEFT JOIN review_cases c ON c.reward_id = r.id
		WHERE r.id > ? AND r.id <= ? AND r.amount > 0 AND r.review <> ? AND (r.review <> ? OR c.id IS NOT NULL)`,
		after, upto, ReviewOld, ReviewPassed).Scan(&rows).Error
	for _, r := range rows {
		if r.Cleared != 0 && (!r.Review.clears() || r.State != "" && r.State != review.StatePassed) {
			p.Break("reward %s has cleared though its review is %s and its case %s", r.ID, r.Review, r.State)
		}
		if (r.State == review.StateOpen) != (r.Review == ReviewOpen) || (r.State == review.StateRefused) != (r.Review == ReviewRefused) {
			p.Break("reward %s is in review %q and its case is %q", r.ID, r.Review, r.State)
		}
		if r.State == review.StateRefused && r.Net != 0 {
			p.Break("reward %s was refused and has %d fen left", r.ID, r.Net)
		}
		if (r.State == review.StatePassed || r.DecidedBy != 0) && (r.DecidedBy == 0 || r.FoundBy == 0 || r.FoundBy == r.DecidedBy) {
			p.Break("case %s was decided without two people", r.CaseID)
		}
	}
	return err
}
