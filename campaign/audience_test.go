package campaign_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// TestAudience claims several times, because the first batch learns what the
// campaign asks for and the later ones read it along with the locks.
func TestAudience(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		group, err := w.Community.CreateGroup(bg, community.GroupIn{Name: "邻里群"})
		if err != nil {
			t.Fatal(err)
		}
		m := w.Members(4)
		_, err = w.Community.PutMemberships(bg, group, []community.MembershipIn{{MemberID: m[0]}, {MemberID: m[1]}})
		if err != nil {
			t.Fatal(err)
		}
		c := w.Run(campaigntest.Sale{Stock: 10, Audience: []id.Group{group}})
		try := func(who id.Member) error {
			_, err := w.Claim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: who})
			return err
		}
		for _, who := range []int{0, 1, 0} {
			if err := try(m[who]); err != nil {
				t.Errorf("member %d of the group: %v", who, err)
			}
		}
		for _, who := range []int{2, 3} {
			if err := try(m[who]); !errors.Is(err, campaign.ErrAudience) {
				t.Errorf("member %d outside the group: got %v, want not eligible", who, err)
			}
		}
		if err := w.Campaign.MergeMembers(bg, m[0], m[2]); err != nil {
			t.Fatal(err)
		}
		if err := try(m[2]); err != nil {
			t.Errorf("who became a member of the group by a merge: %v", err)
		}
		w.Verify()
	})
}

// audienced makes a campaign with one item that starts in a while.
func audienced(t *testing.T, w *campaigntest.World, a campaign.Audience, starts time.Duration, rules string) campaign.Campaign {
	t.Helper()
	cid := w.Draft(campaigntest.Sale{Stock: 100, Rules: rules})
	at := clock.MilliOf(w.DB.Clock.Now()).Add(starts)
	err := edit(w, cid, campaign.CampaignEdit{Audience: &a, StartsAt: &at})
	if err == nil {
		err = w.Campaign.Turn(bg, cid, campaign.Publish)
	}
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.Campaign.FindCampaign(bg, cid)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func tagOf(t *testing.T, w *campaigntest.World, name string, members ...id.Member) id.Tag {
	t.Helper()
	tag, err := w.Community.CreateTag(bg, community.TagIn{NameZH: name, NameEN: name})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		if _, err := w.Community.TagMembers(bg, tag, []community.TagRow{{MemberID: m}}); err != nil {
			t.Fatal(err)
		}
	}
	return tag
}

// TestAudienceKinds claims twice each: the first batch learns what the
// campaign asks for, the second reads it along with the locks.
func TestAudienceKinds(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		m := w.Members(3)
		vip, bad := tagOf(t, w, "会员", m[0], m[1]), tagOf(t, w, "黄牛", m[1])
		old := w.Run(campaigntest.Sale{})
		w.Pay(w.MustClaim(campaign.Claim{Campaign: old.ID, Item: old.Items[0].ID, Member: m[0]}).ID)
		group, err := w.Community.CreateGroup(bg, community.GroupIn{Name: "店群"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Community.PutMemberships(bg, group, []community.MembershipIn{{MemberID: m[0], Role: community.RoleKOC}, {MemberID: m[1]}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Community.Block(bg, m[2], community.BlockIn{Reason: "恶意退单"}); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			a    campaign.Audience
			want [3]error
		}{
			"tags":      {campaign.Audience{TagsAny: []id.Tag{vip}}, [3]error{nil, nil, campaign.ErrTags}},
			"excluded":  {campaign.Audience{TagsAll: []id.Tag{vip}, ExcludeTags: []id.Tag{bad}}, [3]error{nil, campaign.ErrExcluded, campaign.ErrTags}},
			"roles":     {campaign.Audience{Groups: []id.Group{group}, Roles: []community.Role{community.RoleKOC}}, [3]error{nil, campaign.ErrRole, campaign.ErrAudience}},
			"new":       {campaign.Audience{NewSince: 1}, [3]error{campaign.ErrNewOnly, nil, nil}},
			"buyers":    {campaign.Audience{Bought: &campaign.Bought{Campaigns: []id.Campaign{old.ID}, Days: 1}}, [3]error{nil, campaign.ErrBuyers, campaign.ErrBuyers}},
			"blocklist": {campaign.Audience{Blocklist: true}, [3]error{nil, nil, campaign.ErrBlocked}},
		} {
			c := struct {
				campaign.Campaign
				want [3]error
			}{audienced(t, w, c.a, 0, ""), c.want}
			matching := int64(0)
			for round := range 2 {
				for i, who := range m {
					_, err := w.Claim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: who})
					if !errors.Is(err, c.want[i]) {
						t.Errorf("%s, round %d: member %d got %v, want %v", name, round, i, err, c.want[i])
					}
					if c.want[i] == nil {
						matching++
					}
				}
			}
			got, err := w.Campaign.PreviewAudience(bg, c.ID)
			refused := int64(0)
			for _, n := range got.Refused {
				refused += n
			}
			if err != nil || !got.Complete || got.Seen != 3 || got.Matching != matching/2 || refused != 3-matching/2 {
				t.Errorf("%s: preview got %+v, %v, want %d of 3", name, got, err, matching/2)
			}
		}
		t.Run("a merge brings tags along", func(t *testing.T) {
			c := audienced(t, w, campaign.Audience{TagsAny: []id.Tag{vip}}, 0, "")
			if err := w.Campaign.MergeMembers(bg, m[1], m[2]); err != nil {
				t.Fatal(err)
			}
			for _, who := range []id.Member{m[2], m[1], m[2]} {
				if _, err := w.Claim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: who}); err != nil {
					t.Error(err)
				}
			}
		})
		w.Verify()
	})
}

