package campaign_test

import (
	"errors"
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

// TestEarlyFrom: what a member is told of his early access is what his claim
// then finds.
func TestEarlyFrom(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		m := w.Members(4)
		vip, bad := tagOf(t, w, "会员", m[0], m[1]), tagOf(t, w, "黄牛", m[1])
		group, err := w.Community.CreateGroup(bg, community.GroupIn{Name: "老客群"})
		if err != nil {
			t.Fatal(err)
		}
		for _, who := range []id.Member{m[0], m[2]} {
			if err := w.Community.Join(bg, community.Join{Group: group, Member: who}); err != nil {
				t.Fatal(err)
			}
		}
		now := clock.MilliOf(db.Clock.Now())
		c := audienced(t, w, campaign.Audience{ExcludeTags: []id.Tag{bad}, Early: []campaign.Early{
			{Tags: []id.Tag{vip}, From: now.Add(2 * time.Hour)}, {Groups: []id.Group{group}, From: now.Add(time.Hour)},
		}}, 3*time.Hour, "")
		want := map[id.Member]clock.Milli{m[0]: now.Add(time.Hour), m[1]: 0, m[2]: now.Add(time.Hour), m[3]: 0}
		for i, who := range m {
			got, err := w.Campaign.EarlyFrom(bg, c, who)
			if err != nil || got != want[who] {
				t.Errorf("member %d: got %s, %v, want %s", i+1, got, err, want[who])
			}
		}
		claim := campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m[2]}
		if _, err := w.Claim(claim); !errors.Is(err, campaign.ErrNotStarted) {
			t.Errorf("before: got %v", err)
		}
		db.Clock.Jump(time.Hour)
		w.MustClaim(claim)
		claim.Member = m[3]
		if _, err := w.Claim(claim); !errors.Is(err, campaign.ErrNotStarted) {
			t.Errorf("without early access: got %v", err)
		}
	})
}

// TestSessionLeft: what is left of a session, by its beginning.
func TestSessionLeft(t *testing.T) {
	for _, x := range []struct {
		name  string
		item  campaign.Item
		began clock.Milli
		want  int64
	}{
		{"without a bound all that is free", campaign.Item{Left: 9, Waiting: 2}, 5, 7},
		{"nothing was taken in it", campaign.Item{Left: 9, SessionStock: 4, SessionAt: 1, SessionTaken: 4}, 5, 4},
		{"some was", campaign.Item{Left: 9, SessionStock: 4, SessionAt: 5, SessionTaken: 3}, 5, 1},
		{"all was", campaign.Item{Left: 9, SessionStock: 4, SessionAt: 5, SessionTaken: 4}, 5, 0},
		{"the line's are not", campaign.Item{Left: 3, Waiting: 2, SessionStock: 4}, 5, 1},
		{"a later one began meanwhile", campaign.Item{Left: 9, SessionStock: 4, SessionAt: 8, SessionTaken: 1}, 5, 3},
	} {
		if got := x.item.SessionLeft(x.began); got != x.want {
			t.Errorf("%s: got %d, want %d", x.name, got, x.want)
		}
	}
}
