package dbtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// programs are what an engine or a reader needs, and the Debian package that
// brings it.
var programs = map[string]struct{ program, pkg, env string }{
	"mariadb":     {"mariadbd", "mariadb-server", "SIYU_TEST_MYSQL"},
	"redis":       {"redis-server", "redis-server", "SIYU_TEST_REDIS"},
	"zbarimg":     {"zbarimg", "zbar-tools", ""},
	"chromium":    {"chromium", "chromium", ""},
	"libreoffice": {"libreoffice", "libreoffice-calc-nogui", ""},
}

// Need makes sure that a program (zbarimg, chromium, libreoffice) is there and
// returns its path: missing, it fails the test under CI and skips it
// elsewhere.
func Need(t testing.TB, name string) string {
	t.Helper()
	need(t, name)
	path, err := exec.LookPath(programs[name].program)
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	return path
}

func need(t testing.TB, name string) {
	t.Helper()
	p := programs[name]
	if p.env != "" && os.Getenv(p.env) != "" {
		use(name)
		return
	}
	if _, err := exec.LookPath(p.program); err == nil {
		use(name)
		return
	}
	report("missing", name+" (install the Debian package "+p.pkg+")")
	Lacks(t, p.program+" is missing; install "+p.pkg)
}

// Lacks ends a test that this machine cannot run: it fails under CI and is
// skipped elsewhere.
func Lacks(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

func use(name string) { report("used", name) }

var reported sync.Map

// report appends "package <tab> used|missing <tab> what" once per binary.
func report(verb, what string) {
	path := os.Getenv("SIYU_TEST_REPORT")
	if _, twice := reported.LoadOrStore(verb+what, true); twice || path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return
	}
	defer f.Close()
	fmt.Fprintf(f, "%s\t%s\t%s\n", filepath.Base(os.Args[0]), verb, what)
}
