package referral

import (
	"context"

	"siyu/internal/database"
)

// VerifyRewardsUpto is V5 of rewards with rows up to an id taken for at rest,
// and something done after they were walked.
func VerifyRewardsUpto(ctx context.Context, db *database.DB, rested int64, walked func() error) (database.Proof, error) {
	return verifyRewardsUpto(ctx, db, rested, walked)
}
