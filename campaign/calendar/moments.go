package calendar

import (
	"fmt"
	"strings"

	"siyu/campaign/guard"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Moments are the key moments of a stretch of days for the guard: festivals,
// days of shopping and the brand's own, and those on which cheerful promotion
// is out of place. A unit's own day is also that of all below it. ok is false
// where a year of the stretch is not known.
func Moments(q *database.Query, from, to int) (list []guard.Moment, ok bool, err error) {
	days, unknown := preloaded(from, to)
	var own []ownDay
	err = q.Raw("SELECT * FROM calendar_days WHERE from_day >= ? AND from_day <= ? AND to_day >= ? ORDER BY from_day, id LIMIT ?",
		from-10000, to, from, ownMax).Scan(&own).Error
	if err != nil {
		return nil, false, fmt.Errorf("calendar: moments: %w", err)
	}
	below, err := belowEach(q, own)
	if err != nil {
		return nil, false, err
	}
	for _, d := range append(days, shown(own)...) {
		m := guard.Moment{FromDay: d.FromDay, ToDay: d.ToDay, Avoid: d.Kind == KindMourning || d.Avoid}
		if d.ID != 0 {
			m.Units = below[d.UnitID]
		}
		list = append(list, m)
	}
	return list, len(unknown) == 0, nil
}

// belowEach are, for each unit with a day of its own, that unit and all below
// it.
func belowEach(q *database.Query, own []ownDay) (map[id.Unit]map[id.Unit]bool, error) {
	out := map[id.Unit]map[id.Unit]bool{}
	if len(own) == 0 {
		return out, nil
	}
	for _, d := range own {
		out[d.UnitID] = map[id.Unit]bool{d.UnitID: true}
	}
	var units []struct {
		ID   id.Unit
		Path string
	}
	if err := q.Raw("SELECT id, path FROM units").Scan(&units).Error; err != nil {
		return nil, fmt.Errorf("calendar: units: %w", err)
	}
	for _, u := range units {
		for _, text := range strings.Split(strings.Trim(u.Path, "/"), "/") {
			var over id.Unit
			if over.UnmarshalText([]byte(text)) == nil && out[over] != nil {
				out[over][u.ID] = true
			}
		}
	}
	return out, nil
}

// UnitsOf are a unit and all below it, to which its own days apply.
func UnitsOf(q *database.Query, unit id.Unit) (map[id.Unit]bool, error) {
	below, err := belowEach(q, []ownDay{{UnitID: unit}})
	return below[unit], err
}
