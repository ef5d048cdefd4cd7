package api

import (
	"go/ast"
	"go/parser"
	"go/token"
	"html"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

var (
	langOf    = regexp.MustCompile(`<html lang="([^"]*)"`)
	titleOf   = regexp.MustCompile(`<title>\s*\S[^<]*</title>`)
	headingOf = regexp.MustCompile(`(?s)<h1\b[^>]*>(.*?)</h1>`)
	tagOf     = regexp.MustCompile(`(?s)<!--.*?-->|<[^>]*>`)
	saidIn    = regexp.MustCompile(`\b(?:aria-label|placeholder|data-busy|alt)="([^"]*)"`)
	code      = regexp.MustCompile(`(?s)<code\b.*?</code>`)
	// idOfNamed are ids of what has a name that a person reads in its place.
	idOfNamed = regexp.MustCompile(`\b(?:mem|stf|unt|grp|cmp|prg|mat|pro|cpn|itm|prd|pyr)_[0-9a-hjkmnp-tv-z]{13}\b`)
)

// judge says what is wrong with an answer.
func (w *readers) judge(p *reader, got paper) {
	w.t.Helper()
	wrong := func(format string, args ...any) {
		w.t.Helper()
		w.t.Errorf("%s, in %s %s, at %s (%d): "+format, append([]any{p.name, p.lang, p.since, got.at, got.status}, args...)...)
	}
	if got.status >= 500 {
		wrong("%s", got.body)
	}
	if got.status/100 == 3 {
		return
	}
	if !got.html() {
		if got.status >= 400 {
			wrong("an answer for programs: %s %s", got.header.Get("Content-Type"), got.body)
		}
		return
	}
	if got.at == "/docs" {
		return // the contract, which is written in English alone
	}
	for _, h := range hostile {
		if strings.Contains(got.body, h) {
			wrong("%s stands there unescaped", h)
		}
	}
	if m := langOf.FindStringSubmatch(got.body); m == nil || m[1] != p.lang || got.header.Get("Content-Language") != p.lang && got.header.Get("Content-Language") != strings.TrimSuffix(p.lang, "-CN") {
		wrong("the language is %q, %q", m, got.header.Get("Content-Language"))
	}
	if !titleOf.MatchString(got.body) {
		wrong("it has no title")
	}
	if m := headingOf.FindStringSubmatch(got.body); m == nil || strings.TrimSpace(tagOf.ReplaceAllString(m[1], "")) == "" {
		wrong("it has no heading")
	}
	for _, f := range formsOf(got.body) {
		if f.verb() == "POST" && !endsSession[f.action] && len(formTokenOf(f)) < 40 {
			wrong("the form to %s has no token", f.action)
		}
	}
	shown := textOf(got.body)
	for _, text := range w.words.foreign(p.lang, shown) {
		wrong("%q is in the other language", text)
	}
	for _, text := range textOf(code.ReplaceAllString(got.body, "")) {
		if found := idOfNamed.FindString(text); found != "" {
			wrong("%s is shown in %q", found, text)
		}
	}
}

// endsSession are the forms that only take a cookie from whoever sends them;
// they are checked by their origin.
var endsSession = map[string]bool{"/console/logout": true, "/console/work/leave": true}

func formTokenOf(f sheet) string {
	for _, x := range f.fields {
		if x.name == "form" && x.sort == "hidden" {
			return x.value
		}
	}
	return ""
}

// textOf are the texts of a page as a person reads or hears them.
func textOf(body string) []string {
	var list []string
	for _, m := range saidIn.FindAllStringSubmatch(body, -1) {
		list = append(list, html.UnescapeString(m[1]))
	}
	for _, part := range tagOf.Split(body, -1) {
		if part = strings.TrimSpace(html.UnescapeString(part)); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// words are the texts of the product in both languages: whatever stands in the
// sources as a Chinese text beside its English one.
type words struct {
	zh map[string]bool // runs of Chinese
	en []string        // pieces of at least three words
}

var pairInTemplate = regexp.MustCompile(`\bt "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"`)

func readWords(t *testing.T) *words {
	t.Helper()
	w := &words{zh: map[string]bool{}}
	pairs := 0
	add := func(zh, en string) {
		if hasHan(zh) && !hasHan(en) && en != "" {
			pairs++
			w.add(zh, en)
		}
	}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		switch filepath.Ext(path) {
		case ".html":
			text, err := os.ReadFile(path)
			for _, m := range pairInTemplate.FindAllStringSubmatch(string(text), -1) {
				add(m[1], m[2])
			}
			return err
		case ".go":
			return pairsIn(path, add)
		}
		return nil
	})
	if err != nil || pairs < 1000 {
		t.Fatalf("%d pairs of texts (%v)", pairs, err)
	}
	for _, body := range slices.Concat(slices.Collect(maps.Values(bodies)), slices.Collect(maps.Values(wanderings))) {
		for _, run := range han.FindAllString(body, -1) {
			delete(w.zh, run) // what somebody wrote is shown as he wrote it
		}
	}
	return w
}

// pairsIn gives each two texts that stand side by side in a call or a literal.
func pairsIn(path string, add func(zh, en string)) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		var list []ast.Expr
		switch n := n.(type) {
		case *ast.CallExpr:
			list = n.Args
		case *ast.CompositeLit:
			list = n.Elts
		}
		for i := 1; i < len(list); i++ {
			add(textIn(list[i-1]), textIn(list[i]))
		}
		return true
	})
	return nil
}

func textIn(e ast.Expr) string {
	if l, is := e.(*ast.BasicLit); is && l.Kind == token.STRING {
		if text, err := strconv.Unquote(l.Value); err == nil {
			return text
		}
	}
	return ""
}

var (
	verb = regexp.MustCompile(`%[-+0-9.]*[a-z%]|\{[a-z_]+\}`)
	han  = regexp.MustCompile(`\p{Han}{4,}`)
)

func hasHan(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

func (w *words) add(zh, en string) {
	for _, run := range han.FindAllString(verb.ReplaceAllString(zh, " "), -1) {
		w.zh[run] = true
	}
	for _, piece := range verb.Split(en, -1) {
		if piece = strings.TrimSpace(piece); len(strings.Fields(piece)) > 2 {
			w.en = append(w.en, piece)
		}
	}
}

// foreign are the texts of the product among those shown that are in the other
// language.
func (w *words) foreign(lang string, shown []string) (found []string) {
	for _, text := range shown {
		if lang == "en" {
			for _, run := range han.FindAllString(text, -1) {
				if w.zh[run] {
					found = append(found, text)
				}
			}
			continue
		}
		for _, piece := range w.en {
			if strings.Contains(text, piece) {
				found = append(found, text)
			}
		}
	}
	return found
}
