package main

import (
	"context"
	"crypto/rand"
	"html/template"
	"maps"
	"net/http"
	"slices"
)

// introduce gives Siyu what it must know of the mall. Products and members are
// upserts, so every start may send them all; the webhook is made once.
func (m *mall) introduce(ctx context.Context) error {
	err := m.siyu.call(ctx, "PUT", "/v1/products", "", map[string]any{"products": []map[string]any{
		{"sku": "APPLE-5", "name": "洛川苹果 5 斤", "list_price_fen": 5900, "cost_fen": 2100, "floor_price_fen": 2500},
		{"sku": "TEA-100", "name": "安溪铁观音 100 g", "list_price_fen": 8800, "cost_fen": 3000, "floor_price_fen": 4000},
	}}, nil)
	if err != nil {
		return err
	}
	people := []string{"anna", "bo", "chen"}
	rows := make([]map[string]any, len(people))
	for i, p := range people {
		rows[i] = map[string]any{"name": p, "identities": []map[string]string{{"kind": "mall", "value": p}}}
	}
	var made struct {
		Results []struct {
			Member string `json:"member_id"`
		} `json:"results"`
	}
	if err := m.siyu.call(ctx, "PUT", "/v1/members", "", map[string]any{"members": rows}, &made); err != nil {
		return err
	}
	if err := m.store.change(func(s *state) {
		for i, r := range made.Results {
			s.Members[people[i]] = r.Member
		}
	}); err != nil {
		return err
	}
	return m.subscribe(ctx)
}

// subscribe registers the webhook. Its secret is shown once: if the answer is
// lost the mall makes another webhook, and a colleague pauses the first.
func (m *mall) subscribe(ctx context.Context) error {
	known := false
	m.store.read(func(s state) { known = s.Secret != "" })
	if known {
		return nil
	}
	var w struct {
		ID     string `json:"id"`
		Secret string `json:"secret"`
	}
	err := m.siyu.call(ctx, "POST", "/v1/webhooks", rand.Text(), map[string]any{
		"url": m.url + "/hooks", "events": []string{"order.*", "refund.*", "team.*", "campaign.*", "notice.*"},
	}, &w)
	if err != nil {
		return err
	}
	return m.store.change(func(s *state) { s.Webhook, s.Secret = w.ID, w.Secret })
}

func (m *mall) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hooks", m.hook)
	mux.HandleFunc("GET /{$}", m.home)
	mux.HandleFunc("GET /pay", m.payPage)
	mux.HandleFunc("POST /pay", m.payNow)
	return mux
}

// home lists the orders the mall has heard of.
func (m *mall) home(w http.ResponseWriter, _ *http.Request) {
	type row struct{ Order, Event string }
	var rows []row
	m.store.read(func(s state) {
		for _, o := range slices.Sorted(maps.Keys(s.Orders)) {
			rows = append(rows, row{o, s.Orders[o]})
		}
	})
	show(w, `<h1>商城订单 · Orders</h1>{{range .}}<p><a href="/pay?order_id={{.Order}}">{{.Order}}</a> {{.Event}}</p>{{else}}<p>暂无 · none yet</p>{{end}}`, rows)
}

// payPage is where Siyu's pages send a buyer: the campaign's pay_url, with the
// order's id.
func (m *mall) payPage(w http.ResponseWriter, r *http.Request) {
	var o order
	if err := m.siyu.call(r.Context(), "GET", "/v1/orders/"+r.FormValue("order_id"), "", nil, &o); err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	show(w, `<h1>付款 · Pay</h1><p>{{.ID}}: {{.Amount}} 分 (fen), {{.Status}}</p>
<form method="post"><input type="hidden" name="order_id" value="{{.ID}}"><button>付款 · Pay</button></form>`, o)
}

// payNow is the bank's part: the money is there, so it is reported.
func (m *mall) payNow(w http.ResponseWriter, r *http.Request) {
	id := r.FormValue("order_id")
	o, err := m.pay(r.Context(), id, "pay-"+id)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	show(w, `<h1>{{.Status}}</h1><p>{{.ID}}</p>`, o)
}

func show(w http.ResponseWriter, page string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	t := template.Must(template.New("").Parse(`<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>商城</title>` + page))
	_ = t.Execute(w, data)
}
