package campaign_test

import (
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/money"
)

// TestReference sells one product in three campaigns after each other: each
// keeps the lowest price of the week before it, of what was really sold.
func TestReference(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		_, err := w.Campaign.PutProducts(bg, campaign.ProductBatch{Products: []campaign.ProductIn{{SKU: "apple", Name: "苹果", ListPrice: 10_000}}})
		if err != nil {
			t.Fatal(err)
		}
		buyer := w.Members(1)[0]
		run := func(price money.Amount, in time.Duration, buys bool) money.Amount {
			t.Helper()
			now := clock.MilliOf(db.Clock.Now())
			cid, err := w.Campaign.CreateCampaign(bg, campaign.CampaignIn{
				Kind: "flash_sale", Name: "秒杀", StartsAt: now.Add(in), EndsAt: now.Add(in + 24*time.Hour),
				Items: []campaign.ItemIn{{SKU: "apple", Price: price, Stock: 10}},
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Campaign.Turn(bg, cid, campaign.Publish); err != nil {
				t.Fatal(err)
			}
			w.Drain(in)
			item := w.Item(cid)
			if buys {
				w.Pay(w.MustClaim(campaign.Claim{Campaign: cid, Item: item.ID, Member: buyer}).ID)
			}
			w.Drain(25 * time.Hour)
			return item.Reference
		}
		for i, step := range []struct {
			price, want money.Amount
			in          time.Duration
			buys        bool
		}{
			{9000, 0, 0, true},
			{7000, 9000, time.Hour, false},      // nobody bought at 7000
			{8000, 9000, time.Hour, true},       // so it is none
			{8500, 8000, time.Hour, true},       // looked up again at the start
			{9500, 0, 9 * 24 * time.Hour, true}, // more than a week later
		} {
			if got := run(step.price, step.in, step.buys); got != step.want {
				t.Errorf("campaign %d: reference %s, want %s", i, got, step.want)
			}
		}
		w.Verify()
	})
}
