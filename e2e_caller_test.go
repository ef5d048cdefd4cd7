package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// caller speaks REST to a house as somebody: a member by token, a person or
// the mall by key.
type caller struct {
	url, key string
	http     *http.Client
	version  int // of what it edits; 0 sends none
}

// crowd is an HTTP client for many callers at once.
func crowd() *http.Client {
	return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConns: 1000, MaxIdleConnsPerHost: 250}}
}

func (c caller) as(key string) caller { c.key = key; return c }

func (c caller) at(url string) caller { c.url = url; return c }

func (c caller) seen(version int) caller { c.version = version; return c }

// answer is what came back; the refusal's code when it was one.
type answer struct {
	status int
	header http.Header
	body   []byte
	code   string
}

// csvText is a body that is sent as it stands.
type csvText string

// send sends one request. An error means that no answer came: what was asked
// may or may not have happened.
func (c caller) send(method, path, key string, body any) (answer, error) {
	var payload io.Reader
	kind := "application/json"
	switch text, raw := body.(csvText); {
	case raw:
		payload, kind = strings.NewReader(string(text)), "text/csv"
	case body != nil:
		b, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, c.url+path, payload)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("Accept-Language", "en")
	req.Header.Set("Content-Type", kind)
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	if c.version != 0 {
		req.Header.Set("If-Match", strconv.Quote(strconv.Itoa(c.version)))
	}
	res, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	a := answer{status: res.StatusCode, header: res.Header}
	if a.body, err = io.ReadAll(res.Body); err != nil {
		return answer{}, err
	}
	if a.status >= 400 {
		var p struct{ Code string }
		if json.Unmarshal(a.body, &p) == nil {
			a.code = p.Code
		}
	}
	return a, nil
}

// read reads the answer's JSON.
func (a answer) read(into any) error {
	if err := json.Unmarshal(a.body, into); err != nil {
		return fmt.Errorf("%w in %.200s", err, a.body)
	}
	return nil
}

// must sends what has to succeed and reads the answer.
func (c caller) must(t testing.TB, method, path, key string, body, into any) {
	t.Helper()
	a, err := c.send(method, path, key, body)
	if err != nil {
		t.Fatal(err)
	}
	if a.status >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
	}
	if into == nil {
		return
	}
	if err := a.read(into); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
}

// order is what the tests read of an order.
type order struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Amount int64  `json:"amount_fen"`
}

// brand is a house with members and one running sale.
type brand struct {
	caller          // with the admin's key
	members, tokens []string
	campaign        string
	items           []string
}

// open founds a brand over REST: members with tokens, and a flash sale with
// items of the given stock.
func (p *place) open(url string, members, items, stock int, more map[string]any) brand {
	p.t.Helper()
	b := brand{caller: caller{url: url, key: p.key("admin"), http: crowd()}}
	rows := make([]map[string]any, members)
	for i := range rows {
		rows[i] = map[string]any{"name": fmt.Sprintf("会员%d", i), "identities": []map[string]string{{"kind": "mall", "value": fmt.Sprintf("m%05d", i)}}}
	}
	var made struct {
		Results []struct {
			ID string `json:"member_id"`
		}
	}
	b.must(p.t, "PUT", "/v1/members", "", map[string]any{"members": rows}, &made)
	for _, r := range made.Results {
		var t struct{ Token string }
		b.must(p.t, "POST", "/v1/members/"+r.ID+"/tokens", "token-"+r.ID, map[string]any{"ttl_seconds": 900}, &t)
		b.members, b.tokens = append(b.members, r.ID), append(b.tokens, t.Token)
	}
	products, lines := make([]map[string]any, items), make([]map[string]any, items)
	for i := range lines {
		sku := fmt.Sprintf("SKU-%d", i)
		products[i] = map[string]any{"sku": sku, "name": "苹果 " + sku, "list_price_fen": 2000, "cost_fen": 500, "floor_price_fen": 900}
		lines[i] = map[string]any{"sku": sku, "price_fen": 1000, "stock": stock, "per_member": 0, "per_order": 2}
	}
	b.must(p.t, "PUT", "/v1/products", "", map[string]any{"products": products}, nil)
	sale := map[string]any{
		"kind": "flash_sale", "name": "整点秒杀", "items": lines,
		"starts_at": time.Now().Add(-time.Minute).Format(time.RFC3339), "ends_at": time.Now().Add(24 * time.Hour).Format(time.RFC3339),
	}
	for k, v := range more {
		sale[k] = v
	}
	var c struct {
		ID    string
		Items []struct{ ID string }
	}
	b.must(p.t, "POST", "/v1/campaigns", "sale", sale, &c)
	b.campaign = c.ID
	for _, i := range c.Items {
		b.items = append(b.items, i.ID)
	}
	b.must(p.t, "POST", "/v1/campaigns/"+c.ID+"/publish", "publish", nil, nil)
	return b
}

// claim asks for one piece of an item as the n-th member.
func (b brand) claim(member, item int, key string) (answer, error) {
	return b.as(b.tokens[member]).send("POST", "/v1/campaigns/"+b.campaign+"/claims", key, map[string]any{"item_id": b.items[item]})
}

// pay reports the payment of an order, as the mall.
func (b brand) pay(o order, key string) (answer, error) {
	body := map[string]any{"provider": "wechat", "payment_no": "wx" + o.ID, "goods_fen": o.Amount, "amount_fen": o.Amount}
	return b.send("POST", "/v1/orders/"+o.ID+"/payments", key, body)
}
