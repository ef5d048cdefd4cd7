package community

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Join is a person who comes into a group. Charter is the version he was
// shown; zero is the one in force. Code is the one he came by, if any, Inviter
// who brought him.
type Join struct {
	Group   id.Group
	Member  id.Member
	Code    id.Code
	Inviter id.Member
	Charter int
}

// consentPage is the source of a consent given by acting on a page that shows
// the charter.
const consentPage = "page"

// Join is the act of a person on a page that shows the group's charter: it
// makes the membership and records the consent that comes with it, together.
// Doing it again writes nothing more.
func (s *Service) Join(ctx context.Context, in Join) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		known, err := GroupsIn(tx.DB, []id.Group{in.Group})
		switch {
		case err != nil:
			return err
		case known[in.Group].Gated:
			return ErrGroupGated
		}
		return AdmitTx(tx, in)
	})
}

// consentTx records the consent that comes with a charter.
func consentTx(tx *database.Tx, member id.Member, group id.Group, charter int) error {
	yes := true
	return setConsents(tx, member, []ConsentIn{
		{Purpose: PurposeGroupOps, Granted: &yes, TextVersion: CharterText(group, charter), Source: consentPage},
	})
}

// CharterText names a version of a group's charter as the text of a consent.
func CharterText(group id.Group, version int) string { return fmt.Sprintf("%s/%d", group, version) }

// AdmitTx lets a member into a group with a gate, called by the room that keeps
// the gate, and records the consent that comes with the charter.
func AdmitTx(tx *database.Tx, in Join) error {
	member, charter, err := enterTx(tx, in)
	if err != nil {
		return err
	}
	return consentTx(tx, member, in.Group, charter)
}

// AcceptTx is AdmitTx for a live member who was invited and has seen the charter
// in force. A group with a gate is joined by applying to it.
func AcceptTx(tx *database.Tx, group id.Group, member id.Member, charter int) error {
	groups, err := GroupsIn(tx.DB, []id.Group{group})
	if err != nil {
		return err
	}
	if groups[group].Gated {
		return ErrGroupGated
	}
	now, err := CharterOf(tx.DB, group, tx.Now)
	if err != nil {
		return err
	}
	if charter != now.Version {
		return fault.Invalid.Field("charter_version", "stale", fmt.Sprintf("群约定现为第 %d 版，请看过再加入", now.Version), fmt.Sprintf("the charter is at version %d; read it first", now.Version))
	}
	return AdmitTx(tx, Join{Group: group, Member: member, Charter: charter})
}

// enterTx puts a member into a group and notes the charter he was shown and
// the code he came by. Who is in already stays as he is; who had left joins
// anew. It says who joined, after merges, and under which charter. The member's
// row is locked, so that no merge leaves this membership behind.
func enterTx(tx *database.Tx, in Join) (id.Member, int, error) {
	member, err := LockLiveTx(tx, in.Member)
	if err != nil {
		return 0, 0, err
	}
	groups, err := GroupsIn(tx.DB, []id.Group{in.Group})
	if err != nil {
		return 0, 0, err
	}
	switch g, ok := groups[in.Group]; {
	case !ok:
		return 0, 0, fault.NotFound
	case g.Status == GroupDissolved:
		return 0, 0, ErrGroupClosed.With("status", g.Status)
	}
	charter := in.Charter
	if charter == 0 {
		now, err := CharterOf(tx.DB, in.Group, tx.Now)
		if err != nil {
			return 0, 0, err
		}
		charter = now.Version
	}
	err = tx.Create(&Membership{
		ID: tx.Next(), GroupID: in.Group, MemberID: member, Role: RoleMember, JoinedAt: tx.Now,
		CharterVersion: charter, CodeID: in.Code, InviterID: in.Inviter, Version: 1,
	}).Error
	if database.IsDuplicate(err) {
		err = tx.Exec(`UPDATE memberships SET role = ?, joined_at = ?, left_at = 0, charter_version = ?, code_id = ?, inviter_id = ?, version = version + 1
			WHERE group_id = ? AND member_id = ? AND left_at <> 0`,
			RoleMember, tx.Now, charter, in.Code, in.Inviter, in.Group, member).Error
	}
	return member, charter, err
}

