package api

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"testing"

	"siyu/access"
)

// TestForeign walks every staff route that names a thing: for every role it
// admits, a thing of another region answers exactly like one that does not
// exist, and the region's own answers otherwise.
func TestForeign(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		made := map[string]string{}
		for _, rt := range h.table().list {
			if !rt.staff || !strings.Contains(rt.path, ":") {
				continue
			}
			if longest(rt.path, keysOf(shared)) != "" {
				continue
			}
			begin := longest(rt.path, keysOf(things))
			if begin == "" {
				t.Errorf("%s: add how to make one to things (or to shared, with the reason)", rt.name())
				continue
			}
			if made[begin] == "" {
				made[begin] = things[begin](t, h)
			}
			ask := func(unit string, r access.Role, thing string) answer {
				return h.about(t, h.keys[unit][r], rt, begin, thing)
			}
			for _, r := range access.Roles() {
				if r != access.Admin && !slices.Contains(rt.roles, r) {
					continue
				}
				got, none := ask(west, r, made[begin]), ask(west, r, nobody(made[begin]))
				if got.status != http.StatusNotFound || got.problem().Detail != none.problem().Detail || none.status != http.StatusNotFound {
					t.Errorf("%s as %s of another region: got %d %s; one that does not exist %d %s", rt.name(), r, got.status, got.body, none.status, none.body)
				}
			}
			if rt.method == http.MethodGet {
				if got := ask(east, access.Admin, made[begin]); got.status != http.StatusOK {
					t.Errorf("%s in its own region: got %d %s", rt.name(), got.status, got.body)
				}
			}
		}
	})
}

// about calls a route of a thing, with its example of a body.
func (h *house) about(t *testing.T, bearer string, rt *route, begin, thing string) answer {
	t.Helper()
	path := strings.Replace(rt.path, ":"+lastParam(begin), thing, 1)
	for name, v := range others {
		path = strings.Replace(path, name, v, 1)
	}
	return h.call(t, bearer, rt.method+" "+path, cmp.Or(bodies[rt.name()], "{}"), h.newKey(), `If-Match: "1"`)
}

// longest is the longest beginning of the path among the candidates, whole
// segments only.
func longest(path string, candidates []string) string {
	best := ""
	for _, c := range candidates {
		if (path == c || strings.HasPrefix(path, c+"/")) && len(c) > len(best) {
			best = c
		}
	}
	return best
}

func lastParam(path string) string {
	name, _, _ := strings.Cut(path[strings.LastIndex(path, ":")+1:], "/")
	return name
}

func keysOf[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

// nobody is a well-formed name of the same kind that nothing has.
func nobody(thing string) string {
	prefix, body, ok := strings.Cut(thing, "_")
	if !ok {
		return thing + "0"
	}
	return prefix + "_" + "0" + strings.Repeat("z", 2) + body[3:]
}
