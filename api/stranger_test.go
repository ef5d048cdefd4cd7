package api

import (
	"strings"
	"testing"
)

// shown are beginnings of routes whose things a member may see though they are
// not his, and why.
var shown = map[string]string{
	"/v1/campaigns/:id":             "a campaign is for everybody it admits; of lists in it each reads what is his",
	"/v1/campaigns/:id/progress":    "the same",
	"/v1/campaigns/:id/leaderboard": "names on it are shortened",
	"/v1/coupons/:id":               "a coupon that may be taken is offered to everybody",
	"/v1/codes/:code/bind":          "whoever is shown a code may act by it",
	"/v1/teams/:id":                 "a team is passed on so that others join it; names in it are shortened",
	"/v1/groups/:id/gate":           "what a group asks is read before one is in it",
	"/v1/groups/:id/applications":   "the same",
	"/v1/requests/:id/wants":        "who is not in the group is told so, and nothing of the request",
	"/v1/gatherings/:id":            "an event's page is passed on by its address; only who is in the group takes a place",
}

// TestStranger walks every route of members that names a thing: for a member
// who has nothing to do with it a thing answers exactly like one that does not
// exist.
func TestStranger(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		made, seen := map[string]string{}, map[string]bool{}
		stranger := tokenOf(t, h, member1(t, h))
		for _, rt := range h.table().list {
			if !rt.member || !strings.Contains(rt.path, ":") {
				continue
			}
			begin := longest(rt.path, keysOf(things))
			if begin == "" && strings.HasPrefix(rt.path, "/v1/waits/:id") {
				begin = "/v1/waits/:id"
				made[begin] = waitOf(t, h)
			}
			if begin == "" {
				t.Errorf("%s: add how to make one to things", rt.name())
				continue
			}
			if made[begin] == "" {
				made[begin] = things[begin](t, h)
			}
			ask := func(thing string) answer { return h.about(t, stranger, rt, begin, thing) }
			got, none := ask(made[begin]), ask(nobody(made[begin]))
			same := got.status == none.status && got.problem().Detail == none.problem().Detail
			if at := longest(rt.path, keysOf(shown)); at != "" {
				seen[at] = seen[at] || !same
				continue
			}
			if !same || got.status < 400 {
				t.Errorf("%s for a stranger: %d %.200s; one that does not exist: %d %.200s", rt.name(), got.status, got.body, none.status, none.body)
			}
		}
		for at := range shown {
			if !seen[at] {
				t.Errorf("%s answers a stranger as if there were none; take it out of shown", at)
			}
		}
	})
}

// waitOf is a member's place in the line for what is sold out.
func waitOf(t *testing.T, h *house) string {
	t.Helper()
	c, item := campaignOf(t, h, "flash_sale", "")
	for range 10 {
		h.makeAs(t, tokenOf(t, h, member1(t, h)), "POST /v1/campaigns/"+c+"/claims", `{"item_id":"`+item+`"}`)
	}
	return h.makeAs(t, tokenOf(t, h, member1(t, h)), "POST /v1/campaigns/"+c+"/waits", `{"item_id":"`+item+`"}`)
}
