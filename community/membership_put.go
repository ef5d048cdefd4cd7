package community

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// PutMemberships writes how up to 500 people stand in a group, in one
// transaction, a result for each row in order. People who are not named stay
// as they are.
func (s *Service) PutMemberships(ctx context.Context, group id.Group, rows []MembershipIn) ([]MembershipResult, error) {
	if err := (MembershipBatch{rows}).Validate(); err != nil {
		return nil, err
	}
	var out []MembershipResult
	err := Again(func() error {
		return s.DB.Tx(ctx, func(tx *database.Tx) error {
			var err error
			out, err = putMemberships(tx, group, rows)
			return err
		})
	})
	return out, err
}

func putMemberships(tx *database.Tx, group id.Group, rows []MembershipIn) ([]MembershipResult, error) {
	live, err := lockForJoin(tx, rows)
	if err != nil {
		return nil, err
	}
	g, err := lockGroup(tx, group)
	if err != nil {
		return nil, err
	}
	return putLocked(tx, g, live, rows)
}

// MembershipOf is a membership of any group, for batches over several groups.
type MembershipOf struct {
	Group id.Group
	MembershipIn
}

// PutStaysTx writes how people stand in several groups, a result for each row
// in order. A group that cannot be joined refuses its own rows.
func PutStaysTx(tx *database.Tx, stays []MembershipOf) ([]MembershipResult, error) {
	rows := make([]MembershipIn, len(stays))
	of := map[id.Group][]int{}
	for i, s := range stays {
		rows[i] = s.MembershipIn
		of[s.Group] = append(of[s.Group], i)
	}
	live, err := lockForJoin(tx, rows)
	if err != nil {
		return nil, err
	}
	out := make([]MembershipResult, len(stays))
	for _, group := range slices.Sorted(maps.Keys(of)) {
		g, err := lockGroup(tx, group)
		refused, known := fault.As(err)
		if err != nil && !known {
			return nil, err
		}
		part := make([]MembershipIn, len(of[group]))
		for j, i := range of[group] {
			part[j] = rows[i]
			out[i] = MembershipResult{Member: rows[i].MemberID, Result: RowConflict, Err: refused}
		}
		if refused != nil {
			continue
		}
		done, err := putLocked(tx, g, live, part)
		if err != nil {
			return nil, err
		}
		for j, i := range of[group] {
			out[i] = done[j]
		}
	}
	return out, nil
}

// putLocked writes the rows of a group; it and the live members are locked.
func putLocked(tx *database.Tx, g Group, live map[id.Member]id.Member, rows []MembershipIn) ([]MembershipResult, error) {
	group := g.ID
	members := make(map[id.Member]id.Member, len(rows))
	for _, in := range rows {
		if m := live[in.MemberID]; m != 0 {
			members[in.MemberID] = m
		}
	}
	var known []Membership
	err := tx.Raw("SELECT "+membershipColumns+" FROM memberships WHERE group_id = ? AND member_id IN ? ORDER BY id"+tx.Dialect.ForUpdate,
		group, liveIDs(members)).Scan(&known).Error
	if err != nil {
		return nil, fmt.Errorf("community: memberships of %s: %w", group, err)
	}
	stands := map[id.Member]Membership{}
	for _, m := range known {
		stands[m.MemberID] = m
	}
	out := make([]MembershipResult, len(rows))
	var fresh []id.Member
	touched := map[id.Member]bool{}
	since := tx.Now
	for i, in := range rows {
		member := live[in.MemberID]
		if member == 0 {
			out[i] = MembershipResult{Member: in.MemberID, Result: RowConflict, Err: ErrMemberUnknown.With("member", in.MemberID)}
			continue
		}
		m, had := stands[member]
		next, refused := in.apply(tx, m)
		if refused != nil {
			out[i] = MembershipResult{Member: member, Result: RowConflict, Err: refused}
			continue
		}
		out[i] = MembershipResult{Member: member, Result: RowUpdated}
		if !had {
			next.ID, next.GroupID, next.MemberID = tx.Next(), group, member
			out[i].Result = RowCreated
			fresh = append(fresh, member)
		}
		touched[member] = touched[member] || had && next != m
		if next != m {
			since = min(since, changedSince(m, next))
		}
		stands[member] = next
	}
	if err := writeMemberships(tx, stands, fresh, touched); err != nil {
		return nil, err
	}
	if err := markSince(tx, g, since); err != nil {
		return nil, err
	}
	return out, database.AuditTx(tx, "group.memberships", group, nil, out)
}

