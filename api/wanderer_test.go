package api

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/task"
)

// wanderer sends any call about anything that there is.
type wanderer struct {
	*house
	t      *testing.T
	draw   *rand.Rand
	routes []*route
	made   map[string][]string // things, by the beginning of their routes
	ids    map[string][]string // public ids that are known, by prefix
	people []string            // members
	signed []string            // those signed in
	tokens []string            // with theirs
	tasks  *task.Registry
	said   map[int]int
	walk   []string // each call's route and status
}

// byHand are things that their tests write into the store past its rules, with
// the prefix of their ids: those of the walk come from its own calls.
var byHand = map[string]string{"/v1/objections/:id": "obj", "/v1/withdrawals/:id": "wdr", "/v1/payouts/:id/file": "pay", "/v1/payouts/:id/imports": "pay"}

func newWanderer(t *testing.T, db *database.DB, seed uint64) *wanderer {
	t.Helper()
	const since = 16 * 24 * time.Hour // what was earned is due
	db.Clock.Jump(-since)
	h := newHouse(t, db)
	w := &wanderer{house: h, t: t, draw: rand.New(rand.NewPCG(seed, 0)), made: map[string][]string{}, ids: map[string][]string{}, said: map[int]int{}, tasks: task.NewRegistry()}
	for _, room := range []interface{ Register(*task.Registry) }{
		h.Campaign, h.GroupBuy, h.Invite, h.Guard, h.Exposure, h.Promotion, h.TieOut, h.Referral, h.Settlement, h.Review, h.Community, h.Health, h.Wallet,
		h.Gathering, h.Request, h.Gate, h.Ritual, h.Life, h.Split, h.Welcome, h.Grade, h.Intake,
	} {
		room.Register(w.tasks)
	}
	for range 4 {
		w.people = append(w.people, w.earner())
	}
	w.DB.Clock.Jump(since)
	w.ids["mem"] = slices.Clone(w.people)
	for _, begin := range slices.Sorted(maps.Keys(things)) {
		if byHand[begin] != "" {
			continue
		}
		for range 2 {
			w.made[begin] = append(w.made[begin], things[begin](t, h))
		}
	}
	for _, rt := range h.table().list {
		if rt.method == http.MethodGet || !strings.HasPrefix(rt.path, "/v1/staff") && !strings.HasPrefix(rt.path, "/v1/api-keys") {
			w.routes = append(w.routes, rt) // all but what ends the callers
		}
	}
	w.signIn()
	for _, g := range w.made["/v1/groups/:id"] {
		w.joinAll(g)
	}
	h.want(t, http.StatusOK, h.keys[east][access.Marketer], "PUT /v1/products", `{"products":[{"sku":"fig","name":"无花果","list_price_fen":19900,"floor_price_fen":5000},{"sku":"pear","name":"梨","list_price_fen":19900,"floor_price_fen":5000}]}`)
	return w
}

// joinAll puts the members into a group.
func (w *wanderer) joinAll(group string) {
	var in []string
	for _, m := range w.people {
		in = append(in, fmt.Sprintf(`{"member_id":%q,"role":"member"}`, m))
	}
	w.want(w.t, http.StatusOK, w.keys[""][access.Admin], "PUT /v1/groups/"+group+"/memberships", `{"memberships":[`+strings.Join(in, ",")+`]}`)
}

// earner is a member who brought somebody that paid for an order.
func (w *wanderer) earner() string {
	var r struct {
		Beneficiary string `json:"beneficiary_id"`
	}
	w.call(w.t, w.keys[""][access.Admin], "GET /v1/rewards/"+rewardOf(w.t, w.house), "").into(w.t, &r)
	return r.Beneficiary
}

// signIn gives the members new tokens; whoever was merged or erased stays away.
func (w *wanderer) signIn() {
	w.tokens, w.signed = nil, nil
	for _, m := range w.people {
		got := w.call(w.t, w.keys[""][access.Mall], "POST /v1/members/"+m+"/tokens", `{"ttl_seconds":900}`, w.newKey())
		var out struct {
			Token string `json:"token"`
		}
		if got.status/100 == 2 {
			got.into(w.t, &out)
			w.tokens, w.signed = append(w.tokens, out.Token), append(w.signed, m)
		}
	}
	if len(w.tokens) < 2 {
		w.people = append(w.people, member1(w.t, w.house), member1(w.t, w.house))
		w.signIn()
	}
}

// anyOf draws one of a list.
func anyOf[T any](w *wanderer, list []T) T { return list[w.draw.IntN(len(list))] }

var (
	publicID  = regexp.MustCompile(`"([a-z]{3})_([0-9a-hjkmnp-tv-z]{13})"`)
	exampleID = regexp.MustCompile(`[a-z]{3}_000000000000[17]`)
	pathParam = regexp.MustCompile(`:[a-z]+`)
)

// step is one call, and sometimes time that passes after it.
func (w *wanderer) step() {
	rt := w.anyRoute()
	caller, path, body, headers := w.drawn(rt)
	got := w.call(w.t, caller, rt.method+" "+path, body, headers...)
	w.hear(rt, path, body, got)
	if rt.keyed && got.status/100 == 2 && w.draw.IntN(8) == 0 {
		if again := w.call(w.t, caller, rt.method+" "+path, body, headers...); again.status != got.status || again.header.Get("Idempotency-Replayed") != "true" {
			w.t.Errorf("%s %s %s: got %d %s, and under the same key %d %s", rt.method, path, body, got.status, got.body, again.status, again.body)
		}
	}
	w.pass()
}

