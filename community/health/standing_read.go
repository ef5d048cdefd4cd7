package health

import (
	"siyu/internal/database"
	"siyu/internal/id"
)

// StandingRows is StandingsIn as a read that travels with the locks of a batch.
func StandingRows(groups database.Keys[id.Group], row func(Standing)) database.Read {
	return database.Read{SQL: "SELECT " + standingColumns + " FROM group_standings WHERE " + groups.Of("group_id") + " AND state <> ''", Row: func(rows database.Row) error {
		var s Standing
		err := rows.Scan(&s.GroupID, &s.Day, &s.State, &s.Since, &s.Coverage, &s.DAR, &s.Fatigue, &s.Content, &s.Ads, &s.Held, &s.Redo, &s.JudgedAt, &s.NextAt)
		row(s)
		return err
	}}
}
