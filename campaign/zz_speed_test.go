package campaign_test

import (
	"context"
	"fmt"
	"os"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

func TestZZSpeed(t *testing.T) {
	engine := os.Getenv("ZZ")
	if engine == "" {
		t.Skip()
	}
	db := dbtest.Open(t, engine)
	w := campaigntest.New(t, db)
	c := w.Run(campaigntest.Sale{Stock: 10_000_000, PerMember: 1})
	var n, fail atomic.Int64
	var wg sync.WaitGroup
	if p := os.Getenv("ZZPROF"); p != "" {
		f, _ := os.Create(p)
		pprof.StartCPUProfile(f)
		defer pprof.StopCPUProfile()
	}
	stop := time.Now().Add(4 * time.Second)
	start := time.Now()
	for g := range 512 {
		wg.Go(func() {
			for i := 0; time.Now().Before(stop); i++ {
				m := id.Member(1<<50 + int64(g)<<24 + int64(i))
				ctx := database.WithActor(context.Background(), database.Actor{Kind: database.ActorMember, Member: m, Since: clock.MilliOf(dbtest.Start.Add(-time.Second))})
				ctx = database.WithKey(ctx, database.Key{Principal: "x", Route: "r", Key: fmt.Sprintf("k-%d-%d", g, i), Hash: "0123456789abcdef0123456789abcdef"})
				if _, err := w.Campaign.Claim(ctx, campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m}); err != nil {
					if fail.Add(1) < 3 {
						t.Log(err)
					}
				} else {
					n.Add(1)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%s %.0f claims/s, %d failed", engine, float64(n.Load())/time.Since(start).Seconds(), fail.Load())
}
