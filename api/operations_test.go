package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"siyu/access"
)

// succeeded are the operations of the contract that a test of this binary saw
// answered with success.
var succeeded sync.Map

// shownElsewhere are operations that no test here sees succeed, because what
// they need does not fit into a house of this package, with the test that
// shows it.
var shownElsewhere = map[string]string{}

// TestMain fails the package if one of its operations never succeeded: a route
// that is only ever refused may be broken, and all its tests are green. Part of
// the tests says nothing of that.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && allRan() {
		for _, op := range unseen(seen) {
			fmt.Printf("%s is never seen to succeed; a test calls it and looks for its effect\n", op)
			code = 1
		}
		for _, rt := range (&Server{}).table().list {
			op := rt.method + " " + segment.ReplaceAllString(rt.path, "{$1}")
			if _, yes := replayed.Load(op); rt.keyed && !yes && shownElsewhere[op] == "" {
				fmt.Printf("%s is never repeated under its key; a test calls it in a house\n", op)
				code = 1
			}
		}
	}
	os.Exit(code)
}

func seen(op string) bool {
	_, yes := succeeded.Load(op)
	return yes
}

// allRan says whether every test of the package was asked for.
func allRan() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return !testing.Short()
}

// unseen are the operations of the contract that were not seen and are not
// shown elsewhere, and what is said to be shown elsewhere and needs not.
func unseen(seen func(op string) bool) (list []string) {
	s, err := theSpec()
	if err != nil {
		return []string{err.Error()}
	}
	known := map[string]bool{}
	for path, operations := range s.doc["paths"].(map[string]any) {
		for method := range operations.(map[string]any) {
			if method == "parameters" {
				continue
			}
			name := strings.ToUpper(method) + " " + path
			known[name] = true
			if seen(name) == (shownElsewhere[name] != "") {
				list = append(list, name)
			}
		}
	}
	for name := range shownElsewhere {
		if !known[name] {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// TestOperationsUnseenAreNamed: the last word of TestMain names what no test
// saw, and only that.
func TestOperationsUnseenAreNamed(t *testing.T) {
	const one = "GET /v1/units/{id}"
	all := func(op string) bool { return shownElsewhere[op] == "" }
	if got := unseen(all); len(got) != 0 {
		t.Errorf("all seen: got %v", got)
	}
	got := unseen(func(op string) bool { return op != one && all(op) })
	if !slices.Equal(got, []string{one}) {
		t.Errorf("one not seen: got %v", got)
	}
	if got := unseen(func(string) bool { return false }); len(got) < 300 {
		t.Errorf("none seen: got %d", len(got))
	}
	for op, test := range shownElsewhere {
		dir, name, _ := strings.Cut(test, " ")
		if !declared(t, filepath.Join("..", dir), name) {
			t.Errorf("%s is shown by %s, which is not there", op, test)
		}
	}
}

// declared says whether a test of the name is in the folder.
func declared(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("\nfunc "+name+"(")) {
			return true
		}
	}
	return false
}

// witness hears what a test is told without failing.
type witness struct {
	testing.TB
	said []string
}

func (w *witness) Helper() {}

func (w *witness) Errorf(format string, args ...any) {
	w.said = append(w.said, fmt.Sprintf(format, args...))
}

// TestAnswersOffTheContractAreSeen: what is held against the contract fails for
// a status, a field, a type and a media type that it does not have.
func TestAnswersOffTheContractAreSeen(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		at := "/v1/units/" + h.units[east].String()
		true1 := h.call(t, h.keys[east][access.Admin], "GET "+at, "")
		list := h.call(t, h.keys[east][access.Admin], "GET /v1/units", "")
		with := func(a answer, change func(body map[string]any)) []byte {
			var body map[string]any
			a.into(t, &body)
			change(body)
			b, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		json1 := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
		first := func(body map[string]any) map[string]any {
			return body["items"].([]any)[0].(map[string]any)
		}
		for name, c := range map[string]struct {
			path   string
			status int
			header http.Header
			body   []byte
			want   string
		}{
			"as it is":           {at, 200, json1, true1.body, ""},
			"a status":           {at, 202, json1, true1.body, "no such status"},
			"a media type":       {at, 200, http.Header{"Content-Type": {"text/plain"}}, true1.body, "no content of type"},
			"a field":            {at, 200, json1, with(true1, func(b map[string]any) { b["surprise"] = 1 }), "/surprise is not described"},
			"a field further in": {"/v1/units", 200, json1, with(list, func(b map[string]any) { first(b)["surprise"] = 1 }), "/items/0/surprise is not described"},
			"a type":             {at, 200, json1, with(true1, func(b map[string]any) { b["version"] = "1" }), "got string, want integer"},
			"a type further in":  {"/v1/units", 200, json1, with(list, func(b map[string]any) { first(b)["name"] = 1 }), "got number, want string"},
			"a field less":       {at, 200, json1, with(true1, func(b map[string]any) { delete(b, "name") }), "missing property 'name'"},
			"a problem's field":  {at, 404, http.Header{"Content-Type": {"application/problem+json"}}, []byte(`{"type":"urn:siyu:problem:x","title":"x","detail":"x","request_id":"x","status":404,"code":"x","surprise":1}`), "/surprise is not described"},
		} {
			w := &witness{TB: t}
			answers(w, "GET", c.path, c.status, c.header, c.body)
			said := strings.Join(w.said, "\n")
			if (c.want == "") != (said == "") || !strings.Contains(said, c.want) {
				t.Errorf("%s: got %q, want %q", name, said, c.want)
			}
		}
	})
}
