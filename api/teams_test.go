package api

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/clock"
	"siyu/internal/database/dbtest"
)

// teamSeen is what a team's answer is read into.
type teamSeen struct {
	ID        string `json:"id"`
	URL       string `json:"url"`
	Size      int    `json:"size"`
	MinSize   int    `json:"min_size"`
	Price     int    `json:"unit_price_fen"`
	Status    string `json:"status"`
	EndReason string `json:"end_reason"`
	Refunds   struct {
		Requested int `json:"requested"`
		List      []struct {
			RefundNo    string `json:"refund_no"`
			RequestedAt string `json:"requested_at"`
		} `json:"list"`
	} `json:"refunds"`
}

type orderSeen struct {
	ID     string `json:"id"`
	Team   string `json:"team_id"`
	Price  int    `json:"unit_price_fen"`
	Status string `json:"status"`
}

// tiered is a running group-buy of teams of 2 and of 3, of which 2 are enough.
func tiered(t *testing.T, h *house) (campaign, item string) {
	t.Helper()
	h.call(t, h.keys[east][access.Marketer], "PUT /v1/products", `{"products":[{"sku":"tiered","name":"有机苹果","list_price_fen":9900}]}`)
	now := clock.MilliOf(h.DB.Clock.Now())
	in := fmt.Sprintf(`{"kind":"group_buy","name":"阶梯团","starts_at":%q,"ends_at":%q,
		"rules":{"sizes":[{"size":2},{"size":3,"min_size":2}],"open_for_s":3600,"late_choice_minutes":30},
		"items":[{"sku":"tiered","price_fen":3900,"stock":100,"team_prices":[{"size":3,"price_fen":2900,"opener_price_fen":2500}]}]}`, now, now.Add(48*time.Hour))
	campaign = h.make(t, access.Marketer, "POST /v1/campaigns", in)
	if got := h.call(t, h.keys[east][access.Marketer], "POST /v1/campaigns/"+campaign+"/publish", "{}"); got.status != 200 {
		t.Fatalf("publish: got %d %s", got.status, got.body)
	}
	var c struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	h.call(t, h.keys[east][access.Marketer], "GET /v1/campaigns/"+campaign, "").into(t, &c)
	return campaign, c.Items[0].ID
}

func TestTeams(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		campaign, item := tiered(t, h)
		li, han := tokenOf(t, h, member1(t, h)), tokenOf(t, h, member1(t, h))
		open := func(who string, size int) (o orderSeen) {
			t.Helper()
			h.call(t, who, "POST /v1/campaigns/"+campaign+"/teams", fmt.Sprintf(`{"item_id":%q,"team_size":%d}`, item, size), h.newKey()).into(t, &o)
			return o
		}
		see := func(who, team string) (seen teamSeen) {
			t.Helper()
			h.call(t, who, "GET /v1/teams/"+team, "").into(t, &seen)
			return seen
		}
		pay := func(o orderSeen) {
			t.Helper()
			body := fmt.Sprintf(`{"provider":"mall","payment_no":%q,"goods_fen":%d,"amount_fen":%d}`, o.ID, o.Price, o.Price)
			if got := h.call(t, h.keys[east][access.Mall], "POST /v1/orders/"+o.ID+"/payments", body, h.newKey()); got.status != 200 {
				t.Fatalf("pay: got %d %s", got.status, got.body)
			}
		}
		sweep := func(jump time.Duration) {
			t.Helper()
			h.DB.Clock.Jump(jump)
			if err := h.Campaign.Sweep(bg); err != nil {
				t.Fatal(err)
			}
			if err := h.GroupBuy.Sweep(bg); err != nil {
				t.Fatal(err)
			}
		}
		if got := h.call(t, li, "POST /v1/campaigns/"+campaign+"/teams", fmt.Sprintf(`{"item_id":%q}`, item), h.newKey()); got.status != 422 || got.problem().Code != "groupbuy.team_size" {
			t.Errorf("without a size: got %d %s", got.status, got.body)
		}
		first := open(li, 3)
		if got := see(han, first.Team); first.Price != 2500 || got.Size != 3 || got.MinSize != 2 || got.Price != 2900 || got.URL != "https://q.example/t/"+first.Team {
			t.Errorf("order %+v of team %+v", first, got)
		}
		// One of at least two had paid: it fails, and its member opens it again.
		pay(first)
		sweep(time.Hour)
		li, han = tokenOf(t, h, memberIDOf(t, h, first.ID)), tokenOf(t, h, member1(t, h)) // tokens last 15 minutes
		got := see(li, first.Team)
		if got.Status != "failed" || got.EndReason != "too_few" || len(got.Refunds.List) != 1 || got.Refunds.List[0].RefundNo != "team_"+first.Team || got.Refunds.List[0].RequestedAt == "" {
			t.Errorf("failed team: %+v", got)
		}
		if got := see(han, first.Team); got.Refunds.Requested != 1 || len(got.Refunds.List) != 0 {
			t.Errorf("a stranger sees %+v", got.Refunds)
		}
		if got := h.call(t, han, "POST /v1/teams/"+first.Team+"/reopen", "{}", h.newKey()); got.status != 404 {
			t.Errorf("reopened by a stranger: got %d %s", got.status, got.body)
		}
		key := h.newKey()
		var again, replayed orderSeen
		h.call(t, li, "POST /v1/teams/"+first.Team+"/reopen", "{}", key).into(t, &again)
		answer := h.call(t, li, "POST /v1/teams/"+first.Team+"/reopen", "{}", key)
		if answer.into(t, &replayed); again.Team == "" || again.Team == first.Team || replayed.ID != again.ID || answer.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("reopened as %+v, then %+v", again, replayed)
		}
		if got := h.call(t, li, "POST /v1/teams/"+first.Team+"/reopen", "{}", h.newKey()); got.problem().Code != "groupbuy.opened_again" {
			t.Errorf("reopened twice: got %d %s", got.status, got.body)
		}
		// Han's own team of two ends unpaid; he pays late and moves.
		late := open(han, 2)
		sweep(16 * time.Minute)
		pay(late)
		han, li = tokenOf(t, h, memberIDOf(t, h, late.ID)), tokenOf(t, h, memberIDOf(t, h, first.ID))
		other := open(li, 2)
		var choice struct {
			Status string `json:"status"`
			Teams  []struct {
				ID string `json:"id"`
			} `json:"teams"`
		}
		h.call(t, han, "GET /v1/orders/"+late.ID+"/late-choice", "").into(t, &choice)
		if choice.Status != "open" || len(choice.Teams) != 1 || choice.Teams[0].ID != other.Team {
			t.Errorf("the choice: %+v", choice)
		}
		for _, who := range []string{li, han} {
			path := "POST /v1/orders/" + late.ID + "/late-choice"
			got := h.call(t, who, path, fmt.Sprintf(`{"choice":"move","team_id":%q}`, other.Team), h.newKey())
			if who == li {
				if got.status != 404 {
					t.Errorf("chosen by another: got %d %s", got.status, got.body)
				}
				continue
			}
			var moved orderSeen
			if got.into(t, &moved); moved.Status != "paid" || moved.Team != other.Team {
				t.Errorf("moved: got %d %s", got.status, got.body)
			}
		}
	})
}

