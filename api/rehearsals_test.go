package api

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/id"
)

// empty are rehearsals in which nothing is played: main's part is not here.
func empty(db *database.DB) Rehearsals {
	var mu sync.Mutex
	all := map[id.Rehearsal]Rehearsal{}
	return Rehearsals{
		Start: func(p Play) (Rehearsal, error) {
			r := Rehearsal{ID: id.Rehearsal(db.IDs.Next()), CampaignID: p.Campaign.ID, UnitID: p.Campaign.UnitID, State: RehearsalPlaying, Checks: []RehearsalCheck{}}
			mu.Lock()
			defer mu.Unlock()
			all[r.ID] = r
			return r, nil
		},
		Find: func(rid id.Rehearsal) (Rehearsal, bool) {
			mu.Lock()
			defer mu.Unlock()
			r, ok := all[rid]
			return r, ok
		},
		End: func(rid id.Rehearsal) {
			mu.Lock()
			defer mu.Unlock()
			delete(all, rid)
		},
	}
}

func rehearsalOf(t *testing.T, h *house) string {
	t.Helper()
	c, _ := campaignOf(t, h, "flash_sale", "")
	return h.rehearse(t, c)
}

func (h *house) rehearse(t *testing.T, campaign string) string {
	t.Helper()
	var r Rehearsal
	got := h.call(t, h.keys[east][access.Marketer], "POST /v1/campaigns/"+campaign+"/rehearse", "")
	if got.into(t, &r); got.status != 202 || got.header.Get("Location") != "/v1/rehearsals/"+r.ID.String() {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	return r.ID.String()
}

// What main is handed is the whole campaign as it stands, on every engine, and
// asking for it writes nothing.
func TestRehearse(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		group := h.make(t, access.Marketer, "POST /v1/groups", `{"name":"望京邻里群","preset":"retail"}`)
		prg := program(t, h)
		campaign, _ := campaignOf(t, h, "group_buy", prg)
		var handed Play
		h.call(t, h.keys[east][access.Marketer], "PUT /v1/products", `{"products":[{"sku":"pear","name":"梨","list_price_fen":1900}]}`)
		start := h.Rehearsals.Start
		h.Server.Rehearsals.Start = func(p Play) (Rehearsal, error) {
			handed = p
			return start(p)
		}
		draft := h.make(t, access.Marketer, "POST /v1/campaigns", fmt.Sprintf(
			`{"kind":"flash_sale","name":"草稿","program_id":%q,"starts_at":"2026-03-03T02:00:00Z","ends_at":"2026-03-04T02:00:00Z","audience":{"groups":[%q]},"items":[{"sku":"pear","price_fen":900,"stock":5}]}`,
			prg, group))
		rows := func() (n int) {
			for _, table := range []string{"audit", "idempotency", "campaigns", "items", "orders", "programs", "outbox", "entries"} {
				var k int
				if err := h.DB.Read(bg).Raw("SELECT COUNT(*) FROM " + table).Scan(&k).Error; err != nil {
					t.Fatal(err)
				}
				n = n*1000 + k
			}
			return n
		}
		before := rows()
		made := h.rehearse(t, draft)
		if after := rows(); after != before {
			t.Errorf("rows: %d before, %d after", before, after)
		}
		if handed.Campaign.Name != "草稿" || len(handed.Campaign.Items) != 1 || len(handed.Products) != 1 || handed.Program == nil || len(handed.Program.Rules.Rewards) != 1 ||
			handed.Program.BudgetLeft != 100000 || len(handed.Groups) != 1 || handed.Groups[0].Charter.Purpose == "" || handed.At == 0 {
			t.Errorf("handed %+v", handed)
		}
		h.rehearse(t, campaign) // a published one too

		marketer := h.keys[east][access.Marketer]
		if got := h.call(t, marketer, "DELETE /v1/rehearsals/"+made, ""); got.status != 204 {
			t.Errorf("end: got %d %s", got.status, got.body)
		}
		got := h.call(t, marketer, "GET /v1/rehearsals/"+made, "")
		if got.status != 404 || got.problem().Code != "rehearsal.not_here" || !strings.Contains(got.problem().Detail, "only in the process") {
			t.Errorf("one that is not here: got %d %s", got.status, got.body)
		}
		h.Server.Rehearsals = Rehearsals{}
		if got := h.call(t, marketer, "POST /v1/campaigns/"+draft+"/rehearse", ""); got.problem().Code != "rehearsal.no_stage" {
			t.Errorf("inside a rehearsal: got %d %s", got.status, got.body)
		}
	})
}
