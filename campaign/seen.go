package campaign

import (
	"sync"

	"siyu/internal/database"
	"siyu/internal/id"
)

// seen remembers campaigns between batches. Whoever changes a campaign raises
// the epoch of its items in the same transaction, so a locked item whose epoch
// is the remembered one proves that the campaign has not changed.
type seen struct {
	mu   sync.Mutex
	list map[id.Campaign]remembered
}

type remembered struct {
	epoch    int
	campaign Campaign
}

// seenMax bounds what is remembered.
const seenMax = 2000

// campaigns gives the batch the campaigns of its locked items, reading only
// those that are new or have changed.
func (s *seen) campaigns(tx *database.Tx, b *batch) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	missing := map[id.Campaign]int{}
	for _, item := range b.items {
		if r, ok := s.list[item.CampaignID]; ok && r.epoch == item.Epoch {
			b.campaigns[item.CampaignID] = r.campaign
			continue
		}
		missing[item.CampaignID] = item.Epoch
	}
	if len(missing) == 0 {
		return nil
	}
	var rows []Campaign
	if err := tx.Raw("SELECT * FROM campaigns WHERE id IN ?", sorted(missing)).Scan(&rows).Error; err != nil {
		return err
	}
	if s.list == nil || len(s.list)+len(rows) > seenMax {
		s.list = map[id.Campaign]remembered{}
	}
	for _, c := range rows {
		if err := c.unpack(); err != nil {
			return err
		}
		if c.hours, err = b.kinds[c.Kind].timetable(c); err != nil {
			return err
		}
		if line := b.kinds[c.Kind].WaitPayS; line != nil {
			if c.waitPayS, err = line(c); err != nil {
				return err
			}
		}
		if c.offers, err = offersIn(tx, b, c); err != nil {
			return err
		}
		b.campaigns[c.ID] = c
		s.list[c.ID] = remembered{missing[c.ID], c}
	}
	return nil
}

// offersIn are the prices by team size of a campaign with teams.
func offersIn(tx *database.Tx, b *batch, c Campaign) (map[id.Item][]TeamPrice, error) {
	if b.kinds[c.Kind].Sizes == nil {
		return nil, nil
	}
	if err := tx.Raw("SELECT id FROM items WHERE campaign_id = ?", c.ID).Scan(&c.Items).Error; err != nil {
		return nil, err
	}
	if err := readTeamPrices(tx.DB, c.Items); err != nil {
		return nil, err
	}
	offers := map[id.Item][]TeamPrice{}
	for _, item := range c.Items {
		offers[item.ID] = item.TeamPrices
	}
	return offers, nil
}

// kind is the remembered campaign's kind, which never changes.
func (s *seen) kind(c id.Campaign) (kind string, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, known := s.list[c]
	return r.campaign.Kind, known
}

// audiences are the groups the remembered campaigns are for: most likely what
// the next batch asks for.
func (s *seen) audiences(claims []Claim) []id.Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	groups := map[id.Group]bool{}
	done := map[id.Campaign]bool{}
	for _, c := range claims {
		if done[c.Campaign] {
			continue
		}
		done[c.Campaign] = true
		for _, g := range s.list[c.Campaign].campaign.Audience.Groups {
			groups[g] = true
		}
	}
	return sorted(groups)
}
