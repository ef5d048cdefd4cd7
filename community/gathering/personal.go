package gathering

import (
	"context"
	"fmt"
	"slices"

	"siyu/internal/id"
)

// idsAtOnce bounds an IN list.
const idsAtOnce = 200

// SeatsOf are the seats under any of a person's ids, his own and those that
// were merged into it, for his right to a copy.
func (s *Service) SeatsOf(ctx context.Context, ids []id.Member) ([]Seat, error) {
	out := []Seat{}
	for part := range slices.Chunk(ids, idsAtOnce) {
		var list []Seat
		if err := s.DB.Read(ctx).Raw("SELECT "+seatColumns+" FROM gathering_seats WHERE member_id IN ? ORDER BY id", part).Scan(&list).Error; err != nil {
			return nil, fmt.Errorf("gathering: seats of a person: %w", err)
		}
		out = append(out, list...)
	}
	return out, nil
}
