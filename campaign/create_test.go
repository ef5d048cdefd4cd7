package campaign_test

import (
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
)

// putProduct makes a product of 100 yuan that may not be sold below 50.
func putProduct(t *testing.T, w *campaigntest.World, sku string, onSale bool, cost money.Amount) {
	t.Helper()
	_, err := w.Campaign.PutProducts(bg, campaign.ProductBatch{Products: []campaign.ProductIn{
		{SKU: sku, Name: "有机苹果", ListPrice: 10_000, FloorPrice: 5_000, Cost: cost, OnSale: &onSale},
	}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCreateIsChecked(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		putProduct(t, w, "apple", true, 0)
		putProduct(t, w, "gone", false, 0)
		now := clock.MilliOf(db.Clock.Now())
		good := func() campaign.CampaignIn {
			return campaign.CampaignIn{
				Kind: "flash_sale", Name: "周一秒杀", StartsAt: now, EndsAt: now.Add(time.Hour),
				Items: []campaign.ItemIn{{SKU: "apple", Price: 8_000, Stock: 10}},
			}
		}
		for name, c := range map[string]struct {
			spoil func(in *campaign.CampaignIn)
			want  map[string]string
		}{
			"it ends before it starts":    {func(in *campaign.CampaignIn) { in.EndsAt = in.StartsAt - 1 }, map[string]string{"ends_at": "range"}},
			"its window is too long":      {func(in *campaign.CampaignIn) { in.EndsAt = now.Add(367 * 24 * time.Hour) }, map[string]string{"ends_at": "range"}},
			"it has no start and no name": {func(in *campaign.CampaignIn) { in.StartsAt, in.EndsAt, in.Name = 0, 1000, "" }, map[string]string{"starts_at": "required", "name": "required"}},
			"its zone is unknown":         {func(in *campaign.CampaignIn) { in.Zone = "Shanghai" }, map[string]string{"zone": "unknown_value"}},
			"its kind is unknown":         {func(in *campaign.CampaignIn) { in.Kind = "lottery" }, map[string]string{"kind": "unknown_value"}},
			"it has nothing to claim":     {func(in *campaign.CampaignIn) { in.Items = nil }, map[string]string{"items": "required"}},
			"a team of one": {func(in *campaign.CampaignIn) { in.Kind, in.Rules = "group_buy", []byte(`{"size":1}`) },
				map[string]string{"rules.size": "range"}},
			"no stock, no price, no product": {func(in *campaign.CampaignIn) { in.Items = []campaign.ItemIn{{}} },
				map[string]string{"items[0].sku": "required", "items[0].price_fen": "range", "items[0].stock": "range"}},
			"a price above the list":  {func(in *campaign.CampaignIn) { in.Items[0].Price = 10_001 }, map[string]string{"items[0].price_fen": "range"}},
			"a price under the floor": {func(in *campaign.CampaignIn) { in.Items[0].Price = 4_999 }, map[string]string{"items[0].price_fen": "below_floor"}},
			"a product twice":         {func(in *campaign.CampaignIn) { in.Items = append(in.Items, in.Items[0]) }, map[string]string{"items[1].sku": "repeated"}},
			"products that are not there": {func(in *campaign.CampaignIn) {
				in.Items = append(in.Items, campaign.ItemIn{SKU: "gone", Price: 8_000, Stock: 1}, campaign.ItemIn{SKU: "none", Price: 1, Stock: 1})
			}, map[string]string{"items[1].sku": "off_sale", "items[2].sku": "not_found"}},
			"an order above the limit": {func(in *campaign.CampaignIn) { in.Items[0].PerMember, in.Items[0].PerOrder = 1, 2 },
				map[string]string{"items[0].per_order": "range"}},
			"a group that is not there": {func(in *campaign.CampaignIn) { in.Audience.Groups = []id.Group{7} },
				map[string]string{"audience.groups[0]": "not_found"}},
			"buyers of what does not exist": {func(in *campaign.CampaignIn) {
				in.Audience.Bought = &campaign.Bought{SKUs: []string{"apple", "durian"}, Campaigns: []id.Campaign{7}, Days: 30}
			}, map[string]string{"audience.bought.skus[1]": "not_found", "audience.bought.campaigns[0]": "not_found"}},
		} {
			t.Run(name, func(t *testing.T) {
				in := good()
				c.spoil(&in)
				_, err := w.Campaign.CreateCampaign(bg, in)
				same(t, fields(t, err), c.want)
			})
		}
		if _, err := w.Campaign.CreateCampaign(bg, good()); err != nil {
			t.Errorf("the good one: %v", err)
		}
	})
}

// TestPublishIsChecked lets the world change under a draft.
func TestPublishIsChecked(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		putProduct(t, w, "apple", true, 0)
		putProduct(t, w, "pear", true, 0)
		now := clock.MilliOf(db.Clock.Now())
		cid, err := w.Campaign.CreateCampaign(bg, campaign.CampaignIn{
			Kind: "flash_sale", Name: "周一秒杀", StartsAt: now, EndsAt: now.Add(time.Hour),
			Items: []campaign.ItemIn{{SKU: "apple", Price: 8_000, Stock: 10}, {SKU: "pear", Price: 8_000, Stock: 10}},
		})
		if err != nil {
			t.Fatal(err)
		}
		c, err := w.Campaign.FindCampaign(bg, cid)
		if err != nil {
			t.Fatal(err)
		}
		if err := edit(w, cid, campaign.CampaignEdit{Items: []campaign.ItemEdit{{ID: c.Items[1].ID, AddStock: -10}}}); err != nil {
			t.Fatal(err)
		}
		_, err = w.Campaign.PutProducts(bg, campaign.ProductBatch{Products: []campaign.ProductIn{{SKU: "apple", Name: "苹果", ListPrice: 10_000, FloorPrice: 9_000}}})
		if err != nil {
			t.Fatal(err)
		}
		putProduct(t, w, "pear", false, 0)
		db.Clock.Jump(2 * time.Hour)
		err = w.Campaign.Turn(bg, cid, campaign.Publish)
		same(t, fields(t, err), map[string]string{
			"ends_at": "past", "items[0].price_fen": "below_floor", "items[1].stock": "range", "items[1].sku": "off_sale",
		})

		putProduct(t, w, "pear", true, 0)
		err = edit(w, cid, campaign.CampaignEdit{
			StartsAt: ptr(now.Add(3 * time.Hour)), EndsAt: ptr(now.Add(4 * time.Hour)), Zone: ptr("Asia/Urumqi"), PayWithinS: ptr(120), Rules: []byte("{}"),
			Items: []campaign.ItemEdit{{ID: c.Items[0].ID, Price: ptr(money.Amount(9_500))}, {ID: c.Items[1].ID, AddStock: 4}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Campaign.Turn(bg, cid, campaign.Publish); err != nil {
			t.Fatal(err)
		}
		// Published and not yet begun, a price may still rise.
		if err := edit(w, cid, campaign.CampaignEdit{Items: []campaign.ItemEdit{{ID: c.Items[0].ID, Price: ptr(money.Amount(9_900))}}}); err != nil {
			t.Error(err)
		}
	})
}
