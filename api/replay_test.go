package api

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"siyu/internal/id"
)

// keyedCall is a call that was done under a key.
type keyedCall struct {
	op, bearer, methodPath, body string
	headers                      []string
	got                          answer
	member                       id.Member // whose token the bearer was
}

// keyedCalls are those of a house, by key and caller, and what was removed
// since: the path of each call that did.
type keyedCalls struct {
	mu      sync.Mutex
	list    map[string]keyedCall
	removed []string
}

func newKeyedCalls() *keyedCalls { return &keyedCalls{list: map[string]keyedCall{}} }

// note remembers the first call under a key that was done.
func (h *house) note(req *http.Request, k keyedCall) {
	if k.got.status/100 != 2 {
		return
	}
	h.done.mu.Lock()
	defer h.done.mu.Unlock()
	if req.Method == http.MethodDelete {
		h.done.removed = append(h.done.removed, req.URL.Path)
	}
	key := req.Header.Get("Idempotency-Key")
	if at := k.bearer + " " + key; key != "" && h.done.list[at].op == "" {
		if k.op = h.keyed(req.Method, req.URL.Path); k.op == "" {
			return
		}
		if m, err := h.Access.Member(k.bearer); err == nil {
			k.member = m
		}
		h.done.list[at] = k
	}
}

// gone says whether what the call made was removed since, or is another's now:
// there is nothing left to answer with.
func (k keyedCall) gone(removed []string) bool {
	var made struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(k.got.body, &made) // what has no id is found by its path
	_, path, _ := strings.Cut(k.methodPath, " ")
	return strings.HasSuffix(path, "/handovers") || slices.ContainsFunc(removed, func(p string) bool {
		return p == path || made.ID != "" && strings.HasSuffix(p, "/"+made.ID)
	})
}

// segment is what a path of the table leaves open.
var segment = regexp.MustCompile(`:(\w+)`)

// keyed is the operation of a request that takes a key, or "".
func (h *house) keyed(method, path string) string {
	s, err := theSpec()
	if err != nil {
		return ""
	}
	template := s.template(path, strings.ToLower(method))
	for _, rt := range h.table().list {
		if rt.keyed && rt.method == method && segment.ReplaceAllString(rt.path, "{$1}") == template {
			return method + " " + template
		}
	}
	return ""
}

// replayed are the operations of which a call was repeated and answered as done.
var replayed sync.Map

// writtenByHand is what proofs rightly say of rewards that a test of finance wrote into
// the store itself, already cleared and of the payer it wants.
var writtenByHand = []string{"was promised without being reserved", "goes to neither the inviter nor the invitee", "budget 0.00, promised", "which another payer pays"}

// replay ends every test of a house: its rows break no invariant, and what it
// did under a key is answered as done whenever it is repeated, here 100 days
// later, whatever has passed, ended or run out meanwhile, and refused with
// another input. Who may not call any more is turned away like anybody else.
func (h *house) replay(t testing.TB) {
	if t.Failed() || len(h.done.list) == 0 {
		return
	}
	for _, b := range h.broken(t) {
		if !slices.ContainsFunc(writtenByHand, func(said string) bool { return strings.Contains(b, said) }) {
			t.Error(b)
		}
	}
	h.DB.Clock.Jump(100 * 24 * time.Hour)
	for _, k := range h.done.list {
		caller := k.bearer
		if k.member != 0 {
			var err error
			if caller, err = h.Access.IssueMemberToken(bg, k.member, time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		got, err := h.try(caller, k.methodPath, k.body, k.headers...)
		switch {
		case err != nil:
			t.Error(err)
		case got.status == http.StatusUnauthorized || got.status == http.StatusForbidden:
		case got.status == http.StatusNotFound && k.gone(h.done.removed):
			replayed.Store(k.op, true)
		case got.status != k.got.status || got.header.Get("Idempotency-Replayed") != "true":
			t.Errorf("after 100 days %s %s: was %d, got %d %s", k.methodPath, k.body, k.got.status, got.status, got.body)
		default:
			replayed.Store(k.op, true)
		}
		if got, err = h.try(caller, k.methodPath, k.body+" ", k.headers...); err != nil || got.status/100 == 2 {
			t.Errorf("%s with another input: got %d %s, %v", k.methodPath, got.status, got.body, err)
		}
	}
}
