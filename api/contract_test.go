package api

import (
	"bytes"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"siyu/api/contract"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/httpd"
)

func TestContract_is_joined(t *testing.T) {
	want, err := contract.Join(os.DirFS("contract"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(openapi, want) {
		t.Error("openapi.yaml is stale; run `go generate ./api`")
	}
}

// TestContract_and_routes walks every route against the contract and every
// operation of the contract against the routes.
func TestContract_and_routes(t *testing.T) {
	doc, err := readContract()
	if err != nil {
		t.Fatal(err)
	}
	var s Server
	table := s.table().list
	routed := map[string]*route{}
	for _, rt := range table {
		if routed[rt.name()] != nil {
			t.Errorf("%s is routed twice", rt.name())
		}
		routed[rt.name()] = rt
	}
	for path, operations := range doc.Paths {
		for method, op := range operations {
			name := strings.ToUpper(method) + " " + ginPath(path)
			rt := routed[name]
			if rt == nil {
				t.Errorf("%s is in the contract and not routed", name)
				continue
			}
			delete(routed, name)
			matches(t, rt, op)
		}
	}
	for name := range routed {
		t.Errorf("%s is routed and not in the contract; add it to api/contract/<noun>.yaml", name)
	}
}

func matches(t *testing.T, rt *route, op operation) {
	t.Helper()
	if op.Summary == "" {
		t.Errorf("%s has no summary", rt.name())
	}
	if op.Security == nil {
		t.Errorf("%s says nothing of security; a public one says `security: []`", rt.name())
	}
	schemes := map[string][]string{}
	for _, s := range op.Security {
		for name, roles := range s {
			schemes[name] = roles
		}
	}
	roles, staffed := schemes["staffKey"]
	if staffed != rt.staff {
		t.Errorf("%s: staffKey in the contract is %v, in the route %v", rt.name(), staffed, rt.staff)
	}
	var want []string
	for _, r := range rt.roles {
		want = append(want, string(r))
	}
	slices.Sort(want)
	got := slices.Sorted(slices.Values(roles))
	if !slices.Equal(got, want) {
		t.Errorf("%s: staffKey names %v, the route %v", rt.name(), got, want)
	}
	_, token := schemes["memberToken"]
	_, cookie := schemes["guestCookie"]
	if token != rt.member || cookie != rt.member {
		t.Errorf("%s: memberToken is %v and guestCookie %v in the contract, member is %v in the route", rt.name(), token, cookie, rt.member)
	}
	has := func(in, name string) bool {
		return slices.ContainsFunc(op.Parameters, func(p parameter) bool { return p.In == in && p.Name == name })
	}
	if has("header", "Idempotency-Key") != rt.keyed {
		t.Errorf("%s: the parameter IdempotencyKey must stand exactly where the route is keyed", rt.name())
	}
	named := 0
	for part := range strings.SplitSeq(rt.path, "/") {
		if name, ok := strings.CutPrefix(part, ":"); ok {
			named++
			if !has("path", name) {
				t.Errorf("%s: the path parameter %s is missing", rt.name(), name)
			}
		}
	}
	for _, p := range op.Parameters {
		if p.In == "path" {
			named--
		}
		if p.Name == "" {
			t.Errorf("%s names a parameter that base.yaml does not have", rt.name())
		}
	}
	if named != 0 {
		t.Errorf("%s: the path parameters differ", rt.name())
	}
}

// TestRoutes_are_careful: POSTs are keyed; the few that are not say why here.
func TestRoutes_are_careful(t *testing.T) {
	unkeyed := map[string]string{}
	for name, why := range unkeyedPosts {
		unkeyed[name] = why
	}
	var s Server
	for _, rt := range s.table().list {
		why, listed := unkeyed[rt.name()]
		delete(unkeyed, rt.name())
		if rt.method != http.MethodPost {
			continue
		}
		if rt.keyed == listed {
			t.Errorf("%s: keyed is %v; name it in unkeyedPosts with the reason, or key it (%s)", rt.name(), rt.keyed, why)
		}
	}
	for name := range unkeyed {
		t.Errorf("unkeyedPosts names %s, which is no route", name)
	}
}

// unkeyedPosts are POSTs that neither create nor move money, stock or slots,
// or whose repetition is refused by the state they leave.
var unkeyedPosts = map[string]string{
	"POST /v1/members/:id/tokens":                              "a token is stored nowhere; another one does no harm",
	"POST /v1/groups/:id/agreement":                            "agreeing again to the same version changes nothing",
	"POST /v1/requests/:id/wants":                              "a member wants a request once",
	"POST /v1/requests/:id/rating":                             "an outcome is rated once",
	"POST /v1/gatherings/:id/cancel":                           "the state refuses a second one",
	"POST /v1/gatherings/:id/check-in":                         "a seat is checked in once",
	"POST /v1/gatherings/:id/scans":                            "a seat is checked in once",
	"POST /v1/groups/:id/close":                                "a closed group stays closed",
	"POST /v1/handovers/:id/confirm":                           "one side confirms once",
	"POST /v1/handovers/:id/cancel":                            "the state refuses a second one",
	"POST /v1/splits/:id/approve":                              "the version refuses a second one",
	"POST /v1/splits/:id/reject":                               "the version refuses a second one",
	"POST /v1/splits/:id/accept":                               "who is in already stays as he is",
	"POST /v1/splits/:id/decline":                              "declining again changes nothing",
	"POST /v1/mergers/:id/cancel":                              "the state refuses a second one",
	"POST /v1/mergers/:id/accept":                              "who is in already stays as he is",
	"POST /v1/mergers/:id/decline":                             "declining again changes nothing",
	"POST /v1/rituals/:id/holds":                               "the last word on a day counts",
	"POST /v1/calendar/days/:id/recall":                        "what was taken back is not there a second time",
	"POST /v1/topics/:id/holds":                                "the last word counts",
	"POST /v1/applications/:id/decide":                         "the state refuses a second one",
	"POST /v1/applications/:id/withdraw":                       "the state refuses a second one",
	"POST /v1/groups/:id/activity":                             "an event is known by its id",
	"POST /v1/activity":                                        "an event is known by its id",
	"POST /v1/api-keys/:id/revoke":                             "a revoked key stays revoked",
	"POST /v1/work-links/:id/revoke":                           "a revoked link stays revoked",
	"POST /v1/codes/:code/revoke":                              "a revoked code stays revoked",
	"POST /v1/codes/batch":                                     "the same place always has the same code",
	"POST /v1/koc-proposals/:id/refuse":                        "the state refuses a second one",
	"POST /v1/promoters/:id/approve":                           "the state refuses a second one",
	"POST /v1/promoters/:id/refuse":                            "the state refuses a second one",
	"POST /v1/promoters/:id/freeze":                            "the state refuses a second one",
	"POST /v1/promoters/:id/thaw":                              "the state refuses a second one",
	"POST /v1/materials/:id/approve":                           "the state refuses a second one",
	"POST /v1/materials/:id/withdraw":                          "the state refuses a second one",
	"POST /v1/promotions/:id/approve":                          "the state refuses a second one",
	"POST /v1/promotions/:id/groups":                           "If-Match names the version",
	"POST /v1/promotions/:id/cancel":                           "the state refuses a second one",
	"POST /v1/guard/check":                                     "a dry run keeps nothing",
	"POST /v1/guard/permits/:id/approve":                       "the state refuses a second one",
	"POST /v1/guard/permits/:id/revoke":                        "the state refuses a second one",
	"POST /v1/guard/enforce":                                   "groups that enforce already stay so",
	"POST /v1/guard/silences/:id/lift":                         "the state refuses a second one",
	"POST /v1/checkups":                                        "a checkup keeps nothing",
	"POST /v1/campaigns/:id/simulate":                          "a simulation keeps nothing",
	"POST /v1/campaigns/:id/publish":                           "the state refuses a second one",
	"POST /v1/campaigns/:id/price-approvals/:approval/approve": "the state refuses a second one",
	"POST /v1/campaigns/:id/price-approvals/:approval/reject":  "the state refuses a second one",
	"POST /v1/campaigns/:id/pause":                             "the state refuses a second one",
	"POST /v1/campaigns/:id/resume":                            "the state refuses a second one",
	"POST /v1/campaigns/:id/end":                               "the state refuses a second one",
	"POST /v1/programs/:id/pause":                              "the state refuses a second one",
	"POST /v1/programs/:id/resume":                             "the state refuses a second one",
	"POST /v1/programs/:id/end":                                "the state refuses a second one",
	"POST /v1/campaigns/:id/rehearse":                          "a rehearsal is stored nowhere; two of them is the most there can be",
	"POST /v1/campaigns/:id/cancel":                            "the state refuses a second one",
	"POST /v1/channels/wechat-bills/notices":                   "a notice may come any number of times",
	"POST /v1/tieouts/:id/explain":                             "the last word before approval counts",
	"POST /v1/tieouts/:id/approve":                             "the state refuses a second one",
	"POST /v1/payouts/:id/bills/:no/cancel":                    "a bill is called off once",
	"POST /v1/payouts/:id/imports":                             "the same bytes are the same import",
	"POST /v1/objections/:id/answer":                           "the state refuses a second one",
	"POST /v1/withdrawals/:id/cancel":                          "the state refuses a second one",
	"POST /v1/withdrawals/:id/refuse":                          "the state refuses a second one",
	"POST /v1/payees/:id/approve":                              "the state refuses a second one",
	"POST /v1/payees/:id/reject":                               "the state refuses a second one",
	"POST /v1/payers/:id/closes":                               "a closed month is refused",
	"POST /v1/settlements/:id/close":                           "the state refuses a second one",
	"POST /v1/settlements/:id/review":                          "the state refuses a second one",
	"POST /v1/settlements/:id/discard":                         "the state refuses a second one",
	"POST /v1/settlements/:id/reject":                          "the state refuses a second one",
}

func TestDocs(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := &house{Server: newServer(t, db), done: newKeyedCalls()}
		h.url = listen(t, h.Server, httpd.Config{})
		doc := h.call(t, "", "GET /openapi.yaml", "")
		if doc.status != 200 || !bytes.Equal(doc.body, openapi) {
			t.Errorf("got %d", doc.status)
		}
		page := h.call(t, "", "GET /docs?utm_source=chat&x", "") // people come by links of others
		if page.status != 200 || bytes.Contains(page.body, []byte("<script")) {
			t.Errorf("got %d %s", page.status, page.body)
		}
		for _, rt := range h.table().list {
			if want := "<code>" + rt.method + "</code><code>" + contractPath(rt.path) + "</code>"; !bytes.Contains(page.body, []byte(want)) {
				t.Errorf("the page lacks %s", want)
			}
		}
		for _, want := range []string{
			`<code>name</code> <b title="required">*</b><br><span class="soft">string, 1 to 100 characters</span>`, // a field with its bounds
			`<code>preset</code><br><span class="soft"><a href="#s-Preset">`, `id="s-Preset"`,                      // one that has a schema of its own
			`the ETag that was read`, `an id is a name, never a right`, `<code>POST</code><code>/v1/groups/{id}/charter</code><span>`, // and prose
		} {
			if !bytes.Contains(bytes.ToLower(page.body), bytes.ToLower([]byte(want))) {
				t.Errorf("the page lacks %s", want)
			}
		}
	})
}
