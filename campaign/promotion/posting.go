package promotion

import (
	"context"
	"fmt"

	"siyu/campaign/guard"
	"siyu/campaign/material"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Posting is an ad that somebody is to post in a group and confirm, or, before
// its slot has begun, will be.
type Posting struct {
	Slot       guard.Slot
	Sponsor    string
	RemindedAt clock.Milli
	Shows
}

// ListPostings lists the ads of some groups that nobody has confirmed or
// released yet, of those groups that the actor sees; what ends first first.
func (s *Service) ListPostings(ctx context.Context, groups []id.Group) ([]Posting, error) {
	slots, err := s.Guard.ListOpen(ctx, groups)
	if err != nil {
		return nil, err
	}
	q := s.DB.Read(ctx)
	known := map[id.Promotion]Promotion{}
	var out []Posting
	for _, x := range slots {
		if x.PromotionID == 0 {
			continue
		}
		p, ok := known[x.PromotionID]
		if !ok {
			if p, err = find(q, database.Actor{}, x.PromotionID); err != nil {
				return nil, err
			}
			known[p.ID] = p
		}
		one, err := posting(q, p, x)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func posting(q *database.Query, p Promotion, x guard.Slot) (Posting, error) {
	one := Posting{Slot: x}
	var err error
	if one.Shows, one.Sponsor, err = shows(q, p, x.GroupID); err != nil {
		return one, err
	}
	if one.Picture != nil {
		one.Picture.Body = nil // fetched by itself
	}
	if err := q.Raw("SELECT reminded_at FROM promotion_sends WHERE slot_id = ?", x.ID).Scan(&one.RemindedAt).Error; err != nil {
		return one, fmt.Errorf("promotion: send of %s: %w", x.ID, err)
	}
	return one, nil
}

// FindPostingPicture is the picture of the ad that a slot is for.
func (s *Service) FindPostingPicture(ctx context.Context, slot id.Slot) (material.Picture, error) {
	x, err := s.Guard.FindSlot(ctx, slot)
	if err != nil {
		return material.Picture{}, err
	}
	if x.PromotionID == 0 {
		return material.Picture{}, fault.NotFound
	}
	q := s.DB.Read(ctx)
	p, err := find(q, database.Actor{}, x.PromotionID)
	if err != nil {
		return material.Picture{}, err
	}
	shown, _, err := shows(q, p, x.GroupID)
	if err != nil {
		return material.Picture{}, err
	}
	if shown.Picture == nil {
		return material.Picture{}, fault.NotFound
	}
	return *shown.Picture, nil
}
