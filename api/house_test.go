package api

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/campaign"
	"siyu/campaign/calendar"
	"siyu/campaign/exposure"
	"siyu/campaign/flashsale"
	"siyu/campaign/groupbuy"
	"siyu/campaign/guard"
	"siyu/campaign/invite"
	"siyu/campaign/material"
	"siyu/campaign/promotion"
	"siyu/campaign/tieout"
	"siyu/community"
	"siyu/community/gate"
	"siyu/community/gathering"
	"siyu/community/grade"
	"siyu/community/health"
	"siyu/community/intake"
	"siyu/community/life"
	"siyu/community/request"
	"siyu/community/ritual"
	"siyu/community/split"
	"siyu/community/welcome"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/httpd"
	"siyu/internal/id"
	"siyu/internal/secret"
	"siyu/internal/webhook"
	"siyu/referral"
	"siyu/referral/insight"
	"siyu/referral/payee"
	"siyu/referral/promoter"
	"siyu/referral/review"
	"siyu/referral/settlement"
	"siyu/referral/taxreturn"
	"siyu/referral/voucher"
	"siyu/wallet"
)

var bg = context.Background()

// house is the API over a fresh store and a real listener, with a brand, two
// regions and a key for every role in each.
type house struct {
	*Server
	url   string
	brand id.Unit
	// keys by unit name ("" is the brand) and role.
	keys map[string]map[access.Role]string
	// units by name.
	units map[string]id.Unit
	seq   int
	// done is what was done under a key, by the key.
	done *keyedCalls
}

// The regions of a house. Things are made in east; west must not see them.
const east, west = "华东", "华西"

// newServer is the server with every room over the store; a room's owner adds
// it here.
func newServer(t testing.TB, db *database.DB) *Server {
	t.Helper()
	set, err := secret.New(secret.Fresh())
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{
		DB: db, Secrets: set,
		Access:    &access.Service{DB: db, Secrets: set},
		Community: &community.Service{DB: db, Secrets: set},
		Health:    &health.Service{DB: db},
		Wallet:    &wallet.Service{DB: db},
		Referral:  &referral.Service{DB: db, Secrets: set, PublicURL: "https://shop.example", QRURL: "https://q.example"},
		Payee:     &payee.Service{DB: db, Secrets: set},
		Review:    &review.Service{DB: db, Secrets: set},
		Promoter:  &promoter.Service{DB: db},
		Insight:   &insight.Service{DB: db},
		GroupBuy:  &groupbuy.Service{DB: db},
		Guard:     &guard.Service{DB: db},
		Material:  &material.Service{DB: db},
		Webhook:   &webhook.Service{DB: db, Secrets: set},
		Rates:     Rates{Staff: 1_000_000, Member: 1_000_000, Address: 1_000_000},
	}
	s.Ritual = &ritual.Service{DB: db}
	s.Life = &life.Service{DB: db}
	s.Split = &split.Service{DB: db}
	s.Welcome = &welcome.Service{DB: db}
	s.Gathering = &gathering.Service{DB: db, Secrets: set}
	s.Grade = &grade.Service{DB: db}
	s.Voucher = &voucher.Service{DB: db, Books: s.Wallet}
	s.TieOut = &tieout.Service{DB: db}
	s.TaxReturn = &taxreturn.Service{DB: db, Payees: s.Payee}
	s.Request = &request.Service{DB: db}
	s.Gate = &gate.Service{DB: db}
	s.Intake = &intake.Service{DB: db, Community: s.Community, Secrets: set}
	s.Settlement = &settlement.Service{DB: db, Vault: s.Payee}
	s.Campaign = campaign.New(db, s.Community, flashsale.Kind(), invite.Kind(), s.GroupBuy.Kind())
	s.GroupBuy.Campaign = s.Campaign
	s.Calendar = &calendar.Service{DB: db, Campaign: s.Campaign}
	s.Invite = &invite.Service{DB: db, Campaign: s.Campaign}
	s.Rehearsals = empty(db)
	s.Exposure = &exposure.Service{DB: db}
	s.Promotion = &promotion.Service{DB: db, Guard: s.Guard, Exposure: s.Exposure, Campaign: s.Campaign, Dates: s.Calendar, Channels: []promotion.Channel{promotion.FileChannel{Dir: t.TempDir()}}}
	s.Campaign.Start()
	t.Cleanup(s.Campaign.Close)
	return s
}