// anyRoute is mostly one that writes, which is what changes things.
func (w *wanderer) anyRoute() *route {
	rt := anyOf(w, w.routes)
	if rt.method == http.MethodGet && w.draw.IntN(2) == 0 {
		rt = anyOf(w, w.routes)
	}
	return rt
}

// hear notes what an answer says.
func (w *wanderer) hear(rt *route, path, body string, got answer) {
	w.said[got.status]++
	w.walk = append(w.walk, fmt.Sprintf("%s with %d", rt.name(), got.status))
	if got.status >= 500 && got.status != http.StatusServiceUnavailable && got.status != http.StatusNotImplemented {
		w.t.Errorf("%s %s %s: got %d %s", rt.method, path, body, got.status, got.body)
	}
	w.learn(got)
	if rt.name() == "POST /v1/groups" && got.status == http.StatusCreated {
		w.joinAll(w.ids["grp"][len(w.ids["grp"])-1])
	}
}

// pass lets tasks run or hours go by, now and then.
func (w *wanderer) pass() {
	switch n := w.draw.IntN(40); {
	case n == 0:
		w.DB.Clock.Jump(time.Duration(1+w.draw.IntN(20)) * time.Hour)
		w.tick()
		w.signIn()
	case n < 3:
		w.tick()
	}
}

// drawn is a call to a route, about things that are there.
func (w *wanderer) drawn(rt *route) (caller, path, body string, headers []string) {
	caller, path = w.callerOf(rt), rt.path
	thing := ""
	if begin := longest(rt.path, keysOf(things)); begin != "" {
		thing = strings.Replace(begin, ":"+lastParam(begin), w.oneOf(begin), 1)
		path = thing + strings.TrimPrefix(path, begin)
	}
	if own := slices.Index(w.tokens, caller); own >= 0 && strings.HasPrefix(thing, "/v1/members/") {
		path = strings.Replace(path, thing, "/v1/members/"+w.signed[own], 1)
	}
	version, seen := w.look(thing)
	for _, name := range slices.Sorted(maps.Keys(others)) {
		if before, after, has := strings.Cut(path, name); has {
			path = before + w.known(others[name], seen) + after
		}
	}
	path = pathParam.ReplaceAllStringFunc(path, func(string) string { return anyOf(w, w.people) })
	if rt.method == http.MethodPut {
		version, seen = w.look(path)
	}
	if rt.method != http.MethodGet {
		body = w.bodyOf(rt, seen)
	}
	return caller, path, body, []string{w.newKey(), version}
}

// oneOf is a thing for a route that begins so: one that was made for it, or any
// of its sort.
func (w *wanderer) oneOf(begin string) string {
	if prefix := byHand[begin]; prefix != "" {
		return w.known(prefix+"_0000000000007", "")
	}
	one := anyOf(w, w.made[begin])
	if known := w.ids[one[:min(3, len(one))]]; len(known) > 0 && w.draw.IntN(2) == 0 {
		return anyOf(w, known)
	}
	return one
}

// callerOf is mostly somebody who may call a route.
func (w *wanderer) callerOf(rt *route) string {
	switch region := anyOf(w, []string{"", east, west}); {
	case w.draw.IntN(12) == 0:
		return w.keys[region][anyOf(w, access.Roles())]
	case w.draw.IntN(12) == 0, rt.member && !rt.staff:
		return anyOf(w, w.tokens)
	default:
		return w.keys[strings.TrimPrefix(region, west)][access.Admin]
	}
}

// look is what an admin reads of a thing, and the header that names its version:
// mostly the one that the page shows.
func (w *wanderer) look(thing string) (version, seen string) {
	version = fmt.Sprintf(`If-Match: "%d"`, 1+w.draw.IntN(3))
	if thing == "" {
		return version, ""
	}
	got, err := w.try(w.keys[""][access.Admin], "GET "+thing, "")
	if err != nil {
		w.t.Fatal(err)
	}
	if tag := got.header.Get("ETag"); tag != "" && w.draw.IntN(8) > 0 {
		version = "If-Match: " + tag
	}
	return version, string(got.body)
}

// known puts ids of what there is in the place of a text's examples, mostly
// those that belong to what was seen.
func (w *wanderer) known(text, seen string) string {
	return exampleID.ReplaceAllStringFunc(text, func(s string) string {
		var near []string
		for _, found := range publicID.FindAllStringSubmatch(seen, 50) {
			if found[1] == s[:3] {
				near = append(near, found[1]+"_"+found[2])
			}
		}
		if len(near) > 0 && w.draw.IntN(4) > 0 {
			return anyOf(w, near)
		}
		if known := w.ids[s[:3]]; len(known) > 0 {
			return anyOf(w, known)
		}
		return s
	})
}

// learn notes the ids that an answer names.
func (w *wanderer) learn(got answer) {
	for _, found := range publicID.FindAllStringSubmatch(string(got.body), 50) {
		if full := found[1] + "_" + found[2]; !slices.Contains(w.ids[found[1]], full) {
			w.ids[found[1]] = append(w.ids[found[1]], full)
		}
	}
}

// tick runs what is due.
func (w *wanderer) tick() {
	if err := task.Tick(bg, w.DB, w.tasks); err != nil {
		w.t.Errorf("tasks: %v", err)
	}
}
