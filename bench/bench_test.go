package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"siyu/campaign/planner"
)

func TestParse(t *testing.T) {
	whole := "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{\"id\":\"ord_1\"}"
	for n := range len(whole) {
		if _, done, err := parse([]byte(whole[:n])); done || err != nil {
			t.Fatalf("the first %d bytes: whole %v, %v", n, done, err)
		}
	}
	a, done, err := parse([]byte(whole))
	if !done || err != nil || a.status != 201 || field(a.body, "id") != "ord_1" {
		t.Errorf("got %+v, %v, %v", a, done, err)
	}
	if _, _, err := parse([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")); err == nil {
		t.Error("an answer without length is not refused")
	}
}

// numbered requests carry their number in the path.
func numbered(count int) source {
	return source{count: count, write: func(buf []byte, n int) []byte {
		return fmt.Appendf(buf, "POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", n)
	}}
}

func TestDrive(t *testing.T) {
	var served atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		if strings.HasSuffix(r.URL.Path, "7") {
			w.WriteHeader(http.StatusConflict)
		}
		io.WriteString(w, r.URL.Path)
	}))
	defer server.Close()
	addr := server.Listener.Addr().String()

	t.Run("every request once, its answer its own", func(t *testing.T) {
		seen := map[int]string{}
		got, err := drive(plan{addrs: []string{addr}, conns: 8, lasts: 10 * time.Second, src: numbered(500), seen: func(n, _ int, body []byte) { seen[n] = string(body) }})
		if err != nil || got.answers() != 500 || got.codes[409] != 50 || got.codes[200] != 450 || served.Load() != 500 {
			t.Fatalf("got %d answers %v of %d served, %v", got.answers(), got.codes, served.Load(), err)
		}
		for n := range 500 {
			if seen[n] != fmt.Sprintf("/%d", n) {
				t.Fatalf("request %d was answered %q", n, seen[n])
			}
		}
	})
	t.Run("an open loop keeps its rate", func(t *testing.T) {
		got, err := drive(plan{addrs: []string{addr}, conns: 8, lasts: 10 * time.Second, rate: 500, src: numbered(100)})
		if err != nil || got.answers() != 100 || got.elapsed < 190*time.Millisecond {
			t.Errorf("got %d answers in %s, %v", got.answers(), got.elapsed, err)
		}
	})
	t.Run("a server that is gone ends the load", func(t *testing.T) {
		broken := 0
		got, err := drive(plan{addrs: []string{addr}, conns: 4, lasts: 10 * time.Second, src: numbered(1_000_000), lost: func(int) { broken++ }, seen: func(n, _ int, _ []byte) {
			if n == 200 {
				server.Listener.Close()
				server.CloseClientConnections()
			}
		}})
		if err != nil || got.broken == 0 || got.broken > 4 || broken != got.broken {
			t.Errorf("got %d broken, %d told, %v", got.broken, broken, err)
		}
	})
}

// The latency of an open loop counts from when a request was due: a server
// that stands still for a while is seen by all that were due meanwhile.
func TestOpenLoopCountsWaiting(t *testing.T) {
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) == 1 {
			<-time.After(200 * time.Millisecond)
		}
		io.WriteString(w, "ok")
	}))
	defer server.Close()
	got, err := drive(plan{addrs: []string{server.Listener.Addr().String()}, conns: 1, lasts: 10 * time.Second, rate: 1000, src: numbered(100)})
	if err != nil || got.answers() != 100 {
		t.Fatalf("got %d answers, %v", got.answers(), err)
	}
	late := 0
	for _, d := range got.took {
		if d > 90*time.Millisecond {
			late++
		}
	}
	if late < 90 {
		t.Errorf("%d of 100 requests saw the server stand still", late)
	}
}

func TestFigures(t *testing.T) {
	took := make([]time.Duration, 1000)
	for i := range took {
		took[i] = time.Duration(i+1) * time.Millisecond
	}
	if got := (tally{took: took}).percentile(0.99); got != 991*time.Millisecond {
		t.Errorf("p99: got %s", got)
	}
	if got := median([]float64{9, 1, 5, 3}); got != 4 {
		t.Errorf("median: got %v", got)
	}
	l := &lab{}
	for round, speed := range []float64{1, 2, 10} { // a machine that drifts
		l.figures = append(l.figures, figure{subject: "a", round: round, rate: 30 * speed}, figure{subject: "b", round: round, rate: 10 * speed})
	}
	if got := l.ratio("a", "b", rateOf); got != 3 {
		t.Errorf("ratio: got %v, want 3 whatever the machine did", got)
	}
	if got := thousands(1231201.4); got != "1,231,201" {
		t.Errorf("got %s", got)
	}
	for most, want := range map[float64]float64{1: 0.2, 4900: 1000, 5100: 2000, 10_379: 5000, 31_201: 10_000} {
		if got := gridStep(most); got != want {
			t.Errorf("the grid up to %v has steps of %v, want %v", most, got, want)
		}
	}
}

func TestGrownTo(t *testing.T) {
	for existing, want := range map[int]string{0: "[1k 1M]", 5000: "[1k 5k]", 10_000_000: "[1k 1M 10M]"} {
		var got []string
		for _, n := range (&options{existing: existing}).grownTo() {
			got = append(got, short(n))
		}
		if fmt.Sprint(got) != want {
			t.Errorf("-existing %d: got %v, want %s", existing, got, want)
		}
	}
}

