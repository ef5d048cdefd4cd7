package main_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// bannedCalls are gorm's traps, and what only internal/database may do.
var bannedCalls = map[string]string{
	"Save":          "turns an UPDATE of no rows into an INSERT; write plain SQL",
	"FirstOrCreate": "is a race; insert and ask database.IsDuplicate",
	"AutoMigrate":   "belongs into migrations",
	"Preload":       "hides queries; write the join",
	"Association":   "hides queries; write plain SQL",
	"Transaction":   "nests by savepoints; use database.Tx",
	"Begin":         "escapes retry and idempotency; use database.Tx",
	"BeginTx":       "escapes retry and idempotency; use database.Tx",
}

// bannedNames are selectors nobody writes: implicit conflicts and soft delete.
var bannedNames = []string{"clause.OnConflict", "gorm.Model", "gorm.DeletedAt"}

var hooks = regexp.MustCompile(`^(Before|After)(Save|Create|Update|Delete|Find)$`)

// bannedSQL are what one of the engines lacks or means otherwise.
var bannedSQL = regexp.MustCompile(`\bRETURNING\b|\bSKIP LOCKED\b|\bON DUPLICATE\b|\bON CONFLICT\b|\bINSERT (IGNORE|OR)\b|\bREPLACE INTO\b`)

var looksLikeSQL = regexp.MustCompile(`(?i)^\s*(SELECT|INSERT|UPDATE|DELETE|WITH|REPLACE)\b`)

var alias = regexp.MustCompile(`\bAS ([a-z_]+)\b`)

// unsafe are the breaches of these bans in one file.
func unsafe(s source) []string {
	var out []string
	note := func(pos token.Pos, format string, args ...any) {
		out = append(out, s.at(pos)+": "+fmt.Sprintf(format, args...))
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			sel, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if why, banned := bannedCalls[sel.Sel.Name]; banned && s.pkg != "internal/database" {
				note(n.Pos(), "%s %s", sel.Sel.Name, why)
			}
			if sel.Sel.Name == "Updates" && (len(n.Args) != 1 || !isMap(n.Args[0])) {
				note(n.Pos(), "Updates skips zero values unless it is given a map literal")
			}
			if name(sel) == "database.Unlocked" && s.pkg != "internal/database/dbtest" {
				note(n.Pos(), "only dbtest opens a store without locks")
			}
		case *ast.SelectorExpr:
			if slices.Contains(bannedNames, name(n)) {
				note(n.Pos(), "%s is banned", name(n))
			}
		case *ast.FuncDecl:
			if n.Recv != nil && hooks.MatchString(n.Name.Name) {
				note(n.Pos(), "%s is a gorm hook", n.Name.Name)
			}
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil {
				for _, as := range alias.FindAllStringSubmatch(text, -1) {
					if reserved[as[1]] {
						note(n.Pos(), "%s is a reserved word", as[1])
					}
				}
				if looksLikeSQL.MatchString(text) {
					text = strings.ToUpper(text)
				}
				if word := bannedSQL.FindString(text); word != "" {
					note(n.Pos(), "%s is not portable", word)
				}
			}
		}
		return true
	})
	return out
}

func name(sel *ast.SelectorExpr) string {
	if x, ok := sel.X.(*ast.Ident); ok {
		return x.Name + "." + sel.Sel.Name
	}
	return ""
}

func isMap(e ast.Expr) bool {
	lit, ok := e.(*ast.CompositeLit)
	if !ok {
		return false
	}
	_, ok = lit.Type.(*ast.MapType)
	return ok
}

func TestNoTraps(t *testing.T) {
	for _, s := range house(t) {
		if s.test() {
			continue
		}
		for _, b := range unsafe(s) {
			t.Error(b)
		}
	}
}

