package main_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"syscall"
	"testing"
	"time"

	"siyu/internal/database/dbtest"
)

// TestRehearse_over_the_binary plays a group-buy and a flash sale on the
// program that ships, on every engine, and drains it with one still open.
func TestRehearse_over_the_binary(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			p := newPlace(t, engine)
			admin := p.key("admin")
			server, url := p.serve()
			c := caller{url: url, key: admin, http: crowd()}
			c.must(t, "PUT", "/v1/products", "", map[string]any{"products": []map[string]any{{"sku": "a", "name": "有机苹果", "list_price_fen": 9900}}}, nil)
			var program struct{ ID string }
			c.must(t, "POST", "/v1/programs", "k-program", map[string]any{"name": "老带新", "budget_fen": 10000, "rules": map[string]any{
				"trigger": "first_paid_order", "rewards": []map[string]any{{"rule": "inviter", "to": "inviter", "mode": "fixed", "amount_fen": 500}},
			}}, &program)
			start := time.Now().Add(time.Hour)
			for kind, rules := range map[string]map[string]any{
				"group_buy":  {"size": 2},
				"flash_sale": {"sessions": []map[string]string{{"from": "10:00", "to": "12:00"}, {"from": "20:00", "to": "21:00"}}},
			} {
				var campaign struct{ ID string }
				c.must(t, "POST", "/v1/campaigns", "k-"+kind, map[string]any{
					"kind": kind, "name": "彩排 " + kind, "starts_at": start, "ends_at": start.Add(48 * time.Hour), "rules": rules, "program_id": program.ID,
					"pay_url": "https://mall.example/pay", "items": []map[string]any{{"sku": "a", "price_fen": 4900, "stock": 10}},
				}, &campaign)
				rehearsedOnce(t, c, campaign.ID)
			}
			server.stop(syscall.SIGTERM)
			p.serve() // what fell due while the first one stopped is the next one's
			p.proven()
		})
	}
}

func rehearsedOnce(t *testing.T, c caller, campaign string) {
	t.Helper()
	var r struct {
		ID, State, URL string
		Checks         []struct{ Code, State, Detail string }
	}
	c.must(t, "POST", "/v1/campaigns/"+campaign+"/rehearse", "", nil, &r)
	for end := time.Now().Add(3 * time.Minute); r.State == "playing" && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		c.must(t, "GET", "/v1/rehearsals/"+r.ID, "", nil, &r)
	}
	if r.State != "open" {
		t.Errorf("the rehearsal is %s", r.State)
	}
	for _, x := range r.Checks {
		if x.State == "failed" || x.State == "pending" && !strings.HasPrefix(x.Code, "phone_") {
			t.Errorf("%s %s: %s", x.Code, x.State, x.Detail)
		}
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	phone := &http.Client{Jar: jar, Timeout: 20 * time.Second}
	res, err := phone.Get(c.url + r.URL[strings.Index(r.URL, "/rehearse/"):])
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 || !strings.Contains(string(page), "彩排 · rehearsal") || !strings.Contains(string(page), "有机苹果") {
		t.Errorf("the phone's page: %v %v %.300s", fmt.Sprint(res.Status), err, page)
	}
}
