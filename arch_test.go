// Package main_test keeps the house as docs say it is: which room may reach
// which, and what no source may hold. Tests, packages for tests and bench are
// outside the arrows; everything that ships is inside.
package main_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// arrow names a room and what it may reach, directly or through others.
// A name ending in /... is a folder with all below it, one ending in /* every
// folder right below; the first arrow that names a room is its own.
type arrow struct{ room, reaches string }

const (
	leaves   = "internal/clock internal/english internal/fault internal/id internal/money internal/qr internal/secret internal/sheet"
	store    = leaves + " migrations internal/database"
	plumbing = store + " internal/task internal/webhook internal/wechat"
	rewards  = "referral/payfile referral referral/promoter referral/payee referral/poster referral/review referral/tax"
	domain   = "campaign/... referral/... community/... wallet access " + plumbing
)

// policy is a statement of policy. A change here is a change of the house and
// belongs into docs/decisions.md.
var policy = []arrow{
	{".", "..."},
	{"api/...", "api/... internal/httpd " + domain},
	{"web/...", "web/... internal/httpd " + domain},
	{"worker/...", "worker/... " + domain},

	{"campaign/guard", "community community/health " + plumbing},
	{"campaign/exposure", "campaign/guard community community/health " + plumbing},
	{"campaign/planner", "campaign/guard community community/health " + plumbing},
	{"campaign/material", "campaign " + rewards + " community wallet " + plumbing},
	{"campaign/promotion", "campaign campaign/calendar campaign/exposure campaign/guard campaign/material campaign/planner " + rewards + " community community/health wallet " + plumbing},
	{"campaign/tieout", "campaign referral/settlement " + rewards + " community wallet " + plumbing},
	{"campaign/groupbuy", "campaign " + rewards + " community community/request wallet " + plumbing},
	{"campaign/*", "campaign campaign/guard " + rewards + " community community/health wallet " + plumbing},
	{"campaign", rewards + " community wallet " + plumbing},
	{"referral/settlement", rewards + " community wallet " + plumbing},
	{"referral/voucher", "referral/workbook " + rewards + " community wallet " + plumbing},
	{"referral/workbook", "internal/money internal/sheet"},
	{"referral/taxreturn", "referral/payee referral/tax referral/workbook community " + plumbing},
	{"referral/poster", "internal/qr internal/fault internal/english"},
	{"referral/tax", "internal/money internal/fault internal/english"},
	{"referral/payfile", "internal/money internal/fault internal/english internal/sheet"},
	{"referral/promoter", plumbing},
	{"referral/insight", rewards + " community wallet " + plumbing},
	{"referral/payee", "referral/tax community " + plumbing},
	{"referral/review", "referral/payee referral/tax community " + plumbing},
	{"community/gathering", "community " + plumbing},
	{"community/grade", "community community/gathering " + plumbing},
	{"community/split", "community community/gathering community/request " + plumbing},
	{"community/welcome", "community " + plumbing},
	{"community/life", "community " + plumbing},
	{"community/ritual", "community " + plumbing},
	{"community/request", "community " + plumbing},
	{"community/intake", "community " + plumbing},
	{"community/gate", "community " + plumbing},
	{"referral", "referral/payee referral/poster referral/promoter referral/review referral/tax community wallet " + plumbing},
	{"community/health", "community " + plumbing},
	{"community", plumbing},
	{"wallet", plumbing},
	{"access", plumbing},

	{"internal/httpd", "internal/database internal/english internal/fault internal/id internal/clock migrations"},
	{"internal/webhook", "internal/task " + store},
	{"internal/task", store},
	{"internal/database", "migrations internal/id internal/english internal/fault internal/clock"},
	{"internal/clock", ""},
	{"internal/english", ""},
	{"internal/fault", "internal/english"},
	{"internal/id", ""},
	{"internal/money", ""},
	{"internal/qr", ""},
	{"internal/secret", ""},
	{"internal/sheet", ""},
	{"internal/wechat", ""},
	{"migrations", ""},
	{"configs", ""},

	{"docs/samplemall", ""}, // a mall's own program: what it does, any language can do
}

