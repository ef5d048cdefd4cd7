package campaign_test

import (
	"fmt"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
)

// TestTemplate saves a campaign and makes it again on another day, also across
// a change of the clocks.
func TestTemplate(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		if _, err := w.Campaign.PutProducts(bg, campaign.ProductBatch{Products: []campaign.ProductIn{{SKU: "tpl", Name: "苹果", ListPrice: 9900}}}); err != nil {
			t.Fatal(err)
		}
		york, _ := time.LoadLocation("America/New_York")
		from := time.Date(2027, 3, 1, 20, 30, 0, 0, york)
		cid, err := w.Campaign.CreateCampaign(bg, campaign.CampaignIn{
			Kind: "group_buy", Name: "春季拼团", StartsAt: clock.MilliOf(from), EndsAt: clock.MilliOf(from.AddDate(0, 0, 2)), Zone: "America/New_York",
			Rules: []byte(`{"size":3}`), PayWithinS: 600, Face: spring, Items: []campaign.ItemIn{{SKU: "tpl", Price: 8800, Stock: 9, PerMember: 2, PerOrder: 2}},
		})
		if err != nil {
			t.Fatal(err)
		}
		tid, err := w.Campaign.SaveTemplate(bg, campaign.TemplateIn{CampaignID: cid, Name: "春拼"})
		if err != nil {
			t.Fatal(err)
		}
		made, err := w.Campaign.DraftFrom(bg, tid.String(), campaign.DraftIn{StartDay: 20270313})
		if err != nil {
			t.Fatal(err)
		}
		was, _ := w.Campaign.FindCampaign(bg, cid)
		got, err := w.Campaign.FindCampaign(bg, made)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Date(2027, 3, 13, 20, 30, 0, 0, york)
		if got.StartsAt != clock.MilliOf(start) || got.EndsAt != clock.MilliOf(start.AddDate(0, 0, 2)) || got.EndsAt-got.StartsAt == was.EndsAt-was.StartsAt {
			t.Errorf("runs from %s to %s", got.StartsAt, got.EndsAt)
		}
		item := got.Items[0]
		if got.Name != "春拼" || got.Kind != was.Kind || got.RulesText != was.RulesText || got.PayWithinS != 600 || got.Face != spring || got.Status != campaign.StatusDraft ||
			item.Stock != 9 || item.Price != 8800 || item.PerMember != 2 || item.PerOrder != 2 {
			t.Errorf("got %+v, want a draft of %+v", got, was)
		}
		if err := w.Campaign.DropTemplate(bg, tid.String()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Campaign.DraftFrom(bg, tid.String(), campaign.DraftIn{StartDay: 20270313}); err == nil {
			t.Error("a dropped template makes drafts")
		}
		same(t, fields(t, campaign.DraftIn{StartDay: 20270230}.Validate()), map[string]string{"start_day": "format"})
	})
}

// TestPresets makes and publishes a campaign of every template of the house.
func TestPresets(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		kinds := map[string]int{}
		for i, p := range campaign.Presets() {
			sku := fmt.Sprintf("preset-%d", i)
			if _, err := w.Campaign.PutProducts(bg, campaign.ProductBatch{Products: []campaign.ProductIn{{SKU: sku, Name: "苹果", ListPrice: 9900}}}); err != nil {
				t.Fatal(err)
			}
			kinds[p.Kind]++
			in := campaign.DraftIn{StartDay: 20280618}
			if p.Kind != "referral" {
				if _, err := w.Campaign.DraftFrom(bg, p.Code, in); fields(t, err)["items"] != "required" {
					t.Errorf("%s without products: %v", p.Code, err)
				}
				in.Items = []campaign.ItemIn{{SKU: sku, Price: 8800, Stock: 5}}
			}
			cid, err := w.Campaign.DraftFrom(bg, p.Code, in)
			if err != nil {
				t.Errorf("%s: %v", p.Code, err)
				continue
			}
			if err := w.Campaign.Turn(bg, cid, campaign.Publish); err != nil {
				t.Errorf("%s: publish: %v", p.Code, err)
			}
			if p.Name == "" || p.NameEN == "" || p.Plan.Texts.ZH.Title == "" || p.Plan.Texts.EN.Title == "" {
				t.Errorf("%s lacks a text", p.Code)
			}
			if _, err := w.Campaign.DraftFrom(bg, p.Code, campaign.DraftIn{StartDay: 20200618, Items: in.Items}); fields(t, err)["start_day"] != "past" {
				t.Errorf("%s in the past: %v", p.Code, err)
			}
		}
		for _, kind := range []string{"flash_sale", "group_buy", "referral"} {
			if kinds[kind] < 2 {
				t.Errorf("%d templates of kind %s", kinds[kind], kind)
			}
		}
		if err := w.Campaign.DropTemplate(bg, "flash-618"); err == nil || err.Error() != campaign.ErrPreset.Error() {
			t.Errorf("dropping a template of the house: %v", err)
		}
		if _, err := w.Campaign.FindTemplate(bg, "flash-none"); err == nil || err.Error() != fault.NotFound.Error() {
			t.Errorf("an unknown code: %v", err)
		}
	})
}
