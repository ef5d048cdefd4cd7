package groupbuy_test

import (
	"context"
	"testing"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
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

// What two people agreed on may be a team's price or its opener's, and counts
// as long as the item has it.
func TestTeamPriceUnderTheFloor(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		staff := func(n id.Staff) context.Context {
			return database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: n})
		}
		draft := tiers
		draft.Kind = "group_buy"
		cid := w.Draft(draft)
		var sku string
		if err := db.Read(bg).Raw("SELECT sku FROM products ORDER BY id DESC LIMIT 1").Scan(&sku).Error; err != nil {
			t.Fatal(err)
		}
		floor := campaign.ProductIn{SKU: sku, Name: "鲜牛奶", ListPrice: 7800, FloorPrice: 2900, Cost: 1000}
		if _, err := w.Campaign.PutProducts(bg, campaign.ProductBatch{Products: []campaign.ProductIn{floor}}); err != nil {
			t.Fatal(err)
		}
		find := func() campaign.Campaign {
			t.Helper()
			c, err := w.Campaign.FindCampaign(bg, cid)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		item := find().Items[0].ID
		set := func(prices ...campaign.TeamPrice) error {
			return w.Campaign.Edit(bg, cid, find().Version, campaign.CampaignEdit{Items: []campaign.ItemEdit{{ID: item, TeamPrices: &prices}}})
		}
		two := campaign.TeamPrice{Size: 2, Price: 3900, OpenerPrice: 3500}
		five := campaign.TeamPrice{Size: 5, Price: 2900, OpenerPrice: 2500}
		const field = "items[0].team_prices[1].opener_price_fen"
		if err := w.Campaign.Turn(bg, cid, campaign.Publish); !named(err, field, "below_floor") {
			t.Fatalf("published under the floor: %v", err)
		}
		if err := set(two, five); !named(err, field, "below_floor") {
			t.Errorf("set under the floor: %v", err)
		}
		approve := func() {
			t.Helper()
			made, err := w.Campaign.AskPrice(staff(1), cid, campaign.PriceIn{ItemID: item, Price: 2500, Reason: "开团价"})
			if err != nil {
				t.Fatal(err)
			}
			a, err := w.Campaign.FindPriceApproval(bg, cid, made)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Campaign.DecidePrice(staff(2), cid, made, campaign.PriceDecision{Digest: a.Digest, To: campaign.ApprovalApproved}); err != nil {
				t.Fatal(err)
			}
		}
		approve()
		if err := set(two, five); err != nil {
			t.Fatalf("approved: %v", err)
		}
		if err := set(two, campaign.TeamPrice{Size: 5, Price: 2900}); err != nil {
			t.Fatal(err)
		}
		if err := set(two, five); !named(err, field, "below_floor") {
			t.Errorf("an approval of a price that was given up: %v", err)
		}
		approve()
		if err := set(two, five); err != nil {
			t.Fatal(err)
		}
		if err := w.Campaign.Turn(bg, cid, campaign.Publish); err != nil {
			t.Fatal(err)
		}
		lower := money.Amount(3800)
		err := w.Campaign.Edit(bg, cid, find().Version, campaign.CampaignEdit{Items: []campaign.ItemEdit{{ID: item, Price: &lower}}})
		if err != nil {
			t.Fatal(err)
		}
		list, err := w.Campaign.ListPriceApprovals(bg, cid, database.Page{Limit: 1})
		if err != nil || list.Items[0].Status != campaign.ApprovalApproved || !list.Items[0].InForce {
			t.Errorf("a lower price of the item alone: got %+v, %v; want the opener's price still approved", list.Items, err)
		}
		w.Verify()
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
