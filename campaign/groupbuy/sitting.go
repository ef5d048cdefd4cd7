package groupbuy

import (
	"fmt"

	"siyu/campaign"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Sitting is one live seat: whose it is and whether it is paid.
type Sitting struct {
	TeamID   id.Team
	MemberID id.Member
	Status   campaign.OrderStatus
}

// SittingIn are the live seats of teams in the order they were taken, at most
// a hundred to a team as every team is; pages draw them.
func SittingIn(q *database.Query, teams []id.Team) (map[id.Team][]Sitting, error) {
	out := make(map[id.Team][]Sitting, len(teams))
	if len(teams) == 0 {
		return out, nil
	}
	var rows []Sitting
	err := q.Raw(`SELECT seats.team_id, orders.member_id, orders.status FROM seats JOIN orders ON orders.id = seats.order_id
		WHERE seats.team_id IN ? AND orders.status IN ('held', 'paid') ORDER BY orders.id`, teams).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("groupbuy: seats: %w", err)
	}
	for _, r := range rows {
		out[r.TeamID] = append(out[r.TeamID], r)
	}
	return out, nil
}

// SatIn says whether the member has or had a seat in the team.
func SatIn(q *database.Query, team id.Team, m id.Member) (bool, error) {
	var n int
	err := q.Raw("SELECT COUNT(*) FROM seats JOIN orders ON orders.id = seats.order_id WHERE seats.team_id = ? AND orders.member_id = ?", team, m).Scan(&n).Error
	return n > 0, err
}
