package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// inside is the way into a house without a listener: a request is answered by
// its handler, right here.
type inside struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (i inside) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.RemoteAddr, r.RequestURI = "127.0.0.1:1", r.URL.RequestURI()
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	a := &answered{header: http.Header{}}
	i.handler.ServeHTTP(a, r)
	a.WriteHeader(http.StatusOK)
	return &http.Response{
		StatusCode: a.status, Status: http.StatusText(a.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Body: io.NopCloser(&a.body), ContentLength: int64(a.body.Len()), Request: r,
	}, nil
}

// answered keeps an answer.
type answered struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *answered) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter; the first status counts.
func (a *answered) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write implements http.ResponseWriter.
func (a *answered) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

// home is what a house without a listener is called inside.
const home = "http://rehearsal.invalid"

// mall stands for the shop on a rehearsal: it knows members and reports
// payments, receipts and refunds, over REST with a key of its own.
type mall struct {
	handler  http.Handler
	key      string // of role mall
	marketer string
	group    string // whose members may claim
}

var errNotYet = errors.New("the rehearsal is not that far yet")

func (m mall) do(ctx context.Context, key, method, path string, body, answer any) error {
	if m.handler == nil || key == "" {
		return errNotYet
	}
	c := &client{url: home, key: key, http: http.Client{Transport: inside{m.handler}}}
	if err := c.call(ctx, method, path, body, answer); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

func (m mall) order(ctx context.Context, order string) (o orderView, err error) {
	return o, m.do(ctx, m.key, "GET", "/v1/orders/"+order, nil, &o)
}

// pay reports a payment in full, received the receipt of the goods, refund
// that the amount went back.
func (m mall) pay(ctx context.Context, o orderView) error {
	body := map[string]any{"provider": "rehearsal", "payment_no": "p" + o.ID, "goods_fen": o.Amount, "amount_fen": o.Amount}
	return m.do(ctx, m.key, "POST", "/v1/orders/"+o.ID+"/payments", body, nil)
}

func (m mall) received(ctx context.Context, order string) error {
	for _, stage := range []string{"shipped", "received"} {
		if err := m.do(ctx, m.key, "POST", "/v1/orders/"+order+"/shipments", map[string]any{"stage": stage, "shipment_no": "s" + order}, nil); err != nil {
			return err
		}
	}
	return nil
}

func (m mall) refund(ctx context.Context, order, number string, fen int64) error {
	body := map[string]any{"refund_no": number, "amount_fen": fen, "goods_fen": fen}
	return m.do(ctx, m.key, "POST", "/v1/orders/"+order+"/refunds", body, nil)
}

// act is a button of the page that stands for the checkout.
func (m mall) act(ctx context.Context, act string, o orderView) error {
	switch act {
	case "pay":
		return m.pay(ctx, o)
	case "receive":
		return m.received(ctx, o.ID)
	case "refund":
		return m.refund(ctx, o.ID, "r"+o.ID, o.Amount)
	}
	return errors.New("there is no such button")
}

// members makes or finds members by their names in the mall.
func (m mall) members(ctx context.Context, names ...string) ([]string, error) {
	rows := make([]map[string]any, len(names))
	for i, name := range names {
		rows[i] = map[string]any{"name": memberName(i), "identities": []map[string]string{{"kind": "mall", "value": name}}}
	}
	var made struct {
		Results []struct {
			ID string `json:"member_id"`
		} `json:"results"`
	}
	if err := m.do(ctx, m.key, "PUT", "/v1/members", map[string]any{"members": rows}, &made); err != nil {
		return nil, err
	}
	ids := make([]string, len(made.Results))
	for i, r := range made.Results {
		ids[i] = r.ID
	}
	if len(ids) != len(names) {
		return nil, fmt.Errorf("%d members were made, want %d", len(ids), len(names))
	}
	return ids, nil
}

// joined puts members into the group that may claim.
func (m mall) joined(ctx context.Context, members ...string) error {
	rows := make([]map[string]string, len(members))
	for i, who := range members {
		rows[i] = map[string]string{"member_id": who, "role": "member"}
	}
	return m.do(ctx, m.marketer, "PUT", "/v1/groups/"+m.group+"/memberships", map[string]any{"memberships": rows}, nil)
}

func (m mall) token(ctx context.Context, member string) (string, error) {
	var t struct{ Token string }
	err := m.do(ctx, m.key, "POST", "/v1/members/"+member+"/tokens", map[string]any{"ttl_seconds": 900}, &t)
	return t.Token, err
}

// known is a token of the member a phone is.
func (m mall) known(ctx context.Context, phone string) (string, error) {
	ids, err := m.members(ctx, "phone-"+phone)
	if err != nil {
		return "", err
	}
	if err := m.joined(ctx, ids...); err != nil {
		return "", err
	}
	return m.token(ctx, ids[0])
}
