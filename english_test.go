package main_test

import (
	"go/ast"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"siyu/internal/english"
)

// counted is a number to be filled in and the words after it.
var counted = regexp.MustCompile(`(?:%d|\{\{\.\w+\}\}|\{[a-z_]+\}) ((?:[a-z-]+ ?){1,3})`)

// singularAlready are words that end like a plural and are none.
var singularAlready = regexp.MustCompile(`^(\w*ss|is|was|has|its|this|as|us|does|says|counts|holds|belongs|lacks|pays|follows|yours|needs|covers|took|served|carries|stands|yuan|less|runs|lets)$`)

// internal says whether a text is an error that nobody is shown: it begins with
// the room's name or the error it wraps.
func internal(s source, text string) bool {
	return strings.HasPrefix(text, `"`+path.Base(s.pkg)+": ") || strings.HasPrefix(text, `"%w: `) || strings.HasPrefix(text, `"signed `)
}

// uncounted are the plurals of a text that a number stands before and that
// would stay as they are behind a 1.
func uncounted(text string) (list []string) {
	for _, m := range counted.FindAllStringSubmatch(text, -1) {
		if english.One("1 "+m[1]) != "1 "+m[1] {
			continue
		}
		for word := range strings.FieldsSeq(m[1]) {
			if word == "of" || word == "to" || word == "a" || word == "in" || word == "and" || word == "at" {
				break
			}
			if strings.HasSuffix(word, "s") && !singularAlready.MatchString(word) {
				list = append(list, word+" in "+text)
			}
		}
	}
	return list
}

// TestCountsAreInEnglish: wherever a sentence counts something, internal/english
// knows its singular.
func TestCountsAreInEnglish(t *testing.T) {
	if len(uncounted("{n} more fishes")) != 1 || len(uncounted("{n} more days, %d of the fishes")) != 0 {
		t.Fatal("the test sees nothing")
	}
	for _, s := range house(t) {
		// Proofs, logs and the command line speak to operators, in figures.
		if s.test() || forTests(s.pkg) || s.pkg == "bench" || s.pkg == "." || strings.Contains(s.path, "verify") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && !internal(s, lit.Value) {
				for _, bad := range uncounted(lit.Value) {
					t.Errorf("%s: %s", s.at(lit.Pos()), bad)
				}
			}
			return true
		})
	}
	pages, err := filepath.Glob("web/templates/*.html")
	if err != nil || len(pages) == 0 {
		t.Fatal(err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range uncounted(string(text)) {
			t.Errorf("%s: %s", page, bad[:min(len(bad), 60)])
		}
	}
}
