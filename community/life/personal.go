package life

import (
	"context"
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/id"
)

// Invited says that a person was invited into another group, and whether he
// said no.
type Invited struct {
	MergerID   id.Merger   `json:"merger_id"`
	InvitedAt  clock.Milli `json:"invited_at"`
	DeclinedAt clock.Milli `json:"declined_at"`
}

// InvitedOf are the invitations under any of a person's ids, his own and those
// that were merged into it, for his right to a copy.
func (s *Service) InvitedOf(ctx context.Context, ids []id.Member) ([]Invited, error) {
	out := []Invited{}
	for part := range slices.Chunk(ids, atOnce) {
		var list []Invited
		err := s.DB.Read(ctx).Raw("SELECT merger_id, invited_at, declined_at FROM merger_invites WHERE member_id IN ? ORDER BY merger_id, member_id", part).Scan(&list).Error
		if err != nil {
			return nil, fmt.Errorf("life: invitations of a person: %w", err)
		}
		out = append(out, list...)
	}
	return out, nil
}
