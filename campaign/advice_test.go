package campaign_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/money"
)

func TestAdvice(t *testing.T) {
	shanghai, err := time.LoadLocation(clock.Shanghai)
	if err != nil {
		t.Fatal(err)
	}
	start := clock.MilliOf(time.Date(2026, 11, 26, 2, 0, 0, 0, time.UTC))
	made := func(made, bought, expired int64) campaign.Figures {
		return campaign.Figures{Orders: campaign.OrderCounts{Made: made, Bought: bought, Expired: expired}, Gross: 100_000}
	}
	someone := &campaign.Best{Net: 100}
	for _, c := range []struct {
		name   string
		report campaign.Report
		want   []string
	}{
		{"nothing happened", campaign.Report{Items: []campaign.ItemReport{{Name: "苹果", Unsold: 10}}}, []string{"unsold"}},
		{"all is well", campaign.Report{Total: made(10, 9, 1), Net: 100_000, BestPromoter: someone, Items: []campaign.ItemReport{{Sold: 9, Unsold: 1}}}, nil},
		{"a loss comes first", campaign.Report{Total: made(10, 5, 5), Net: 100, Margin: ptr(money.Amount(-250)), Items: []campaign.ItemReport{{Name: "苹果", Sold: 5}}},
			[]string{"loss", "unpaid", "sold_out"}},
		{"money went back", campaign.Report{Total: campaign.Figures{Orders: campaign.OrderCounts{Made: 10, Bought: 10}, Gross: 1000, Refunded: 100}, Net: 900, BestPromoter: &campaign.Best{Net: 450}},
			[]string{"refunds", "one_promoter"}},
		{"rewards ate it", campaign.Report{Total: campaign.Figures{Orders: campaign.OrderCounts{Made: 10, Bought: 10}, Gross: 1000, RewardsPromised: 300}, Net: 1000, BestPromoter: someone},
			[]string{"rewards"}},
		{"below what was meant and what was", campaign.Report{Total: made(10, 10, 0), Net: 899, BestPromoter: &campaign.Best{},
			Targets: []campaign.Against{{Name: "net_fen", Reached: 7_999}}, LastLike: &campaign.Like{Name: "春季", Net: 1000}},
			[]string{"target_missed", "declined"}},
		{"no codes, and a late best hour", campaign.Report{Total: made(10, 10, 0), Net: 100_000, StartsAt: start, BestHour: &campaign.Best{HourAt: start.Add(10 * time.Hour)}},
			[]string{"no_codes", "best_hour"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, a := range campaign.AdviseIn(shanghai, c.report) {
				got = append(got, a.Code)
				if strings.Contains(a.Zh+a.En, "%!") {
					t.Errorf("%s reads %q and %q", a.Code, a.Zh, a.En)
				}
				if a.Code == "best_hour" && !strings.Contains(a.Zh, "20:00") {
					t.Errorf("the best hour is not local: %s", a.Zh)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
