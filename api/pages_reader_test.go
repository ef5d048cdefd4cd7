package api

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/httpd"
	"siyu/web"
)

// readers are people who look at the pages of a house in which a wanderer makes
// things happen.
type readers struct {
	*wanderer
	base   string // where the pages are
	people []*reader
	opened map[string]int // addresses by their form
	filled map[string]int // forms that were sent, too
	gave   map[int]int    // answers by status
	words  *words
}

// reader is one of them, with his browser.
type reader struct {
	name   string
	key    string // of staff, with which he signs in
	member int    // or which of the signed members he is, from 1 on
	link   bool   // or that he comes by a link to his work
	lang   string
	since  string // the link by which he chose it
	client *http.Client
	seen   []shownLink // links that he was shown
	page   paper       // where he is
}

// shownLink is an address and the page that showed it.
type shownLink struct{ href, from string }

// paper is what a browser got.
type paper struct {
	at     string
	status int
	header http.Header
	body   string
}

func (p paper) html() bool { return strings.HasPrefix(p.header.Get("Content-Type"), "text/html") }

// leadsNowhere says whether what was asked for is not there for who asked; a
// refusal that says in its own words what is missing is none.
func (p paper) leadsNowhere() bool {
	return p.status == http.StatusForbidden || p.status == http.StatusNotFound && (!p.html() || strings.Contains(p.body, "这里什么也没有") || strings.Contains(p.body, "There is nothing here"))
}

func newReaders(t *testing.T, db *database.DB, seed uint64) *readers {
	t.Helper()
	w := &readers{wanderer: newWanderer(t, db, seed), opened: map[string]int{}, filled: map[string]int{}, gave: map[int]int{}, words: readWords(t)}
	engine, err := httpd.NewEngine(httpd.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Mount(engine); err != nil {
		t.Fatal(err)
	}
	s := w.Server
	pages := &web.Server{
		DB: s.DB, Secrets: s.Secrets, Access: s.Access, Community: s.Community, Gate: s.Gate, Request: s.Request, Ritual: s.Ritual, Life: s.Life, Split: s.Split,
		Gathering: s.Gathering, Grade: s.Grade, Health: s.Health, Campaign: s.Campaign, Calendar: s.Calendar, GroupBuy: s.GroupBuy, Invite: s.Invite, Guard: s.Guard,
		Material: s.Material, Promotion: s.Promotion, Exposure: s.Exposure, Referral: s.Referral, Review: s.Review, Promoter: s.Promoter, Insight: s.Insight,
		Settlement: s.Settlement, TieOut: s.TieOut, Payee: s.Payee, Wallet: s.Wallet, Voucher: s.Voucher, TaxReturn: s.TaxReturn,
		PublicURL: s.Referral.PublicURL, Rates: web.Rates{Visitor: 1_000_000, Address: 1_000_000},
	}
	pages.PublicURL = "http://shop.example"
	pages.Register(engine)
	engine.NoRoute(pages.Lost(httpd.ErrNoRoute))
	engine.NoMethod(pages.Lost(httpd.ErrNoMethod))
	srv := httptest.NewServer(engine)
	t.Cleanup(srv.Close)
	w.base = srv.URL
	for range 8 {
		w.misname()
	}
	add := func(p reader) { p.lang = anyOf(w.wanderer, []string{"zh-CN", "en"}); w.people = append(w.people, &p) }
	add(reader{name: "guest"})
	for i := range w.signed {
		add(reader{name: fmt.Sprintf("member %d", i+1), member: i + 1})
	}
	for _, role := range access.Roles() {
		if role != access.Mall {
			add(reader{name: string(role), key: w.keys[""][role]})
		}
	}
	add(reader{name: "colleague", key: w.keys[east][access.Admin]})
	add(reader{name: "owner by link", link: true})
	for _, p := range w.people {
		w.enter(p)
	}
	return w
}

// misname gives something that pages show a name that tries to get out of its
// place.
func (w *readers) misname() {
	admin, name := w.keys[""][access.Admin], fmt.Sprintf("%q", anyOf(w.wanderer, hostile))
	switch w.draw.IntN(4) {
	case 0:
		w.call(w.t, admin, "PUT /v1/products", `{"products":[{"sku":"fig","name":`+name+`,"list_price_fen":19900,"floor_price_fen":5000}]}`, w.newKey())
	case 1:
		c := anyOf(w.wanderer, w.made["/v1/campaigns/:id"])
		version, _ := w.look("/v1/campaigns/" + c)
		w.call(w.t, admin, "PATCH /v1/campaigns/"+c, `{"name":`+name+`}`, w.newKey(), version)
	default:
		g := anyOf(w.wanderer, w.made["/v1/groups/:id"])
		version, _ := w.look("/v1/groups/" + g)
		w.call(w.t, admin, "PATCH /v1/groups/"+g, `{"name":`+name+`}`, w.newKey(), version)
	}
}

// enter opens the house anew for somebody: with a new browser, signed in.
func (w *readers) enter(p *reader) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	p.client = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	p.seen = nil
	switch {
	case p.key != "":
		w.open(p, "/console/login", "")
		w.send(p, sheet{action: "/console/login", fields: append(hiddenOf(p.page.body, "/console/login"), field{name: "api_key", value: p.key})}, "")
	case p.link:
		var made struct {
			URL string `json:"url"`
		}
		w.want(w.t, http.StatusCreated, w.keys[""][access.GroupOwner], "POST /v1/work-links", `{}`).into(w.t, &made)
		w.open(p, w.own(made.URL), "")
		w.send(p, sheet{action: "/console/work/enter", fields: hiddenOf(p.page.body, "/console/work/enter")}, "")
	case p.member > 0:
		token := w.tokens[(p.member-1)%len(w.tokens)]
		w.open(p, "/me?token="+url.QueryEscape(token), "")
	default:
		w.open(p, "/", "")
	}
}

