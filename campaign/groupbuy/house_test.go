package groupbuy_test

import (
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/campaign/groupbuy"
	"siyu/internal/database"
	"siyu/internal/id"
)

// story is one group-buy and what its members do in it.
type story struct {
	*campaigntest.World
	t *testing.T
	c campaign.Campaign
	m []id.Member
}

// tell runs a group-buy with known members, and a mall that hears every event.
func tell(t *testing.T, db *database.DB, sale campaigntest.Sale) story {
	t.Helper()
	w := campaigntest.New(t, db)
	err := db.Tx(bg, func(tx *database.Tx) error {
		return tx.Exec("INSERT INTO webhooks (id, unit_id, url, events, secret, status, version, created_at) VALUES (?, 0, 'https://mall.example', '*', '', 'active', 1, ?)", tx.Next(), tx.Now).Error
	})
	if err != nil {
		t.Fatal(err)
	}
	sale.Kind = "group_buy"
	if sale.Stock == 0 {
		sale.Stock = 1000
	}
	return story{w, t, w.Run(sale), w.Members(8)}
}

func (s story) open(who id.Member, size int) campaign.Order {
	s.t.Helper()
	return s.MustClaim(campaign.Claim{Campaign: s.c.ID, Item: s.c.Items[0].ID, Member: who, OpenTeam: true, TeamSize: size})
}

func (s story) join(team id.Team, who id.Member) campaign.Order {
	s.t.Helper()
	return s.MustClaim(campaign.Claim{Campaign: s.c.ID, Item: s.c.Items[0].ID, Member: who, Team: team})
}

func (s story) team(tid id.Team) groupbuy.Team {
	s.t.Helper()
	got, err := s.GroupBuy.FindTeam(bg, tid)
	if err != nil {
		s.t.Fatal(err)
	}
	return got
}

// heard counts the events of a type.
func (s story) heard(event string) (n int) {
	s.t.Helper()
	if err := s.DB.Read(bg).Raw("SELECT COUNT(*) FROM events WHERE type = ?", event).Scan(&n).Error; err != nil {
		s.t.Fatal(err)
	}
	return n
}

// sweep moves the clock and does what groups, orders and late choices need.
func (s story) sweep(jump time.Duration) {
	s.t.Helper()
	s.DB.Clock.Jump(jump)
	for _, sweep := range []func() error{
		func() error { return s.Campaign.Sweep(bg) }, func() error { return s.GroupBuy.Sweep(bg) }, func() error { return s.Campaign.SweepLate(bg) },
	} {
		if err := sweep(); err != nil {
			s.t.Fatal(err)
		}
	}
}
