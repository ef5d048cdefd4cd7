package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"siyu/internal/database/dbtest"
)

// TestBadStarts starts siyu on settings it must refuse: one line that names
// the setting, and an exit status that is not 0.
func TestBadStarts(t *testing.T) {
	for _, c := range []struct{ name, env, says string }{
		{"nobody listens", "SIYU_DB=mysql://siyu:s3cret@127.0.0.1:1/siyu", "127.0.0.1:1"},
		{"no socket", "SIYU_DB=mysql://root@unix(/nowhere/s)/siyu", "/nowhere/s"},
		{"no folder", "SIYU_DB=sqlite:/dev/null/siyu.db", "/dev/null"},
		{"unknown engine", "SIYU_DB=oracle://x", "oracle"},
		{"redis address", "SIYU_REDIS=localhost:6379", "localhost"},
		{"port", "SIYU_ADDR=127.0.0.1:99999", "99999"},
		{"role", "SIYU_ROLE=api", "SIYU_DB"},
		{"keys", "SIYU_SECRETS_JSON={}", "key set"},
		{"kill point", "SIYU_KILL_AT=claim:granted", "SIYU_KILL_AT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &place{t: t, dir: t.TempDir(), env: []string{"SIYU_ADDR=127.0.0.1:0"}}
			if c.name == "kill point" {
				p.env = append(p.env, "SIYU_DB=sqlite:/var/lib/siyu/siyu.db")
			}
			began := time.Now()
			out, errs, code := p.runWith([]string{c.env}, "serve")
			name, _, _ := strings.Cut(c.env, "=")
			if code <= 0 || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, name) || !strings.Contains(errs, c.says) {
				t.Errorf("exit status %d, %q; want one line with %s and %s", code, errs, name, c.says)
			}
			if strings.Contains(errs, "s3cret") {
				t.Errorf("a password was shown: %q", errs)
			}
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// TestWithoutRedis runs a house whose Redis refuses, or accepts and says
// nothing: it serves, says that it is degraded, claims and tasks go on, and it
// does not spin.
func TestWithoutRedis(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	for name, c := range map[string]struct{ engine, redis string }{
		"refused": {"mariadb", "redis://127.0.0.1:1/0"},
		"silent":  {"sqlite", "redis://" + silent.Addr().String() + "/0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := placeAt(t, dbtest.URL(t, c.engine), c.redis)
			s, url := p.serve()
			b := p.open(url, 1, 1, 10, nil)
			a, err := b.claim(0, 0, "k")
			var o order
			if err != nil || a.status != http.StatusCreated || a.read(&o) != nil {
				t.Fatalf("claim: %d %s (%v)", a.status, a.body, err)
			}
			p.drained() // the tasks of the claim have been worked on
			status := ""
			for end := time.Now().Add(15 * time.Second); status != "degraded" && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
				var ready struct{ Status string }
				b.must(t, "GET", "/readyz", "", nil, &ready)
				status = ready.Status
			}
			if status != "degraded" {
				t.Errorf("/readyz says %q", status)
			}
			before := cpu(t, s)
			time.Sleep(3 * time.Second)
			if share := (cpu(t, s) - before).Seconds() / 3; share > 0.4 {
				t.Errorf("at rest it takes %.0f%% of a core", 100*share)
			} else {
				t.Logf("at rest it takes %.1f%% of a core", 100*share)
			}
			p.proven()
		})
	}
}

