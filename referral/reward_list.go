package referral

import (
	"context"
	"fmt"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// RewardFilter narrows a list of rewards; zero fields do not.
type RewardFilter struct {
	Member   id.Member
	Campaign id.Campaign
	Program  id.Program
	Order    id.Order
	State    RewardState
}

// States of rewards as conditions; fold says the same in Go. They count and sum
// instead of asking EXISTS, which MariaDB answers by gathering what ever cleared
// before it looks at the first reward. The kind stands in COALESCE for the
// reason that movedSince tells.
const (
	isCleared = "((SELECT COUNT(*) FROM reward_events e WHERE e.reward_id = r.id AND COALESCE(e.kind, '') = 'cleared') > 0)"
	netOf     = "(r.amount + COALESCE((SELECT SUM(e.amount) FROM reward_events e WHERE e.reward_id = r.id AND e.kind IN ('reduced', 'clawed_back', 'voided')), 0))"
)

var stateIs = map[RewardState]string{
	RewardDeclined:   " AND r.amount = 0",
	RewardPending:    " AND r.amount > 0 AND NOT " + isCleared + " AND " + netOf + " > 0",
	RewardVoided:     " AND r.amount > 0 AND NOT " + isCleared + " AND " + netOf + " = 0",
	RewardCleared:    " AND " + isCleared + " AND " + netOf + " > 0",
	RewardClawedBack: " AND " + isCleared + " AND " + netOf + " = 0",
}

// ListRewards lists rewards newest first: staff see those of their units, a
// member his own. A page of one state may end early, with a cursor.
func (s *Service) ListRewards(ctx context.Context, f RewardFilter, page database.Page) (database.Paged[Reward], error) {
	a := database.ActorOf(ctx)
	if a.Kind == database.ActorMember || a.Kind == database.ActorGuest {
		f.Member = a.Member
	}
	cond, args := a.Within("r.unit_id")
	for _, x := range []struct {
		column string
		id     int64
	}{
		{"beneficiary_id", int64(f.Member)}, {"campaign_id", int64(f.Campaign)},
		{"program_id", int64(f.Program)}, {"order_id", int64(f.Order)},
	} {
		if x.id != 0 {
			cond, args = cond+" AND r."+x.column+" = ?", append(args, x.id)
		}
	}
	list := database.Sift[Reward]{
		Columns: rewardColumns, Table: "rewards r", ID: "r.id", Cond: cond, CondArgs: args,
		IDOf: func(r Reward) int64 { return int64(r.ID) },
	}
	if f.State != "" {
		is, known := stateIs[f.State]
		if !known {
			return database.Paged[Reward]{}, fault.Invalid.Field("state", "unknown_value",
				"应为 pending、cleared、voided、clawed_back、declined 之一", "must be one of pending, cleared, voided, clawed_back, declined")
		}
		list.Is = is
	}
	q := s.DB.Read(ctx)
	out, err := list.Page(q, page)
	if err != nil {
		return out, fmt.Errorf("referral: list rewards: %w", err)
	}
	out.Items, err = foldAll(q, out.Items)
	return out, err
}