// libraries says where a library may be imported.
var libraries = []arrow{
	{"github.com/gin-gonic/gin", ". api/... web/... internal/httpd"},
	{"github.com/hibiken/asynq", ". worker/... internal/task"},
	{"github.com/go-sql-driver/mysql", "internal/database"},
	{"gorm.io/driver/mysql", "internal/database"},
	{"github.com/glebarez/sqlite", "internal/database"},
	{"github.com/glebarez/go-sqlite", "internal/database"},
	{"modernc.org/sqlite", "internal/database"},
}

// bare are rooms of the standard library alone.
const bare = "docs/samplemall"

// matches says whether one of the space-separated names means the package.
func matches(names, pkg string) bool {
	for _, name := range strings.Fields(names) {
		root, deep := strings.CutSuffix(name, "...")
		switch {
		case name == pkg, name == "...":
			return true
		case deep && (pkg+"/" == root || strings.HasPrefix(pkg, root)):
			return true
		case strings.HasSuffix(name, "/*") && path.Dir(pkg) == strings.TrimSuffix(name, "/*"):
			return true
		}
	}
	return false
}

// source is one parsed Go file of the house.
type source struct {
	path string // from the root, with slashes
	pkg  string // its folder; "." is the root
	set  *token.FileSet
	file *ast.File
}

func (s source) test() bool { return strings.HasSuffix(s.path, "_test.go") }

// forTests says whether a package ships in tests alone, by its name.
func forTests(pkg string) bool { return strings.HasSuffix(pkg, "test") }

func (s source) at(pos token.Pos) string {
	return fmt.Sprintf("%s:%d", s.path, s.set.Position(pos).Line)
}

func parse(name string, text any) (source, error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	return source{path: name, pkg: path.Dir(name), set: set, file: file}, err
}

// files are the paths of all files of the house with one of the endings.
func files(endings ...string) ([]string, error) {
	var out []string
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			hidden := name != "." && strings.HasPrefix(d.Name(), ".") && d.Name() != ".ci"
			if hidden || d.Name() == "testdata" || name == "data" {
				return fs.SkipDir
			}
			return nil
		}
		if slices.Contains(endings, path.Ext(name)) {
			out = append(out, name)
		}
		return nil
	})
	return out, err
}

