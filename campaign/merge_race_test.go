package campaign_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// mergeBesideClaims merges pairs of members while the merged one claims what
// he holds already and what he has never held; it returns the pairs.
func mergeBesideClaims(w []*campaigntest.World, rounds int) (pairs [][2]id.Member) {
	var items []campaign.Claim
	for range 2 {
		c := w[0].Run(campaigntest.Sale{Stock: 10_000, PerMember: 2, PerOrder: 2})
		items = append(items, campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID})
	}
	for range rounds {
		m := w[0].Members(2)
		pairs = append(pairs, [2]id.Member{m[0], m[1]})
		known := items[0]
		known.Member = m[0]
		w[0].MustClaim(known)
		known.Member, known.Qty = m[1], 2
		w[0].MustClaim(known)
		var all sync.WaitGroup
		for n := range 8 {
			c := items[n%2]
			c.Member = m[0]
			all.Go(func() {
				_, err := w[n%len(w)].Claim(c)
				// Merged between two reads of the batch he is nobody known, and asked to sign in again.
				if err != nil && !errors.Is(err, campaign.ErrLimit) && !errors.Is(err, campaign.ErrIdentity) {
					w[0].T.Errorf("claim: %v", err)
				}
			})
		}
		all.Go(func() {
			if err := w[len(w)-1].Campaign.MergeMembers(bg, m[0], m[1]); err != nil {
				w[0].T.Errorf("merge: %v", err)
			}
		})
		all.Wait()
	}
	return pairs
}

// What is claimed by whoever is merged away this moment is his who he becomes:
// counted as brought in by the merge, at once or by the task that follows it.
func TestMergeBesideClaims(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := replicas(t, engine)
			pairs := mergeBesideClaims(w, 40)
			w[0].Verify()
			w[0].Drain(time.Minute)
			w[0].Verify()
			for _, pair := range pairs {
				var stray int
				if err := w[0].DB.Read(bg).Raw("SELECT COUNT(*) FROM orders WHERE member_id = ?", pair[0]).Scan(&stray).Error; err != nil {
					t.Fatal(err)
				}
				if stray != 0 {
					t.Errorf("%d orders stayed with %s, who became %s", stray, pair[0], pair[1])
				}
			}
		})
	}
}