func TestEarlyAccess(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		m := w.Members(2)
		vip := tagOf(t, w, "会员", m[0])
		starts := clock.MilliOf(db.Clock.Now()).Add(3 * time.Hour)
		early := []campaign.Early{{Tags: []id.Tag{vip}, From: starts.Add(-2 * time.Hour)}}
		c := audienced(t, w, campaign.Audience{Early: early}, 3*time.Hour, "")
		try := func(who int, want error) {
			t.Helper()
			if _, err := w.Claim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m[who]}); !errors.Is(err, want) {
				t.Errorf("member %d: got %v, want %v", who, err, want)
			}
		}
		for range 2 {
			try(0, campaign.ErrNotStarted)
			try(1, campaign.ErrNotStarted)
		}
		db.Clock.Jump(time.Hour)
		for range 2 {
			try(1, campaign.ErrNotStarted)
			try(0, nil)
		}
		if err := w.Campaign.Turn(bg, c.ID, campaign.Cancel); !errors.Is(err, campaign.ErrTransition) {
			t.Errorf("cancel with orders: got %v, want wrong state", err)
		}
		for verb, want := range map[campaign.Verb]error{campaign.Pause: campaign.ErrNotRunning} {
			if err := w.Campaign.Turn(bg, c.ID, verb); err != nil {
				t.Fatal(err)
			}
			try(0, want)
		}
		if err := w.Campaign.Turn(bg, c.ID, campaign.Resume); err != nil {
			t.Fatal(err)
		}
		try(0, nil)
		try(1, campaign.ErrNotStarted)
		if err := edit(w, c.ID, campaign.CampaignEdit{Audience: &campaign.Audience{}}); err == nil {
			t.Error("early access was taken away from who was promised it")
		}
		w.Drain(2 * time.Hour)
		try(1, nil)
		made, err := w.Campaign.Copy(bg, c.ID, campaign.CopyIn{})
		if err != nil {
			t.Fatal(err)
		}
		again, err := w.Campaign.FindCampaign(bg, made)
		if err != nil || again.StartsAt-again.Audience.Early[0].From != starts-early[0].From {
			t.Errorf("a copy keeps the distance: got %+v, %v", again.Audience, err)
		}
		w.Verify()
	})
}

// TestUntaggedWhileClaiming races claims with the tag being taken away: who is
// answered after that stands is refused.
func TestUntaggedWhileClaiming(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		m := w.Members(1)[0]
		vip := tagOf(t, w, "会员", m)
		c := audienced(t, w, campaign.Audience{TagsAny: []id.Tag{vip}}, 0, "")
		claim := campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m}
		w.MustClaim(claim)
		var gone atomic.Bool
		var all sync.WaitGroup
		for i := range 64 {
			all.Add(1)
			go func() {
				defer all.Done()
				if i == 32 {
					if _, err := w.Community.TagMembers(bg, vip, []community.TagRow{{MemberID: m, Remove: true}}); err != nil {
						t.Error(err)
					}
					gone.Store(true)
					return
				}
				late := gone.Load()
				_, err := w.Claim(claim)
				if err != nil && !errors.Is(err, campaign.ErrTags) {
					t.Error(err)
				}
				if late && err == nil {
					t.Error("granted after the tag was gone")
				}
			}()
		}
		all.Wait()
		if _, err := w.Claim(claim); !errors.Is(err, campaign.ErrTags) {
			t.Errorf("afterwards: got %v, want the tag to be asked for", err)
		}
		w.Verify()
	})
}
