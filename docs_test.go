package main_test

import (
	"go/ast"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// eventNames are the constants of type webhook.Type, by value, with their
// place.
func eventNames(all []source) map[string]string {
	out := map[string]string{}
	for _, s := range all {
		if s.test() || forTests(s.pkg) {
			continue
		}
		for _, d := range s.file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, spec := range g.Specs {
				v := spec.(*ast.ValueSpec)
				sel, ok := v.Type.(*ast.SelectorExpr)
				if !ok || name(sel) != "webhook.Type" {
					continue
				}
				for _, x := range v.Values {
					if lit, ok := x.(*ast.BasicLit); ok {
						text, _ := strconv.Unquote(lit.Value)
						out[text] = s.at(lit.Pos())
					}
				}
			}
		}
	}
	return out
}

// unnamed are the events published by a text of the moment, which nobody could
// document.
func unnamed(all []source) []string {
	var out []string
	for _, s := range all {
		if s.test() || forTests(s.pkg) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 {
				return true
			}
			called := ""
			switch f := call.Fun.(type) {
			case *ast.SelectorExpr:
				called = name(f)
			case *ast.Ident:
				called = f.Name
			}
			if called == "webhook.Type" || called != "webhook.PublishTx" && called != "publishOrders" && called != "publishSession" && called != "publishCampaign" {
				return true
			}
			switch call.Args[1].(type) {
			case *ast.BasicLit, *ast.BinaryExpr, *ast.CallExpr:
				out = append(out, s.at(call.Pos())+": publish a constant of type webhook.Type")
			}
			return true
		})
	}
	return out
}

var eventRow = regexp.MustCompile("(?m)^\\| `([a-z_]+\\.[a-z_]+)` \\| [^|]+ \\| [^|]+ \\|$")

// TestEventsAreDocumented compares what the rooms publish with docs/events.md
// in both directions.
func TestEventsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, m := range eventRow.FindAllStringSubmatch(string(text), -1) {
		if documented[m[1]] {
			t.Errorf("docs/events.md has two rows for %s", m[1])
		}
		documented[m[1]] = true
	}
	published := eventNames(house(t))
	for _, event := range slices.Sorted(maps.Keys(published)) {
		if !documented[event] {
			t.Errorf("%s: %s has no row in docs/events.md", published[event], event)
		}
		delete(documented, event)
	}
	for event := range documented {
		t.Errorf("docs/events.md tells of %s, which no room publishes", event)
	}
	for _, b := range unnamed(house(t)) {
		t.Error(b)
	}
}

func TestUndocumentedEventsAreSeen(t *testing.T) {
	s, err := parse("wallet/a.go", "package wallet\nconst x webhook.Type = \"a.b\"\nfunc f() {\n\twebhook.PublishTx(tx, \"a.\"+y, 1)\n\twebhook.PublishTx(tx, x, 1)\n}\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := eventNames([]source{s}); got["a.b"] != "wallet/a.go:2" || len(got) != 1 {
		t.Errorf("got %v", got)
	}
	if got := unnamed([]source{s}); len(got) != 1 || !strings.HasPrefix(got[0], "wallet/a.go:4") {
		t.Errorf("got %v", got)
	}
}

var defectRow = regexp.MustCompile("(?m)^\\| [^|]+ \\| [^|]+ \\| `(Test\\w+)` in `([\\w/]+_test\\.go)` \\|$")

// TestDefectsAreTested finds every test that docs/defects.md names.
func TestDefectsAreTested(t *testing.T) {
	text, err := os.ReadFile("docs/defects.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	for _, s := range house(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				tests[s.path+" "+f.Name.Name] = true
			}
		}
	}
	rows := defectRow.FindAllStringSubmatch(string(text), -1)
	if want := strings.Count(string(text), "\n| ") - 2*strings.Count(string(text), "\n| ---"); len(rows) != want {
		t.Errorf("%d rows name a test, of %d", len(rows), want)
	}
	for _, m := range rows {
		if !tests[m[2]+" "+m[1]] {
			t.Errorf("docs/defects.md names %s in %s, which is not there", m[1], m[2])
		}
	}
}