// changedSince is the moment from which a change makes the group's days
// another: who is host does so as far back as days are counted.
func changedSince(before, after Membership) clock.Milli {
	since := max(after.JoinedAt, after.LeftAt)
	if before.JoinedAt != after.JoinedAt {
		since = min(after.JoinedAt, cmp.Or(before.JoinedAt, after.JoinedAt))
	}
	if before.LeftAt != after.LeftAt {
		since = min(since, cmp.Or(before.LeftAt, after.LeftAt), cmp.Or(after.LeftAt, before.LeftAt))
	}
	if before.Role.Host() != after.Role.Host() {
		since = 0
	}
	return since
}

// lockForJoin maps the rows' members to the live ones the actor may see, and
// locks them so that none is merged away meanwhile. Members come before their
// group in the lock order.
func lockForJoin(tx *database.Tx, rows []MembershipIn) (map[id.Member]id.Member, error) {
	named := make([]id.Member, len(rows))
	for i, in := range rows {
		named[i] = in.MemberID
	}
	live, err := FollowMerges(tx.DB, named)
	if err != nil {
		return nil, err
	}
	locked, err := lockMembers(tx, liveIDs(live))
	if err != nil {
		return nil, err
	}
	for _, m := range locked {
		switch {
		case m.MergedInto != 0:
			return nil, errRaced
		case !tx.Actor.Sees(m.UnitID) || m.Status != MemberActive:
			for from, into := range live {
				if into == m.ID {
					delete(live, from)
				}
			}
		}
	}
	return live, nil
}

func liveIDs(live map[id.Member]id.Member) []id.Member {
	ids := make([]id.Member, 0, len(live))
	for _, m := range live {
		ids = append(ids, m)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// apply is the membership as the row says it should be.
func (in MembershipIn) apply(tx *database.Tx, m Membership) (Membership, *fault.Fault) {
	m.Role = cmp.Or(in.Role, m.Role, RoleMember)
	m.JoinedAt = cmp.Or(in.JoinedAt, m.JoinedAt, tx.Now)
	m.LeftAt = in.LeftAt
	m.Version = max(m.Version, 1)
	if m.JoinedAt > tx.Now || m.LeftAt > tx.Now || m.LeftAt != 0 && m.LeftAt < m.JoinedAt {
		return m, ErrMembershipTime
	}
	return m, nil
}

// writeMemberships inserts the fresh and updates the touched ones. A duplicate
// means that somebody joined after our look.
func writeMemberships(tx *database.Tx, stands map[id.Member]Membership, fresh []id.Member, touched map[id.Member]bool) error {
	slices.Sort(fresh)
	if len(fresh) > 0 {
		rows := make([]Membership, len(fresh))
		for i, m := range fresh {
			rows[i] = stands[m]
			delete(touched, m)
		}
		if err := tx.Create(&rows).Error; err != nil {
			return raced(err)
		}
	}
	for member, changed := range touched {
		if !changed {
			continue
		}
		m := stands[member]
		err := database.One(tx.Exec("UPDATE memberships SET role = ?, joined_at = ?, left_at = ?, version = version + 1 WHERE id = ?",
			m.Role, m.JoinedAt, m.LeftAt, m.ID), errRaced)
		if err != nil {
			return err
		}
	}
	return nil
}