// turn is one thing that somebody does.
func (w *readers) turn() {
	if w.draw.IntN(4) == 0 {
		before := len(w.walk)
		w.step()
		w.walk = w.walk[:before]
		if w.draw.IntN(6) == 0 {
			w.misname()
		}
		return
	}
	p := anyOf(w.wanderer, w.people)
	switch n := w.draw.IntN(20); {
	case n == 0, p.page.status == http.StatusUnauthorized, strings.HasPrefix(p.page.at, "/console/login"):
		w.enter(p)
	case n == 1:
		w.open(p, w.guessed(p), "")
	case n < 13:
		if forms := formsOf(p.page.body); len(forms) > 0 {
			f := anyOf(w.wanderer, forms)
			w.send(p, w.fill(f), p.page.at)
			return
		}
		fallthrough
	default:
		if l, ok := w.choose(p); ok {
			w.open(p, l.href, l.from)
		} else {
			w.enter(p)
		}
	}
}

// guessed is an address that somebody was sent by another, or made up: it may
// lead nowhere.
func (w *readers) guessed(p *reader) string {
	door := map[string]string{"/v1/codes/:code": "/i/", "/v1/teams/:id": "/t/", "/v1/groups/:id": "/g/", "/v1/gatherings/:id": "/e/"}
	if p.key != "" || p.link {
		door = map[string]string{"/v1/groups/:id": "/console/groups/", "/v1/campaigns/:id": "/console/campaigns/", "/v1/settlements/:id": "/console/settlements/", "/v1/payouts/:id": "/console/payouts/"}
	}
	if w.draw.IntN(10) == 0 {
		other := anyOf(w.wanderer, w.people)
		if len(other.seen) > 0 {
			return anyOf(w.wanderer, other.seen).href
		}
	}
	begin := anyOf(w.wanderer, slices.Sorted(maps.Keys(door)))
	return door[begin] + anyOf(w.wanderer, w.made[begin])
}

// choose is a link that somebody was shown: mostly of a sort that was opened
// least.
func (w *readers) choose(p *reader) (shownLink, bool) {
	if len(p.seen) == 0 {
		return shownLink{}, false
	}
	if w.draw.IntN(3) == 0 {
		return anyOf(w.wanderer, p.seen), true
	}
	return slices.MinFunc(p.seen, func(a, b shownLink) int { return w.opened[p.name+sortOf(a.href)] - w.opened[p.name+sortOf(b.href)] }), true
}