var sources = sync.OnceValues(func() ([]source, error) {
	names, err := files(".go")
	if err != nil {
		return nil, err
	}
	var out []source
	for _, name := range names {
		s, err := parse(name, nil)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
})

func house(t *testing.T) []source {
	t.Helper()
	all, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// hop is one import of a package of the house.
type hop struct{ to, at string }

// breaches of the arrows, each beginning with the offending line.
func breaches(all []source) []string {
	var out []string
	graph := map[string][]hop{}
	for _, s := range all {
		if s.test() || forTests(s.pkg) || s.pkg == "bench" {
			continue
		}
		if graph[s.pkg] == nil {
			graph[s.pkg] = []hop{} // a room without imports is one too
		}
		for _, spec := range s.file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				continue
			}
			if name == "siyu" || strings.HasPrefix(name, "siyu/") {
				graph[s.pkg] = append(graph[s.pkg], hop{path.Clean("./" + strings.TrimPrefix(strings.TrimPrefix(name, "siyu"), "/")), s.at(spec.Pos())})
			}
			if first, _, _ := strings.Cut(name, "/"); matches(bare, s.pkg) && strings.Contains(first, ".") {
				out = append(out, fmt.Sprintf("%s: %s uses the standard library alone, not %s", s.at(spec.Pos()), s.pkg, name))
			}
			for _, l := range libraries {
				if (name == l.room || strings.HasPrefix(name, l.room+"/")) && !matches(l.reaches, s.pkg) {
					out = append(out, fmt.Sprintf("%s: %s is for %s only", s.at(spec.Pos()), l.room, l.reaches))
				}
			}
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(graph)) {
		i := slices.IndexFunc(policy, func(a arrow) bool { return matches(a.room, pkg) })
		if i < 0 {
			out = append(out, pkg+": no arrow names this room; add it to the policy")
			continue
		}
		for _, h := range graph[pkg] {
			out = append(out, follow(graph, policy[i], pkg, h)...)
		}
	}
	return out
}

// follow reports what a room must not reach through one import. Beyond a
// package that is itself refused it does not look.
func follow(graph map[string][]hop, a arrow, pkg string, first hop) []string {
	var out []string
	seen := map[string]bool{pkg: true}
	var walk func(to, through string)
	walk = func(to, through string) {
		if seen[to] {
			return
		}
		seen[to] = true
		if forTests(to) {
			out = append(out, fmt.Sprintf("%s: %s is for tests only", first.at, to))
			return
		}
		if !matches(a.reaches, to) {
			out = append(out, fmt.Sprintf("%s: %s must not reach %s%s", first.at, pkg, to, through))
			return
		}
		for _, h := range graph[to] {
			walk(h.to, through+" through "+to)
		}
	}
	walk(first.to, "")
	return out
}

func TestArrows(t *testing.T) {
	for _, b := range breaches(house(t)) {
		t.Error(b)
	}
}

// The check must be able to fail.
func TestArrowsCanBreak(t *testing.T) {
	for _, c := range []struct {
		name    string
		sources map[string]string // file to its only import
		want    string            // "" for none
	}{
		{"allowed", map[string]string{"api/a.go": "siyu/campaign", "campaign/b.go": "siyu/wallet"}, ""},
		{"a test is outside", map[string]string{"wallet/a_test.go": "siyu/campaign"}, ""},
		{"upwards", map[string]string{"wallet/a.go": "siyu/campaign"}, "wallet/a.go:2: wallet must not reach campaign"},
		{"side by side", map[string]string{"community/a.go": "siyu/wallet"}, "community/a.go:2: community must not reach wallet"},
		{"the edges", map[string]string{"web/a.go": "siyu/api"}, "web/a.go:2: web must not reach api"},
		{"kind to kind", map[string]string{"campaign/bargain/a.go": "siyu/campaign/groupbuy"}, "campaign/bargain must not reach campaign/groupbuy"},
		{"further down", map[string]string{"campaign/guard/a.go": "siyu/community", "community/b.go": "siyu/wallet"}, "campaign/guard/a.go:2: campaign/guard must not reach wallet through community"},
		{"gin", map[string]string{"wallet/a.go": "github.com/gin-gonic/gin"}, "wallet/a.go:2: github.com/gin-gonic/gin"},
		{"asynq below its root", map[string]string{"referral/a.go": "github.com/hibiken/asynq/x"}, "referral/a.go:2"},
		{"a driver", map[string]string{"campaign/a.go": "modernc.org/sqlite"}, "campaign/a.go:2"},
		{"a store for tests", map[string]string{"wallet/a.go": "siyu/internal/database/dbtest"}, "for tests only"},
		{"the sample mall in the house", map[string]string{"docs/samplemall/a.go": "siyu/internal/id"}, "docs/samplemall/a.go:2: docs/samplemall must not reach internal/id"},
		{"the sample mall with a library", map[string]string{"docs/samplemall/a.go": "github.com/google/uuid"}, "docs/samplemall/a.go:2: docs/samplemall uses the standard library alone"},
		{"an unknown room", map[string]string{"internal/utils/a.go": "fmt"}, "internal/utils: no arrow"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var all []source
			for name, imported := range c.sources {
				s, err := parse(name, fmt.Sprintf("package x\nimport %q\n", imported))
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, s)
			}
			got := strings.Join(breaches(all), "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
