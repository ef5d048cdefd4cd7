package campaign_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// setAtOnce has 64 people set targets upon the same version, spread over
// replicas, and says how many did and what else went wrong.
func setAtOnce(w []*campaigntest.World, cid id.Campaign) (set int64, failed error) {
	var done atomic.Int64
	var all sync.WaitGroup
	errs := make([]error, 64)
	start := make(chan struct{})
	for i := range errs {
		all.Go(func() {
			<-start
			err := w[i%len(w)].Campaign.SetTargets(bg, cid, 0, campaign.Targets{PaidOrders: int64(i + 1)})
			switch {
			case err == nil:
				done.Add(1)
			case !errors.Is(err, fault.Stale):
				errs[i] = err
			}
		})
	}
	close(start)
	all.Wait()
	return done.Load(), errors.Join(errs...)
}

func TestTargetsAtOnce(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := replicas(t, engine)
			for range 3 {
				c := w[0].Run(campaigntest.Sale{})
				if n, err := setAtOnce(w, c.ID); n != 1 || err != nil {
					t.Fatalf("%d of 64 set the targets of one version, want 1: %v", n, err)
				}
				if got, err := w[0].Campaign.FindTargets(bg, c.ID); err != nil || got.Version != 1 {
					t.Fatalf("targets %+v, %v; want version 1", got, err)
				}
			}
		})
		t.Run(engine+" without locks they break", func(t *testing.T) {
			db := dbtest.Unlocked(t, engine)
			var w []*campaigntest.World
			for range 8 {
				w = append(w, campaigntest.New(t, db))
			}
			for range 100 {
				// Two inserts of one version are refused by the primary key alone.
				if n, err := setAtOnce(w, w[0].Run(campaigntest.Sale{}).ID); n != 1 || err != nil {
					return
				}
			}
			t.Fatal("one of 64 set the targets in 100 rounds without any lock")
		})
	}
}
