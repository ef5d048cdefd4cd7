package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/api"
	"siyu/configs"
	"siyu/internal/clock"
	"siyu/internal/id"
)

// liveHouse is a house as serve builds it, on a fresh SQLite store, with a
// marketer.
type liveHouse struct {
	t *testing.T
	*house
	key   string
	group string
	seq   int
}

func newLiveHouse(t *testing.T) *liveHouse {
	t.Helper()
	t.Setenv("SIYU_DB", "sqlite:"+filepath.Join(t.TempDir(), "siyu.db"))
	t.Setenv("SIYU_PUBLIC_URL", "http://live.example")
	cfg, err := configs.Load("")
	if err != nil {
		t.Fatal(err)
	}
	h, err := build(context.Background(), cfg, clock.Wall())
	if err != nil {
		t.Fatal(err)
	}
	l := &liveHouse{t: t, house: h}
	t.Cleanup(func() {
		h.stages.close()
		h.close()

	})
	if l.key, err = h.access.Bootstrap(context.Background(), access.First{Name: "林晓", Role: access.Marketer, Unit: "青禾优选"}); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *liveHouse) try(method, path string, body, answer any) error {
	c := &client{url: "http://live.example", key: l.key, http: http.Client{Transport: inside{l.handler}}}
	return c.call(context.Background(), method, path, body, answer)
}

func (l *liveHouse) must(method, path string, body, answer any) {
	l.t.Helper()
	if err := l.try(method, path, body, answer); err != nil {
		l.t.Fatalf("%s %s: %v", method, path, err)
	}
}

// draft makes a campaign with a program, a group with a charter, an item and
// the mall's addresses; more is added or overrides.
func (l *liveHouse) draft(kind string, more map[string]any) string {
	l.t.Helper()
	l.seq++
	sku := fmt.Sprintf("sku-%d", l.seq)
	l.must("PUT", "/v1/products", map[string]any{"products": []map[string]any{{"sku": sku, "name": "烟台红富士 5斤", "list_price_fen": 5990, "floor_price_fen": 2900}}}, nil)
	var group, program, made idOf
	l.must("POST", "/v1/groups", map[string]any{"name": "徐汇邻里优选群", "preset": "retail",
		"charter": map[string]any{"purpose": "少而精，只发当季水果", "ads_per_day": 1, "ads_per_week": 2, "quiet_from": 1290, "quiet_to": 480}}, &group)
	l.must("POST", "/v1/programs", map[string]any{"name": "老带新", "budget_fen": 100000, "rules": map[string]any{
		"trigger": "every_paid_order", "rewards": []map[string]any{
			{"rule": "inviter_share", "to": "inviter", "mode": "percent", "rate_bp": 500, "cap_fen": 2000},
			{"rule": "invitee_gift", "to": "invitee", "mode": "fixed", "amount_fen": 300},
		}}}, &program)
	start := time.Now().Add(24 * time.Hour).Truncate(time.Minute)
	body := map[string]any{
		"kind": kind, "name": "周一早市：" + kind, "starts_at": start, "ends_at": start.Add(72 * time.Hour), "program_id": program.ID,
		"login_url": "https://mall.example/login", "pay_url": "https://mall.example/pay", "audience": map[string]any{"groups": []string{group.ID}},
	}
	if kind != "referral" {
		body["items"] = []map[string]any{{"sku": sku, "price_fen": 4990, "stock": 20, "per_member": 3, "per_order": 2}}
	}
	for name, v := range more {
		body[name] = v
	}
	l.must("POST", "/v1/campaigns", body, &made)
	l.group = group.ID
	return made.ID
}

// rehearse starts one and waits until the script is through.
func (l *liveHouse) rehearse(campaign string) api.Rehearsal {
	l.t.Helper()
	var r api.Rehearsal
	l.must("POST", "/v1/campaigns/"+campaign+"/rehearse", nil, &r)
	return l.through(r)
}

func (l *liveHouse) through(r api.Rehearsal) api.Rehearsal {
	l.t.Helper()
	for end := time.Now().Add(3 * time.Minute); r.State == api.RehearsalPlaying; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			l.t.Fatalf("the script still plays: %+v", r.Checks)
		}
		l.must("GET", "/v1/rehearsals/"+r.ID.String(), nil, &r)
	}
	return r
}

