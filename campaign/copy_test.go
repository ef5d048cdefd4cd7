package campaign_test

import (
	"reflect"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

func TestCopy(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{Kind: "group_buy", Stock: 10, PerMember: 2, PerOrder: 2, Rules: `{"size":3}`})
		claim := campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: w.Members(1)[0], Qty: 2, OpenTeam: true}
		w.Pay(w.MustClaim(claim).ID)
		if err := edit(w, c.ID, campaign.CampaignEdit{Items: []campaign.ItemEdit{{ID: c.Items[0].ID, AddStock: 5}}}); err != nil {
			t.Fatal(err)
		}
		db.Clock.Jump(72 * time.Hour)

		copied := func(in campaign.CopyIn) campaign.Campaign {
			t.Helper()
			cid, err := w.Campaign.Copy(bg, c.ID, in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := w.Campaign.FindCampaign(bg, cid)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		t.Run("it is a draft of the same, without the counters", func(t *testing.T) {
			got := copied(campaign.CopyIn{})
			if got.Status != campaign.StatusDraft || got.Kind != c.Kind || got.Name != c.Name || got.RulesText != c.RulesText ||
				got.PayWithinS != c.PayWithinS || got.Zone != c.Zone || got.Version != 1 {
				t.Errorf("got %+v, want a draft of %+v", got, c)
			}
			item := got.Items[0]
			item.ID, item.CampaignID = 0, 0
			want := campaign.Item{ProductID: c.Items[0].ProductID, Name: c.Items[0].Name, Price: 9900, Stock: 15, Left: 15, PerMember: 2, PerOrder: 2, Version: 1}
			if !reflect.DeepEqual(item, want) {
				t.Errorf("item %+v, want %+v", item, want)
			}
			if tomorrow := c.StartsAt.Add(4 * 24 * time.Hour); got.StartsAt != tomorrow || got.EndsAt-got.StartsAt != c.EndsAt-c.StartsAt {
				t.Errorf("runs from %s to %s, want from %s", got.StartsAt, got.EndsAt, tomorrow)
			}
			if err := w.Campaign.Turn(bg, got.ID, campaign.Publish); err != nil {
				t.Errorf("publish: %v", err)
			}
		})
		t.Run("it takes a name and a window", func(t *testing.T) {
			at := clock.MilliOf(db.Clock.Now()).Add(time.Hour)
			got := copied(campaign.CopyIn{Name: "再来一次", StartsAt: at})
			if got.Name != "再来一次" || got.StartsAt != at || got.EndsAt != at.Add(24*time.Hour) {
				t.Errorf("got %+v", got)
			}
			if got = copied(campaign.CopyIn{StartsAt: at, EndsAt: at + 1000}); got.EndsAt != at+1000 {
				t.Errorf("got %+v", got)
			}
			_, err := w.Campaign.Copy(bg, c.ID, campaign.CopyIn{StartsAt: at, EndsAt: at})
			same(t, fields(t, err), map[string]string{"ends_at": "range"})
		})
		t.Run("who does not see the campaign cannot copy it", func(t *testing.T) {
			ctx := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Units: []id.Unit{7}})
			if _, err := w.Campaign.Copy(ctx, c.ID, campaign.CopyIn{}); err == nil || err.Error() != fault.NotFound.Error() {
				t.Errorf("got %v, want not found", err)
			}
		})
		w.Verify()
	})
}
