package api

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"siyu/access"
	"siyu/campaign"
	"siyu/internal/clock"
)

// TestSimulate builds two sales of one product with a coupon, a program and a
// group, and reads what would come of the second.
func TestSimulate(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		marketer := h.keys[east][access.Marketer]
		now := clock.MilliOf(h.DB.Clock.Now())
		put := func(sku, name string, floor, cost int) {
			t.Helper()
			body := fmt.Sprintf(`{"products":[{"sku":%q,"name":%q,"list_price_fen":10000,"floor_price_fen":%d,"cost_fen":%d}]}`, sku, name, floor, cost)
			if got := h.call(t, marketer, "PUT /v1/products", body); got.status != 200 {
				t.Fatalf("got %d %s", got.status, got.body)
			}
		}
		put("apple", "烟台红富士", 5_000, 6_500)
		put("best", "国家级白酒", 0, 0)
		group := groupOf(t, h)
		prg := program(t, h) // 5 yuan an order, 1,000 yuan in all
		draft := func(unit, name, sku string, stock int, more string) string {
			t.Helper()
			return h.makeAs(t, h.keys[unit][access.Marketer], "POST /v1/campaigns", fmt.Sprintf(
				`{"kind":"flash_sale","name":%q,"starts_at":%q,"ends_at":%q,%s"items":[{"sku":%q,"price_fen":8000,"stock":%d}]}`,
				name, now.Add(time.Hour), now.Add(25*time.Hour), more, sku, stock))
		}
		other := draft(east, "先来的", "apple", 5, "")
		cid := draft(east, "周二秒杀", "apple", 300, fmt.Sprintf(`"program_id":%q,"audience":{"groups":[%q]},`, prg, group))
		h.make(t, access.Marketer, "POST /v1/coupons", fmt.Sprintf(
			`{"name_zh":"满100减20","name_en":"20 off 100","kind":"amount","amount_fen":2000,"min_spend_fen":10000,"total":10,"valid_until":%q}`, now.Add(100*time.Hour)))

		rows := func() (n int) {
			for _, table := range []string{"slots", "decisions", "group_guards", "audit", "outbox", "campaigns"} {
				var k int
				if err := h.DB.Read(bg).Raw("SELECT COUNT(*) FROM " + table).Scan(&k).Error; err != nil {
					t.Fatal(err)
				}
				n += k
			}
			return n
		}
		simulate := func(cid, body string) simulation {
			t.Helper()
			before := rows()
			got := h.call(t, marketer, "POST /v1/campaigns/"+cid+"/simulate", body)
			if got.status != http.StatusOK {
				t.Fatalf("got %d %s", got.status, got.body)
			}
			if after := rows(); after != before {
				t.Errorf("a simulation wrote %d rows", after-before)
			}
			var out simulation
			got.into(t, &out)
			return out
		}
		result := func(s simulation, check string) campaign.Result {
			i := slices.IndexFunc(s.Checks, func(f campaign.Finding) bool { return f.ID == check })
			if i < 0 {
				return ""
			}
			return s.Checks[i].Result
		}
		s := simulate(cid, `{"points_bp":1000}`)
		if !s.Publishable || len(s.Refusals) != 0 {
			t.Errorf("refused: %+v", s.Refusals)
		}
		if len(s.Overlaps) != 1 || s.Overlaps[0].CampaignID.String() != other || !slices.Equal(s.Overlaps[0].SKUs, []string{"apple"}) || !s.Overlaps[0].Everybody {
			t.Errorf("overlaps %+v", s.Overlaps)
		}
		// With other goods for 20 yuan, 16 of the coupon's 20 fall on the apples; points pay a tenth of 64.
		if p := s.Prices[0]; p.CouponOff != 1_600 || p.PointsOff != 640 || p.Pays != 5_760 || p.Margin != -740 || p.UnderFloor || !p.UnderCost {
			t.Errorf("lowest %+v", p)
		}
		if b := s.Budget; b.Pieces != 300 || b.Rewards != 150_000 || b.Budget != 100_000 || b.Short != 50_000 || b.AtPiece != 201 {
			t.Errorf("budget %+v", b)
		}
		for check, want := range map[string]campaign.Result{
			"absolute": "pass", "below_cost": "warning", "pay_page": "warning", "reward_depth": "pass", "reward_entry": "pass", "invented_members": "pass", "countdown": "pass",
		} {
			if got := result(s, check); got != want {
				t.Errorf("%s: got %q, want %q", check, got, want)
			}
		}
		if !slices.ContainsFunc(s.Ask, func(q campaign.Question) bool { return q.ID == "reference_price" }) {
			t.Error("nobody is asked whether the list price was real")
		}
		// A new group is warmed up first, so an ad within a day is refused and says by which rule.
		if len(s.Guard) != 1 || s.Guard[0].Allow+s.Guard[0].Defer+s.Guard[0].Deny != 1 || s.Guard[0].Allow == 0 && (len(s.Guard[0].Rules) != 1 || s.Guard[0].Rules[0].ReasonZH == "") {
			t.Errorf("guard %+v", s.Guard)
		}

		t.Run("a refusal stops publish with the same code", func(t *testing.T) {
			bad := draft(east, "转发领好礼", "best", 1, "")
			s := simulate(bad, "{}")
			if s.Publishable || result(s, "absolute") != "refusal" || result(s, "share_inducement") != "refusal" || result(s, "minors") != "warning" {
				t.Errorf("got %+v", s)
			}
			got := h.call(t, marketer, "POST /v1/campaigns/"+bad+"/publish", "{}")
			if got.status != http.StatusUnprocessableEntity {
				t.Fatalf("got %d %s", got.status, got.body)
			}
			refused := map[string]string{}
			for _, f := range got.problem().Fields {
				refused[f.Name] = f.Code
			}
			for _, r := range s.Refusals {
				if refused[r.Field] != r.Code {
					t.Errorf("%s: simulated %s, published %q", r.Field, r.Code, refused[r.Field])
				}
			}
			if refused["name"] != "share_inducement" || refused["items[0].name"] != "absolute" || len(refused) != len(s.Refusals) {
				t.Errorf("got %v and %+v", refused, s.Refusals)
			}
			// What warns does not stop.
			if got := h.call(t, marketer, "POST /v1/campaigns/"+cid+"/publish", "{}"); got.status != 200 {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
		t.Run("a promotion is asked for by its windows and its text is read", func(t *testing.T) {
			h.make(t, access.Marketer, "POST /v1/promotions", fmt.Sprintf(
				`{"campaign_id":%q,"name":"周二推送","text_zh":"全网最低 9.9","groups":[%q],"windows":[{"from_at":%q,"to_at":%q}],"priority":5,"channel":"file"}`,
				cid, group, now.Add(2*time.Hour), now.Add(4*time.Hour)))
			s := simulate(cid, "{}")
			if s.Publishable || len(s.Guard) != 1 || s.Guard[0].PromotionID == 0 || s.Guard[0].From != now.Add(2*time.Hour) {
				t.Errorf("got %+v", s.Guard)
			}
			if got := result(s, "absolute"); got != "warning" {
				t.Errorf("absolute: got %s", got)
			}
		})
		t.Run("a campaign of another region keeps its name to itself", func(t *testing.T) {
			hidden := h.makeAs(t, h.keys[west][access.Marketer], "POST /v1/campaigns", fmt.Sprintf(
				`{"kind":"referral","name":"西区","starts_at":%q,"ends_at":%q}`, now.Add(time.Hour), now.Add(2*time.Hour)))
			s := simulate(cid, "{}")
			found := slices.ContainsFunc(s.Overlaps, func(o campaign.Overlap) bool { return o.CampaignID == 0 && o.Name == "" })
			if len(s.Overlaps) != 3 || !found {
				t.Errorf("%s: got %+v", hidden, s.Overlaps)
			}
		})
		if got := h.call(t, marketer, "POST /v1/campaigns/"+cid+"/simulate", `{"points_bp":10001}`); got.status != http.StatusUnprocessableEntity {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
}