// states are the checks by their state.
func states(r api.Rehearsal) map[api.CheckState][]string {
	out := map[api.CheckState][]string{}
	for _, c := range r.Checks {
		out[c.State] = append(out[c.State], c.Code)
	}
	return out
}

// tables is a digest of every row of every table; the store's clock and the
// node's lease follow wall time by themselves.
func (l *liveHouse) tables() string {
	l.t.Helper()
	q := l.db.Read(context.Background())
	var names []string
	if err := q.Raw("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('node_leases', 'store_clock') ORDER BY name").Scan(&names).Error; err != nil {
		l.t.Fatal(err)
	}
	sum := sha256.New()
	for _, name := range names {
		var rows []map[string]any
		if err := q.Raw("SELECT * FROM " + name).Scan(&rows).Error; err != nil {
			l.t.Fatal(err)
		}
		fmt.Fprintf(sum, "%s %d %v\n", name, len(rows), rows)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Every kind is played to the end, and the live store is as it was.
func TestRehearse(t *testing.T) {
	l := newLiveHouse(t)
	for kind, c := range map[string]struct {
		more    map[string]any
		skipped string
	}{
		"group_buy": {map[string]any{"rules": map[string]any{"size": 3, "open_for_s": 7200}}, "sessions"},
		"flash_sale": {map[string]any{"rules": map[string]any{"sessions": []map[string]any{{"from": "10:00", "to": "12:00"}, {"from": "20:00", "to": "22:00"}}}},
			"team_forms team_fails"},
		"referral": {map[string]any{"login_url": "", "pay_url": ""}, "addresses before_start team_forms limit audience unpaid team_fails sessions ends"},
	} {
		t.Run(kind, func(t *testing.T) {
			l.t = t
			campaign := l.draft(kind, c.more)
			before, at := l.tables(), l.db.Clock.Now()
			r := l.rehearse(campaign)
			got := states(r)
			if r.State != api.RehearsalOpen || len(got[api.CheckFailed]) > 0 || strings.Join(got[api.CheckSkipped], " ") != c.skipped ||
				strings.Join(got[api.CheckPending], " ") != "phone_opened phone_paid" {
				t.Errorf("%s, %v", r.State, got)
				for _, c := range r.Checks {
					t.Logf("%-16s %-8s %s", c.Code, c.State, c.Detail)
				}
			}
			if after := l.tables(); after != before {
				t.Error("the live store has changed")
			}
			if d := time.Since(at); l.db.Clock.Now().Sub(at) > d+time.Second {
				t.Error("the live clock was moved")
			}
			l.must("DELETE", "/v1/rehearsals/"+r.ID.String(), nil, nil)
			l.must("GET", "/v1/rehearsals/"+r.ID.String(), nil, &r)
			if r.State != api.RehearsalEnded || len(states(r)[api.CheckPassed]) == 0 {
				t.Errorf("after its end: %s, %v", r.State, states(r))
			}
		})
	}
}

// What is wrong with a campaign is named, and the script stops where nothing
// can follow.
func TestRehearse_finds_what_is_wrong(t *testing.T) {
	l := newLiveHouse(t)
	start := time.Now().Add(-72 * time.Hour)
	campaign := l.draft("flash_sale", map[string]any{"starts_at": start, "ends_at": start.Add(time.Hour), "pay_url": "", "login_url": "",
		"rules": map[string]any{"sessions": []map[string]any{{"from": "10:00", "to": "12:00"}}, "weekdays": []int{(int(start.Weekday())+2)%7 + 1}}})
	r := l.rehearse(campaign)
	got := states(r)
	if r.State != api.RehearsalStopped || strings.Join(got[api.CheckFailed], " ") != "window addresses publish" {
		t.Errorf("%s, %v", r.State, got)
	}
	for _, c := range r.Checks {
		if c.Code == "publish" && !strings.Contains(c.Detail, "rules.sessions") {
			t.Errorf("publish does not say why: %s", c.Detail)
		}
	}
}

// At most two run in a process; a third is refused with the remedy. Each has a
// store of its own, and everything is given back at the end.
func TestRehearse_two_at_once(t *testing.T) {
	l := newLiveHouse(t)
	campaign := l.draft("group_buy", map[string]any{"rules": map[string]any{"size": 2}})
	quiet := func() (goroutines int, heap uint64) {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return runtime.NumGoroutine(), m.HeapAlloc
	}
	warm := l.rehearse(campaign) // what the process keeps for good is there from now on
	l.must("DELETE", "/v1/rehearsals/"+warm.ID.String(), nil, nil)
	goroutines, heap := quiet()

	var one, two api.Rehearsal
	l.must("POST", "/v1/campaigns/"+campaign+"/rehearse", nil, &one)
	l.must("POST", "/v1/campaigns/"+campaign+"/rehearse", nil, &two)
	var p *problem
	err := l.try("POST", "/v1/campaigns/"+campaign+"/rehearse", nil, nil)
	if !errors.As(err, &p) || p.Status != 409 || p.Code != "rehearsal.busy" || !strings.Contains(p.Detail, "DELETE /v1/rehearsals/{id}") {
		t.Errorf("a third one: %v", err)
	}
	for _, r := range []api.Rehearsal{one, two} {
		if got := states(l.through(r)); len(got[api.CheckFailed]) > 0 {
			t.Errorf("got %v", got)
		}
	}
	l.must("DELETE", "/v1/rehearsals/"+one.ID.String(), nil, nil)
	l.must("DELETE", "/v1/rehearsals/"+two.ID.String(), nil, nil)
	after, size := 0, uint64(0)
	for range 100 { // connections of the queue end on their own
		if after, size = quiet(); after <= goroutines && size < heap+(4<<20) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if after > goroutines || size > heap+(4<<20) {
		t.Errorf("%d goroutines and %d bytes before, %d and %d after", goroutines, heap, after, size)
	}
}

// It ends by itself, also while the script plays, and a draining process ends
// all and lets none begin.
func TestRehearse_ends_by_itself(t *testing.T) {
	l := newLiveHouse(t)
	campaign := l.draft("flash_sale", nil)
	l.stages.lasts = 300 * time.Millisecond
	var r api.Rehearsal
	l.must("POST", "/v1/campaigns/"+campaign+"/rehearse", nil, &r)
	l.stages.ended.Wait()
	l.must("GET", "/v1/rehearsals/"+r.ID.String(), nil, &r)
	if r.State != api.RehearsalEnded {
		t.Errorf("after its time: %s", r.State)
	}
	l.stages.lasts = stageFor
	l.must("POST", "/v1/campaigns/"+campaign+"/rehearse", nil, &r)
	l.stages.close()
	if now, _ := l.stages.find(r.ID); now.State != api.RehearsalEnded {
		t.Errorf("after the drain: %s", now.State)
	}
	if l.try("POST", "/v1/campaigns/"+campaign+"/rehearse", nil, nil) == nil {
		t.Error("one began in a process that drains")
	}
}

// A phone plays: its browser is in the rehearsal until it leaves, with cookies
// of its own, a band on every page and a button that pretends to pay.
func TestRehearse_on_a_phone(t *testing.T) {
	l := newLiveHouse(t)
	r := l.rehearse(l.draft("group_buy", map[string]any{"rules": map[string]any{"size": 2}}))
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	root, _ := url.Parse("http://live.example")
	jar.SetCookies(root, []*http.Cookie{{Name: "siyu_guest", Value: "live-guest", Path: "/"}, {Name: "siyu_member", Value: "live-member", Path: "/"}})
	p := http.Client{Jar: jar, Transport: inside{l.handler}}
	read := func(res *http.Response, err error) (string, string) {
		t.Helper()
		body, at, err := fetch(res, err)
		if err != nil {
			t.Fatal(err)
		}
		return body, at
	}
	banded := func(page string) {
		t.Helper()
		if !strings.Contains(page, "彩排 · rehearsal") {
			t.Errorf("a page without the band: %.300s", page)
		}
	}
	page, at := read(p.Get(r.URL))
	if banded(page); !strings.Contains(at, "/i/") {
		t.Fatalf("the address leads to %s", at)
	}
	signIn, _ := read(p.Get("http://live.example/rehearse/sign-in?return_to=" + url.QueryEscape(at)))
	banded(signIn)
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(signIn, -1) {
		form.Set(m[1], m[2])
	}
	form.Set("qty", "1")
	page, at = read(p.PostForm(at[:strings.Index(at+"?", "?")]+"/open", form))
	banded(page)
	order := at[strings.LastIndexByte(at, '/')+1:]
	if !strings.Contains(page, "/rehearse/pay?order_id="+order) {
		t.Fatalf("no way to pay on %s: %.500s", at, page)
	}
	page, _ = read(p.Get("http://live.example/rehearse/pay?order_id=" + order))
	if banded(page); !strings.Contains(page, `value="pay"`) {
		t.Errorf("no button: %s", page)
	}
	page, _ = read(p.PostForm("http://live.example/rehearse/pay", url.Values{"order_id": {order}, "act": {"pay"}}))
	banded(page)
	l.must("GET", "/v1/rehearsals/"+r.ID.String(), nil, &r)
	if pending := states(r)[api.CheckPending]; len(pending) > 0 {
		t.Errorf("still pending: %v", pending)
	}
	for _, c := range jar.Cookies(root) {
		if c.Name == "siyu_guest" && c.Value != "live-guest" || c.Name == "siyu_member" && c.Value != "live-member" {
			t.Errorf("the live cookie %s became %s", c.Name, c.Value)
		}
	}
	page, _ = read(p.Get("http://live.example/me"))
	banded(page)

	read(p.Get("http://live.example/rehearse/leave"))
	if page, _ := read(p.Get("http://live.example/")); strings.Contains(page, "彩排") {
		t.Error("the browser did not leave")
	}
}

// The token opens nothing of the live house, and a wrong one nothing at all.
func TestRehearse_is_no_bypass(t *testing.T) {
	l := newLiveHouse(t)
	campaign := l.draft("flash_sale", nil)
	r := l.rehearse(campaign)
	token := r.URL[strings.LastIndexByte(r.URL, '/')+1:]
	ask := func(method, path string, headers ...string) *httptest.ResponseRecorder {
		req := httptest.NewRequest(method, "http://live.example"+path, nil)
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		l.handler.ServeHTTP(w, req)
		return w
	}
	cookie := doorCookie + "=" + token + ".phone"
	for _, c := range []struct {
		what    string
		got     int
		want    int
		bearers []string
	}{
		{"the token as a key", ask("GET", "/v1/campaigns/"+campaign, "Authorization", "Bearer "+token).Code, 401, nil},
		{"the token as a cookie, without a key", ask("GET", "/v1/campaigns/"+campaign, "Cookie", cookie).Code, 401, nil},
		{"a live key inside the rehearsal", ask("GET", "/v1/campaigns/"+campaign, "Cookie", cookie, "Authorization", "Bearer "+l.key).Code, 401, nil},
		{"a wrong token", ask("GET", "/rehearse/"+strings.Repeat("A", len(token))).Code, 404, nil},
		{"no token", ask("GET", "/rehearse/").Code, 404, nil},
		{"paying without a token", ask("POST", "/rehearse/pay?order_id=ord_0000000000007&act=pay").Code, 404, nil},
		{"paying from another site", ask("POST", "/rehearse/pay", "Cookie", cookie, "Sec-Fetch-Site", "cross-site").Code, 403, nil},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %d, want %d", c.what, c.got, c.want)
		}
	}
	// A live guest's cookie is not handed in.
	w := ask("GET", "/", "Cookie", "siyu_member=live; "+cookie)
	if !strings.Contains(w.Body.String(), "彩排") {
		t.Errorf("not inside: %.200s", w.Body)
	}
	to := ask("GET", "/rehearse/sign-in?return_to="+url.QueryEscape("https://evil.example//evil.example/x"), "Cookie", cookie).Header().Get("Location")
	if !strings.HasPrefix(to, "/evil.example/x?token=") {
		t.Errorf("sign-in leads to %s", to)
	}
	l.must("DELETE", "/v1/rehearsals/"+r.ID.String(), nil, nil)
	if w := ask("GET", "/", "Cookie", cookie); strings.Contains(w.Body.String(), "彩排") {
		t.Error("a cookie of an ended rehearsal leads somewhere")
	}
	if _, ok := l.stages.find(id.Rehearsal(7)); ok {
		t.Error("an unknown rehearsal was found")
	}
}
