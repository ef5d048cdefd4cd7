package campaign

import (
	"fmt"
	"slices"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Paid is an order that was paid, and whether all of it was refunded since.
type Paid struct {
	PaidAt   clock.Milli
	Refunded bool
}

// PaidBy are the paid orders of live members, by when they were paid.
func PaidBy(q *database.Query, members []id.Member) (map[id.Member][]Paid, error) {
	out := make(map[id.Member][]Paid, len(members))
	if len(members) == 0 {
		return out, nil
	}
	merged, err := community.MergedInto(q, members)
	if err != nil {
		return nil, err
	}
	today := make(map[id.Member]id.Member, len(members))
	for _, m := range members {
		for _, was := range append(merged[m], m) {
			today[was] = m
		}
	}
	for claimers := range slices.Chunk(sorted(today), inMost) {
		var rows []struct {
			ClaimedBy id.Member
			PaidAt    clock.Milli
			Status    OrderStatus
		}
		err := q.Raw("SELECT claimed_by, paid_at, status FROM orders WHERE claimed_by IN ? AND status IN ? AND paid_at > 0",
			claimers, []OrderStatus{OrderPaid, OrderRefunded}).Scan(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("campaign: what members bought: %w", err)
		}
		for _, r := range rows {
			m := today[r.ClaimedBy]
			out[m] = append(out[m], Paid{r.PaidAt, r.Status == OrderRefunded})
		}
	}
	for _, list := range out {
		slices.SortFunc(list, func(a, b Paid) int { return int(a.PaidAt - b.PaidAt) })
	}
	return out, nil
}

// inMost is the longest list a server still looks up in an index.
const inMost = 200
