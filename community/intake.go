package community

import (
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Intake is how many people of a group came since a moment, the last of them,
// and how many it has.
type Intake struct {
	GroupID id.Group
	Joined  int
	Newest  clock.Milli
	Members int
}

// IntakeRows reads the intake of the groups into which somebody came since a
// moment, as a read that travels with the locks of a batch. Only those groups
// are counted whole.
func IntakeRows(groups []id.Group, since clock.Milli, row func(Intake)) database.Read {
	return database.Read{
		SQL: `SELECT j.group_id, j.joined, j.newest, (SELECT COUNT(*) FROM memberships m WHERE m.group_id = j.group_id AND m.left_at = 0)
			FROM (SELECT group_id, COUNT(*) AS joined, MAX(joined_at) AS newest FROM memberships
				WHERE group_id IN ? AND left_at = 0 AND joined_at > ? GROUP BY group_id) j`,
		Args: []any{groups, since},
		Row: func(rows database.Row) error {
			var in Intake
			err := rows.Scan(&in.GroupID, &in.Joined, &in.Newest, &in.Members)
			row(in)
			return err
		},
	}
}
