package promoter

import (
	"context"
	"fmt"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Filter narrows a list of promoters; zero fields do not.
type Filter struct {
	Status Status
	Member id.Member
	Unit   id.Unit
	Level  int
}

// ListPromoters lists promoters, the latest first: staff see those of their
// units, a member himself.
func (s *Service) ListPromoters(ctx context.Context, f Filter, page database.Page) (database.Paged[Promoter], error) {
	a := database.ActorOf(ctx)
	if a.Kind == database.ActorMember || a.Kind == database.ActorGuest {
		f.Member = a.Member
	}
	cond, args := a.Within("unit_id")
	if f.Status != "" {
		var c fault.Check
		c.OneOf(string(f.Status), "status", string(Applied), string(Approved), string(Refused), string(Frozen))
		if err := c.Err(); err != nil {
			return database.Paged[Promoter]{}, err
		}
		cond, args = cond+" AND status = ?", append(args, f.Status)
	}
	if f.Member != 0 {
		cond, args = cond+" AND member_id = ?", append(args, f.Member)
	}
	if f.Unit != 0 {
		cond, args = cond+" AND unit_id = ?", append(args, f.Unit)
	}
	if f.Level != 0 {
		cond, args = cond+" AND level_no = ?", append(args, f.Level)
	}
	var rows []Promoter
	err := s.DB.Read(ctx).Raw("SELECT "+columns+" FROM promoters WHERE id < ? AND status <> 'merged'"+cond+" ORDER BY id DESC LIMIT ?",
		append(append([]any{page.Bound()}, args...), page.Fetch())...).Scan(&rows).Error
	if err != nil {
		return database.Paged[Promoter]{}, fmt.Errorf("promoter: list: %w", err)
	}
	return database.Cut(page, rows, func(p Promoter) int64 { return int64(p.ID) }), nil
}

// FindPromoter is one promoter with his moves, the earliest first. To the
// member himself the staff stay unnamed.
func (s *Service) FindPromoter(ctx context.Context, pid id.Promoter) (Promoter, error) {
	return s.find(ctx, "id", int64(pid))
}

// OfMember is where a member stands; fault.NotFound if he never applied.
func (s *Service) OfMember(ctx context.Context, m id.Member) (Promoter, error) {
	return s.find(ctx, "member_id", int64(m))
}

func (s *Service) find(ctx context.Context, column string, of int64) (Promoter, error) {
	var p Promoter
	err := s.DB.Read(ctx).Raw("SELECT "+columns+" FROM promoters WHERE "+column+" = ? AND status <> 'merged'", of).Scan(&p).Error
	if err != nil {
		return p, fmt.Errorf("promoter: find: %w", err)
	}
	a := database.ActorOf(ctx)
	person := a.Kind == database.ActorMember || a.Kind == database.ActorGuest
	if p.ID == 0 || !a.Sees(p.UnitID) || person && p.MemberID != a.Member {
		return Promoter{}, fault.NotFound
	}
	p.Moves = []Move{}
	err = s.DB.Read(ctx).Raw("SELECT act, status, reason, staff_id, at FROM promoter_moves WHERE promoter_id = ? ORDER BY id LIMIT 200", p.ID).Scan(&p.Moves).Error
	if err != nil {
		return p, fmt.Errorf("promoter: moves of %s: %w", p.ID, err)
	}
	if p.Steps, err = stepsOf(s.DB.Read(ctx), p.ID); err != nil {
		return p, err
	}
	if person {
		p.DecidedBy = 0
		for i := range p.Moves {
			p.Moves[i].StaffID = 0
		}
	}
	return p, nil
}
