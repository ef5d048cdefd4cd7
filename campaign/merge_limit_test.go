package campaign_test

import (
	"errors"
	"testing"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// A merge gives whoever was at his limit the room of whom he became, at once
// and under either id.
func TestMergedMemberHasTheRoomOfBoth(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{Stock: 10, PerMember: 1})
		m := w.Members(2)
		claim := campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m[0]}
		w.MustClaim(claim)
		if err := w.Campaign.MergeMembers(bg, m[0], m[1]); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Claim(claim); err != nil {
			t.Errorf("the other's piece: %v", err)
		}
		w.Verify()
	})
}

// Whoever holds something is not merged into himself, and is told so.
func TestMergedIntoHimself(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{Stock: 10})
		m := w.Members(1)[0]
		w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m})
		if err := w.Campaign.MergeMembers(bg, m, m); !errors.Is(err, community.ErrMergeSelf) {
			t.Errorf("got %v", err)
		}
		w.Verify()
	})
}
