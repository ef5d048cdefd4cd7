package main_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// TestVersion wants one line of version, and of an unknown command the list
// of those there are.
func TestVersion(t *testing.T) {
	p := &place{t: t, dir: t.TempDir()}
	if out := p.must("version"); !strings.HasPrefix(out, "siyu ") || strings.Count(out, "\n") != 1 {
		t.Errorf("version printed %q", out)
	}
	out, errs, code := p.run("fly")
	if code != 2 || out != "" || !strings.Contains(errs, `"fly"`) {
		t.Errorf("fly: exit status %d, %q, %q", code, out, errs)
	}
	for _, verb := range []string{"serve", "demo", "migrate", "verify", "backup", "access", "settle", "export", "tieout", "import", "version"} {
		if !strings.Contains(errs, "\n  "+verb) {
			t.Errorf("the list lacks %s:\n%s", verb, errs)
		}
	}
}

// TestMigrate migrates twice: the second time there is nothing to do.
func TestMigrate(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			p := placeAt(t, dbtest.EmptyURL(t, engine), "")
			if _, errs, code := p.run("verify"); code != 2 || strings.Count(errs, "\n") != 1 {
				t.Errorf("verify before migrate: exit status %d, %q; want 2 and one line", code, errs)
			}
			if out := p.must("migrate"); strings.Contains(out, " 0 steps") {
				t.Errorf("the first time: %s", out)
			}
			if out := p.must("migrate"); !strings.Contains(out, " 0 steps") {
				t.Errorf("the second time: %s", out)
			}
			p.must("verify")
		})
	}
}

// TestVerifyNames changes one number behind the house's back: verify exits
// with 1 and names the item. Put back, all is well, and a backup is as good.
func TestVerifyNames(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			p := newPlace(t, engine)
			_, url := p.serve()
			b := p.open(url, 1, 2, 10, nil)
			if a, err := b.claim(0, 0, "k"); err != nil || a.status != 201 {
				t.Fatalf("claim: %d %s (%v)", a.status, a.body, err)
			}
			p.drained()
			backup := filepath.Join(t.TempDir(), "copy")
			p.must("backup", backup)
			if _, errs, code := p.run("backup", backup); code != 2 || !strings.Contains(errs, "exists") {
				t.Errorf("backup over a file: exit status %d, %q", code, errs)
			}
			db := p.db()
			flip := func(by int) {
				t.Helper()
				// left and held together, so that the table's own CHECK lets it pass.
				err := db.Tx(context.Background(), func(tx *database.Tx) error {
					return tx.Exec("UPDATE items SET left_qty = left_qty - ?, held_qty = held_qty + ? WHERE left_qty = ?", by, by, 9-max(-by, 0)).Error
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			flip(1)
			out, errs, code := p.run("verify")
			if code != 1 || !strings.Contains(out, "V1   BROKEN") || !strings.Contains(out, b.items[0]) || strings.Contains(out, b.items[1]) {
				t.Errorf("exit status %d; want 1 and %s named, not %s:\n%s%s", code, b.items[0], b.items[1], out, errs)
			}
			flip(-1)
			p.must("verify")
			if engine == "sqlite" {
				placeAt(t, "sqlite:"+backup, "").must("verify")
			}
		})
	}
}