// cpu is the processor time the process has taken.
func cpu(t *testing.T, p *process) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		dbtest.Lacks(t, "needs /proc")
	}
	// After the name in brackets: state is field 3, user time 14, system 15,
	// both in hundredths of a second.
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	if err1 != nil || err2 != nil {
		t.Fatalf("/proc/…/stat: %q", text)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

// mariadbd is a server of this test's own, to be killed.
type mariadbd struct {
	t   testing.TB
	dir string
	cmd *exec.Cmd
}

func newMariaDB(t testing.TB) *mariadbd {
	t.Helper()
	dbtest.Need(t, "mariadb")
	if _, err := exec.LookPath("mariadbd"); err != nil {
		dbtest.Lacks(t, "a server given by address cannot be killed; this needs mariadbd")
	}
	m := &mariadbd{t: t, dir: t.TempDir()}
	out, err := exec.Command("mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal",
		"--skip-test-db", "--datadir="+m.dir+"/data", "--tmpdir="+m.dir, "--innodb-log-file-size=8M").CombinedOutput()
	if err != nil {
		t.Fatalf("mariadb-install-db: %v\n%s", err, out)
	}
	m.start("CREATE DATABASE IF NOT EXISTS test_outage CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
	t.Cleanup(m.kill)
	return m
}

func (m *mariadbd) url() string { return "mysql://root@unix(" + m.dir + "/s)/test_outage" }

// start starts the server and waits until it takes the statement.
func (m *mariadbd) start(statement string) {
	m.t.Helper()
	m.cmd = exec.Command("mariadbd", "--no-defaults", "--user=root", "--datadir="+m.dir+"/data", "--tmpdir="+m.dir, "--socket="+m.dir+"/s",
		"--skip-networking", "--pid-file="+m.dir+"/pid", "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=8M", "--innodb-flush-log-at-trx-commit=1")
	if err := startBound(m.cmd); err != nil {
		m.t.Fatal(err)
	}
	var out []byte
	for range 300 {
		ask := exec.Command("mariadb", "--no-defaults", "--user=root", "--socket="+m.dir+"/s", "--execute="+statement)
		var err error
		if out, err = ask.CombinedOutput(); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	m.t.Fatalf("mariadbd did not answer: %s", out)
}

func (m *mariadbd) kill() {
	_ = m.cmd.Process.Kill()
	_ = m.cmd.Wait()
}

// TestStoreDies kills MariaDB under a house that sells. Meanwhile everybody
// gets a 503 problem; after the server's restart the house sells again within
// 10 s, without one of its own, and nothing acknowledged is lost.
func TestStoreDies(t *testing.T) {
	m := newMariaDB(t)
	p := placeAt(t, m.url(), "")
	p.must("migrate")
	s, url := p.serve()
	const buyers = 4
	b := p.open(url, buyers+1, 3, 100_000, nil)
	j := newJournal()
	leave := j.crowd(b, buyers, 1, func(int, *rand.Rand) string { return url })
	j.reach(t, enough)
	m.kill()
	time.Sleep(300 * time.Millisecond)
	unavailable(t, b, "GET", "/readyz", "", nil)
	unavailable(t, b, "GET", "/v1/campaigns/"+b.campaign, "", nil)
	unavailable(t, b.brandOf(buyers), "POST", "/v1/campaigns/"+b.campaign+"/claims", "out", map[string]any{"item_id": b.items[0]})
	if status, _, err := get(url + "/healthz"); err != nil || status != http.StatusOK {
		t.Errorf("/healthz: %d (%v)", status, err)
	}
	time.Sleep(time.Second)
	m.start("SELECT 1")
	began := time.Now()
	for {
		a, err := b.claim(buyers, 0, "back")
		if err == nil && a.status == http.StatusCreated {
			t.Logf("sold again %s after the store was back", time.Since(began).Round(time.Millisecond))
			break
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("10 s after the store was back: %d %s (%v)", a.status, a.body, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	j.reach(t, 2*enough)
	leave()
	j.asks("back", buyers)
	j.asks("out", buyers)
	j.check(t, p, b)
	j.cutOff(t)
	p.proven()
	if !s.alive() {
		t.Error("the house did not outlive its store")
	}
	var n int
	if err := p.db().Read(context.Background()).Raw("SELECT COUNT(*) FROM orders").Scan(&n).Error; err != nil || n == 0 {
		t.Errorf("%d orders (%v)", n, err)
	}
}

// brandOf is the brand seen by the n-th member.
func (b brand) brandOf(n int) brand {
	b.caller = b.as(b.tokens[n])
	return b
}

// unavailable wants a 503 problem that says when to come again, within 8 s.
func unavailable(t *testing.T, b brand, method, path, key string, body any) {
	t.Helper()
	began := time.Now()
	a, err := b.send(method, path, key, body)
	var problem struct{ Type, Code string }
	if err != nil || a.status != http.StatusServiceUnavailable || json.Unmarshal(a.body, &problem) != nil || problem.Code == "" ||
		!strings.HasPrefix(a.header.Get("Content-Type"), "application/problem+json") {
		t.Errorf("%s %s without a store: %d %s (%v); want a 503 problem", method, path, a.status, a.body, err)
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("%s %s without a store took %s", method, path, took)
	}
}