func TestTrapsAreSeen(t *testing.T) {
	for _, body := range []string{
		`tx.Save(&x)`, `tx.Updates(x)`, `tx.Updates(T{1})`, `db.Transaction(f)`, `db.Begin()`, `db.AutoMigrate(x)`, `tx.Preload("A").Find(&x)`,
		`tx.Clauses(clause.OnConflict{})`, `database.Unlocked(c)`, "tx.Exec(`insert into t values (1) returning id`)",
		`tx.Raw("SELECT 1" + " FOR UPDATE SKIP LOCKED")`, `tx.Exec("INSERT IGNORE INTO t VALUES (1)")`, `tx.Raw("SELECT no AS window FROM t")`,
	} {
		s, err := parse("wallet/a.go", "package wallet\nfunc f() {\n"+body+"\n}\n")
		if err != nil {
			t.Fatal(err)
		}
		if got := unsafe(s); len(got) != 1 || !strings.HasPrefix(got[0], "wallet/a.go:3: ") {
			t.Errorf("%s: got %q", body, got)
		}
	}
	s, err := parse("wallet/a.go", "package wallet\nfunc (T) BeforeSave() {}\nfunc f() { tx.Updates(map[string]any{}); say(\"returning\") }\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := unsafe(s); len(got) != 1 {
		t.Errorf("got %q, want the hook alone", got)
	}
}

// Everything exported has its sentence and every package its page.
func TestDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range house(t) {
		if s.test() {
			continue
		}
		documented[s.pkg] = documented[s.pkg] || s.file.Doc != nil
		for _, d := range s.file.Decls {
			for _, ident := range undocumented(d) {
				t.Errorf("%s: %s has no comment", s.at(ident.Pos()), ident.Name)
			}
		}
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment", pkg)
		}
	}
}

// undocumented are the exported names of a declaration that nothing explains;
// in a group the group's comment will do.
func undocumented(d ast.Decl) (out []*ast.Ident) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && (d.Recv == nil || receiver(d).IsExported()) {
			out = append(out, d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if d.Doc == nil && spec.Doc == nil && spec.Comment == nil && spec.Name.IsExported() {
					out = append(out, spec.Name)
				}
			case *ast.ValueSpec:
				if d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
					out = append(out, slices.DeleteFunc(slices.Clone(spec.Names), func(n *ast.Ident) bool { return !n.IsExported() })...)
				}
			}
		}
	}
	return out
}

func receiver(d *ast.FuncDecl) *ast.Ident {
	var found *ast.Ident
	ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && found == nil {
			found = id
		}
		return found == nil
	})
	return found
}

// longest is how many lines a file may have; past it, find the second noun.
const longest = 400

var leftOver = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)

func TestFiles(t *testing.T) {
	names, err := files(".go", ".sql", ".html", ".css", ".js", ".md", ".yaml", ".yml", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		for _, folder := range strings.Split(path.Dir(name), "/") {
			if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "misc", "lib"}, folder) {
				t.Errorf("%s: no folder is named %s; name it after what it holds", name, folder)
			}
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !utf8.Valid(text) {
			continue // what `go build` left
		}
		source := slices.Contains([]string{".go", ".sql", ".html", ".css", ".js"}, path.Ext(name))
		if lines := strings.Count(string(text), "\n"); source && lines > longest {
			t.Errorf("%s has %d lines, more than %d", name, lines, longest)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if word := leftOver.FindString(line); word != "" {
				t.Errorf("%s:%d: %s is left over", name, i+1, word)
			}
		}
	}
}

// TestFormulasAreKeptInOnePlace: what a spreadsheet would run is known by
// internal/sheet alone; seven rooms with a list each had three lists.
func TestFormulasAreKeptInOnePlace(t *testing.T) {
	for _, s := range house(t) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING && strings.Contains(l.Value, "=+-@") && !strings.Contains(s.at(l.Pos()), "_test.go") {
				t.Errorf("%s: ask sheet.Risky or sheet.Inert", s.at(l.Pos()))
			}
			return true
		})
	}
}
