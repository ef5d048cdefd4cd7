package referral_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral"
)

// TestRewardsByState reads rewards of each state page by page: each comes once,
// newest first, whatever lies between.
func TestRewardsByState(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(1_000_000, everyOrder())
		anna, bob := h.member(), h.member()
		h.mustBind(anna, bob)
		for order := id.Order(1); order <= 7; order++ { // an order rewards both
			h.pay(order, bob, 10_000)
		}
		h.refund(6, 61, 10_000)
		h.refund(2, 21, 10_000)
		all := h.everyReward()
		if len(all) != 14 {
			t.Fatalf("%d rewards", len(all))
		}
		for state, orders := range map[referral.RewardState][]id.Order{
			referral.RewardPending: {7, 7, 5, 5, 4, 4, 3, 3, 1, 1}, referral.RewardVoided: {6, 6, 2, 2}, referral.RewardCleared: nil, referral.RewardDeclined: nil,
		} {
			for limit := 1; limit <= 5; limit++ {
				var got []id.Order
				for page := (database.Page{Limit: limit}); ; {
					list, err := h.ListRewards(bg, referral.RewardFilter{State: state}, page)
					if err != nil || list.Items == nil || len(list.Items) > limit {
						t.Fatalf("%s: %+v, %v", state, list, err)
					}
					for _, r := range list.Items {
						got = append(got, r.OrderID)
					}
					if list.NextCursor == "" {
						break
					}
					if page.Before, err = database.ParseCursor(list.NextCursor); err != nil {
						t.Fatal(err)
					}
				}
				if diff := cmp.Diff(orders, got); diff != "" {
					t.Errorf("%s, %d a page: %s", state, limit, diff)
				}
			}
		}
	})
}
