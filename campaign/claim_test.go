package campaign_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

func TestClaim(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{Stock: 5, PerMember: 3, PerOrder: 2})
		m := w.Members(2)
		claim := campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m[0]}

		t.Run("the same key finds the same order", func(t *testing.T) {
			first, err := w.ClaimKeyed(claim, "k")
			if err != nil {
				t.Fatal(err)
			}
			again, err := w.ClaimKeyed(claim, "k")
			if err != nil || again != first {
				t.Errorf("got %v, %v, want %v", again, err, first)
			}
		})
		t.Run("the same key with another input is refused", func(t *testing.T) {
			other := claim
			other.Qty = 2
			if _, err := w.ClaimKeyed(other, "k"); !errors.Is(err, database.ErrKeyReused) {
				t.Errorf("got %v, want key reused", err)
			}
		})
		t.Run("limits count pieces", func(t *testing.T) {
			two := claim
			two.Qty = 2
			if _, err := w.Claim(two); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Claim(claim); !errors.Is(err, campaign.ErrLimit) {
				t.Errorf("fourth piece: got %v, want limit", err)
			}
		})
		t.Run("an order holds no more than its item allows", func(t *testing.T) {
			three := claim
			three.Qty = 3
			if _, err := w.Claim(three); !errors.Is(err, campaign.ErrQty) {
				t.Errorf("got %v, want quantity", err)
			}
		})
		t.Run("a guest needs an identity where a limit counts", func(t *testing.T) {
			guest, err := w.Community.NewGuest(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			g := claim
			g.Member = guest
			if _, err := w.Claim(g); !errors.Is(err, campaign.ErrIdentity) {
				t.Errorf("got %v, want identity required", err)
			}
		})
		t.Run("sold out", func(t *testing.T) {
			two := campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m[1], Qty: 2}
			if _, err := w.Claim(two); err != nil {
				t.Fatal(err)
			}
			two.Qty = 1
			if _, err := w.Claim(two); !errors.Is(err, campaign.ErrSoldOut) {
				t.Errorf("got %v, want sold out", err)
			}
		})
		t.Run("an unpaid order frees its stock after the deadline", func(t *testing.T) {
			w.Drain(16 * time.Minute)
			if item := w.Item(c.ID); item.Left != 5 || item.Held != 0 {
				t.Errorf("item: %+v, want 5 left", item)
			}
		})
		t.Run("a paused campaign refuses", func(t *testing.T) {
			if err := w.Campaign.Turn(context.Background(), c.ID, campaign.Pause); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Claim(claim); !errors.Is(err, campaign.ErrNotRunning) {
				t.Errorf("got %v, want not running", err)
			}
		})
		t.Run("an ended campaign refuses by the clock alone", func(t *testing.T) {
			if err := w.Campaign.Turn(context.Background(), c.ID, campaign.Resume); err != nil {
				t.Fatal(err)
			}
			db.Clock.Jump(25 * time.Hour)
			if _, err := w.Claim(claim); !errors.Is(err, campaign.ErrNotRunning) {
				t.Errorf("got %v, want not running", err)
			}
		})
		w.Verify()
	})
}

// rush lets every member claim once at the same moment, spread over replicas,
// and says how many were granted.
func rush(replicas []*campaigntest.World, claim campaign.Claim, members []id.Member) int {
	var wg sync.WaitGroup
	var mu sync.Mutex
	granted := 0
	start := make(chan struct{})
	for i, m := range members {
		c := claim
		c.Member = m
		wg.Go(func() {
			<-start
			if _, err := replicas[i%len(replicas)].Claim(c); err == nil {
				mu.Lock()
				granted++
				mu.Unlock()
			}
		})
	}
	close(start)
	wg.Wait()
	return granted
}

// replicas is three handles on one store where the engine allows, one on
// SQLite.
func replicas(t *testing.T, engine string) []*campaigntest.World {
	t.Helper()
	url := dbtest.URL(t, engine)
	db := dbtest.At(t, url)
	worlds := []*campaigntest.World{campaigntest.New(t, db)}
	for node := 2; node <= 3 && engine != "sqlite"; node++ {
		worlds = append(worlds, campaigntest.New(t, dbtest.Twin(t, db, url, node)))
	}
	return worlds
}

