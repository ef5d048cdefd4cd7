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

// WalkStates has lists of one state look at so many rewards in a step and a
// page, until the test ends.
func WalkStates(t interface{ Cleanup(func()) }, step, most int) {
	was, wasMost := stateStep, stateMost
	stateStep, stateMost = step, most
	t.Cleanup(func() { stateStep, stateMost = was, wasMost })
}
