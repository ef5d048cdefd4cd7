package main_test

import (
	"context"
	"go/ast"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/task"
)

// measuring is the periodic task that counts invitees.
type measuring struct {
	Job string      `json:"job"`
	Due clock.Milli `json:"due"`
}

func (measuring) Kind() string { return "invite:measure" }

// examplesOf reads the files of docs/examples, one per kind that is registered.
func examplesOf(t *testing.T) map[string][]example {
	t.Helper()
	out := map[string][]example{}
	for _, kind := range kindsOf(house(t)) {
		name := filepath.Join("docs", "examples", kind+".md")
		text, err := os.ReadFile(name)
		if err != nil {
			t.Errorf("the kind %s has no example: %v", kind, err)
			continue
		}
		list, err := readExamples(name, string(text))
		if err != nil || len(list) == 0 {
			t.Errorf("%s: %d requests, %v", name, len(list), err)
		}
		out[kind] = list
	}
	files, err := filepath.Glob("docs/examples/*.md")
	if err != nil || len(files) != len(out)+1 { // and its README
		t.Errorf("%d files for %d kinds (%v): %v", len(files), len(out), err, files)
	}
	return out
}

// kindsOf are the names of the campaign.Kind literals.
func kindsOf(all []source) []string {
	var out []string
	for _, s := range all {
		if s.test() || forTests(s.pkg) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			if sel, ok := lit.Type.(*ast.SelectorExpr); !ok || name(sel) != "campaign.Kind" {
				return true
			}
			for _, el := range lit.Elts {
				kv, ok := el.(*ast.KeyValueExpr)
				if !ok {
					continue
				}
				if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "Name" {
					if text, ok := kv.Value.(*ast.BasicLit); ok {
						kind, _ := strconv.Unquote(text.Value)
						out = append(out, kind)
					}
				}
			}
			return true
		})
	}
	slices.Sort(out)
	return out
}

// TestExamples plays every file of docs/examples to a real server, on both
// engines, one file after the other on one store, and proves it.
func TestExamples(t *testing.T) {
	kinds := examplesOf(t)
	if len(kinds) < 3 {
		t.Fatalf("only %d kinds were found: %v", len(kinds), kinds)
	}
	for _, engine := range []string{"sqlite", "mariadb"} {
		t.Run(engine, func(t *testing.T) {
			p := newPlace(t, engine)
			admin := p.key("admin")
			_, at := p.serve()
			db := p.db()
			hurry := func() {
				err := db.Tx(context.Background(), func(tx *database.Tx) error {
					now := clock.MilliOf(time.Now())
					return task.EnqueueTx(tx, measuring{"invite:measure", now}, now)
				})
				if err != nil {
					t.Error(err)
				}
			}
			awayFromNoon()
			for _, kind := range kindsOf(house(t)) {
				t.Run(kind, func(t *testing.T) {
					e := &teller{url: at, named: map[string]string{"key": admin}, hurry: hurry}
					for _, x := range kinds[kind] {
						if err := e.play(x); err != nil {
							t.Fatalf("%s: %v", x.at, err)
						}
					}
				})
			}
			p.proven()
		})
	}
}

// awayFromNoon waits when noon or midnight of Shanghai is near, when the
// sessions of the flash sale change.
func awayFromNoon() {
	const half = 12 * time.Hour
	if left := half - time.Duration(time.Now().Add(8*time.Hour).UnixNano()%int64(half)); left < 30*time.Second {
		time.Sleep(left)
	}
}

// TestExamplesCanFail shows that blocks which ask for nothing are refused, and
// that an answer which differs is seen.
func TestExamplesCanFail(t *testing.T) {
	for text, want := range map[string]string{
		"GET /v1/x\n":                               "says no answer",
		"GET /v1/x\n\n=> 200\n":                     "expects nothing of its answer",
		"GET /v1/x\n\n=> 200\nid\n":                 "expects nothing",
		"GET x\n\n=> 200\nid = 1\n":                 "is no request",
		"GET /v1/x\n\n=> OK\nid = 1\n":              "is no answer",
		"GET /v1/x\n\n=> 200 within soon\nid = 1\n": "invalid duration",
	} {
		if _, err := readExamples("a.md", "# a\n\n```http\n"+text+"```\n"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	e := &teller{named: map[string]string{}}
	for line, want := range map[string]string{
		`items.0.id = 1`: "", `items.0.id = 2`: "want 2", `items.1.id = 1`: "no items.1.id", `x := items.0.none`: "no items.0.none",
		`x := items.0.name`: "", `items.0.name = "{{who}}"`: "not named",
	} {
		err := e.expect(line, `{"items":[{"id":1,"name":"甲"}]}`)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", line, err, want)
		}
	}
	kind, err := parse("campaign/bargain/a.go", "package bargain\nvar k = campaign.Kind{Name: \"bargain\"}\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := kindsOf([]source{kind}); !slices.Equal(got, []string{"bargain"}) {
		t.Errorf("a new kind is seen as %v", got)
	}
	if e.named["x"] != "甲" {
		t.Errorf("named %v", e.named)
	}
}