// memberIDOf is whose order it is.
func memberIDOf(t *testing.T, h *house, order string) string {
	t.Helper()
	var o struct {
		Member string `json:"member_id"`
	}
	h.call(t, h.keys[east][access.Mall], "GET /v1/orders/"+order, "").into(t, &o)
	return o.Member
}

// Nobody can be invented: no input has a field that fills a seat.
func TestNoVirtualMembers(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		campaign, item := tiered(t, h)
		now := clock.MilliOf(h.DB.Clock.Now())
		head := fmt.Sprintf(`{"kind":"group_buy","name":"团","starts_at":%q,"ends_at":%q,`, now, now.Add(time.Hour))
		who, staff := tokenOf(t, h, member1(t, h)), h.keys[east][access.Marketer]
		team := teamOf(t, h)
		for _, word := range []string{"virtual", "virtual_members", "robots", "fake_count"} {
			for call, body := range map[string]string{
				"POST /v1/campaigns rules":                  head + fmt.Sprintf(`"rules":{"size":2,%q:1},"items":[{"sku":"tiered","price_fen":3900,"stock":1}]}`, word),
				"POST /v1/campaigns size":                   head + fmt.Sprintf(`"rules":{"sizes":[{"size":2,%q:1}]},"items":[{"sku":"tiered","price_fen":3900,"stock":1}]}`, word),
				"POST /v1/campaigns item":                   head + fmt.Sprintf(`"rules":{"size":2},"items":[{"sku":"tiered","price_fen":3900,"stock":1,%q:1}]}`, word),
				"POST /v1/campaigns campaign":               head + fmt.Sprintf(`%q:1,"rules":{"size":2},"items":[{"sku":"tiered","price_fen":3900,"stock":1}]}`, word),
				"POST /v1/campaigns/" + campaign + "/teams": fmt.Sprintf(`{"item_id":%q,"team_size":2,%q:1}`, item, word),
				"POST /v1/teams/" + team + "/join":          fmt.Sprintf(`{%q:1}`, word),
				"POST /v1/teams/" + team + "/reopen":        fmt.Sprintf(`{%q:1}`, word),
			} {
				path := strings.Join(strings.Fields(call)[:2], " ")
				by := who
				if path == "POST /v1/campaigns" {
					by = staff
				}
				got := h.call(t, by, path, body, h.newKey())
				if (got.status != 400 && got.status != 422) || !strings.Contains(string(got.body), word) {
					t.Errorf("%s with %q: got %d %s, want the field refused", call, word, got.status, got.body)
				}
			}
		}
	})
}

func TestTeamQR(t *testing.T) {
	zbarimg := dbtest.Need(t, "zbarimg")
	onBoth(t, func(t *testing.T, h *house) {
		team := teamOf(t, h)
		token := tokenOf(t, h, member1(t, h))
		got := h.call(t, token, "GET /v1/teams/"+team+"/qr.png", "")
		path := filepath.Join(t.TempDir(), "qr.png")
		if err := os.WriteFile(path, []byte(got.body), 0o600); err != nil {
			t.Fatal(err)
		}
		text, err := exec.Command(zbarimg, "--quiet", "--raw", path).Output()
		if want := "https://q.example/t/" + team; err != nil || strings.TrimSuffix(string(text), "\n") != want {
			t.Errorf("decoded: got %q, %v; want %q", text, err, want)
		}
		if again := h.call(t, token, "GET /v1/teams/"+team+"/qr.png", "", "If-None-Match: "+got.header.Get("ETag")); again.status != 304 {
			t.Errorf("kept: got %d", again.status)
		}
		if bad := h.call(t, token, "GET /v1/teams/"+team+"/qr.png?module=3", ""); bad.status != 422 {
			t.Errorf("three pixels: got %d", bad.status)
		}
	})
}
