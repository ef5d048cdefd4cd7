package gate

import (
	"context"
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/id"
)

// idsAtOnce is how many ids one statement is asked for.
const idsAtOnce = 190

// Personal is what this room knows about a person, for his right to a copy.
type Personal struct {
	Applications []Application `json:"applications"`
	Vouches      []Voucher     `json:"vouches"`    // that he gave
	Violations   []Violation   `json:"violations"` // of his
}

// Voucher is one that a member gave; UsedBy is the application it let in.
type Voucher struct {
	ID        id.Vouch       `json:"id"`
	GroupID   id.Group       `json:"group_id"`
	UsedBy    id.Application `json:"used_by"`
	CreatedAt clock.Milli    `json:"created_at"`
}

// Of reads what stands under any of a person's ids, his own and those that
// were merged into it.
func (s *Service) Of(ctx context.Context, ids []id.Member) (Personal, error) {
	out := Personal{Applications: []Application{}, Vouches: []Voucher{}, Violations: []Violation{}}
	q := s.DB.Read(ctx)
	for part := range slices.Chunk(ids, idsAtOnce) {
		list, err := read(q, "member_id IN ? ORDER BY id", part)
		if err != nil {
			return Personal{}, err
		}
		out.Applications = append(out.Applications, list...)
		var vouches []Voucher
		var violations []Violation
		for sql, into := range map[string]any{
			"SELECT id, group_id, used_by, created_at FROM vouches WHERE member_id IN ? ORDER BY id": &vouches,
			"SELECT " + violationColumns + " FROM violations WHERE member_id IN ? ORDER BY id":       &violations,
		} {
			if err := q.Raw(sql, part).Scan(into).Error; err != nil {
				return Personal{}, fmt.Errorf("gate: what is known of a person: %w", err)
			}
		}
		out.Vouches, out.Violations = append(out.Vouches, vouches...), append(out.Violations, violations...)
	}
	return out, nil
}
