package promotion

import (
	"context"
	"fmt"
	"slices"

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
	Lines []Line // of a digest: what goes along in the same message
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
		one, err := s.posting(ctx, p, x)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func (s *Service) posting(ctx context.Context, p Promotion, x guard.Slot) (Posting, error) {
	one, q := Posting{Slot: x}, s.DB.Read(ctx)
	var err error
	if one.Shows, one.Sponsor, err = shows(q, p, x.GroupID); err != nil {
		return one, err
	}
	main, err := digestOf(q, x.ID)
	if err != nil {
		return one, err
	}
	if one.Lines, err = s.lines(ctx, main, x.GroupID); err != nil {
		return one, err
	}
	// A campaign may have ended since the message was handed out.
	one.Lines = slices.DeleteFunc(one.Lines, func(l Line) bool { return l.PromotionID == 0 })
	if err := q.Raw("SELECT COALESCE(MAX(reminded_at), 0) FROM promotion_sends WHERE slot_id = ?", x.ID).Scan(&one.RemindedAt).Error; err != nil {
		return one, fmt.Errorf("promotion: send of %s: %w", x.ID, err)
	}
	return one, nil
}

// FindPostingPicture is a picture of the message that a slot is for: of its
// main ad, or, by its number from 1, of one that goes along.
func (s *Service) FindPostingPicture(ctx context.Context, slot id.Slot, line int) (material.Picture, error) {
	x, err := s.Guard.FindSlot(ctx, slot)
	if err != nil {
		return material.Picture{}, err
	}
	if x.PromotionID == 0 {
		return material.Picture{}, fault.NotFound
	}
	p, err := find(s.DB.Read(ctx), database.Actor{}, x.PromotionID)
	if err != nil {
		return material.Picture{}, err
	}
	one, err := s.posting(ctx, p, x)
	if err != nil {
		return material.Picture{}, err
	}
	picture := one.Picture
	if line > 0 && line <= len(one.Lines) {
		picture = one.Lines[line-1].Picture
	}
	if picture == nil || line < 0 || line > len(one.Lines) {
		return material.Picture{}, fault.NotFound
	}
	return *picture, nil
}
