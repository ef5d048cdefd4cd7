package campaign_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

func ptr[T any](v T) *T { return &v }

// fields are the refused fields with their codes, each of which must say why
// and what to do in both languages.
func fields(t *testing.T, err error) map[string]string {
	t.Helper()
	out := map[string]string{}
	f, ok := fault.As(err)
	if !ok {
		t.Fatalf("got %v, want a fault", err)
	}
	for _, x := range f.Fields {
		if x.ZH == "" || x.EN == "" {
			t.Errorf("%s: says %q and %q", x.Name, x.ZH, x.EN)
		}
		out[x.Name] = x.Code
	}
	return out
}

func same(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name, code := range want {
		if got[name] != code {
			t.Errorf("%s: got %q, want %q", name, got[name], code)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// edit applies the edit to whatever version stands.
func edit(w *campaigntest.World, cid id.Campaign, in campaign.CampaignEdit) error {
	c, err := w.Campaign.FindCampaign(bg, cid)
	if err != nil {
		return err
	}
	return w.Campaign.Edit(bg, cid, c.Version, in)
}

func TestEditOfPublished(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{Stock: 5, PerMember: 2, PerOrder: 2})
		item := c.Items[0].ID
		m := w.Members(2)
		claim := campaign.Claim{Campaign: c.ID, Item: item, Member: m[0], Qty: 2}
		before := w.MustClaim(claim)

		t.Run("what was promised is frozen, field by field", func(t *testing.T) {
			group, err := w.Community.CreateGroup(bg, community.GroupIn{Name: "邻里群"})
			if err != nil {
				t.Fatal(err)
			}
			err = edit(w, c.ID, campaign.CampaignEdit{
				StartsAt: ptr(c.StartsAt + 1), Zone: ptr("UTC"), ProgramID: ptr(id.Program(0)), Rules: []byte("{}"),
				Audience: &campaign.Audience{Groups: []id.Group{group}}, PayWithinS: ptr(60), Kind: ptr("group_buy"), UnitID: ptr(id.Unit(1)),
			})
			same(t, fields(t, err), map[string]string{
				"starts_at": "frozen", "zone": "frozen", "program_id": "frozen", "rules": "frozen",
				"audience": "tighter", "pay_within_s": "frozen", "kind": "frozen", "unit_id": "frozen",
			})
		})
		t.Run("an item only becomes better", func(t *testing.T) {
			err := edit(w, c.ID, campaign.CampaignEdit{
				EndsAt: ptr(clock.MilliOf(db.Clock.Now())),
				Items: []campaign.ItemEdit{
					{ID: item, AddStock: -4, Price: ptr(money.Amount(9901)), PerMember: ptr(1), PerOrder: ptr(1)},
					{ID: item},
					{ID: 7, AddStock: 1},
				},
			})
			same(t, fields(t, err), map[string]string{
				"ends_at": "past", "items[0].add_stock": "range", "items[0].price_fen": "higher", "items[0].per_member": "tighter",
				"items[0].per_order": "tighter", "items[1].id": "repeated", "items[2].id": "not_found",
			})
			if got := w.Item(c.ID); got.Stock != 5 || got.Left != 3 {
				t.Errorf("a refused edit changed %+v", got)
			}
		})
		t.Run("stock, price, limits and end change together", func(t *testing.T) {
			end := c.EndsAt.Add(time.Hour)
			err := edit(w, c.ID, campaign.CampaignEdit{
				Name: ptr("延长一小时"), EndsAt: &end, PayURL: ptr("https://shop.example/pay"),
				Items: []campaign.ItemEdit{{ID: item, AddStock: -3, Price: ptr(money.Amount(8800)), PerMember: ptr(3), PerOrder: ptr(3)}},
			})
			if err != nil {
				t.Fatal(err)
			}
			after, err := w.Campaign.FindCampaign(bg, c.ID)
			if err != nil {
				t.Fatal(err)
			}
			got := after.Items[0]
			if got.Stock != 2 || got.Left != 0 || got.Held != 2 || got.Price != 8800 || got.PerMember != 3 || got.PerOrder != 3 || got.Epoch <= c.Items[0].Epoch {
				t.Errorf("item %+v", got)
			}
			if after.EndsAt != end || after.Name != "延长一小时" || after.Version <= c.Version || after.RulesDigest != c.RulesDigest {
				t.Errorf("campaign %+v", after)
			}
			var audit struct{ BeforeJSON, AfterJSON string }
			db.Read(bg).Raw("SELECT before_json, after_json FROM audit WHERE action = 'campaign.edit' AND object = ? ORDER BY id DESC LIMIT 1", c.ID.String()).Scan(&audit)
			if !strings.Contains(audit.BeforeJSON, `"stock":5`) || !strings.Contains(audit.AfterJSON, `"stock":2`) || !strings.Contains(audit.AfterJSON, `"price_fen":8800`) {
				t.Errorf("audit: before %s, after %s", audit.BeforeJSON, audit.AfterJSON)
			}
		})
		t.Run("the version must be the one that was read", func(t *testing.T) {
			if err := w.Campaign.Edit(bg, c.ID, c.Version, campaign.CampaignEdit{}); !errors.Is(err, fault.Stale) {
				t.Errorf("got %v, want stale", err)
			}
		})
		t.Run("an order keeps its terms, a new one has the new", func(t *testing.T) {
			if err := edit(w, c.ID, campaign.CampaignEdit{Items: []campaign.ItemEdit{{ID: item, AddStock: 3}}}); err != nil {
				t.Fatal(err)
			}
			again := claim
			again.Qty = 1 // the third piece, which the old limit refused
			o := w.MustClaim(again)
			if o.UnitPrice != 8800 || o.LimitFrozen != 3 {
				t.Errorf("new order %+v", o)
			}
			w.Pay(before.ID)
			old := w.Order(before.ID)
			if old.Status != campaign.OrderPaid || old.UnitPrice != 9900 || old.Amount != 2*9900 || old.LimitFrozen != 2 {
				t.Errorf("old order %+v", old)
			}
		})
		t.Run("an earlier end closes then", func(t *testing.T) {
			end := clock.MilliOf(db.Clock.Now()).Add(time.Hour)
			if err := edit(w, c.ID, campaign.CampaignEdit{EndsAt: &end}); err != nil {
				t.Fatal(err)
			}
			w.Drain(61 * time.Minute)
			after, err := w.Campaign.FindCampaign(bg, c.ID)
			if err != nil || after.Status != campaign.StatusEnded {
				t.Errorf("got %s, %v, want ended", after.Status, err)
			}
			if err := edit(w, c.ID, campaign.CampaignEdit{}); !errors.Is(err, campaign.ErrTransition) {
				t.Errorf("edit after the end: got %v", err)
			}
		})
		w.Verify()
	})
}

