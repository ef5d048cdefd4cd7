package grade

import (
	"context"
	"fmt"
	"slices"

	"siyu/internal/id"
)

// Past is a move of a person in a group.
type Past struct {
	GroupID id.Group `json:"group_id"`
	Move
}

// PastOf are the moves under any of a person's ids, his own and those that
// were merged into it, for his right to a copy.
func (s *Service) PastOf(ctx context.Context, ids []id.Member) ([]Past, error) {
	out := []Past{}
	for part := range slices.Chunk(ids, atOnce) {
		var list []Past
		err := s.DB.Read(ctx).Raw(`SELECT group_id, day, grade_before, grade_after, rules, days_in, active_days, replies, attended FROM grade_moves
			WHERE member_id IN ? ORDER BY id`, part).Scan(&list).Error
		if err != nil {
			return nil, fmt.Errorf("grade: past of a person: %w", err)
		}
		out = append(out, list...)
	}
	for i := range out {
		out[i].Why = out[i].Facts.Say()
	}
	return out, nil
}
