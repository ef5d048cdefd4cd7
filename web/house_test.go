package web

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
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
	"siyu/community/life"
	"siyu/community/request"
	"siyu/community/ritual"
	"siyu/community/split"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/httpd"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/secret"
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

// Names that try to break out of a page.
const (
	hostileName  = `<script>alert(1)</script>`
	hostileGroup = "茶友\u202e群\u2066\"><img src=x onerror=alert(2)>"
)

// house is a whole web room over real services, served over HTTP.
type house struct {
	t      *testing.T
	db     *database.DB
	s      *Server
	url    string
	unit   id.Unit
	key    string // of an admin
	wang   id.Member
	prog   id.Program
	group  id.Group
	staff  context.Context
	system context.Context
}

func open(t *testing.T, db *database.DB) *house {
	t.Helper()
	keys, err := secret.New(secret.Fresh())
	must(t, err)
	h := &house{t: t, db: db, system: context.Background()}
	people := &community.Service{DB: db, Secrets: keys}
	teams := &groupbuy.Service{DB: db}
	runs := campaign.New(db, people, teams.Kind(), flashsale.Kind(), invite.Kind())
	teams.Campaign = runs
	runs.Start()
	t.Cleanup(runs.Close)
	h.s = &Server{
		DB: db, Secrets: keys, Access: &access.Service{DB: db, Secrets: keys}, Community: people, Gate: &gate.Service{DB: db}, Life: &life.Service{DB: db}, Gathering: &gathering.Service{DB: db, Secrets: keys}, Grade: &grade.Service{DB: db}, Health: &health.Service{DB: db}, Campaign: runs, GroupBuy: teams,
		Calendar: &calendar.Service{DB: db, Campaign: runs}, Invite: &invite.Service{DB: db, Campaign: runs},
		Guard: &guard.Service{DB: db}, Promotion: &promotion.Service{DB: db, Guard: &guard.Service{DB: db}, Exposure: &exposure.Service{DB: db}, Campaign: runs, Channels: []promotion.Channel{promotion.FileChannel{Dir: t.TempDir()}}}, Referral: &referral.Service{DB: db, Secrets: keys}, Review: &review.Service{DB: db, Secrets: keys}, Promoter: &promoter.Service{DB: db}, Insight: &insight.Service{DB: db}, Settlement: &settlement.Service{DB: db}, TieOut: &tieout.Service{DB: db}, Payee: &payee.Service{DB: db, Secrets: keys}, Wallet: &wallet.Service{DB: db},
	}
	h.s.Material = &material.Service{DB: db}
	h.s.Promotion.Dates = h.s.Calendar
	h.s.Voucher, h.s.TaxReturn = &voucher.Service{DB: db, Books: h.s.Wallet}, &taxreturn.Service{DB: db, Payees: h.s.Payee}
	h.s.Exposure = h.s.Promotion.Exposure
	h.s.Request, h.s.Split, h.s.Ritual = &request.Service{DB: db}, &split.Service{DB: db}, &ritual.Service{DB: db}
	engine, err := httpd.NewEngine(httpd.Config{})
	must(t, err)
	h.s.Register(engine)
	srv := httptest.NewServer(engine)
	t.Cleanup(srv.Close)
	h.url = srv.URL
	h.s.PublicURL, h.s.Referral.PublicURL = srv.URL, srv.URL
	h.furnish()
	return h
}

// furnish makes the people, the group and the program every test needs.
func (h *house) furnish() {
	h.t.Helper()
	var err error
	h.key, err = h.s.Access.Bootstrap(h.system, access.First{Name: "运营小李", Role: access.Admin})
	must(h.t, err)
	actor, err := h.s.Access.Authenticate(h.system, h.key)
	must(h.t, err)
	h.unit, h.staff = actor.Unit, database.WithActor(h.system, actor)
	h.wang = h.member("王小明", "m-wang")
	h.group, err = h.s.Community.CreateGroup(h.staff, community.GroupIn{Name: "西湖茶友群"})
	must(h.t, err)
	no := false
	h.prog, err = h.s.Referral.CreateProgram(h.staff, referral.ProgramIn{Name: "老带新", Budget: 100000, Rules: referral.RulesIn{
		Trigger: referral.TriggerFirstPaidOrder, InviterHasOrdered: &no,
		Rewards: []referral.Promise{{Rule: "inviter", To: referral.SideInviter, Mode: referral.ModeFixed, Amount: 800}, {Rule: "invitee", To: referral.SideInvitee, Mode: referral.ModeFixed, Amount: 500}},
	}})
	must(h.t, err)
}

func (h *house) member(name, mall string) id.Member {
	h.t.Helper()
	out, err := h.s.Community.UpsertMembers(h.staff, []community.MemberIn{{Name: name, Identities: []community.Identity{{Kind: community.IdentityMall, Value: mall}}}})
	must(h.t, err)
	if out[0].Err != nil {
		h.t.Fatal(out[0].Err)
	}
	return out[0].Member
}

