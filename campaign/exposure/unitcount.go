package exposure

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"siyu/internal/database"
	"siyu/internal/id"
)

// unitTally is what is counted of the groups of a unit and of those below it.
// Whoever is in several of them is counted once, and in each unit he is in.
type unitTally struct {
	unitCount
	spread seen
	turn   int64 // the member it was last touched by
	in     bool  // he is in a group of it now
}

type unitCount struct {
	CountID int64   `gorm:"column:count_id"`
	UnitID  id.Unit `gorm:"column:unit_id"`
	Groups  int     `gorm:"column:group_n"`
	Ads     int     `gorm:"column:ad_n"`
	Stays   int64   `gorm:"column:stay_n"`
	Members int64   `gorm:"column:member_n"`
	People  int64   `gorm:"column:people_n"`
	Known   int64   `gorm:"column:known_n"`
	Spread  string  `gorm:"column:spread"`
}

// TableName is the table's.
func (unitCount) TableName() string { return "exposure_unit_counts" }

// readUnits makes a tally for every unit and says which are touched by a group
// of each: the unit's own and those of the units above it.
func readUnits(q *database.Query) (map[id.Unit][]*unitTally, error) {
	var rows []struct {
		ID   id.Unit
		Path string
	}
	if err := q.Raw("SELECT id, path FROM units").Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("exposure: units: %w", err)
	}
	slices.SortFunc(rows, func(a, b struct {
		ID   id.Unit
		Path string
	}) int {
		return cmp.Compare(a.Path, b.Path)
	})
	out := make(map[id.Unit][]*unitTally, len(rows))
	var above []*unitTally // of the path that is being gone down
	var paths []string
	for _, r := range rows {
		for n := len(paths); n > 0 && !strings.HasPrefix(r.Path, paths[n-1]); n-- {
			above, paths = above[:n-1], paths[:n-1]
		}
		above, paths = append(above, &unitTally{unitCount: unitCount{UnitID: r.ID}}), append(paths, r.Path)
		out[r.ID] = slices.Clone(above)
	}
	return out, nil
}

// settleUnits counts the member whose stays were gathered in the units of his
// groups.
func (c *counting) settleUnits(total int, whole bool) {
	c.turn++
	c.touched = c.touched[:0]
	for _, s := range c.gather {
		g := c.groups[s.GroupID]
		if g == nil || s.Host {
			continue
		}
		for _, u := range g.units {
			if u.turn != c.turn {
				u.turn, u.in = c.turn, false
				c.touched = append(c.touched, u)
			}
			u.Stays++
			u.in = u.in || s.LeftAt == 0
		}
	}
	for _, u := range c.touched {
		if total > 0 {
			u.Members++
		}
		if !u.in {
			continue
		}
		u.People++
		u.spread.add(total)
		if whole {
			u.Known++
		}
	}
}

// writeUnits writes what was counted of units; one without memberships has no
// row.
func (s *Service) writeUnits(ctx context.Context, c *counting) error {
	for _, g := range c.groups {
		for _, u := range g.units {
			u.Ads += len(g.ads)
			if g.members > 0 {
				u.Groups++
			}
		}
	}
	var rows []unitCount
	for _, unit := range slices.Sorted(maps.Keys(c.units)) {
		list := c.units[unit]
		if u := list[len(list)-1]; u.Stays > 0 {
			u.CountID, u.Spread = c.ID, u.spread.String()
			rows = append(rows, u.unitCount)
		}
	}
	c.Units = len(rows)
	for part := range slices.Chunk(rows, 500) {
		if err := s.DB.Tx(ctx, func(tx *database.Tx) error { return tx.Create(&part).Error }); err != nil {
			return fmt.Errorf("exposure: units: %w", err)
		}
	}
	return nil
}

// forgetUnits forgets what was counted of units before a count, some at a time,
// and says whether there is more.
func forgetUnits(tx *database.Tx, before int64) (more bool, err error) {
	var rows []unitCount
	err = tx.Raw("SELECT count_id, unit_id FROM exposure_unit_counts WHERE count_id < ? ORDER BY count_id, unit_id LIMIT 500", before).Scan(&rows).Error
	for _, r := range rows {
		if err == nil {
			err = tx.Exec("DELETE FROM exposure_unit_counts WHERE count_id = ? AND unit_id = ?", r.CountID, r.UnitID).Error
		}
	}
	return len(rows) == 500, err
}

// ofUnit is the count of the groups of a unit and of those below it; one with
// ID 0 if the count was made before units were counted.
func (c Counted) ofUnit(q *database.Query, unit id.Unit) (Counted, error) {
	if c.ID == 0 || c.Units < 0 {
		return Counted{}, nil
	}
	var u unitCount
	err := q.Raw("SELECT count_id, unit_id, group_n, ad_n, stay_n, member_n, people_n, known_n, spread FROM exposure_unit_counts WHERE count_id = ? AND unit_id = ?", c.ID, unit).Scan(&u).Error
	if err != nil {
		return Counted{}, fmt.Errorf("exposure: count of %s: %w", unit, err)
	}
	c.Groups, c.Ads, c.Stays, c.Members, c.People, c.Known, c.Spread = u.Groups, u.Ads, u.Stays, u.Members, u.People, u.Known, u.Spread
	return c, nil
}
