package community

import (
	"database/sql"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// GroupRows is GroupsIn as a read that travels with the locks of a batch.
func GroupRows(groups []id.Group, row func(Group)) database.Read {
	return database.Read{SQL: "SELECT " + groupColumns + " FROM chat_groups WHERE id IN ?", Args: []any{groups}, Row: func(rows *sql.Rows) error {
		var g Group
		err := rows.Scan(&g.ID, &g.UnitID, &g.ExternalID, &g.Name, &g.Preset, &g.Zone, &g.OwnerID, &g.BornAt, &g.Imported, &g.Gated, &g.EndsAt, &g.EndReason, &g.ParentID, &g.Status, &g.Version, &g.CreatedAt)
		row(g)
		return err
	}}
}

// CharterRows is Charters as such a read, without their texts. A group's rows
// come in order of version: the last that row is told is the one in force.
func CharterRows(groups []id.Group, at clock.Milli, row func(Charter)) database.Read {
	const columns = "group_id, version, ads_per_day, ads_per_week, quiet_from, quiet_to, ends_at, announced_at, effective_at"
	return database.Read{SQL: inForce(columns), Args: []any{groups, at}, Row: func(rows *sql.Rows) error {
		var c Charter
		err := rows.Scan(&c.GroupID, &c.Version, &c.AdsPerDay, &c.AdsPerWeek, &c.QuietFrom, &c.QuietTo, &c.EndsAt, &c.AnnouncedAt, &c.EffectiveAt)
		row(c.at(at))
		return err
	}}
}
