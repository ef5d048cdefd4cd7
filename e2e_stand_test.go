package main_test

import (
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"siyu/internal/database/dbtest"
)

// TestRollingRestart replaces replicas one by one under load, six times on each
// engine, as an upgrade does: whoever was taken in is answered, and no answer is
// a failure of the house.
func TestRollingRestart(t *testing.T) {
	const rounds, buyers = 6, 6
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			p := newPlace(t, engine)
			servers := make([]*process, map[string]int{"sqlite": 1, "mariadb": 2}[engine])
			urls := make([]atomic.Value, len(servers))
			for i := range servers {
				s, url := p.serve()
				servers[i] = s
				urls[i].Store(url)
			}
			b := p.open(urls[0].Load().(string), buyers, 3, 100_000, nil)
			var failed atomic.Int64
			b.http = &http.Client{Timeout: 20 * time.Second, Transport: &failures{of: b.http.Transport, n: &failed}}
			j := newJournal()
			leave := j.crowd(b, buyers, 4, func(_ int, rnd *rand.Rand) string { return urls[rnd.IntN(len(urls))].Load().(string) })
			for round := range rounds {
				i := round % len(servers)
				s, url := p.serve()
				urls[i].Store(url)
				time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond) // some are on their way to the old one
				servers[i].stop(syscall.SIGTERM)
				servers[i] = s
			}
			j.reach(t, enough)
			leave()
			if n := failed.Load(); n > 0 {
				t.Errorf("%d answers of 500 and above while replicas were replaced", n)
			}
			b.caller = b.at(urls[0].Load().(string))
			j.check(t, p, b)
			p.proven()
		})
	}
}

// failures counts answers that are the house's own failure.
type failures struct {
	of http.RoundTripper
	n  *atomic.Int64
}

func (f *failures) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := f.of.RoundTrip(r)
	if err == nil && res.StatusCode >= http.StatusInternalServerError {
		f.n.Add(1)
	}
	return res, err
}

// TestReplicaStandsStill stops one of two replicas in the middle of its work:
// the other goes on selling the same items, and what the stopped
// one does when it wakes grants nothing twice.
func TestReplicaStandsStill(t *testing.T) {
	const buyers = 8
	p := newPlace(t, "mariadb")
	s, first := p.serve()
	_, second := p.serve()
	b := p.open(first, buyers, 2, 100_000, nil)
	b.http = &http.Client{Timeout: 8 * time.Second, Transport: b.http.Transport}
	j := newJournal()
	leave := j.crowd(b, buyers, 5, func(n int, _ *rand.Rand) string { return []string{first, second}[n%2] })
	j.reach(t, enough)
	_ = s.cmd.Process.Signal(syscall.SIGSTOP)
	began := time.Now()
	j.reach(t, 2*enough)
	t.Logf("%d more sold %s after a replica stood still", enough, time.Since(began).Round(time.Millisecond))
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("the other replica took %s", took)
	}
	_ = s.cmd.Process.Signal(syscall.SIGCONT)
	time.Sleep(500 * time.Millisecond) // what it had begun comes to its end
	leave()
	b.caller = b.at(second)
	j.check(t, p, b)
	p.proven()
}
