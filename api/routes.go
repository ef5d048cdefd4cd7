package api

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"siyu/access"
)

// handler answers a request or returns the fault to answer with.
type handler func(c *gin.Context) error

// route is one line of the table: what is called, by whom, how.
type route struct {
	method, path string
	label        string // name, made once
	handle       handler

	staff   bool
	roles   []access.Role // beside admin
	member  bool
	open    bool
	keyed   bool
	claims  bool
	browsed bool
	body    int64
	queries []parameter // from the contract
}

// name is the route as idempotency keys, metrics and tests know it.
func (rt *route) name() string { return rt.method + " " + rt.path }

// option says something about a route.
type option func(*route)

// staff lets staff of these roles call the route; admin always may.
func staff(roles ...access.Role) option {
	return func(rt *route) { rt.staff, rt.roles = true, roles }
}

// member lets the holder of a member token or a guest cookie call the route.
// Beside staff it means either.
func member(rt *route) { rt.member = true }

// public lets anybody call the route.
func public(rt *route) { rt.open = true }

// browsed marks what people open in a browser: links to it may carry anything
// behind a question mark, which it does not read.
func browsed(rt *route) { rt.browsed = true }

// keyed requires an Idempotency-Key, which the first transaction binds.
func keyed(rt *route) { rt.keyed = true }

// claims marks a route that takes stock: its caller is whom his token names,
// without a look at who he was merged into.
func claims(rt *route) { rt.claims = true }

// bodyLimit lets the route take a body of up to n bytes instead of 1 MiB.
func bodyLimit(n int64) option { return func(rt *route) { rt.body = n } }

// admits says whether staff of the role may call the route.
func (rt *route) admits(role string) bool {
	return rt.staff && (role == string(access.Admin) || slices.Contains(rt.roles, access.Role(role)))
}

// routes is the table while it is written.
type routes struct{ list []*route }

func (r *routes) get(path string, h handler, opts ...option) { r.add(http.MethodGet, path, h, opts) }
func (r *routes) post(path string, h handler, opts ...option) {
	r.add(http.MethodPost, path, h, opts)
}
func (r *routes) put(path string, h handler, opts ...option) { r.add(http.MethodPut, path, h, opts) }
func (r *routes) patch(path string, h handler, opts ...option) {
	r.add(http.MethodPatch, path, h, opts)
}
func (r *routes) delete(path string, h handler, opts ...option) {
	r.add(http.MethodDelete, path, h, opts)
}

// add panics on a route nobody or everybody-and-somebody may call: a mistake
// of the programmer, found at start.
func (r *routes) add(method, path string, h handler, opts []option) {
	rt := &route{method: method, path: path, handle: h}
	for _, o := range opts {
		o(rt)
	}
	if rt.open == (rt.staff || rt.member) {
		panic("api: " + rt.name() + " must name its callers, or be public")
	}
	if rt.keyed && rt.open {
		panic("api: " + rt.name() + " is keyed but has no principal")
	}
	rt.label = rt.name()
	r.list = append(r.list, rt)
}
