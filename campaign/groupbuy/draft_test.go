package groupbuy_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/campaign/groupbuy"
	"siyu/community"
	"siyu/community/request"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// TestDraft: a request has one group-buy whoever drafts it at once, noted and
// told in the transaction that makes it; one that cannot be made leaves nothing.
func TestDraft(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := tell(t, db, campaigntest.Sale{Rules: `{"size":2,"open_for_s":3600}`})
		asks := &request.Service{DB: db}
		group, err := s.Community.CreateGroup(bg, community.GroupIn{Name: "茶友群"})
		s.ok(err)
		_, err = s.Community.PutMemberships(bg, group, []community.MembershipIn{{MemberID: s.m[0]}, {MemberID: s.m[1]}})
		s.ok(err)
		r, err := asks.Ask(bg, s.m[0], request.In{GroupID: group, Kind: request.KindBuy, Line: "想买龙井"})
		s.ok(err)
		s.ok(asks.Want(bg, r, s.m[1]))
		sku := "draft-tea"
		_, err = s.Campaign.PutProducts(bg, campaign.ProductBatch{Products: []campaign.ProductIn{{SKU: sku, Name: "龙井", ListPrice: 6800}}})
		s.ok(err)
		now := clock.MilliOf(db.Clock.Now())
		in := groupbuy.DraftIn{SKU: sku, Price: 3990, Stock: 20, Size: 3, StartsAt: now.Add(time.Hour), EndsAt: now.Add(48 * time.Hour)}

		campaigns := func() (n int) {
			t.Helper()
			s.ok(db.Read(bg).Raw("SELECT COUNT(*) FROM campaigns").Row().Scan(&n))
			return n
		}
		before := campaigns()
		for _, bad := range []func(in *groupbuy.DraftIn){
			func(in *groupbuy.DraftIn) { in.SKU = "nothing" }, func(in *groupbuy.DraftIn) { in.Price = 6801 },
			func(in *groupbuy.DraftIn) { in.Size = 1 }, func(in *groupbuy.DraftIn) { in.EndsAt = in.StartsAt },
		} {
			wrong := in
			bad(&wrong)
			if _, err := s.GroupBuy.Draft(bg, r, wrong); err == nil {
				t.Errorf("drafted with %+v", wrong)
			}
		}
		if n := campaigns(); n != before {
			t.Errorf("%d campaigns were left by what was refused", n-before)
		}
		var all sync.WaitGroup
		var mu sync.Mutex
		made := map[id.Campaign]int{}
		for range 6 {
			all.Go(func() {
				c, err := s.GroupBuy.Draft(bg, r, in)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				made[c]++
				mu.Unlock()
			})
		}
		all.Wait()
		if len(made) != 1 || campaigns() != before+1 || s.heard("request.group_buy") != 1 {
			t.Fatalf("six at once made %v, %d campaigns, told %d times; want one", made, campaigns()-before, s.heard("request.group_buy"))
		}
		for c := range made {
			got, err := s.Campaign.FindCampaign(bg, c)
			if s.ok(err); got.Name != "想买龙井" || got.Status != campaign.StatusDraft || got.Kind != "group_buy" || len(got.Audience.Groups) != 1 || got.Audience.Groups[0] != group || got.Items[0].Price != 3990 {
				t.Errorf("the draft is %+v", got)
			}
			if asked, err := asks.Find(bg, r); err != nil || asked.CampaignID != c {
				t.Errorf("the request has %+v, %v", asked, err)
			}
		}
		help, err := asks.Ask(bg, s.m[1], request.In{GroupID: group, Kind: request.KindHelp, Line: "怎么存茶"})
		s.ok(err)
		if _, err := s.GroupBuy.Draft(bg, help, in); !errors.Is(err, request.ErrBuys) {
			t.Errorf("of a question: got %v", err)
		}
		gone, err := asks.Ask(bg, s.m[1], request.In{GroupID: group, Kind: request.KindBuy, Line: "李雷想买龙井"})
		s.ok(err)
		s.ok(s.Community.EraseMember(bg, s.m[1]))
		named, err := s.GroupBuy.Draft(bg, gone, in)
		s.ok(err)
		if got, err := s.Campaign.FindCampaign(bg, named); err != nil || got.Name != "龙井" {
			t.Errorf("of an erased member's request: got %q, %v; want the product's name", got.Name, err)
		}
		other := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 3, Role: "marketer", Unit: 8, Units: []id.Unit{8}})
		if _, err := s.GroupBuy.Draft(other, r, in); !errors.Is(err, fault.NotFound) {
			t.Errorf("of another unit's request: got %v", err)
		}
	})
}

func (s story) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}
