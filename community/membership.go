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

// Role is what a person is in a group.
type Role string

// The roles, lowest first.
const (
	RoleMember Role = "member"
	RoleKOC    Role = "koc"
	RoleKOL    Role = "kol"
	RoleAdmin  Role = "admin"
	RoleOwner  Role = "owner"
)

func roles() []string {
	return []string{string(RoleMember), string(RoleKOC), string(RoleKOL), string(RoleAdmin), string(RoleOwner)}
}

// Host says whether the role is the brand's own in the group: owner and admins
// talk for it and count among nobody's guests.
func (r Role) Host() bool { return r == RoleAdmin || r == RoleOwner }

func (r Role) rank() int { return slices.Index(roles(), string(r)) }

// Membership is a person in a group; LeftAt is zero while he is in.
// CharterVersion is the charter he was shown when he joined, zero when he was
// brought in without one. CodeID is the invite code he came by, InviterID whose
// it was or who vouched for him.
type Membership struct {
	ID             int64       `json:"-" gorm:"column:id;primaryKey;autoIncrement:false"`
	GroupID        id.Group    `json:"group_id" gorm:"column:group_id"`
	MemberID       id.Member   `json:"member_id" gorm:"column:member_id"`
	Role           Role        `json:"role" gorm:"column:role"`
	JoinedAt       clock.Milli `json:"joined_at" gorm:"column:joined_at"`
	LeftAt         clock.Milli `json:"left_at" gorm:"column:left_at"`
	CharterVersion int         `json:"charter_version" gorm:"column:charter_version"`
	CodeID         id.Code     `json:"code_id" gorm:"column:code_id"`
	InviterID      id.Member   `json:"inviter_id" gorm:"column:inviter_id"`
	Version        int         `json:"version" gorm:"column:version"`
}

// TableName is the table's.
func (Membership) TableName() string { return "memberships" }

const membershipColumns = "id, group_id, member_id, role, joined_at, left_at, charter_version, code_id, inviter_id, version"

// MembershipIn says how a person stands in a group. An empty Role stays or
// becomes member, JoinedAt stays or becomes now; without LeftAt he is in.
type MembershipIn struct {
	MemberID id.Member   `json:"member_id"`
	Role     Role        `json:"role"`
	JoinedAt clock.Milli `json:"joined_at"`
	LeftAt   clock.Milli `json:"left_at"`
}

// membershipsMax bounds a batch.
const membershipsMax = 500

// MembershipBatch is what PutMemberships takes at once.
type MembershipBatch struct {
	Memberships []MembershipIn `json:"memberships"`
}

// Validate checks every row's form.
func (b MembershipBatch) Validate() error {
	var c fault.Check
	c.Range(int64(len(b.Memberships)), "memberships", 1, membershipsMax)
	for i, in := range b.Memberships[:min(len(b.Memberships), membershipsMax)] {
		at := fmt.Sprintf("memberships[%d].", i)
		c.That(in.MemberID != 0, at+"member_id", "required", "必填", "is required")
		if in.Role != "" {
			c.OneOf(string(in.Role), at+"role", roles()...)
		}
		c.That(in.JoinedAt >= 0 && in.LeftAt >= 0, at+"joined_at", "range", "时间无效", "is before 1970")
		c.That(in.LeftAt == 0 || in.LeftAt >= in.JoinedAt, at+"left_at", "range", "不能早于入群时间", "cannot lie before joined_at")
	}
	return c.Err()
}

// MembershipResult is what became of one row. Member is the live one the row's
// id leads to; Err says why it is a conflict.
type MembershipResult struct {
	Member id.Member    `json:"member_id"`
	Result RowResult    `json:"result"`
	Err    *fault.Fault `json:"-"`
}

// MembershipFilter narrows a list of memberships: one role, or those in or out
// of the group.
type MembershipFilter struct {
	Role  Role
	State MembershipState
}

// MembershipState is whether a person is in the group.
type MembershipState string

// The states; the zero one lists both.
const (
	MembershipLive MembershipState = "in"
	MembershipLeft MembershipState = "left"
)

// ListMemberships lists a group's memberships, newest first.
func (s *Service) ListMemberships(ctx context.Context, group id.Group, f MembershipFilter, page database.Page) (database.Paged[Membership], error) {
	var c fault.Check
	c.OneOf(string(f.Role), "role", append(roles(), "")...)
	c.OneOf(string(f.State), "state", string(MembershipLive), string(MembershipLeft), "")
	if err := c.Err(); err != nil {
		return database.Paged[Membership]{}, err
	}
	q := s.DB.Read(ctx)
	if _, err := seenGroup(ctx, q, group); err != nil {
		return database.Paged[Membership]{}, err
	}
	cond, args := "", []any{group, page.Bound()}
	if f.Role != "" {
		cond, args = cond+" AND role = ?", append(args, f.Role)
	}
	switch f.State {
	case MembershipLive:
		cond += " AND left_at = 0"
	case MembershipLeft:
		cond += " AND left_at <> 0"
	}
	var rows []Membership
	err := q.Raw("SELECT "+membershipColumns+" FROM memberships WHERE group_id = ? AND id < ?"+cond+" ORDER BY id DESC LIMIT ?",
		append(args, page.Fetch())...).Scan(&rows).Error
	if err != nil {
		return database.Paged[Membership]{}, fmt.Errorf("community: memberships of %s: %w", group, err)
	}
	return database.Cut(page, rows, func(m Membership) int64 { return m.ID }), nil
}

// StaysOf are the memberships of live members, past ones too, by when they
// began.
func StaysOf(q *database.Query, members []id.Member) (map[id.Member][]Membership, error) {
	out := make(map[id.Member][]Membership, len(members))
	if len(members) == 0 {
		return out, nil
	}
	var rows []Membership
	err := q.Raw("SELECT "+membershipColumns+" FROM memberships WHERE member_id IN ? ORDER BY joined_at, id", members).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("community: stays: %w", err)
	}
	for _, m := range rows {
		out[m.MemberID] = append(out[m.MemberID], m)
	}
	return out, nil
}

// NamesOf are the names of members, merged ones by whom they became.
func NamesOf(q *database.Query, members []id.Member) (map[id.Member]string, error) {
	out := make(map[id.Member]string, len(members))
	if len(members) == 0 {
		return out, nil
	}
	var rows []struct {
		ID   id.Member
		Name string
	}
	err := q.Raw(`SELECT m.id, t.name FROM members m JOIN members t ON t.id = CASE WHEN m.merged_into <> 0 THEN m.merged_into ELSE m.id END
		WHERE m.id IN ?`, members).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("community: names: %w", err)
	}
	for _, r := range rows {
		out[r.ID] = r.Name
	}
	return out, nil
}

// MembersIn are the members who are in a group now, at most so many, by id.
func MembersIn(q *database.Query, g id.Group, limit int) ([]id.Member, error) {
	var list []id.Member
	err := q.Raw("SELECT member_id FROM memberships WHERE group_id = ? AND left_at = 0 ORDER BY member_id LIMIT ?", g, limit).Scan(&list).Error
	if err != nil {
		return nil, fmt.Errorf("community: members of %s: %w", g, err)
	}
	return list, nil
}
