package groupbuy_test

import (
	"testing"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/money"
)

// tiers are a sale of teams of 2 at 39 yuan and of 5 at 29, each a little
// cheaper for its opener.
var tiers = campaigntest.Sale{
	Rules: `{"sizes":[{"size":2},{"size":5}]}`, Price: 3900,
	Prices: []campaign.TeamPrice{{Size: 2, Price: 3900, OpenerPrice: 3500}, {Size: 5, Price: 2900, OpenerPrice: 2500}},
}

func TestSizes(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := tell(t, db, tiers)
		claim := campaign.Claim{Campaign: s.c.ID, Item: s.c.Items[0].ID, Member: s.m[7], OpenTeam: true}
		for _, size := range []int{0, 3, -1} {
			claim.TeamSize = size
			if _, err := s.Claim(claim); !named(err, "team_size", "unknown_value") {
				t.Errorf("size %d: got %v, want team_size named", size, err)
			}
		}
		two, five := s.open(s.m[0], 2), s.open(s.m[0], 5)
		joined := s.join(five.TeamID, s.m[1])
		for _, x := range []struct {
			order campaign.Order
			price money.Amount
			size  int
		}{{two, 3500, 2}, {five, 2500, 5}, {joined, 2900, 5}} {
			if got := s.team(x.order.TeamID); x.order.UnitPrice != x.price || x.order.Amount != x.price || got.Size != x.size {
				t.Errorf("order at %s in a team of %d, want %s in one of %d", x.order.UnitPrice, got.Size, x.price, x.size)
			}
		}
		// What is frozen stays when the item becomes cheaper, and who comes
		// later never pays more than the item costs.
		lower := money.Amount(2800)
		if err := s.Campaign.Edit(bg, s.c.ID, s.c.Version, campaign.CampaignEdit{Items: []campaign.ItemEdit{{ID: s.c.Items[0].ID, Price: &lower}}}); err != nil {
			t.Fatal(err)
		}
		if got := s.team(five.TeamID); got.UnitPrice != 2900 || s.Order(joined.ID).UnitPrice != 2900 {
			t.Errorf("an edit reached back: team %s", got.UnitPrice)
		}
		if later := s.join(five.TeamID, s.m[2]); later.UnitPrice != 2800 {
			t.Errorf("joined at %s after the price fell to 28", later.UnitPrice)
		}
		for _, o := range []campaign.Order{five, joined} {
			s.Pay(o.ID)
		}
		s.Pay(two.ID)
		s.Pay(s.join(two.TeamID, s.m[3]).ID)
		if got := s.team(two.TeamID); got.Status != "formed" || got.Counted != 2 {
			t.Errorf("two of two paid: %+v", got)
		}
		if got := s.team(five.TeamID); got.Status != "open" {
			t.Errorf("two of five paid: %+v", got)
		}
		s.Verify()
	})
}

func TestTeamPrices(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		draft := tiers
		draft.Kind = "group_buy"
		cid := w.Draft(draft)
		c, err := w.Campaign.FindCampaign(bg, cid)
		if err != nil || len(c.Items[0].TeamPrices) != 2 {
			t.Fatalf("got %+v, %v", c.Items, err)
		}
		for _, tc := range []struct {
			name, field, code string
			prices            []campaign.TeamPrice
		}{
			{"a size not offered", "items[0].team_prices[0].size", "not_offered", []campaign.TeamPrice{{Size: 3, Price: 3900}}},
			{"a size twice", "items[0].team_prices[1].size", "repeated", []campaign.TeamPrice{{Size: 2, Price: 3900}, {Size: 2, Price: 3900}}},
			{"free", "items[0].team_prices[0].price_fen", "range", []campaign.TeamPrice{{Size: 2}}},
			{"dearer than the item", "items[0].team_prices[0].price_fen", "range", []campaign.TeamPrice{{Size: 2, Price: 3901}}},
			{"a larger team is dearer", "items[0].team_prices", "larger_dearer", []campaign.TeamPrice{{Size: 2, Price: 2900}, {Size: 5, Price: 3000}}},
			{"a larger team left out", "items[0].team_prices", "larger_dearer", []campaign.TeamPrice{{Size: 2, Price: 2900}}},
			{"a larger team's opener is dearer", "items[0].team_prices", "larger_dearer", []campaign.TeamPrice{{Size: 2, Price: 3900, OpenerPrice: 2000}, {Size: 5, Price: 2900}}},
			{"an opener pays more", "items[0].team_prices[0].opener_price_fen", "range", []campaign.TeamPrice{{Size: 2, Price: 3900, OpenerPrice: 3901}}},
		} {
			in := campaign.CampaignEdit{Items: []campaign.ItemEdit{{ID: c.Items[0].ID, TeamPrices: &tc.prices}}}
			if err := w.Campaign.Edit(bg, cid, c.Version, in); !named(err, tc.field, tc.code) {
				t.Errorf("%s: got %v, want %s %s", tc.name, err, tc.field, tc.code)
			}
		}
		// Rules changed under the prices are refused when published.
		if err := w.Campaign.Edit(bg, cid, c.Version, campaign.CampaignEdit{Rules: []byte(`{"size":2}`)}); err != nil {
			t.Fatal(err)
		}
		if err := w.Campaign.Turn(bg, cid, campaign.Publish); !named(err, "items[0].team_prices[1].size", "not_offered") {
			t.Errorf("published with a price for no size: %v", err)
		}
		one := []campaign.TeamPrice{{Size: 2, Price: 3000}}
		if err := w.Campaign.Edit(bg, cid, c.Version+1, campaign.CampaignEdit{Items: []campaign.ItemEdit{{ID: c.Items[0].ID, TeamPrices: &one}}}); err != nil {
			t.Fatal(err)
		}
		if err := w.Campaign.Turn(bg, cid, campaign.Publish); err != nil {
			t.Fatal(err)
		}
		c, err = w.Campaign.FindCampaign(bg, cid)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Campaign.Edit(bg, cid, c.Version, campaign.CampaignEdit{Items: []campaign.ItemEdit{{ID: c.Items[0].ID, TeamPrices: &one}}}); !named(err, "items[0].team_prices", "frozen") {
			t.Errorf("edited once published: %v", err)
		}
		again, err := w.Campaign.Copy(bg, cid, campaign.CopyIn{})
		if err != nil {
			t.Fatal(err)
		}
		if c, err = w.Campaign.FindCampaign(bg, again); err != nil || len(c.Items[0].TeamPrices) != 1 || c.Items[0].TeamPrices[0].Price != 3000 {
			t.Errorf("the copy: %+v, %v", c.Items, err)
		}
	})
}

// A kind without teams has no prices by team size.
func TestTeamPricesElsewhere(t *testing.T) {
	db := dbtest.Open(t, "sqlite")
	w := campaigntest.New(t, db)
	cid := w.Draft(campaigntest.Sale{})
	c, err := w.Campaign.FindCampaign(bg, cid)
	if err != nil {
		t.Fatal(err)
	}
	prices := []campaign.TeamPrice{{Size: 2, Price: 100}}
	err = w.Campaign.Edit(bg, cid, c.Version, campaign.CampaignEdit{Items: []campaign.ItemEdit{{ID: c.Items[0].ID, TeamPrices: &prices}}})
	if !named(err, "items[0].team_prices[0].size", "not_offered") {
		t.Errorf("a flash sale took prices by team size: %v", err)
	}
}
