package community

import (
	"fmt"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// JoinTx puts a member into a group and records the charter in force as the
// one he was shown and the code he came by. Who is in already stays as he is;
// who had left joins anew. The member's row is locked, so that no merge leaves
// this membership behind.
func JoinTx(tx *database.Tx, group id.Group, member id.Member, code id.Code) error {
	member, err := lockJoining(tx, member)
	if err != nil {
		return err
	}
	groups, err := GroupsIn(tx.DB, []id.Group{group})
	if err != nil {
		return err
	}
	switch g, ok := groups[group]; {
	case !ok:
		return fault.NotFound
	case g.Status == GroupDissolved:
		return ErrGroupClosed.With("status", g.Status)
	}
	charter, err := CharterOf(tx.DB, group, tx.Now)
	if err != nil {
		return err
	}
	err = tx.Create(&Membership{
		ID: tx.Next(), GroupID: group, MemberID: member, Role: RoleMember, JoinedAt: tx.Now,
		CharterVersion: charter.Version, CodeID: code, Version: 1,
	}).Error
	if !database.IsDuplicate(err) {
		return err
	}
	return tx.Exec(`UPDATE memberships SET role = ?, joined_at = ?, left_at = 0, charter_version = ?, code_id = ?, version = version + 1
		WHERE group_id = ? AND member_id = ? AND left_at <> 0`,
		RoleMember, tx.Now, charter.Version, code, group, member).Error
}

// lockJoining locks the live member behind an id. A merged row that is locked
// keeps pointing where it points.
func lockJoining(tx *database.Tx, member id.Member) (id.Member, error) {
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
	err := q.Raw(`SELECT m.member_id, m.group_id FROM memberships m JOIN chat_groups g ON g.id = m.group_id AND g.status <> ?
		WHERE m.member_id IN ? AND m.left_at = 0 ORDER BY m.member_id, m.group_id`, GroupDissolved, members).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("community: groups of members: %w", err)
	}
	for _, r := range rows {
		out[r.MemberID] = append(out[r.MemberID], r.GroupID)
	}
	return out, nil
}
