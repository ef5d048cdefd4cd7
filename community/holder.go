package community

import (
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
)

// OwnerOf is the member who owns a group: of those in it with that role the
// one who joined first; 0 if no member does. Staff who keep a group for the
// brand are its owner_id and no members by that.
func OwnerOf(q *database.Query, group id.Group) (id.Member, error) {
	var owner id.Member
	err := q.Raw("SELECT member_id FROM memberships WHERE group_id = ? AND role = ? AND left_at = 0 ORDER BY joined_at, id LIMIT 1",
		group, RoleOwner).Scan(&owner).Error
	if err != nil {
		return 0, fmt.Errorf("community: owner of %s: %w", group, err)
	}
	return owner, nil
}

// HoldsRole says whether a live member is in a group with a role.
func HoldsRole(q *database.Query, group id.Group, m id.Member, role Role) (bool, error) {
	var n int
	err := q.Raw("SELECT COUNT(*) FROM memberships WHERE group_id = ? AND member_id = ? AND role = ? AND left_at = 0", group, m, role).Scan(&n).Error
	if err != nil {
		return false, fmt.Errorf("community: role of %s in %s: %w", m, group, err)
	}
	return n > 0, nil
}
