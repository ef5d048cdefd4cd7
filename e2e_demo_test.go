package main_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"siyu/internal/database/dbtest"
)

// demoOn starts the demo on an empty store of the engine, in a folder of its
// own; on MariaDB as two replicas.
func demoOn(t *testing.T, engine string, args ...string) (*process, *place) {
	t.Helper()
	if engine == "sqlite" {
		// Nothing is set but the port: this is `go run . demo` on a fresh machine.
		p := &place{t: t, dir: t.TempDir()}
		return spawn(t, p.dir, []string{"SIYU_ADDR=127.0.0.1:0"}, append([]string{"demo"}, args...)...), p
	}
	p := placeAt(t, dbtest.EmptyURL(t, engine), dbtest.Redis(t))
	return spawn(t, p.dir, p.env, append([]string{"demo", "--replicas", "2"}, args...)...), p
}

// found is the one file of the demo under the folder with this name.
func found(t *testing.T, dir, name string) string {
	t.Helper()
	var at []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if filepath.Base(path) == name {
			at = append(at, path)
		}
		return err
	})
	if err != nil || len(at) != 1 {
		t.Fatalf("%s: %v (%v), want one", name, at, err)
	}
	return at[0]
}

// TestDemo plays the demo to its end on both engines. Its sheet, read by
// LibreOffice, sums to what the ledger says was paid; it refuses the store it
// has used.
func TestDemo(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			d, p := demoOn(t, engine, "--exit")
			if code := d.wait(2 * time.Minute); code != 0 {
				t.Fatalf("demo: exit status %d", code)
			}
			out := d.out.String()
			if strings.Contains(out, "BROKEN") || !strings.Contains(out, "20 steps over real HTTP") {
				t.Errorf("the story ended otherwise:\n%s", d.out.tail())
			}
			for _, group := range []string{"young    deny    G3 ", "healthy  allow", "healthy  defer", "tired    deny    G12 ", "imported allow   advice G6 ", "(1 outranked)"} {
				if !strings.Contains(out, group) {
					t.Errorf("the guard's part lacks %q", group)
				}
			}
			if engine == "sqlite" {
				p.store = "sqlite:" + found(t, p.dir, "siyu.db")
				p.env = []string{"SIYU_DB=" + p.store}
			}
			var paid int64
			err := p.db().Read(context.Background()).Raw("SELECT COALESCE(SUM(balance), 0) FROM accounts WHERE stage = 'paid'").Scan(&paid).Error
			if err != nil || paid <= 0 {
				t.Fatalf("the ledger has paid %d fen (%v)", paid, err)
			}
			if got := sheetNet(t, found(t, p.dir, "settlement.xlsx")); got != paid {
				t.Errorf("the sheet's net column sums to %d fen, the ledger has paid %d", got, paid)
			}
			if out := p.must("verify"); strings.Contains(out, "BROKEN") {
				t.Error(out)
			}
			said, errs, code := p.run("demo", "--exit")
			if code == 0 || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "SIYU_DB") {
				t.Errorf("on a used store: exit status %d, %q %q; want one line that names SIYU_DB", code, said, errs)
			}
		})
	}
}

// sheetNet has LibreOffice turn a settlement's sheet into CSV and sums its
// net column, in fen.
func sheetNet(t *testing.T, path string) int64 {
	t.Helper()
	office, dir := dbtest.Need(t, "libreoffice"), t.TempDir()
	// Token 12 of the filter options, -1, writes every sheet to a file of its own.
	cmd := exec.Command(office, "--headless", "-env:UserInstallation=file://"+dir+"/profile",
		"--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1", "--outdir", dir, path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("libreoffice: %v\n%s", err, out)
	}
	sheets, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	if err != nil || len(sheets) == 0 {
		t.Fatalf("libreoffice wrote no sheet (%v)", err)
	}
	var sum int64
	for _, sheet := range sheets {
		f, err := os.Open(sheet)
		if err != nil {
			t.Fatal(err)
		}
		r := csv.NewReader(f)
		r.FieldsPerRecord = -1
		rows, err := r.ReadAll()
		f.Close()
		if err != nil || len(rows) == 0 {
			t.Fatalf("%s: %d rows (%v)", sheet, len(rows), err)
		}
		sum += netOf(t, rows)
	}
	return sum
}

// netOf sums the column net_fen of a sheet of lines and compares it with the
// sheet's own total; the summary has no such column.
func netOf(t *testing.T, rows [][]string) (sum int64) {
	t.Helper()
	net := slices.IndexFunc(rows[0], func(cell string) bool { return strings.Contains(cell, "net_fen") })
	if net < 0 {
		return 0
	}
	for _, row := range rows[1:] {
		fen, err := strconv.ParseInt(row[net], 10, 64)
		if err != nil {
			t.Fatalf("net_fen of line %s: %v", row[0], err)
		}
		if _, err := strconv.Atoi(row[0]); err == nil {
			sum += fen
		} else if fen != sum {
			t.Errorf("%s says %d fen, the lines %d", row[0], fen, sum)
		}
	}
	return sum
}

var pageURL = regexp.MustCompile(`landing page +(http://\S+)`)

// TestDemoStays looks at a demo that stays up: its QR code, read by zbarimg,
// is the address of the landing page, which answers with the campaign; Ctrl-C
// ends it cleanly.
func TestDemoStays(t *testing.T) {
	zbar := dbtest.Need(t, "zbarimg")
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			d, p := demoOn(t, engine)
			var page string
			for end := time.Now().Add(time.Minute); page == "" && d.alive() && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
				if m := pageURL.FindStringSubmatch(d.out.String()); m != nil {
					page = m[1]
				}
			}
			if page == "" {
				t.Fatal("the demo named no landing page")
			}
			out, err := exec.Command(zbar, "--quiet", "--raw", found(t, p.dir, "invite.png")).Output()
			if err != nil {
				t.Fatalf("zbarimg: %v", err)
			}
			if got := strings.TrimSpace(string(out)); got != page {
				t.Errorf("the QR code says %q, the demo %q", got, page)
			}
			status, text, err := get(page)
			if err != nil || status != http.StatusOK || !strings.Contains(text, "周一早市：红富士秒杀") {
				t.Errorf("GET %s: %d (%v), with the campaign's name: %v", page, status, err, strings.Contains(text, "周一早市：红富士秒杀"))
			}
			for _, link := range shownURL.FindAllString(d.out.String()[strings.Index(d.out.String(), "The house stays up"):], -1) {
				jar, err := cookiejar.New(nil) // a link signs in and leads on
				if err != nil {
					t.Fatal(err)
				}
				res, err := (&http.Client{Jar: jar, Timeout: 10 * time.Second}).Get(link)
				if err != nil {
					t.Fatal(err)
				}
				if res.Body.Close(); res.StatusCode != http.StatusOK {
					t.Errorf("GET %s: %s", link, res.Status)
				}
			}
			d.stop(syscall.SIGINT)
		})
	}
}

// shownURL is a link that the demo ends with.
var shownURL = regexp.MustCompile(`http://[^\s,]+`)

func get(url string) (status int, text string, err error) {
	res, err := http.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, "", fmt.Errorf("GET %s: %w", url, err)
	}
	return res.StatusCode, string(b), nil
}