func newHouse(t testing.TB, db *database.DB) *house {
	t.Helper()
	h := &house{Server: newServer(t, db), keys: map[string]map[access.Role]string{}, units: map[string]id.Unit{}, done: newKeyedCalls()}
	h.hire(t, "")
	me, err := h.Access.Authenticate(bg, h.keys[""][access.Admin])
	if err != nil {
		t.Fatal(err)
	}
	h.brand = me.Unit
	for _, name := range []string{east, west} {
		u, err := h.Access.CreateUnit(database.WithActor(bg, me), access.UnitIn{ParentID: h.brand, Name: name})
		if err != nil {
			t.Fatal(err)
		}
		h.units[name] = u
		h.hire(t, name)
	}
	h.url = listen(t, h.Server, httpd.Config{})
	t.Cleanup(func() { h.replay(t) })
	return h
}

// hire makes a key for every role in the unit.
func (h *house) hire(t testing.TB, unit string) {
	t.Helper()
	h.keys[unit] = map[access.Role]string{}
	for _, r := range access.Roles() {
		key, err := h.Access.Bootstrap(bg, access.First{Name: "员工", Role: r, Unit: unit})
		if err != nil {
			t.Fatal(err)
		}
		h.keys[unit][r] = key
	}
}

// listen serves until the test ends.
func listen(t testing.TB, s *Server, cfg httpd.Config) string {
	t.Helper()
	e, err := httpd.NewEngine(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Mount(e); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(bg)
	done := make(chan error, 1)
	go func() { done <- httpd.Serve(ctx, ln, e, cfg.Limits) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return "http://" + ln.Addr().String()
}

// token is a member token of somebody new.
func (h *house) token(t testing.TB) string {
	t.Helper()
	m, err := h.Community.NewGuest(bg)
	if err != nil {
		t.Fatal(err)
	}
	token, err := h.Access.IssueMemberToken(bg, m, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// problem is the code of a refusal.
func (a answer) problem() httpd.Problem {
	var p httpd.Problem
	_ = json.Unmarshal(a.body, &p)
	return p
}

func (a answer) into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
}

// call is a request: method and path, body, then headers as "Name: value".
// Writes carry JSON and a key of their own unless a header says otherwise.
func (h *house) call(t testing.TB, bearer, methodPath, body string, headers ...string) answer {
	t.Helper()
	a, err := h.try(bearer, methodPath, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	method, path, _ := strings.Cut(methodPath, " ")
	answers(t, method, path, a.status, a.header, a.body)
	return a
}

// want is a call with a key of its own that must be answered with the status.
func (h *house) want(t testing.TB, status int, bearer, methodPath, body string, headers ...string) answer {
	t.Helper()
	a := h.call(t, bearer, methodPath, body, append([]string{h.newKey()}, headers...)...)
	if a.status != status {
		t.Fatalf("%s %s: got %d %s, want %d", methodPath, body, a.status, a.body, status)
	}
	return a
}

func (h *house) try(bearer, methodPath, body string, headers ...string) (answer, error) {
	method, path, _ := strings.Cut(methodPath, " ")
	req, err := http.NewRequest(method, h.url+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Accept-Language", "en")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	if method != http.MethodGet {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	got := answer{res.StatusCode, res.Header, b}
	h.note(req, keyedCall{bearer: bearer, methodPath: methodPath, body: body, headers: headers, got: got})
	return got, err
}

// newKey is a header with an Idempotency-Key nobody used yet.
func (h *house) newKey() string {
	h.seq++
	return "Idempotency-Key: " + time.Now().Format("150405.000000000") + "-" + string(rune('a'+h.seq%26))
}

// onBoth runs the test on a house per engine.
func onBoth(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	dbtest.Run(t, func(t *testing.T, db *database.DB) { test(t, newHouse(t, db)) })
}
