package campaign

import (
	"context"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// FindCampaign is the campaign with its items. Staff see their units only;
// members see what is published.
func (s *Service) FindCampaign(ctx context.Context, cid id.Campaign) (Campaign, error) {
	return s.FindIn(ctx, s.DB.Read(ctx), cid)
}

// FindIn is FindCampaign for who reads more beside it, in one snapshot.
func (s *Service) FindIn(ctx context.Context, q *database.Query, cid id.Campaign) (Campaign, error) {
	var c Campaign
	if err := q.Raw("SELECT * FROM campaigns WHERE id = ?", cid).Scan(&c).Error; err != nil {
		return c, err
	}
	actor := database.ActorOf(ctx)
	hidden := (actor.Kind == database.ActorMember || actor.Kind == database.ActorGuest) && c.Status == StatusDraft
	if c.ID == 0 || hidden || !actor.Sees(c.UnitID) {
		return c, fault.NotFound
	}
	if err := q.Raw("SELECT * FROM items WHERE campaign_id = ? ORDER BY sort_no, id", cid).Scan(&c.Items).Error; err != nil {
		return c, err
	}
	if s.kinds[c.Kind].Sizes != nil {
		if err := readTeamPrices(q, c.Items); err != nil {
			return c, err
		}
	}
	if err := readFaces(q, &c); err != nil {
		return c, err
	}
	return c, c.unpack()
}

// CampaignFilter narrows a list of campaigns; empty fields match all.
type CampaignFilter struct {
	Kind   string
	Status Status
}

// ListCampaigns lists campaigns without their items, newest first.
func (s *Service) ListCampaigns(ctx context.Context, f CampaignFilter, page database.Page) (database.Paged[Campaign], error) {
	cond, args := database.ActorOf(ctx).Within("unit_id")
	args = append([]any{page.Bound()}, args...)
	if f.Kind != "" {
		cond, args = cond+" AND kind = ?", append(args, f.Kind)
	}
	if f.Status != "" {
		cond, args = cond+" AND status = ?", append(args, f.Status)
	}
	var rows []Campaign
	err := s.DB.Read(ctx).Raw("SELECT * FROM campaigns WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?", append(args, page.Fetch())...).Scan(&rows).Error
	if err != nil {
		return database.Paged[Campaign]{}, err
	}
	faces := make([]*Campaign, len(rows))
	for i := range rows {
		faces[i] = &rows[i]
	}
	if err := readFaces(s.DB.Read(ctx), faces...); err != nil {
		return database.Paged[Campaign]{}, err
	}
	for i := range rows {
		rows[i].Items = []Item{}
		if err := rows[i].unpack(); err != nil {
			return database.Paged[Campaign]{}, err
		}
	}
	return database.Cut(page, rows, func(c Campaign) int64 { return int64(c.ID) }), nil
}
