package campaign_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// person is a member of staff who sees everything.
func person(n id.Staff) context.Context {
	return database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: n})
}

// draftOf is a draft with 10 apples at 80 of a product that may not go under 50.
func draftOf(t *testing.T, w *campaigntest.World, sku string) campaign.Campaign {
	t.Helper()
	putProduct(t, w, sku, true, 3_000)
	now := clock.MilliOf(w.DB.Clock.Now())
	cid, err := w.Campaign.CreateCampaign(bg, campaign.CampaignIn{
		Kind: "flash_sale", Name: "周一秒杀", StartsAt: now, EndsAt: now.Add(time.Hour),
		Items: []campaign.ItemIn{{SKU: sku, Price: 8_000, Stock: 10}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return found(t, w, cid)
}

func found(t *testing.T, w *campaigntest.World, cid id.Campaign) campaign.Campaign {
	t.Helper()
	c, err := w.Campaign.FindCampaign(bg, cid)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPriceUnderTheFloor(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := draftOf(t, w, "apple")
		item := c.Items[0].ID
		ask := func(price money.Amount) campaign.PriceApproval {
			t.Helper()
			made, err := w.Campaign.AskPrice(person(1), c.ID, campaign.PriceIn{ItemID: item, Price: price, Reason: "清仓"})
			if err != nil {
				t.Fatal(err)
			}
			a, err := w.Campaign.FindPriceApproval(bg, c.ID, made)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		decide := func(who id.Staff, a campaign.PriceApproval, digest string, to campaign.ApprovalStatus) error {
			return w.Campaign.DecidePrice(person(who), c.ID, a.ID, campaign.PriceDecision{Digest: digest, To: to})
		}
		stands := func(a campaign.PriceApproval, status campaign.ApprovalStatus, inForce bool) {
			t.Helper()
			got, err := w.Campaign.FindPriceApproval(bg, c.ID, a.ID)
			if err != nil || got.Status != status || got.InForce != inForce {
				t.Errorf("got %+v, %v; want %s, in force %v", got, err, status, inForce)
			}
		}
		to := func(price money.Amount) error {
			return edit(w, c.ID, campaign.CampaignEdit{Items: []campaign.ItemEdit{{ID: item, Price: ptr(price)}}})
		}
		refused := func(err error) {
			t.Helper()
			same(t, fields(t, err), map[string]string{"items[0].price_fen": "below_floor"})
		}

		_, err := w.Campaign.AskPrice(person(1), c.ID, campaign.PriceIn{ItemID: item, Price: 5_000, Reason: "清仓"})
		same(t, fields(t, err), map[string]string{"price_fen": "above_floor"})
		_, err = w.Campaign.AskPrice(person(1), c.ID, campaign.PriceIn{ItemID: 7, Price: 4_000, Reason: "清仓"})
		same(t, fields(t, err), map[string]string{"item_id": "not_found"})

		a := ask(4_000)
		refused(to(4_000)) // asked for is not approved
		if _, err := w.Campaign.AskPrice(person(3), c.ID, campaign.PriceIn{ItemID: item, Price: 4_000, Reason: "再来"}); !errors.Is(err, campaign.ErrApprovalAsked) {
			t.Errorf("asked twice: got %v", err)
		}
		if err := decide(1, a, a.Digest, campaign.ApprovalApproved); !errors.Is(err, campaign.ErrSameStaff) {
			t.Errorf("the one who asked: got %v", err)
		}
		same(t, fields(t, decide(2, a, "x", campaign.ApprovalApproved)), map[string]string{"digest": "mismatch"})
		if err := decide(2, a, a.Digest, campaign.ApprovalApproved); err != nil {
			t.Fatal(err)
		}
		if err := decide(3, a, a.Digest, campaign.ApprovalApproved); !errors.Is(err, campaign.ErrApprovalState) {
			t.Errorf("approved twice: got %v", err)
		}
		stands(a, campaign.ApprovalApproved, true)
		refused(to(3_999)) // not a fen lower
		if err := to(4_000); err != nil {
			t.Fatal(err)
		}

		// The mall sends the product again: nothing changed, nothing to approve.
		// Then the cost rises: who approved did not know that.
		putProduct(t, w, "apple", true, 3_000)
		stands(a, campaign.ApprovalApproved, true)
		putProduct(t, w, "apple", true, 3_500)
		stands(a, campaign.ApprovalApproved, false)
		refused(w.Campaign.Turn(bg, c.ID, campaign.Publish))
		putProduct(t, w, "apple", true, 3_000)

		// Another price, and back: the approval is void.
		if err := to(8_000); err != nil {
			t.Fatal(err)
		}
		stands(a, campaign.ApprovalVoid, false)
		refused(to(4_000))

		b := ask(4_000)
		if err := decide(1, b, "", campaign.ApprovalRejected); err != nil {
			t.Errorf("withdrawn: %v", err)
		}
		stands(b, campaign.ApprovalRejected, false)
		d := ask(4_000)
		if err := decide(2, d, d.Digest, campaign.ApprovalApproved); err != nil {
			t.Fatal(err)
		}
		if err := to(4_000); err != nil {
			t.Fatal(err)
		}
		if err := w.Campaign.Turn(bg, c.ID, campaign.Publish); err != nil {
			t.Fatal(err)
		}
		// A copy's item is another item: it needs an approval of its own.
		copied, err := w.Campaign.Copy(bg, c.ID, campaign.CopyIn{})
		if err != nil {
			t.Fatal(err)
		}
		refused(w.Campaign.Turn(bg, copied, campaign.Publish))

		var audited int
		if err := db.Read(bg).Raw("SELECT COUNT(*) FROM audit WHERE action LIKE 'price.%'").Scan(&audited).Error; err != nil || audited != 6 {
			t.Errorf("%d audit rows, %v; want 6", audited, err)
		}
		w.Verify()
		for _, spoil := range []string{"decided_by = asked_by", "price = 3999", "floor_price = 4500"} {
			if err := db.Tx(bg, func(tx *database.Tx) error {
				return tx.Exec("UPDATE price_approvals SET "+spoil+" WHERE id = ?", d.ID).Error
			}); err != nil {
				t.Fatal(err)
			}
			proofs, err := campaign.Verify(bg, db)
			if err != nil {
				t.Fatal(err)
			}
			if k := slices.IndexFunc(proofs, func(p database.Proof) bool { return p.ID == "V13" }); len(proofs[k].Broken) != 1 {
				t.Errorf("%s: V13 broke %v", spoil, proofs[k].Broken)
			}
			if err := db.Tx(bg, func(tx *database.Tx) error {
				return tx.Exec("UPDATE price_approvals SET decided_by = 2, price = 4000, floor_price = 5000 WHERE id = ?", d.ID).Error
			}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestPriceRace lets 64 ask, then 64 approve while one changes the price: one
// asks, at most one approves, and no price under the floor stands without it.
func TestPriceRace(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := draftOf(t, w, "apple")
		item := c.Items[0].ID
		var made atomic.Int64
		race(64, func(n int) {
			a, err := w.Campaign.AskPrice(person(id.Staff(n+1)), c.ID, campaign.PriceIn{ItemID: item, Price: 4_000, Reason: "清仓"})
			if err == nil && !made.CompareAndSwap(0, int64(a)) {
				t.Error("asked for twice")
			}
			if err != nil && !errors.Is(err, campaign.ErrApprovalAsked) {
				t.Error(err)
			}
		})
		a, err := w.Campaign.FindPriceApproval(bg, c.ID, id.PriceApproval(made.Load()))
		if err != nil {
			t.Fatal(err)
		}
		var approved atomic.Int64
		race(64, func(n int) {
			if n == 40 {
				if err := w.Campaign.Edit(bg, c.ID, c.Version, campaign.CampaignEdit{Items: []campaign.ItemEdit{{ID: item, Price: ptr(money.Amount(7_000))}}}); err != nil {
					t.Error(err)
				}
				return
			}
			err := w.Campaign.DecidePrice(person(id.Staff(n+1)), c.ID, a.ID, campaign.PriceDecision{Digest: a.Digest, To: campaign.ApprovalApproved})
			if err == nil {
				approved.Add(1)
			} else if _, ok := fault.As(err); !ok {
				t.Error(err)
			}
		})
		if approved.Load() > 1 {
			t.Errorf("approved %d times", approved.Load())
		}
		if a, err = w.Campaign.FindPriceApproval(bg, c.ID, a.ID); err != nil || a.Status != campaign.ApprovalVoid {
			t.Errorf("got %+v, %v; want void", a, err)
		}
		err = edit(w, c.ID, campaign.CampaignEdit{Items: []campaign.ItemEdit{{ID: item, Price: ptr(money.Amount(4_000))}}})
		same(t, fields(t, err), map[string]string{"items[0].price_fen": "below_floor"})
	})
}

func race(n int, f func(int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	all.Wait()
}

func TestDraftItems(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := draftOf(t, w, "apple")
		putProduct(t, w, "pear", true, 0)
		pear := campaign.ItemIn{SKU: "pear", Price: 7_000, Stock: 5, PerMember: 2}
		if _, err := w.Campaign.AddItem(bg, c.ID, c.Version+1, pear); !errors.Is(err, fault.Stale) {
			t.Errorf("an old version: got %v", err)
		}
		for field, in := range map[string]campaign.ItemIn{
			"sku repeated": {SKU: "apple", Price: 7_000, Stock: 5}, "sku not_found": {SKU: "none", Price: 7_000, Stock: 5},
			"price_fen below_floor": {SKU: "pear", Price: 4_999, Stock: 5}, "stock range": {SKU: "pear", Price: 7_000},
		} {
			_, err := w.Campaign.AddItem(bg, c.ID, c.Version, in)
			for name, code := range fields(t, err) {
				if name+" "+code != field {
					t.Errorf("got %s %s, want %s", name, code, field)
				}
			}
		}
		made, err := w.Campaign.AddItem(bg, c.ID, c.Version, pear)
		if err != nil {
			t.Fatal(err)
		}
		got := found(t, w, c.ID)
		if len(got.Items) != 2 || got.Items[1].ID != made || got.Items[1].Left != 5 || got.Items[1].PerOrder != 1 || got.Version != c.Version+1 {
			t.Errorf("got %+v", got)
		}
		if err := w.Campaign.DropItem(bg, c.ID, c.Version, c.Items[0].ID); !errors.Is(err, fault.Stale) {
			t.Errorf("an old version: got %v", err)
		}
		if err := w.Campaign.DropItem(bg, c.ID, got.Version, 7); !errors.Is(err, fault.NotFound) {
			t.Errorf("another's item: got %v", err)
		}
		if err := w.Campaign.DropItem(bg, c.ID, got.Version, c.Items[0].ID); err != nil {
			t.Fatal(err)
		}
		got = found(t, w, c.ID)
		if len(got.Items) != 1 || got.Items[0].ID != made {
			t.Errorf("got %+v", got.Items)
		}
		// 64 take the last one away: one does.
		var gone atomic.Int64
		race(64, func(int) {
			if err := w.Campaign.DropItem(bg, c.ID, got.Version, made); err == nil {
				gone.Add(1)
			} else if !errors.Is(err, fault.Stale) {
				t.Error(err)
			}
		})
		if gone.Load() != 1 {
			t.Errorf("taken away %d times", gone.Load())
		}
		same(t, fields(t, w.Campaign.Turn(bg, c.ID, campaign.Publish)), map[string]string{"items": "required"})
		if _, err := w.Campaign.AddItem(bg, c.ID, found(t, w, c.ID).Version, pear); err != nil {
			t.Fatal(err)
		}
		if err := w.Campaign.Turn(bg, c.ID, campaign.Publish); err != nil {
			t.Fatal(err)
		}
		got = found(t, w, c.ID)
		if _, err := w.Campaign.AddItem(bg, c.ID, got.Version, campaign.ItemIn{SKU: "apple", Price: 7_000, Stock: 1}); !errors.Is(err, campaign.ErrTransition) {
			t.Errorf("published: got %v", err)
		}
		if err := w.Campaign.DropItem(bg, c.ID, got.Version, got.Items[0].ID); !errors.Is(err, campaign.ErrTransition) {
			t.Errorf("published: got %v", err)
		}
		w.Verify()
	})
}
