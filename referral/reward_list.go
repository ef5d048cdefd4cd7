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

// A state is told by events, so one page looks for it among so many rewards and
// ends early where they hold too few: a rare state would else be looked for
// among all there are.
var (
	stateStep = 1000
	stateMost = 20_000
)

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
	list := rewardList{q: s.DB.Read(ctx), cond: cond, args: args}
	out, err := list.page(page, f.State)
	if err != nil {
		return out, fmt.Errorf("referral: list rewards: %w", err)
	}
	out.Items, err = foldAll(list.q, out.Items)
	return out, err
}

// rewardList is what a list of rewards is narrowed to, whatever their states.
type rewardList struct {
	q    *database.Query
	cond string
	args []any
}

func (l rewardList) page(page database.Page, state RewardState) (database.Paged[Reward], error) {
	idOf := func(r Reward) int64 { return int64(r.ID) }
	if state == "" {
		rows, err := l.between(0, page.Bound(), "", page.Fetch())
		return database.Cut(page, rows, idOf), err
	}
	is, known := stateIs[state]
	if !known {
		return database.Paged[Reward]{}, fault.Invalid.Field("state", "unknown_value",
			"应为 pending、cleared、voided、clawed_back、declined 之一", "must be one of pending, cleared, voided, clawed_back, declined")
	}
	var rows []Reward
	for looked, before := 0, page.Bound(); ; {
		first, err := l.step(before)
		if err != nil {
			return database.Paged[Reward]{}, err
		}
		found, err := l.between(first, before, is, page.Fetch()-len(rows))
		if err != nil {
			return database.Paged[Reward]{}, err
		}
		rows, looked, before = append(rows, found...), looked+stateStep, first
		switch {
		case first == 0 || len(rows) == page.Fetch():
			return database.Cut(page, rows, idOf), nil
		case looked >= stateMost:
			return database.CutEarly(rows, first), nil
		}
	}
}

// step is the id of the last reward of a step below an id, 0 if the list ends
// within it.
func (l rewardList) step(before int64) (first int64, err error) {
	err = l.q.Raw("SELECT r.id FROM rewards r WHERE r.id < ?"+l.cond+" ORDER BY r.id DESC LIMIT 1 OFFSET ?",
		append(append([]any{before}, l.args...), stateStep-1)...).Scan(&first).Error
	return first, err
}

func (l rewardList) between(first, before int64, is string, most int) (rows []Reward, err error) {
	err = l.q.Raw("SELECT "+rewardColumns+" FROM rewards r WHERE r.id >= ? AND r.id < ?"+l.cond+is+" ORDER BY r.id DESC LIMIT ?",
		append(append([]any{first, before}, l.args...), most)...).Scan(&rows).Error
	return rows, err
}
