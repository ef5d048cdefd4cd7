package guard

import (
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// layer is one version of the part of a policy that is set by the brand (no
// unit), by a unit, or by a group. The brand and units set it for all groups of
// a preset; only a group sets a mode and a preset.
type layer struct {
	GroupID   id.Group
	UnitID    id.Unit
	ForPreset Preset // "" for a group
	Version   int
	Live      int
	Preset    Preset
	Mode      Mode
	settings
	AnnouncedAt clock.Milli
	NoticeUntil clock.Milli // 0: it held at once
	SetBy       id.Staff
}

const layerColumns = `p.group_id, p.unit_id, p.for_preset, p.version, p.live, p.preset, p.mode, p.warm_up_days, p.gap_hours, p.ads_per_day, p.ads_per_week,
	p.ads_per_month, p.quiet_from, p.quiet_to, p.rules, p.announced_at, p.notice_until, p.set_by`

func (l *layer) scan(rows database.Row, more ...any) error {
	return rows.Scan(append([]any{&l.GroupID, &l.UnitID, &l.ForPreset, &l.Version, &l.Live, &l.Preset, &l.Mode, &l.WarmUpDays, &l.GapHours, &l.AdsPerDay,
		&l.AdsPerWeek, &l.AdsPerMonth, &l.QuietFrom, &l.QuietTo, &l.Rules, &l.AnnouncedAt, &l.NoticeUntil, &l.SetBy}, more...)...)
}

// layers are the live versions of one layer, oldest first: the one in force
// and the one that is coming.
type layers []layer

// at is the version in force at a moment; version 0 if nothing is set. The
// moment is compared with the end of a notice alone, never with that of an
// announcement: a clock that is set back takes nothing stricter away.
func (all layers) at(t clock.Milli) layer {
	for _, l := range slices.Backward(all) {
		if l.NoticeUntil <= t {
			return l
		}
	}
	return layer{settings: nothingSet}
}

// chain are layers of one kind, nearest first; the nearest that sets anything
// decides alone.
type chain []layers

func (c chain) at(t clock.Milli) layer {
	for _, all := range c {
		if l := all.at(t); l.settings != nothingSet {
			return l
		}
	}
	return layer{settings: nothingSet}
}

// ofPreset are the layers of the brand, or of a unit and those above it, by the
// preset they are for.
type ofPreset map[Preset]chain

// ruling are the layers that bear on some groups.
type ruling struct {
	house  ofPreset
	units  map[id.Unit]ofPreset
	groups map[id.Group]layers // what is coming
}

// policiesRead reads the layers of the groups: the brand's, those of their
// units and the units above them, and what is coming of their own.
func policiesRead(groups database.Keys[id.Group], into *ruling) database.Read {
	return layersRead("(p.group_id = 0 OR "+groups.Of("p.group_id")+")", "SELECT g.unit_id FROM chat_groups g WHERE "+groups.Of("g.id"), nil, into)
}

// layersRead reads the layers of the groups and units that two conditions name.
func layersRead(groups, units string, args []any, into *ruling) database.Read {
	*into = ruling{ofPreset{}, map[id.Unit]ofPreset{}, map[id.Group]layers{}}
	return database.Read{
		SQL: "SELECT " + layerColumns + ` , 0 AS of_unit, 0 AS depth FROM ad_policies p WHERE ` + groups + ` AND p.unit_id = 0 AND p.live = 1
			UNION ALL SELECT ` + layerColumns + `, u.id, LENGTH(a.path) FROM ad_policies p JOIN units a ON a.id = p.unit_id
			JOIN units u ON SUBSTR(u.path, 1, LENGTH(a.path)) = a.path AND u.id IN (` + units + `)
			WHERE p.group_id = 0 AND p.unit_id <> 0 AND p.live = 1
			ORDER BY depth DESC, version`,
		Args: args,
		Row: func(rows database.Row) error {
			var l layer
			var unit id.Unit
			var depth int
			err := l.scan(rows, &unit, &depth)
			into.add(l, unit)
			return err
		},
	}
}

// add takes layers from the nearest to the farthest, each from its oldest
// version on.
func (r *ruling) add(l layer, unit id.Unit) {
	if l.GroupID != 0 {
		r.groups[l.GroupID] = append(r.groups[l.GroupID], l)
		return
	}
	into := r.house
	if unit != 0 {
		if r.units[unit] == nil {
			r.units[unit] = ofPreset{}
		}
		into = r.units[unit]
	}
	c := into[l.ForPreset]
	if n := len(c); n > 0 && c[n-1][0].UnitID == l.UnitID {
		c[n-1] = append(c[n-1], l)
		return
	}
	into[l.ForPreset] = append(c, layers{l})
}

// laws are the layers that one group's policy comes from.
type laws struct {
	house, unit ofPreset
	own         groupGuard // in force
	coming      layers     // of its own
	preset      Preset     // the group's, where its policy names none
}

// at is the policy at a moment and the layers it is made of, nearest first:
// the group's own, the nearest unit's, the brand's.
func (l *laws) at(t clock.Milli) (Policy, [3]layer) {
	own := l.own.at(l.coming, t)
	if own.Preset == "" {
		own.Preset = l.preset
	}
	p := PresetPolicy(own.Preset, own.Mode)
	from := [3]layer{{Version: own.held(), settings: own.settings}, l.unit[p.Preset].at(t), l.house[p.Preset].at(t)}
	for _, x := range slices.Backward(from[:]) {
		x.over(&p)
	}
	p.Version, p.House, p.Unit, p.OfUnit = from[0].Version, from[2].Version, from[1].Version, from[1].UnitID
	return p, from
}

// turns are the moments after one at which the policy becomes another.
func (l *laws) turns(after clock.Milli) (list []Turn) {
	var ends []clock.Milli
	note := func(all layers) {
		for _, x := range all {
			if x.NoticeUntil > after {
				ends = append(ends, x.NoticeUntil)
			}
		}
	}
	note(l.coming)
	for _, all := range []ofPreset{l.house, l.unit} {
		for _, c := range all {
			for _, versions := range c {
				note(versions)
			}
		}
	}
	slices.Sort(ends)
	was, _ := l.at(after)
	for _, t := range slices.Compact(ends) {
		if p, _ := l.at(t); p.Version != was.Version || p.House != was.House || p.Unit != was.Unit || p.OfUnit != was.OfUnit {
			list, was = append(list, Turn{t, p}), p
		}
	}
	return list
}

// Turn is a policy and the moment from which it holds.
type Turn struct {
	From   clock.Milli
	Policy Policy
}
