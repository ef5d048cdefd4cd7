package exposure

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"siyu/campaign/guard"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// noticeFor is how long a looser policy is announced before it counts, as long
// as a looser one of the guard: nobody loosens it for the ad he has in hand.
const noticeFor = 7 * 24 * time.Hour

// layer is one version of what the brand (no unit) or a unit sets.
type layer struct {
	UnitID      id.Unit
	Path        string
	Version     int
	Policy      `gorm:"embedded"`
	SetBy       id.Staff
	SetAt       clock.Milli
	NoticeUntil clock.Milli // 0: it held at once
}

// layers are the live versions of one, oldest first: the one in force and the
// one that is coming.
type layers []layer

// at is the version in force at a moment, of version 0 if nothing is set. A
// clock that is set back takes nothing stricter away.
func (all layers) at(t clock.Milli) layer {
	for _, l := range slices.Backward(all) {
		if l.NoticeUntil <= t {
			return l
		}
	}
	return layer{}
}

// laws are the layers that bear on the groups of one unit: those of it and the
// units above it, nearest first, and the brand's. The nearest unit that sets
// anything decides; what it leaves out is the brand's.
type laws struct {
	units []layers
	house layers
}

func (l laws) at(t clock.Milli) (p Policy, unit, house layer) {
	for _, all := range l.units {
		if unit = all.at(t); unit.Policy != (Policy{}) {
			break
		}
	}
	house = l.house.at(t)
	return unit.over(house.over(shipped)), unit, house
}

// own are the live versions of the unit's, or the brand's, own.
func (l laws) own(unit id.Unit) layers {
	switch {
	case unit == 0:
		return l.house
	case len(l.units) > 0 && l.units[0][0].UnitID == unit:
		return l.units[0]
	}
	return nil
}

// with are the laws with other live versions of the unit's own.
func (l laws) with(unit id.Unit, versions layers) laws {
	if unit == 0 {
		l.house = versions
		return l
	}
	above := l.units
	if len(l.own(unit)) > 0 {
		above = above[1:]
	}
	l.units = above
	if len(versions) > 0 {
		l.units = append([]layers{versions}, above...)
	}
	return l
}

// replaced are the laws with what is asked for in the place of the unit's own,
// the version that stays in force (0: none) and those that are new.
func (l laws) replaced(unit id.Unit, asked Policy, version int, by id.Staff, now clock.Milli) (is laws, keep int, made layers) {
	one := func(p Policy, notice clock.Milli) layer {
		version++
		return layer{UnitID: unit, Version: version, Policy: p, SetBy: by, SetAt: now, NoticeUntil: notice}
	}
	held := l.own(unit).at(now)
	was, nearest, _ := l.at(now)
	becomes, _, _ := l.with(unit, layers{{UnitID: unit, Policy: asked}}).at(now)
	if !becomes.looserThan(was) {
		made = append(made, one(asked, 0))
		return l.with(unit, made), 0, made
	}
	set := held.Policy
	if unit != 0 && set == (Policy{}) { // until then it follows those above, but for what is stricter
		set = nearest.Policy
	}
	var live layers
	if until := set.stricter(was, becomes); until != set {
		made = append(made, one(until, 0))
	} else if held.Version != 0 {
		keep, held.NoticeUntil = held.Version, 0
		live = layers{held}
	}
	made = append(made, one(asked, now.Add(noticeFor)))
	return l.with(unit, append(live, made...)), keep, made
}

// turns are the moments after one at which the policy becomes another.
func (l laws) turns(after clock.Milli) (list []Coming) {
	var ends []clock.Milli
	for _, all := range append([]layers{l.house}, l.units...) {
		for _, x := range all {
			if x.NoticeUntil > after {
				ends = append(ends, x.NoticeUntil)
			}
		}
	}
	slices.Sort(ends)
	was, _, _ := l.at(after)
	for _, t := range slices.Compact(ends) {
		if p, _, _ := l.at(t); p != was {
			list, was = append(list, Coming{t, p.Mode, p.Ceiling, p.WindowDays, p.ShareBP}), p
		}
	}
	return list
}

// book is everything that is set. Units that set something are few.
type book []layers // the farther down a unit lies, the earlier; the brand last

func readBook(q *database.Query) (book, error) {
	var rows []layer
	err := q.Raw(`SELECT 0 AS unit_id, '' AS path, version, mode, ceiling, window_days, share_bp, set_by, set_at, notice_until FROM exposure_policies WHERE live = 1
		UNION ALL SELECT p.unit_id, u.path, p.version, p.mode, p.ceiling, 0, p.share_bp, p.set_by, p.set_at, p.notice_until
		FROM exposure_unit_policies p JOIN units u ON u.id = p.unit_id WHERE p.live = 1`).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("exposure: policies: %w", err)
	}
	slices.SortFunc(rows, func(a, b layer) int {
		return cmp.Or(cmp.Compare(len(b.Path), len(a.Path)), cmp.Compare(a.UnitID, b.UnitID), cmp.Compare(a.Version, b.Version))
	})
	var out book
	for _, r := range rows {
		if n := len(out); n > 0 && out[n-1][0].UnitID == r.UnitID {
			out[n-1] = append(out[n-1], r)
			continue
		}
		out = append(out, layers{r})
	}
	return out, nil
}

// of are the laws of a unit by its path, which is "" for groups of none.
func (b book) of(path string) (l laws) {
	for _, all := range b {
		switch {
		case all[0].UnitID == 0:
			l.house = all
		case strings.HasPrefix(path, all[0].Path):
			l.units = append(l.units, all)
		}
	}
	return l
}

// house is what the brand alone sets.
func (b book) house(t clock.Milli) Policy {
	p, _, _ := b.of("").at(t)
	return p
}

// asks says whether the brand or any unit has a mode at least as strong.
func (b book) asks(mode guard.Mode, t clock.Milli) bool {
	if !weaker(b.house(t).Mode, mode) {
		return true
	}
	for _, all := range b {
		if p, _, _ := b.of(all[0].Path).at(t); !weaker(p.Mode, mode) {
			return true
		}
	}
	return false
}

// policies are those in force for groups.
func (b book) policies(q *database.Query, groups []id.Group, t clock.Milli) (map[id.Group]Policy, error) {
	out := make(map[id.Group]Policy, len(groups))
	house := b.house(t)
	for _, g := range groups {
		out[g] = house
	}
	if len(b) == 0 || len(b) == 1 && b[0][0].UnitID == 0 {
		return out, nil
	}
	by := map[string]Policy{}
	for part := range slices.Chunk(groups, groupsAtOnce) {
		var rows []struct {
			ID   id.Group
			Path string
		}
		if err := q.Raw("SELECT g.id, u.path FROM chat_groups g JOIN units u ON u.id = g.unit_id WHERE g.id IN ?", part).Scan(&rows).Error; err != nil {
			return nil, fmt.Errorf("exposure: units of groups: %w", err)
		}
		for _, r := range rows {
			p, known := by[r.Path]
			if !known {
				p, _, _ = b.of(r.Path).at(t)
				by[r.Path] = p
			}
			out[r.ID] = p
		}
	}
	return out, nil
}