// A seed tells every kill, so that a run can be played again.
func TestPlot(t *testing.T) {
	a := &lab{options: options{seed: 5}, store: &store{server: &process{}}}
	kinds := map[string]int{}
	for n := range 300 {
		k := a.plot(n)
		if k != a.plot(n) {
			t.Fatalf("kill %d differs when it is plotted again", n)
		}
		if k.after < enoughAcks || k.stock < int64(k.after) {
			t.Fatalf("kill %d: %+v cannot have %d acknowledgements", n, k, enoughAcks)
		}
		kinds[k.what]++
	}
	if kinds["database"] < 20 || kinds["random"] < 50 || kinds["claim:granted"] == 0 || kinds["claim:committed"] == 0 {
		t.Errorf("got %v", kinds)
	}
}

// A point that the house no longer has would make its kills random ones.
func TestPointsExist(t *testing.T) {
	for _, point := range points {
		found := false
		for _, room := range []string{"campaign", "internal/task"} {
			files, err := filepath.Glob(filepath.Join("..", room, "*.go"))
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range files {
				text, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				found = found || strings.Contains(string(text), fmt.Sprintf("KillPoint(%q)", point))
			}
		}
		if !found {
			t.Errorf("no room has the point %s", point)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, args := range []string{
		"claims -engine oracle", "claims -rounds 0", "claims -conns 99999", "claims -against sleep", "replicas -engine sqlite",
		"claims -url http://127.0.0.1:1", "crash -url http://127.0.0.1:1 -dsn mysql://u@h/test_x", "claims -dsn mysql://u@h/shop", "dance",
	} {
		var out, errs bytes.Buffer
		if code := run(strings.Fields(args), &out, &errs); code != 2 || errs.Len() == 0 {
			t.Errorf("%s: got status %d, %q", args, code, errs.String())
		}
	}
	var out bytes.Buffer
	if code := run([]string{"help"}, &out, io.Discard); code != 0 || !strings.Contains(out.String(), "-engine") {
		t.Errorf("help: got status %d, %q", code, out.String())
	}
	if outcome(fmt.Errorf("%w: x", errInexact), io.Discard) != 1 || outcome(errors.New("x"), io.Discard) != 2 {
		t.Error("what is not exact ends with 1, what does not run with 2")
	}
}

// TestMain lets this test binary be the baselines' server, as the program is
// when it starts itself again.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == frontCommand {
		os.Exit(outcome(serveFront(context.Background(), os.Stdout), os.Stderr))
	}
	os.Exit(m.Run())
}

// The whole program, small: the real binary is built, measured and killed.
func TestRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts servers")
	}
	bin, err := buildHouse(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	engines := []string{"sqlite"}
	if _, err := exec.LookPath("mariadbd"); err == nil {
		engines = append(engines, "mariadb")
	} else if os.Getenv("CI") == "true" {
		t.Error("mariadbd is missing: apt-get install mariadb-server")
	}
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			folder := t.TempDir()
			csv, svg := filepath.Join(folder, "figures.csv"), filepath.Join(folder, "chart.svg")
			play(t, "claims -against gin,front -rounds 1 -seconds 0.3 -csv "+csv+" -svg "+svg, engine, bin, "claims per commit")
			play(t, "claims -open 200 -rounds 1 -seconds 0.3", engine, bin, "COMMIT of one row meanwhile")
			play(t, "growth -existing 3000 -rounds 1 -seconds 0.2", engine, bin, "3k existing orders: ")
			text, err := os.ReadFile(csv)
			if err != nil || strings.Count(string(text), "\n") != 4 {
				t.Errorf("figures: %v\n%s", err, text)
			}
			chart, err := os.ReadFile(svg)
			if err != nil || xml.Unmarshal(chart, new(struct{ XMLName xml.Name })) != nil {
				t.Errorf("chart: %v\n%s", err, chart)
			}
			play(t, "crash -kills 2 -conns 64 -seed 8", engine, bin, "lost 0;")
		})
	}
}

// A plan of a small world is within its bound and above the greedy one, and
// both are told.
func TestPlan(t *testing.T) {
	var out strings.Builder
	err := measurePlan(planSeed{"small", 3, 0.3, 72, 300}, func(format string, args ...any) { fmt.Fprintf(&out, format, args...) })
	if err != nil {
		t.Fatal(err)
	}
	w := drawWorld(planSeed{"small", 3, 0.3, 72, 300})
	b, p := newBound(w), planner.New(w.now, w.offers)
	var sum worths
	for i := range w.groups {
		g := w.group(i)
		x := worths{ours: p.Fit(g).Worth, greedy: greedy(w, g), bound: b.of(g)}
		if x.ours > x.bound || x.greedy > x.bound {
			t.Fatalf("group %d: ours %d, greedy %d, bound %d", i, x.ours, x.greedy, x.bound)
		}
		sum.add(x)
	}
	want := fmt.Sprintf("%.3f of the bound, %.3f × greedy", float64(sum.ours)/float64(sum.bound), float64(sum.ours)/float64(sum.greedy))
	if sum.ours <= sum.greedy || !strings.Contains(out.String(), want) {
		t.Errorf("got %q, want %q and more than the greedy plan", out.String(), want)
	}
}

func play(t *testing.T, args, engine, bin, want string) {
	t.Helper()
	var out, errs bytes.Buffer
	all := append(strings.Fields(args), "-engine", engine, "-bin", bin, "-count", "5000")
	if code := run(all, &out, &errs); code != 0 || !strings.Contains(out.String(), want) {
		t.Errorf("%s: status %d, want %q\n%s%s", args, code, want, out.String(), errs.String())
	}
}
