package main_test

import (
	"go/ast"
	"go/token"
	"maps"
	"os"
	"path/filepath"
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

var defectRow = regexp.MustCompile("(?m)^\\| [^|]+ \\| [^|]+ \\| `((?:Test|Fuzz)\\w+)` in `([\\w/]+_test\\.go)` \\|$")

// TestDefectsAreTested finds every test that the tables of defects and faults
// name.
func TestDefectsAreTested(t *testing.T) {
	tests := testsOf(house(t))
	for _, page := range []string{"docs/defects.md", "docs/faults.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		rows := defectRow.FindAllStringSubmatch(string(text), -1)
		if want := strings.Count(string(text), "\n| ") - 2*strings.Count(string(text), "\n| ---"); len(rows) != want {
			t.Errorf("%s: %d rows name a test, of %d", page, len(rows), want)
		}
		for _, m := range rows {
			if !tests[m[2]+" "+m[1]] {
				t.Errorf("%s names %s in %s, which is not there", page, m[1], m[2])
			}
		}
	}
}

// testsOf are the functions by file and name.
func testsOf(all []source) map[string]bool {
	tests := map[string]bool{}
	for _, s := range all {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				tests[s.path+" "+f.Name.Name] = true
			}
		}
	}
	return tests
}

var (
	featureRow  = regexp.MustCompile(`(?m)^\| .+ \|$`)
	featureTest = regexp.MustCompile("^`(Test\\w+)` in `([\\w/]+_test\\.go)`$")
	restCall    = regexp.MustCompile("`(GET|POST|PUT|PATCH|DELETE) (/v1/[^`?]+)`")
)

// untrue are the rows of a table of features that claim more than there is: a
// "yes" without a test, a test or a REST call that is not there.
func untrue(text string, tests map[string]bool, contract string) []string {
	var out []string
	for _, row := range featureRow.FindAllString(text, -1) {
		cells := strings.Split(strings.Trim(row, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if cells[0] == "feature" || strings.HasPrefix(cells[0], "---") {
			continue
		}
		if len(cells) != 4 {
			out = append(out, row+": wants four cells")
			continue
		}
		named := featureTest.FindStringSubmatch(cells[3])
		switch {
		case !slices.Contains([]string{"yes", "partly", "not yet"}, cells[1]):
			out = append(out, cells[0]+": "+cells[1]+" is no state")
		case cells[3] != "" && (named == nil || !tests[named[2]+" "+named[1]]):
			out = append(out, cells[0]+": there is no "+cells[3])
		case cells[3] == "" && cells[1] != "not yet":
			out = append(out, cells[0]+": no test proves it")
		}
		for _, m := range restCall.FindAllStringSubmatch(cells[2], -1) {
			_, rest, found := strings.Cut(contract, "\n  "+m[2]+":\n")
			path, _, _ := strings.Cut(rest, "\n  /")
			if !found || !strings.Contains("\n"+path, "\n    "+strings.ToLower(m[1])+":\n") {
				out = append(out, cells[0]+": there is no "+m[0])
			}
		}
	}
	return out
}

// TestFeaturesAreTested holds docs/features.md to the tests and the contract.
func TestFeaturesAreTested(t *testing.T) {
	text, err := os.ReadFile("docs/features.md")
	if err != nil {
		t.Fatal(err)
	}
	fragments, err := filepath.Glob("api/contract/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var contract strings.Builder
	for _, name := range fragments {
		fragment, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		contract.Write(fragment)
		contract.WriteString("\n")
	}
	tests := testsOf(house(t))
	for _, b := range untrue(string(text), tests, contract.String()) {
		t.Errorf("docs/features.md: %s", b)
	}
	if rows := len(featureRow.FindAllString(string(text), -1)); rows < 80 {
		t.Errorf("docs/features.md has only %d rows", rows)
	}
	for row, want := range map[string]string{
		"| a | yes | `x` |  |":                                          "no test proves it",
		"| a | partly |  |  |":                                          "no test proves it",
		"| a | yes |  | `TestGone` in `docs_test.go` |":                 "there is no `TestGone`",
		"| a | soon |  | `TestEventsAreDocumented` in `docs_test.go` |": "is no state",
		"| a | not yet | `DELETE /v1/campaigns` |  |":                   "there is no `DELETE /v1/campaigns`",
		"| a | not yet | `GET /v1/bargains` |  |":                       "there is no `GET",
		"| a | b |": "wants four cells",
		"| a | yes | `POST /v1/campaigns` | `TestEventsAreDocumented` in `docs_test.go` |": "",
	} {
		got := strings.Join(untrue(row, tests, contract.String()), "; ")
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", row, got, want)
		}
	}
}
