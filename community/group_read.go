package community

import (
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// GroupRows reads groups as a guard knows them, without names and texts, in a
// read that travels with the locks of a batch.
func GroupRows(groups database.Keys[id.Group], row func(Group)) database.Read {
	const columns = "id, unit_id, preset, zone, owner_id, born_at, imported, ends_at, status"
	return database.Read{SQL: "SELECT " + columns + " FROM chat_groups WHERE " + groups.Of("id"), Row: func(rows database.Row) error {
		var g Group
		err := rows.Scan(&g.ID, &g.UnitID, &g.Preset, &g.Zone, &g.OwnerID, &g.BornAt, &g.Imported, &g.EndsAt, &g.Status)
		row(g)
		return err
	}}
}

// CharterRows is Charters as such a read, without their texts. A group may be
// told more than once: the last that row is told is in force, of version 0
// where none is.
func CharterRows(groups database.Keys[id.Group], at clock.Milli, row func(Charter)) database.Read {
	const columns = "group_id, version, ads_per_day, ads_per_week, quiet_from, quiet_to, ends_at, announced_at, effective_at"
	var standing versions
	return database.Read{SQL: charterVersions(columns, groups), Row: func(rows database.Row) error {
		var c Charter
		err := rows.Scan(&c.GroupID, &c.Version, &c.AdsPerDay, &c.AdsPerWeek, &c.QuietFrom, &c.QuietTo, &c.EndsAt, &c.AnnouncedAt, &c.EffectiveAt)
		standing = standing.then(c)
		now := standing.inForce(at)
		now.GroupID = c.GroupID
		row(now.at(at))
		return err
	}}
}

// crowded is how many groups there may be for each four that are asked for
// before it costs less to look for each.
const crowded = 5

// Neighbours says whether the groups, ascending, lie so close together by id
// that they are better read as a span, as those of a wave over a whole house
// are.
func Neighbours(q *database.Query, groups []id.Group) (bool, error) {
	n := len(groups)
	if n < 2 {
		return false, nil
	}
	var beyond id.Group
	err := q.Raw("SELECT id FROM chat_groups WHERE id BETWEEN ? AND ? ORDER BY id LIMIT 1 OFFSET ?", groups[0], groups[n-1], n*crowded/4).Scan(&beyond).Error
	if err != nil {
		return false, fmt.Errorf("community: neighbours: %w", err)
	}
	return beyond == 0, nil
}