// TestSettleAndExport runs the two REST commands against a house.
func TestSettleAndExport(t *testing.T) {
	e := newErrand(t, "sqlite")
	e.run()
	e.server.url()
	env := []string{"SIYU_URL=" + e.url(), "SIYU_KEY=" + e.brand.key}
	for range 2 { // a preview takes nothing
		if out, errs, code := e.place.runWith(env, "settle", "--preview"); code != 0 || !regexp.MustCompile(`up to \S+: \d+ lines, \d+ members with something to come, gross \d+\.\d\d yuan`).MatchString(out) {
			t.Errorf("preview: exit status %d\n%s%s", code, out, errs)
		}
	}
	out, errs, code := e.place.runWith(env, "settle", "--label", "第二期")
	made := regexp.MustCompile(`(stl_\w+) closed: (\d+) lines`).FindStringSubmatch(out)
	if made != nil && (made[2] == "0") != strings.Contains(out, "nothing was due") {
		t.Errorf("settle of %s lines said:\n%s", made[2], out)
	}
	if code != 0 || made == nil {
		t.Fatalf("settle: exit status %d\n%s%s", code, out, errs)
	}
	folder := filepath.Join(t.TempDir(), "files")
	out, errs, code = e.place.runWith(env, "export", made[1], folder)
	if code != 0 {
		t.Fatalf("export: exit status %d\n%s%s", code, out, errs)
	}
	for _, name := range []string{"settlement.xlsx", "lines.csv"} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(text); !strings.Contains(out, hex.EncodeToString(sum[:])) {
			t.Errorf("%s has another SHA-256 than export printed:\n%s", name, out)
		}
	}
	tomorrow := time.Now().In(time.FixedZone("CST", 8*3600)).AddDate(0, 0, 1).Format("20060102")
	if out, errs, code = e.place.runWith(env, "export", "vouchers", "--day", tomorrow, folder); code != 2 || !strings.Contains(errs, "voucher.not_closed") {
		t.Errorf("vouchers of a day that is not closed: exit status %d\n%s%s", code, out, errs)
	}
	people := filepath.Join(folder, "people.csv")
	if err := os.WriteFile(people, []byte("会员号,姓名\n9001,王一\n9002,李二\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2 lines, 2 new, 0 there already", "2 lines, 0 new, 2 there already"} {
		out, errs, code = e.place.runWith(env, "import", "--report", people+".done", "members", people)
		if report, err := os.ReadFile(people + ".done"); code != 0 || !strings.Contains(out, want) || err != nil || strings.Count(string(report), "mem_") != 2 {
			t.Errorf("import: exit status %d, want %q\n%s%s", code, want, out, errs)
		}
	}
	// What may not be closed leaves nothing open behind.
	req, err := http.NewRequest("PUT", e.url()+"/v1/payers/"+id.Payer(e.count("SELECT MIN(id) FROM payers")).String()+"/withdrawal-terms", strings.NewReader(`{"mode":"on_request","least_fen":1,"most_fen":100,"per_day":1}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"Authorization": {"Bearer " + e.brand.key}, "If-Match": {`"1"`}, "Content-Type": {"application/json"}}
	if res, err := http.DefaultClient.Do(req); err != nil || res.StatusCode != 200 {
		t.Fatalf("terms: got %v, %v", res, err)
	}
	out, errs, code = e.place.runWith(env, "settle", "--cut-off", "2026-01-01T00:00:00Z")
	if open := e.count("SELECT COUNT(*) FROM settlements WHERE status = 'open'"); code != 2 || !strings.Contains(errs, "withdrawal.whole") || open != 0 {
		t.Errorf("a settlement that may not be closed: exit status %d, %d left open\n%s%s", code, open, out, errs)
	}
	e.place.tieOut(env, folder)
	for _, bad := range []struct {
		env  []string
		args []string
		says string
	}{
		{env, []string{"import", "people", people}, "members"},
		{env, []string{"import", "members", people + ".none"}, "people.csv.none"},
		{nil, []string{"settle"}, "SIYU_KEY"},
		{env[:1:1], []string{"export", made[1]}, "SIYU_KEY"},
		{append(env[:1:1], "SIYU_KEY=sk_siyu_nobody"), []string{"settle"}, "401"},
		{env, []string{"export"}, "stl_"},
		{env, []string{"export", "stl_0000000000001"}, "404"},
		{env, []string{"export", "vouchers"}, "--day"},
		{env, []string{"tieout"}, "--day"},
		{env, []string{"tieout", "--day", "20260302"}, "tieout.missing"},
		{[]string{"SIYU_URL=http://127.0.0.1:1", env[1]}, []string{"settle"}, "127.0.0.1:1"},
	} {
		began := time.Now()
		_, errs, code := e.place.runWith(bad.env, bad.args...)
		if code != 2 || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, bad.says) || time.Since(began) > 20*time.Second {
			t.Errorf("%v %v: exit status %d, %q; want one line with %s", bad.env, bad.args, code, errs, bad.says)
		}
	}
	e.place.proven()
}

// tieOut holds a past day side by side by its command: a sale of the mall's own
// ties, a payment that only the mall has does not.
func (p *place) tieOut(env []string, folder string) {
	p.t.Helper()
	mall, paper := filepath.Join(folder, "mall.ndjson"), filepath.Join(folder, "bill.csv")
	for file, text := range map[string]string{
		mall:  `{"kind":"payment","no":"a-1","amount_fen":990,"at":"2026-03-01T10:00:00+08:00"}` + "\n" + `{"kind":"payment","no":"a-2","amount_fen":10,"at":"2026-03-01T11:00:00+08:00"}` + "\n",
		paper: "种类,单号,金额,时间\n支付,a-1,9.90,2026-03-01 10:00:01\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
	out, errs, code := p.runWith(env, "tieout", "--day", "20260301", "--mall", mall, "--statement", paper, "--form", "generic", folder)
	list, err := os.ReadFile(filepath.Join(folder, "tieout-20260301.csv"))
	if code != 0 || err != nil || !strings.Contains(out, "differs: 2 numbers, 1 differ") || !strings.Contains(string(list), "1,only_mall,payment,a-2,,10,") {
		p.t.Errorf("tieout: exit status %d, %v\n%s%s%s", code, err, out, errs, list)
	}
}
