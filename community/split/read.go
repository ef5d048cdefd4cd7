package split

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// seatsOf are a seat's columns of the table s, which the caller writes first.
var seatsOf = strings.ReplaceAll(seatColumns, ", ", ", s.")

func splits(q *database.Query, cond string, args ...any) ([]Split, error) {
	list := []Split{}
	if err := q.Raw("SELECT "+columns+" FROM group_splits WHERE "+cond, args...).Scan(&list).Error; err != nil {
		return nil, fmt.Errorf("split: proposals: %w", err)
	}
	return list, nil
}

// one is a proposal with its parts, whoever asks.
func one(q *database.Query, split id.Split) (Split, error) {
	list, err := splits(q, "id = ?", split)
	if err != nil {
		return Split{}, err
	}
	if len(list) == 0 {
		return Split{}, fault.NotFound
	}
	return withParts(q, list[0])
}

func withParts(q *database.Query, p Split) (Split, error) {
	err := q.Raw("SELECT split_id, part, people, group_id FROM group_split_parts WHERE split_id = ? ORDER BY part", p.ID).Scan(&p.Parts).Error
	if err != nil {
		return p, fmt.Errorf("split: parts of %s: %w", p.ID, err)
	}
	return p, nil
}

// progress counts the people of each part, who may have been invited under two
// ids, once.
func progress(q *database.Query, p *Split) error {
	var rows []Part
	err := q.Raw(`SELECT s.part, COUNT(DISTINCT CASE WHEN s.invited_at <> 0 THEN `+live+` END) AS invited, COUNT(DISTINCT o.member_id) AS joined,
			COUNT(DISTINCT CASE WHEN s.declined_at <> 0 AND o.member_id IS NULL THEN `+live+` END) AS declined
		FROM group_split_seats s JOIN members x ON x.id = s.member_id JOIN group_split_parts p ON p.split_id = s.split_id AND p.part = s.part
		LEFT JOIN memberships o ON o.group_id = p.group_id AND o.left_at = 0 AND o.member_id = `+live+`
		WHERE s.split_id = @split GROUP BY s.part`, p.named()).Scan(&rows).Error
	if err != nil {
		return fmt.Errorf("split: progress of %s: %w", p.ID, err)
	}
	for _, r := range rows {
		at := &p.Parts[r.Part-1]
		at.Invited, at.Joined, at.Declined = r.Invited, r.Joined, r.Declined
	}
	return nil
}

// Find reads a proposal with its progress.
func (s *Service) Find(ctx context.Context, split id.Split) (Split, error) {
	q := s.DB.Read(ctx)
	p, err := one(q, split)
	if err != nil {
		return p, err
	}
	if err := community.Seen(ctx, q, p.GroupID); err != nil {
		return Split{}, err
	}
	return p, progress(q, &p)
}

// List lists a group's proposals, newest first, with their progress.
func (s *Service) List(ctx context.Context, group id.Group, page database.Page) (database.Paged[Split], error) {
	q := s.DB.Read(ctx)
	if err := community.Seen(ctx, q, group); err != nil {
		return database.Paged[Split]{}, err
	}
	list, err := splits(q, "group_id = ? AND id < ? ORDER BY id DESC LIMIT ?", group, page.Bound(), page.Fetch())
	if err != nil {
		return database.Paged[Split]{}, err
	}
	for i := range list {
		if list[i], err = withParts(q, list[i]); err != nil {
			return database.Paged[Split]{}, err
		}
		if err := progress(q, &list[i]); err != nil {
			return database.Paged[Split]{}, err
		}
	}
	return database.Cut(page, list, func(p Split) int64 { return int64(p.ID) }), nil
}

// Seats lists the places of a proposal, or of one part of it, with why.
func (s *Service) Seats(ctx context.Context, split id.Split, part int, page database.Page) (database.Paged[Seat], error) {
	q := s.DB.Read(ctx)
	p, err := one(q, split)
	if err != nil {
		return database.Paged[Seat]{}, err
	}
	if err := community.Seen(ctx, q, p.GroupID); err != nil {
		return database.Paged[Seat]{}, err
	}
	list := []Seat{}
	err = q.Raw("SELECT "+seatColumns+" FROM group_split_seats WHERE split_id = ? AND member_id < ? AND (? = 0 OR part = ?) ORDER BY member_id DESC LIMIT ?",
		split, page.Bound(), part, part, page.Fetch()).Scan(&list).Error
	if err != nil {
		return database.Paged[Seat]{}, fmt.Errorf("split: seats of %s: %w", split, err)
	}
	return database.Cut(page, list, func(s Seat) int64 { return int64(s.Member) }), nil
}

// Placed is a place that a person was given in a proposal.
type Placed struct {
	SplitID id.Split `json:"split_id"`
	Seat
}

// PlacedOf are the places under any of a person's ids, for his right to a copy.
func (s *Service) PlacedOf(ctx context.Context, ids []id.Member) ([]Placed, error) {
	out := []Placed{}
	for part := range slices.Chunk(ids, memberChunk) {
		var list []Placed
		err := s.DB.Read(ctx).Raw("SELECT split_id, "+seatColumns+" FROM group_split_seats WHERE member_id IN ? ORDER BY split_id, member_id", part).Scan(&list).Error
		if err != nil {
			return nil, fmt.Errorf("split: places of a person: %w", err)
		}
		out = append(out, list...)
	}
	return out, nil
}
