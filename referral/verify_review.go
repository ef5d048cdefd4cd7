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
	for after := id.Reward(0); ; {
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
		err := db.Snapshot(ctx, func(q *database.Query) error {
			return q.Raw(`SELECT r.id, r.review, `+isCleared+` AS cleared, `+netOf+` AS net, COALESCE(c.id, 0) AS case_id,
					COALESCE(c.state, '') AS state, COALESCE(c.found_by, 0) AS found_by, COALESCE(c.decided_by, 0) AS decided_by
				FROM rewards r LEFT JOIN review_cases c ON c.reward_id = r.id
				WHERE r.id > ? AND r.amount > 0 AND r.review <> '' ORDER BY r.id LIMIT ?`, after, span).Scan(&rows).Error
		})
		if err != nil {
			return p, fmt.Errorf("referral: verify reviews: %w", err)
		}
		if len(rows) == 0 {
			return p, nil
		}
		for _, r := range rows {
			p.Checked++
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
		after = rows[len(rows)-1].ID
	}
}
