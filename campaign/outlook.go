package campaign

import (
	"context"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Outlook is what this room knows of a campaign before it is published; api
// puts it beside coupons, rewards and the guard's word.
type Outlook struct {
	Campaign     Campaign
	Products     map[id.Product]Product
	Overlaps     []Overlap
	OverlapsMore bool
	Dealt        map[id.Product]Dealt
	Refusals     []fault.Field // why publishing a draft would be refused now
}

// Outlook reads it in one snapshot and writes nothing.
func (s *Service) Outlook(ctx context.Context, cid id.Campaign) (Outlook, error) {
	var out Outlook
	c, err := s.FindCampaign(ctx, cid)
	if err != nil {
		return out, err
	}
	out.Campaign = c
	now := clock.MilliOf(s.DB.Clock.Now())
	err = s.DB.Snapshot(ctx, func(q *database.Query) (err error) {
		if out.Products, err = productsOf(q, c); err != nil {
			return err
		}
		if out.Overlaps, out.OverlapsMore, err = overlaps(q, database.ActorOf(ctx), c, out.Products); err != nil {
			return err
		}
		if out.Dealt, err = dealtBefore(q, c); err != nil {
			return err
		}
		if c.Status != StatusDraft {
			return nil
		}
		err = s.publishable(q, now, c)
		if f, ok := fault.As(err); ok {
			out.Refusals = f.Fields
			return nil
		}
		return err
	})
	return out, err
}
