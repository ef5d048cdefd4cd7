package main_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"siyu/internal/database/dbtest"
)

// importPoints are the moments at which a process that works a file may die.
var importPoints = []string{"intake:worked", "intake:part"}

// TestImportKilled kills the house at each point while `siyu import` sends a
// file of members. The next house ends the file by itself: every line stands
// once, and the file sent again makes nothing.
func TestImportKilled(t *testing.T) {
	const lines = 1_500 // 8 parts
	file := filepath.Join(t.TempDir(), "members.csv")
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			p := newPlace(t, engine)
			key := p.key("marketer")
			for round, point := range importPoints {
				var text strings.Builder
				text.WriteString("会员号,姓名\n")
				for n := range lines {
					fmt.Fprintf(&text, "r%d-%04d,会员%d\n", round, n, n)
				}
				if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
					t.Fatal(err)
				}
				doomed := p.start(fmt.Sprintf("SIYU_KILL_AT=%s:%d", point, 2+3*round))
				sent := spawn(t, p.dir, append(p.env[:len(p.env):len(p.env)], "SIYU_URL="+doomed.url(), "SIYU_KEY="+key), "import", "members", file)
				doomed.wait(30 * time.Second)
				if code := sent.wait(30 * time.Second); code == 0 {
					t.Errorf("%s: the command says that all is well, though the house died", point)
				}
				next, url := p.serve()
				found := ended(t, caller{url: url, key: key, http: crowd()})
				if found.Total != lines || found.Made != lines || found.Refused != 0 {
					t.Errorf("%s: of %d lines %d were made, %d updated, %d refused", point, lines, found.Made, found.Updated, found.Refused)
				}
				out, errs, code := p.runWith([]string{"SIYU_URL=" + url, "SIYU_KEY=" + key}, "import", "members", file)
				if code != 0 || !strings.Contains(out, fmt.Sprintf("%d lines, 0 new, ", lines)) {
					t.Errorf("%s: sent again: exit status %d\n%s%s", point, code, out, errs)
				}
				next.kill()
			}
			p.serve()
			p.proven()
		})
	}
}

// fileView is what the test reads of an import.
type fileView struct {
	Status                        string
	Total, Made, Updated, Refused int
}

// ended waits until the newest import is done.
func ended(t *testing.T, c caller) fileView {
	t.Helper()
	var list struct{ Items []fileView }
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		c.must(t, http.MethodGet, "/v1/imports", "", nil, &list)
		if len(list.Items) > 0 && list.Items[0].Status == "done" {
			return list.Items[0]
		}
	}
	t.Fatalf("the import has not ended within a minute: %+v", list.Items)
	return fileView{}
}
