package api

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/campaign"
	"siyu/campaign/groupbuy"
	"siyu/campaign/guard"
	"siyu/campaign/invite"
	"siyu/campaign/tieout"
	"siyu/community"
	"siyu/community/gathering"
	"siyu/community/health"
	"siyu/community/request"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/task"
	"siyu/referral"
	"siyu/referral/payee"
	"siyu/referral/promoter"
	"siyu/referral/settlement"
	"siyu/referral/voucher"
	"siyu/wallet"
)

// TestWander sends calls in an order that a seed draws, by staff of every role
// and by members, about things that are there, in whatever state the calls
// before left them, while days pass and tasks run: no answer is an error of
// ours or differs from the contract, a call that was done is not done again
// under its key, every invariant holds at the end, and all engines answer alike. Another walk is drawn by SIYU_TEST_SEED, a longer one by
// SIYU_TEST_STEPS.
func TestWander(t *testing.T) {
	seed, steps := fromEnv(t, "SIYU_TEST_SEED", 1), fromEnv(t, "SIYU_TEST_STEPS", 600)
	var walks [][]string
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := newWanderer(t, db, uint64(seed))
		for range steps {
			w.step()
		}
		w.tick()
		t.Logf("seed %d, answers by status: %v", seed, w.said)
		if w.said[http.StatusOK]+w.said[http.StatusCreated] < steps/4 {
			t.Errorf("fewer than one call in four was done: %v", w.said)
		}
		for _, b := range w.broken() {
			t.Error(b)
		}
		walks = append(walks, w.walk)
	})
	for _, other := range walks {
		for i := range min(len(other), len(walks[0])) {
			if other[i] != walks[0][i] {
				t.Fatalf("step %d: one engine answered %s, another %s", i, walks[0][i], other[i])
			}
		}
	}
}

func fromEnv(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

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
		h.Campaign, h.GroupBuy, h.Invite, h.Promotion, h.Exposure, h.Referral, h.Settlement, h.Review, h.Community, h.Health, h.Wallet,
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
	rt := anyOf(w, w.routes)
	if rt.method == http.MethodGet && w.draw.IntN(2) == 0 {
		rt = anyOf(w, w.routes) // writes are what changes things
	}
	caller, thing, path := w.callerOf(rt), "", rt.path
	if begin := longest(rt.path, keysOf(things)); begin != "" {
		thing = strings.Replace(begin, ":"+lastParam(begin), w.oneOf(begin), 1)
		path = thing + strings.TrimPrefix(path, begin)
	}
	if own := slices.Index(w.tokens, caller); own >= 0 && strings.HasPrefix(thing, "/v1/members/") {
		path = strings.Replace(path, thing, "/v1/members/"+w.signed[own], 1)
	}
	version, seen := w.look(caller, thing)
	for _, name := range slices.Sorted(maps.Keys(others)) {
		if before, after, has := strings.Cut(path, name); has {
			path = before + w.known(others[name], seen) + after
		}
	}
	path = pathParam.ReplaceAllStringFunc(path, func(string) string { return anyOf(w, w.people) })
	if rt.method == http.MethodPut {
		version, seen = w.look(caller, path)
	}
	body := ""
	if rt.method != http.MethodGet {
		body = w.bodyOf(rt, seen)
	}
	headers := []string{w.newKey(), version}
	got := w.call(w.t, caller, rt.method+" "+path, body, headers...)
	w.said[got.status]++
	w.walk = append(w.walk, fmt.Sprintf("%s with %d", rt.name(), got.status))
	if got.status >= 500 && got.status != http.StatusServiceUnavailable && got.status != http.StatusNotImplemented {
		w.t.Errorf("%s %s %s: got %d %s", rt.method, path, body, got.status, got.body)
	}
	w.learn(got)
	if rt.name() == "POST /v1/groups" && got.status == http.StatusCreated {
		w.joinAll(w.ids["grp"][len(w.ids["grp"])-1])
	}
	switch n := w.draw.IntN(40); {
	case n == 0:
		w.DB.Clock.Jump(time.Duration(1+w.draw.IntN(20)) * time.Hour)
		w.tick()
		w.signIn()
	case n < 3:
		w.tick()
	case n < 8 && rt.keyed && got.status/100 == 2:
		if again := w.call(w.t, caller, rt.method+" "+path, body, headers...); again.status != got.status || again.header.Get("Idempotency-Replayed") != "true" {
			w.t.Errorf("%s %s %s: got %d %s, and under the same key %d %s", rt.method, path, body, got.status, got.body, again.status, again.body)
		}
	}
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

// look is what a thing's page says, and the header that names its version:
// mostly the one that the page shows.
func (w *wanderer) look(caller, thing string) (version, seen string) {
	version = fmt.Sprintf(`If-Match: "%d"`, 1+w.draw.IntN(3))
	if thing == "" {
		return version, ""
	}
	got, err := w.try(caller, "GET "+thing, "")
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

// broken are the rows that break an invariant, each with its sentence.
func (w *wanderer) broken() (all []string) {
	for _, prove := range []func(context.Context, *database.DB) ([]database.Proof, error){
		campaign.Verify, campaign.VerifyDiscounts, campaign.VerifyRefunds, groupbuy.Verify, invite.Verify, guard.Verify, tieout.Verify,
		referral.Verify, promoter.Verify, payee.Verify, settlement.Verify, voucher.Verify,
		wallet.Verify, wallet.VerifyCoupons, wallet.VerifyPoints, wallet.VerifyCloses,
		community.Verify, health.Verify, request.Verify, gathering.Verify, task.Verify,
	} {
		proofs, err := prove(bg, w.DB)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, p := range proofs {
			for _, b := range p.Broken {
				all = append(all, p.ID+": "+b)
			}
		}
	}
	return all
}