// TestEditKeepsTeams shortens nothing of a team that is open.
func TestEditKeepsTeams(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{Kind: "group_buy", Stock: 10, Rules: `{"size":2}`})
		m := w.Members(2)
		claim := campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m[0], OpenTeam: true}
		opener := w.MustClaim(claim)
		before, err := w.GroupBuy.FindTeam(bg, opener.TeamID)
		if err != nil {
			t.Fatal(err)
		}
		end := c.EndsAt.Add(2 * time.Hour)
		err = edit(w, c.ID, campaign.CampaignEdit{EndsAt: &end, Items: []campaign.ItemEdit{{ID: c.Items[0].ID, AddStock: -9, Price: ptr(money.Amount(5000))}}})
		if err != nil {
			t.Fatal(err)
		}
		after, err := w.GroupBuy.FindTeam(bg, opener.TeamID)
		if err != nil || after.Size != before.Size || after.DeadlineAt != before.DeadlineAt {
			t.Errorf("got %+v, %v, want %+v", after, err, before)
		}
		if err := edit(w, c.ID, campaign.CampaignEdit{Items: []campaign.ItemEdit{{ID: c.Items[0].ID, AddStock: 1}}}); err != nil {
			t.Fatal(err)
		}
		claim.Member, claim.OpenTeam, claim.Team = m[1], false, opener.TeamID
		joined := w.MustClaim(claim)
		w.Pay(opener.ID)
		w.Pay(joined.ID)
		if after, err = w.GroupBuy.FindTeam(bg, opener.TeamID); err != nil || after.FormedAt == 0 {
			t.Errorf("team %+v, %v, want formed", after, err)
		}
		if o := w.Order(opener.ID); o.UnitPrice != 9900 {
			t.Errorf("opener's order %+v", o)
		}
		w.Verify()
	})
}

// stir moves an item's stock n times by one, up and down at once, while the
// members claim, and says how many were granted and how far the stock moved.
func stir(w []*campaigntest.World, c campaign.Campaign, members []id.Member, n int) (granted int, moved int64) {
	var editors sync.WaitGroup
	var mu sync.Mutex
	for i := range n {
		add := int64(1 - 2*(i%2))
		editors.Go(func() {
			for {
				err := edit(w[i%len(w)], c.ID, campaign.CampaignEdit{Items: []campaign.ItemEdit{{ID: c.Items[0].ID, AddStock: add}}})
				if errors.Is(err, fault.Stale) {
					continue // somebody else was first: read again
				}
				if err == nil {
					mu.Lock()
					moved += add
					mu.Unlock()
				}
				return
			}
		})
	}
	granted = rush(w, campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID}, members)
	editors.Wait()
	return granted, moved
}

func TestStockEditsUnderRace(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := replicas(t, engine)
			buyers := w[0].Members(64)
			for _, stock := range []int64{10, 1000} {
				c := w[0].Run(campaigntest.Sale{Stock: stock})
				granted, moved := stir(w, c, buyers, 64)
				item := w[0].Item(c.ID)
				if item.Stock != stock+moved || item.Held != int64(granted) || item.Left != item.Stock-item.Held {
					t.Errorf("granted %d, stock moved by %d: item %+v", granted, moved, item)
				}
			}
			w[0].Verify()
		})
		t.Run(engine+" without locks it breaks", func(t *testing.T) {
			mustBreak(t, engine, "V1", func(w []*campaigntest.World, buyers []id.Member) {
				stir(w, w[0].Run(campaigntest.Sale{Stock: 10}), buyers[:64], 16)
			})
		})
	}
}
