package health

import (
	"siyu/internal/database"
	"siyu/internal/id"
)

// StandingRows reads the standings of groups, as a read that travels with the
// locks of a batch; a group that was never judged has none. It takes no lock: a
// standing is a judgement of days that are over, and may be replaced at any
// moment.
func StandingRows(groups database.Keys[id.Group], row func(Standing)) database.Read {
	return database.Read{SQL: "SELECT " + standingColumns + " FROM group_standings WHERE " + groups.Of("group_id") + " AND state <> ''", Row: func(rows database.Row) error {
		var s Standing
		err := rows.Scan(&s.GroupID, &s.Day, &s.State, &s.Since, &s.Coverage, &s.DAR, &s.Fatigue, &s.Content, &s.Ads, &s.Held, &s.Redo, &s.JudgedAt, &s.NextAt)
		row(s)
		return err
	}}
}