func TestLastPieces(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := replicas(t, engine)
			buyers := w[0].Members(200)
			for range 30 {
				c := w[0].Run(campaigntest.Sale{Stock: 10, PerMember: 1})
				got := rush(w, campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID}, buyers)
				if item := w[0].Item(c.ID); got != 10 || item.Held != 10 || item.Left != 0 {
					t.Fatalf("granted %d, item %+v; want exactly 10", got, item)
				}
			}
			w[0].Verify()
		})
		t.Run(engine+" without locks it breaks", func(t *testing.T) {
			mustBreak(t, engine, "V1", func(w []*campaigntest.World, buyers []id.Member) {
				c := w[0].Run(campaigntest.Sale{Stock: 10})
				rush(w, campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID}, buyers)
			})
		})
	}
}

func TestLimitUnderRace(t *testing.T) {
	oneMember := func(w []*campaigntest.World) (granted int) {
		c := w[0].Run(campaigntest.Sale{Stock: 1000, PerMember: 3})
		m := w[0].Members(1)[0]
		same := make([]id.Member, 64)
		for i := range same {
			same[i] = m
		}
		return rush(w, campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID}, same)
	}
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := replicas(t, engine)
			for range 5 {
				if got := oneMember(w); got != 3 {
					t.Fatalf("granted %d to one member, limit 3", got)
				}
			}
			w[0].Verify()
		})
		t.Run(engine+" without locks it breaks", func(t *testing.T) {
			mustBreak(t, engine, "V2", func(w []*campaigntest.World, _ []id.Member) { oneMember(w) })
		})
	}
}

// mustBreak runs the load on a store in which nothing holds the limit, and
// fails when the invariant nevertheless held: then its test proves nothing.
func mustBreak(t *testing.T, engine, invariant string, load func([]*campaigntest.World, []id.Member)) {
	t.Helper()
	db := dbtest.Unlocked(t, engine)
	var w []*campaigntest.World
	for range 8 {
		w = append(w, campaigntest.New(t, db))
	}
	buyers := w[0].Members(120)
	for range 400 {
		load(w, buyers)
		for _, p := range w[0].Proofs() {
			if p.ID == invariant && len(p.Broken) > 0 {
				return
			}
		}
	}
	t.Fatalf("%s held in 400 rounds without any lock", invariant)
}

// TestLockedItemIsLeftOut holds one item's row while claims of two items wait:
// the other item goes on, and the locked one is granted once it is free.
func TestLockedItemIsLeftOut(t *testing.T) {
	url := dbtest.URL(t, "mariadb")
	db := dbtest.At(t, url)
	w := campaigntest.New(t, db)
	slow, quick := w.Run(campaigntest.Sale{Stock: 100}), w.Run(campaigntest.Sale{Stock: 100})
	members := w.Members(40)

	held, free := make(chan struct{}), make(chan struct{})
	var holder sync.WaitGroup
	holder.Go(func() {
		err := db.Tx(context.Background(), func(tx *database.Tx) error {
			if err := campaign.LockItemTx(tx, slow.Items[0].ID); err != nil {
				return err
			}
			close(held)
			<-free
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-held
	var waiting sync.WaitGroup
	for _, m := range members[:20] {
		waiting.Go(func() {
			if _, err := w.Claim(campaign.Claim{Campaign: slow.ID, Item: slow.Items[0].ID, Member: m}); err != nil {
				t.Errorf("the locked item: %v", err)
			}
		})
	}
	if got := rush([]*campaigntest.World{w}, campaign.Claim{Campaign: quick.ID, Item: quick.Items[0].ID}, members[20:]); got != 20 {
		t.Errorf("the other item granted %d of 20 while one was locked", got)
	}
	close(free)
	waiting.Wait()
	holder.Wait()
	if item := w.Item(slow.ID); item.Held != 20 {
		t.Errorf("the locked item holds %d of 20", item.Held)
	}
	w.Verify()
}
