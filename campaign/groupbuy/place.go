package groupbuy

import (
	"context"
	"sync"

	"siyu/campaign"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// placesMax bounds what is remembered of teams.
const placesMax = 100_000

// places remembers where teams belong, which never changes, so that a join
// needs no look-up of its own.
type places struct {
	mu   sync.RWMutex
	list map[id.Team]place
}

type place struct {
	campaign id.Campaign
	item     id.Item
}

// Joining is the claim of a seat in the team, for whoever is put into it.
func (s *Service) Joining(ctx context.Context, team id.Team) (campaign.Claim, error) {
	s.places.mu.RLock()
	p, known := s.places.list[team]
	s.places.mu.RUnlock()
	if !known {
		var t Team
		if err := s.DB.Read(ctx).Raw("SELECT id, campaign_id, item_id FROM teams WHERE id = ?", team).Scan(&t).Error; err != nil {
			return campaign.Claim{}, err
		}
		if t.ID == 0 {
			return campaign.Claim{}, fault.NotFound
		}
		p = place{t.CampaignID, t.ItemID}
		s.places.remember(team, p)
	}
	return campaign.Claim{Campaign: p.campaign, Item: p.item, Team: team}, nil
}

func (p *places) remember(team id.Team, at place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.list == nil || len(p.list) >= placesMax {
		p.list = map[id.Team]place{}
	}
	p.list[team] = at
}

// teamsListed is how many teams a late buyer is offered.
const teamsListed = 20

// ListTeamsFor lists the open teams of the order's item that have a seat at the
// price the order was granted at, nearest to full first.
func (s *Service) ListTeamsFor(ctx context.Context, o campaign.Order) ([]Team, error) {
	c, err := s.Campaign.FindCampaign(ctx, o.CampaignID)
	if err != nil {
		return nil, err
	}
	open, err := s.ListOpenTeams(ctx, o.CampaignID, 200)
	if err != nil {
		return nil, err
	}
	var fit []Team
	for _, t := range open {
		for _, item := range c.Items {
			if item.ID == o.ItemID && t.ItemID == item.ID && t.Price(item) == o.UnitPrice && len(fit) < teamsListed {
				fit = append(fit, t)
			}
		}
	}
	return fit, nil
}
