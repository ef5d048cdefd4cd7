package campaign_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
)

// TestTargets plays two sales after each other; the second is measured by its
// targets and by the first.
func TestTargets(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		m := w.Members(3)
		first := w.Run(campaigntest.Sale{})
		w.Pay(w.MustClaim(campaign.Claim{Campaign: first.ID, Item: first.Items[0].ID, Member: m[0]}).ID)
		w.Pay(w.MustClaim(campaign.Claim{Campaign: first.ID, Item: first.Items[0].ID, Member: m[1]}).ID)
		w.Drain(25 * time.Hour)
		second := w.Run(campaigntest.Sale{})
		set := func(version int, in campaign.Targets) error { return w.Campaign.SetTargets(bg, second.ID, version, in) }
		if err := set(0, campaign.Targets{PaidOrders: -1}); !errors.Is(err, fault.Invalid) {
			t.Errorf("a negative target: %v", err)
		}
		if err := set(0, campaign.Targets{PaidOrders: 4}); err != nil {
			t.Fatal(err)
		}
		if err := set(0, campaign.Targets{PaidOrders: 5}); !errors.Is(err, fault.Stale) {
			t.Errorf("set upon a version that is gone: %v", err)
		}
		if err := set(1, campaign.Targets{PaidOrders: 2, Net: 3 * 9900}); err != nil {
			t.Fatal(err)
		}
		w.Pay(w.MustClaim(campaign.Claim{Campaign: second.ID, Item: second.Items[0].ID, Member: m[2]}).ID)
		w.Drain(25 * time.Hour)
		if err := set(2, campaign.Targets{PaidOrders: 1}); !errors.Is(err, campaign.ErrTargetsLate) {
			t.Errorf("set after the end: %v", err)
		}
		got, err := w.Campaign.Report(bg, second.ID)
		if err != nil {
			t.Fatal(err)
		}
		want := []campaign.Against{
			{Name: "paid_orders", Target: 2, Actual: 1, Reached: 5000},
			{Name: "net_fen", Target: 3 * 9900, Actual: 9900, Reached: 3333},
		}
		if diff := cmp.Diff(want, got.Targets); diff != "" {
			t.Error(diff)
		}
		like := &campaign.Like{CampaignID: first.ID, Name: first.Name, StartsAt: first.StartsAt, EndsAt: first.EndsAt, Bought: 2, Sold: 2, Net: 2 * 9900}
		if diff := cmp.Diff(like, got.LastLike); diff != "" {
			t.Error(diff)
		}
		if len(got.Advice) != 3 || got.Advice[0].Code != "unsold" {
			t.Errorf("advice %+v", got.Advice)
		}
		if old, err := w.Campaign.Report(bg, first.ID); err != nil || old.LastLike != nil || len(old.Targets) != 0 {
			t.Errorf("the first: %+v, %v", old, err)
		}
	})
}

func TestProductsByTag(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		_, err := w.Campaign.PutProducts(bg, campaign.ProductBatch{Products: []campaign.ProductIn{
			{SKU: "a", Name: "苹果", Spec: "5 斤", Category: "水果", Tags: campaign.Tags{"新品", "100%"}, ListPrice: 100},
			{SKU: "b", Name: "梨", Category: "水果", Tags: campaign.Tags{"新品季"}, ListPrice: 100},
			{SKU: "c", Name: "米", Category: "粮油", ListPrice: 100},
		}})
		if err != nil {
			t.Fatal(err)
		}
		for f, want := range map[campaign.ProductFilter]string{
			{Tag: "新品"}: "a", {Tag: "100%"}: "a", {Tag: "1__%"}: "", {Category: "水果"}: "ba", {Category: "水果", Tag: "新品季"}: "b", {Category: "粮"}: "",
		} {
			list, err := w.Campaign.ListProducts(bg, f, database.Page{})
			got := ""
			for _, p := range list.Items {
				got += p.SKU
				if p.SKU == "a" && (p.Spec != "5 斤" || len(p.Tags) != 2) || p.SKU == "c" && p.Tags == nil {
					t.Errorf("read back %+v", p)
				}
			}
			if err != nil || got != want {
				t.Errorf("%+v: got %q (%v), want %q", f, got, err, want)
			}
		}
		for _, bad := range []campaign.Tags{{"a|b"}, {""}, {"x", "x"}} {
			_, err := w.Campaign.PutProducts(bg, campaign.ProductBatch{Products: []campaign.ProductIn{{SKU: "d", Name: "d", ListPrice: 1, Tags: bad}}})
			if !errors.Is(err, fault.Invalid) {
				t.Errorf("tags %q: %v", bad, err)
			}
		}
	})
}
