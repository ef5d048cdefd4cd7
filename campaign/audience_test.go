package campaign_test

import (
	"errors"
	"testing"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/community"
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