// LockLiveTx locks the live member behind an id. A merged row that is locked
// keeps pointing where it points.
func LockLiveTx(tx *database.Tx, member id.Member) (id.Member, error) {
	for {
		rows, err := lockMembers(tx, []id.Member{member})
		switch {
		case err != nil:
			return 0, err
		case len(rows) == 0:
			return 0, ErrMemberUnknown.With("member", member)
		case rows[0].Status == MemberErased:
			return 0, ErrMemberErased.With("member", member)
		case rows[0].MergedInto == 0:
			return member, nil
		}
		member = rows[0].MergedInto
	}
}

// GateTx marks a group the actor may see as joined by application alone, and
// locks it.
func GateTx(tx *database.Tx, group id.Group) error {
	g, err := lockGroup(tx, group)
	if err != nil || g.Gated {
		return err
	}
	return tx.Exec("UPDATE chat_groups SET gated = 1, version = version + 1 WHERE id = ?", group).Error
}

// AgreeTx notes the charter that a live member, who is in the group, has read;
// otherwise is returned for one who is not. Once more changes nothing.
func AgreeTx(tx *database.Tx, group id.Group, member id.Member, charter int, otherwise error) error {
	err := database.One(tx.Exec("UPDATE memberships SET charter_version = ?, version = version + 1 WHERE group_id = ? AND member_id = ? AND left_at = 0",
		charter, group, member), otherwise)
	if err != nil {
		return err
	}
	return consentTx(tx, member, group, charter)
}

// GroupsRead is GroupsOf's reading for a caller that sends several reads in one
// message: each row is a membership that lasts. Dissolved groups are not left
// out; DissolvedRead names those among the groups.
func GroupsRead(members []id.Member, row func(m id.Member, g id.Group)) database.Read {
	return database.Read{
		SQL: "SELECT member_id, group_id FROM memberships WHERE member_id IN ? AND left_at = 0", Args: []any{members},
		Row: func(rows database.Row) error {
			var m id.Member
			var g id.Group
			if err := rows.Scan(&m, &g); err != nil {
				return err
			}
			row(m, g)
			return nil
		},
	}
}

// DissolvedRead reads which of the groups are dissolved.
func DissolvedRead(groups []id.Group, row func(g id.Group)) database.Read {
	return database.Read{
		SQL: "SELECT id FROM chat_groups WHERE id IN ? AND status = ?", Args: []any{groups, string(GroupDissolved)},
		Row: func(rows database.Row) error {
			var g id.Group
			if err := rows.Scan(&g); err != nil {
				return err
			}
			row(g)
			return nil
		},
	}
}

// GroupsOf lists the groups that each live member is in now, dissolved ones
// left out.
func GroupsOf(q *database.Query, members []id.Member) (map[id.Member][]id.Group, error) {
	out := make(map[id.Member][]id.Group, len(members))
	if len(members) == 0 {
		return out, nil
	}
	var rows []struct {
		MemberID id.Member
		GroupID  id.Group
	}
	// Two reads, not a join: an optimizer that begins at the few groups reads
	// every membership there is.
	err := q.Raw("SELECT member_id, group_id FROM memberships WHERE member_id IN ? AND left_at = 0 ORDER BY member_id, group_id", members).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("community: groups of members: %w", err)
	}
	groups := map[id.Group]bool{}
	for _, r := range rows {
		groups[r.GroupID] = true
	}
	var dissolved []id.Group
	err = q.Raw("SELECT id FROM chat_groups WHERE id IN ? AND status = ?", slices.Sorted(maps.Keys(groups)), GroupDissolved).Scan(&dissolved).Error
	if err != nil {
		return nil, fmt.Errorf("community: groups of members: %w", err)
	}
	for _, r := range rows {
		if !slices.Contains(dissolved, r.GroupID) {
			out[r.MemberID] = append(out[r.MemberID], r.GroupID)
		}
	}
	return out, nil
}