// run makes and publishes a campaign of two items: one limited to one piece
// per member, one free for guests.
func (h *house) run(kind, name, rules string) campaign.Campaign {
	h.t.Helper()
	_, err := h.s.Campaign.PutProducts(h.staff, campaign.ProductBatch{Products: []campaign.ProductIn{
		{SKU: "LJ-50", Name: "明前龙井 50g", ListPrice: 6800}, {SKU: "BC-100", Name: "安吉白茶 100g", ListPrice: 12800, Picture: "https://cdn.example/bc.jpg"},
	}})
	must(h.t, err)
	now := clock.MilliOf(h.db.Clock.Now())
	cid, err := h.s.Campaign.CreateCampaign(h.staff, campaign.CampaignIn{
		Kind: kind, Name: name, StartsAt: now, EndsAt: now.Add(48 * time.Hour), ProgramID: h.prog, Rules: json.RawMessage(rules),
		LoginURL: "https://mall.example/login", PayURL: "https://mall.example/pay?from=siyu",
		Items: []campaign.ItemIn{{SKU: "BC-100", Price: 8800, Stock: 10, PerOrder: 2}, {SKU: "LJ-50", Price: 3990, Stock: 5, PerMember: 1}},
	})
	must(h.t, err)
	must(h.t, h.s.Campaign.Turn(h.staff, cid, campaign.Publish))
	run, err := h.s.Campaign.FindCampaign(h.staff, cid)
	must(h.t, err)
	return run
}

// code is an invite code of Wang's for the campaign, in the group.
func (h *house) code(run campaign.Campaign) string {
	h.t.Helper()
	cid, err := h.s.Referral.CreateCode(h.staff, referral.CodeIn{InviterID: h.wang, ProgramID: h.prog, CampaignID: run.ID, GroupID: h.group})
	must(h.t, err)
	list, err := h.s.Referral.CodesByID(h.staff, []id.Code{cid})
	must(h.t, err)
	return list[0].Code
}

func (h *house) pay(order id.Order, amount money.Amount) {
	h.t.Helper()
	must(h.t, h.s.Campaign.Pay(h.staff, order, campaign.PaymentIn{Provider: "wechat", PaymentNo: "P" + order.String(), Goods: amount, Amount: amount}))
}

// phone is one visitor's browser.
type phone struct {
	h      *house
	client *http.Client
	lang   string
}

func (h *house) phone() *phone {
	jar, err := cookiejar.New(nil)
	must(h.t, err)
	return &phone{h: h, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, lang: "zh-CN"}
}

// signedIn is a browser that came from the mall with a member's token.
func (h *house) signedIn(m id.Member) *phone {
	h.t.Helper()
	p := h.phone()
	token, err := h.s.Access.IssueMemberToken(h.staff, m, 15*time.Minute)
	must(h.t, err)
	if r := p.get("/me?token=" + url.QueryEscape(token)); r.status != http.StatusSeeOther || r.to != "/me" {
		h.t.Fatalf("a token in the address led to %d %q, want 303 /me", r.status, r.to)
	}
	return p
}

// answer is what came back.
type answer struct {
	status int
	to     string
	body   string
	header http.Header
}

func (p *phone) get(path string) answer {
	p.h.t.Helper()
	req, err := http.NewRequest(http.MethodGet, p.h.url+path, nil)
	must(p.h.t, err)
	return p.send(req)
}

func (p *phone) post(path string, form url.Values) answer {
	p.h.t.Helper()
	req, err := http.NewRequest(http.MethodPost, p.h.url+path, strings.NewReader(form.Encode()))
	must(p.h.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.send(req)
}

func (p *phone) send(req *http.Request) answer {
	p.h.t.Helper()
	req.Header.Set("Accept-Language", p.lang)
	res, err := p.client.Do(req)
	must(p.h.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(p.h.t, err)
	return answer{res.StatusCode, res.Header.Get("Location"), string(body), res.Header}
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)

// form are the hidden fields of the form that posts to action.
func (a answer) form(t *testing.T, action string) url.Values {
	t.Helper()
	_, rest, ok := strings.Cut(a.body, `action="`+action+`"`)
	if !ok {
		t.Fatalf("there is no form for %s in\n%s", action, a.body)
	}
	rest, _, _ = strings.Cut(rest, "</form>")
	v := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(rest, -1) {
		v.Set(m[1], m[2])
	}
	return v
}

// has and lacks assert what a page must and must not contain.
func (a answer) has(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(a.body, w) {
			t.Errorf("the page (%d) lacks %q:\n%s", a.status, w, a.body)
		}
	}
}

func (a answer) lacks(t *testing.T, not ...string) {
	t.Helper()
	for _, w := range not {
		if strings.Contains(a.body, w) {
			t.Errorf("the page (%d) holds %q:\n%s", a.status, w, a.body)
		}
	}
}

func (a answer) is(t *testing.T, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d:\n%s", a.status, status, a.body)
	}
	return a
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// logged captures the log while fn runs.
func logged(t *testing.T, fn func()) string {
	t.Helper()
	var b bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&b, nil)))
	defer slog.SetDefault(old)
	fn()
	return b.String()
}

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	os.Exit(m.Run())
}

func orderOf(t *testing.T, a answer) id.Order {
	t.Helper()
	var oid id.Order
	if err := oid.UnmarshalText([]byte(strings.TrimPrefix(a.to, "/o/"))); err != nil {
		t.Fatalf("led to %d %q, want an order: %v\n%s", a.status, a.to, err, a.body)
	}
	return oid
}
