package community

import (
	"context"
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Charters are the versions in force in the groups at a moment, which may lie
// ahead. Once a charter's end has passed it promises no ad at all.
func Charters(q *database.Query, groups []id.Group, at clock.Milli) (map[id.Group]Charter, error) {
	out, err := charterAsWritten(q, groups, at)
	for g, c := range out {
		out[g] = c.at(at)
	}
	return out, err
}

// at is what the charter promises at a moment.
func (c Charter) at(t clock.Milli) Charter {
	if c.EndsAt != 0 && c.EndsAt <= t {
		c.AdsPerDay, c.AdsPerWeek = 0, 0
	}
	return c
}

// charterVersions selects all versions of some groups' charters, each group's
// in order. Which of them is in force is told in Go: asked of the engine, it is
// a look at the table for every row.
func charterVersions(columns string, groups database.Keys[id.Group]) string {
	return "SELECT " + columns + " FROM charters WHERE " + groups.Of("group_id") + " ORDER BY group_id, version"
}

// versions are those of one group that no later one replaced, in order.
type versions []Charter

// then goes on to the next version, or to the next group. A version announced
// before an earlier one came into force replaces that one, so nobody is
// surprised by a charter that had been taken back.
func (v versions) then(c Charter) versions {
	if len(v) > 0 && v[0].GroupID != c.GroupID {
		v = v[:0]
	}
	v = slices.DeleteFunc(v, func(old Charter) bool { return c.AnnouncedAt < old.EffectiveAt })
	return append(v, c)
}

// inForce is the highest that has come into force, of version 0 if none has.
func (v versions) inForce(at clock.Milli) Charter {
	for _, c := range slices.Backward(v) {
		if c.EffectiveAt <= at {
			return c
		}
	}
	return Charter{}
}

// charterAsWritten finds the versions in force.
func charterAsWritten(q *database.Query, groups []id.Group, at clock.Milli) (map[id.Group]Charter, error) {
	out := make(map[id.Group]Charter, len(groups))
	if len(groups) == 0 {
		return out, nil
	}
	var rows []Charter
	if err := q.Raw(charterVersions(charterColumns, database.Keys[id.Group]{List: groups})).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("community: charters: %w", err)
	}
	var standing versions
	for _, c := range rows {
		standing = standing.then(c)
		if now := standing.inForce(at); now.Version > 0 {
			out[c.GroupID] = now
		} else {
			delete(out, c.GroupID)
		}
	}
	return out, nil
}

// CharterOf is the version in force in one group at a moment.
func CharterOf(q *database.Query, group id.Group, at clock.Milli) (Charter, error) {
	all, err := Charters(q, []id.Group{group}, at)
	if err != nil {
		return Charter{}, err
	}
	c, ok := all[group]
	if !ok {
		return Charter{}, fault.NotFound
	}
	return c, nil
}

// FindCharter reads one version of a group's charter.
func (s *Service) FindCharter(ctx context.Context, group id.Group, version int) (Charter, error) {
	q := s.DB.Read(ctx)
	if _, err := seenGroup(ctx, q, group); err != nil {
		return Charter{}, err
	}
	var c Charter
	err := q.Raw("SELECT "+charterColumns+" FROM charters WHERE group_id = ? AND version = ?", group, version).Scan(&c).Error
	if err == nil && c.Version == 0 {
		err = fault.NotFound
	}
	return c, err
}

// CharterList is the charter in force and all versions, newest first, at most
// 200.
type CharterList struct {
	InForce  Charter   `json:"in_force"`
	Versions []Charter `json:"versions"`
}

// ListCharters reads what a group promises now, promised before, and will
// promise.
func (s *Service) ListCharters(ctx context.Context, group id.Group) (CharterList, error) {
	q := s.DB.Read(ctx)
	var out CharterList
	if _, err := seenGroup(ctx, q, group); err != nil {
		return out, err
	}
	var err error
	if out.InForce, err = CharterOf(q, group, clock.MilliOf(s.DB.Clock.Now())); err != nil {
		return out, err
	}
	err = q.Raw("SELECT "+charterColumns+" FROM charters WHERE group_id = ? ORDER BY version DESC LIMIT 200", group).Scan(&out.Versions).Error
	return out, err
}

// ChartersAhead are the versions that come into force in a group after a moment
// and up to another, as they will be then, in order.
func ChartersAhead(q *database.Query, group id.Group, after, until clock.Milli) ([]Charter, error) {
	var moments []clock.Milli
	err := q.Raw("SELECT DISTINCT effective_at FROM charters WHERE group_id = ? AND effective_at > ? AND effective_at <= ? ORDER BY effective_at LIMIT 50",
		group, after, until).Scan(&moments).Error
	if err != nil {
		return nil, fmt.Errorf("community: charters ahead: %w", err)
	}
	out := make([]Charter, 0, len(moments))
	for _, t := range moments {
		c, err := CharterOf(q, group, t)
		if err != nil {
			return nil, err
		}
		if n := len(out); n == 0 || out[n-1].Version != c.Version {
			out = append(out, c)
		}
	}
	return out, nil
}