// sortOf is an address without what differs between two of its sort.
func sortOf(href string) string {
	path, query, _ := strings.Cut(href, "?")
	names := ""
	if v, err := url.ParseQuery(query); err == nil {
		names = "?" + strings.Join(slices.Sorted(maps.Keys(v)), "&")
	}
	return idInPath.ReplaceAllString(path, "/:id") + strings.TrimSuffix(names, "?")
}

var idInPath = regexp.MustCompile(`/[a-z]{3}_[0-9a-z]{13}|/(?:[0-9A-Z]{8,}|[0-9A-Z]{4}-[0-9A-Z]{4})|/[0-9]+`)

// own is an address of this house without its name.
func (w *readers) own(href string) string {
	for _, name := range []string{w.base, "https://shop.example", "http://shop.example", "https://q.example"} {
		if rest, is := strings.CutPrefix(href, name); is {
			return rest
		}
	}
	return href
}

// open follows a link that the page `from` showed; "" is an address that nobody
// was shown.
func (w *readers) open(p *reader, href, from string) {
	got := w.ask(p, http.MethodGet, href, nil, "")
	w.opened[p.name+sortOf(href)]++
	w.arrive(p, got)
	if from != "" && got.leadsNowhere() {
		// What it led to may be gone since; then the page shows it no longer.
		again := w.ask(p, http.MethodGet, from, nil, "")
		if again.status == http.StatusOK && slices.ContainsFunc(linksOf(again.body), func(l string) bool { return w.own(l) == href }) {
			w.t.Errorf("%s was shown %s on %s, which is answered with %d", p.name, href, from, got.status)
		}
	}
}

// send sends a form that the page `from` showed.
func (w *readers) send(p *reader, f sheet, from string) {
	body, kind := f.encode()
	href := f.action
	if f.verb() == http.MethodGet {
		href, body, kind = href+"?"+f.values().Encode(), nil, ""
	}
	got := w.ask(p, f.verb(), href, body, kind)
	w.filled[sortOf(f.action)]++
	w.arrive(p, got)
	if from != "" && got.status == http.StatusNotFound && got.leadsNowhere() && !f.wild {
		again := w.ask(p, http.MethodGet, from, nil, "")
		if again.status == http.StatusOK && slices.ContainsFunc(formsOf(again.body), func(o sheet) bool { return o.same(f) }) {
			w.t.Errorf("%s was shown the form %s %v on %s, which is answered with %d", p.name, f.action, f.fields, from, got.status)
		}
	}
}

// arrive looks at an answer, follows where it leads, and stays there.
func (w *readers) arrive(p *reader, got paper) {
	for range 4 {
		w.judge(p, got)
		if got.status/100 != 3 {
			break
		}
		to := w.own(got.header.Get("Location"))
		if !strings.HasPrefix(to, "/") {
			break // to the mall
		}
		got = w.ask(p, http.MethodGet, to, nil, "")
	}
	p.page = got
	if !got.html() {
		return
	}
	for _, href := range linksOf(got.body) {
		l := shownLink{w.own(href), got.at}
		if strings.HasPrefix(l.href, "/") && !slices.ContainsFunc(p.seen, func(o shownLink) bool { return o.href == l.href }) {
			p.seen = append(p.seen, l)
		}
	}
	if len(p.seen) > 150 {
		p.seen = slices.Clone(p.seen[len(p.seen)-150:])
	}
}

// ask sends a request as a browser of that language does.
func (w *readers) ask(p *reader, method, href string, body io.Reader, kind string) paper {
	w.t.Helper()
	req, err := http.NewRequest(method, w.base+href, body)
	if err != nil {
		w.t.Fatalf("%s %q: %v", method, href, err)
	}
	if lang := req.URL.Query().Get("lang"); lang != "" {
		p.lang, p.since = lang, href
	}
	req.Header.Set("Accept-Language", p.lang)
	req.Header.Set("Accept", "text/html,*/*")
	if kind != "" {
		req.Header.Set("Referer", w.base+p.page.at)
		req.Header.Set("Content-Type", kind)
	}
	res, err := p.client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	w.gave[res.StatusCode]++
	return paper{href, res.StatusCode, res.Header, string(text)}
}
