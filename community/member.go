package community

import (
	"context"
	"errors"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// MemberStatus is where a member's record stands.
type MemberStatus string

// The statuses. A merged member lives on as the one it was merged into.
const (
	MemberActive MemberStatus = "active"
	MemberMerged MemberStatus = "merged"
	MemberErased MemberStatus = "erased"
)

// Member is a person the brand knows. Identities and Consents are read by
// FindMember alone.
type Member struct {
	ID         id.Member    `json:"id" gorm:"column:id;primaryKey;autoIncrement:false"`
	UnitID     id.Unit      `json:"unit_id" gorm:"column:unit_id"`
	Name       string       `json:"name" gorm:"column:name"`
	Guest      bool         `json:"guest" gorm:"column:guest"` // nothing but a guest identity yet
	Status     MemberStatus `json:"status" gorm:"column:status"`
	MergedInto id.Member    `json:"-" gorm:"column:merged_into"`
	Version    int          `json:"version" gorm:"column:version"`
	CreatedAt  clock.Milli  `json:"created_at" gorm:"column:created_at;autoCreateTime:false"`
	Identities []Identity   `json:"identities,omitempty" gorm:"-"`
	Consents   []Consent    `json:"consents,omitempty" gorm:"-"`
}

// TableName is the table's.
func (Member) TableName() string { return "members" }

const memberColumns = "id, unit_id, name, guest, status, merged_into, version, created_at"

// MemberFilter narrows a list of members; zero fields do not.
type MemberFilter struct {
	Unit     id.Unit
	Identity Identity
}

// FindMember reads a member with identities and consents. The id of a merged
// member finds the one it was merged into.
func (s *Service) FindMember(ctx context.Context, member id.Member) (Member, error) {
	q := s.DB.Read(ctx)
	m, err := seenMember(ctx, q, member)
	if err != nil {
		return Member{}, err
	}
	var rows []identityRow
	if err := q.Raw("SELECT id, kind, app, value FROM identities WHERE member_id = ? ORDER BY id", m.ID).Scan(&rows).Error; err != nil {
		return Member{}, fmt.Errorf("community: identities of %s: %w", m.ID, err)
	}
	for _, r := range rows {
		m.Identities = append(m.Identities, r.shown())
	}
	m.Consents, err = Consents(q, m.ID)
	return m, err
}

// seenMember reads the live member behind an id, if the actor may see it.
func seenMember(ctx context.Context, q *database.Query, member id.Member) (Member, error) {
	live, err := FollowMerges(q, []id.Member{member})
	if err != nil {
		return Member{}, err
	}
	var m Member
	if err := q.Raw("SELECT "+memberColumns+" FROM members WHERE id = ?", live[member]).Scan(&m).Error; err != nil {
		return Member{}, fmt.Errorf("community: member %s: %w", member, err)
	}
	if m.ID == 0 || !database.ActorOf(ctx).Sees(m.UnitID) {
		return Member{}, fault.NotFound
	}
	return m, nil
}

// ListMembers lists live members, newest first, without identities.
func (s *Service) ListMembers(ctx context.Context, f MemberFilter, page database.Page) (database.Paged[Member], error) {
	q := s.DB.Read(ctx)
	cond, args := database.ActorOf(ctx).Within("unit_id")
	if f.Unit != 0 {
		cond, args = cond+" AND unit_id = ?", append(args, f.Unit)
	}
	if f.Identity != (Identity{}) {
		m, err := s.Resolve(q, string(f.Identity.Kind), f.Identity.App, f.Identity.Value)
		if err != nil && !errors.Is(err, fault.NotFound) {
			return database.Paged[Member]{}, err
		}
		cond, args = cond+" AND id = ?", append(args, m)
	}
	args = append(append([]any{page.Bound()}, args...), page.Fetch())
	var rows []Member
	err := q.Raw("SELECT "+memberColumns+" FROM members WHERE id < ? AND merged_into = 0"+cond+" ORDER BY id DESC LIMIT ?", args...).Scan(&rows).Error
	if err != nil {
		return database.Paged[Member]{}, fmt.Errorf("community: members: %w", err)
	}
	return database.Cut(page, rows, func(m Member) int64 { return int64(m.ID) }), nil
}

// NewGuest makes a member known by nothing but a cookie, for somebody who has
// scanned and not said who he is. It belongs to the brand, not to a store.
func (s *Service) NewGuest(ctx context.Context) (id.Member, error) {
	var guest id.Member
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		m := Member{ID: id.Member(tx.Next()), Guest: true, Status: MemberActive, Version: 1, CreatedAt: tx.Now}
		guest = m.ID
		if err := tx.Create(&m).Error; err != nil {
			return fmt.Errorf("community: guest: %w", err)
		}
		row := identityRow{ID: tx.Next(), Kind: IdentityGuest, Value: m.ID.String(), MemberID: m.ID, CreatedAt: tx.Now}
		return tx.Create(&row).Error
	})
	return guest, err
}
