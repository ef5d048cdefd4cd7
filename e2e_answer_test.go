package main_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"siyu/internal/database/dbtest"
)

// TestAnswersLost cuts connections between the house and MariaDB after a COMMIT
// was sent and before its answer came, a hundred times under load. Whoever asks
// again by the same key finds what stands; nothing stands twice.
func TestAnswersLost(t *testing.T) {
	const buyers, most = 6, 100
	w, url := newWire(t, dbtest.URL(t, "mariadb"))
	p := placeAt(t, url, "")
	p.must("migrate")
	_, house := p.serve()
	b := p.open(house, buyers, 3, 100_000, nil)
	j := newJournal()
	leave := j.crowd(b, buyers, 2, func(int, *rand.Rand) string { return house })
	w.be(moodForgetful)
	for end := time.Now().Add(time.Minute); w.lost.Load() < most && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
	}
	w.be(moodPlain)
	if n := w.lost.Load(); n < most {
		t.Fatalf("only %d answers were lost within a minute", n)
	}
	j.reach(t, enough)
	leave()
	j.check(t, p, b)
	stood := j.stoodUnanswered(t, p)
	t.Logf("%d answers lost; %d orders stand of whose claim nobody was told", w.lost.Load(), stood)
	if stood == 0 {
		t.Error("no commit stood whose answer was lost, so the test shows nothing")
	}
	p.proven()
}

// stoodUnanswered counts the orders that stand though their claims were never
// acknowledged.
func (j *journal) stoodUnanswered(t *testing.T, p *place) (n int) {
	t.Helper()
	var keys []string
	if err := p.db().Read(context.Background()).Raw("SELECT idem_key FROM orders").Scan(&keys).Error; err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if j.unsure[key] {
			n++
		}
	}
	return n
}

// TestStoreLags makes MariaDB answer late, then not at all, then leaves every
// connection standing without anybody at its end. Callers always hear within
// the time an answer may take, and the house sells again by itself.
func TestStoreLags(t *testing.T) {
	const buyers = 4
	w, url := newWire(t, dbtest.URL(t, "mariadb"))
	p := placeAt(t, url, "")
	p.must("migrate")
	s, house := p.serve()
	b := p.open(house, buyers+1, 3, 100_000, nil)
	j := newJournal()
	leave := j.crowd(b, buyers, 3, func(int, *rand.Rand) string { return house })
	j.reach(t, enough)
	asker := b.brandOf(buyers)
	asker.http = &http.Client{Timeout: 40 * time.Second}
	// heard wants an answer to a claim, granted or 503, within the time.
	heard := func(when, key string, within time.Duration) {
		t.Helper()
		j.asks(key, buyers)
		began := time.Now()
		a, err := asker.send("POST", "/v1/campaigns/"+b.campaign+"/claims", key, map[string]any{"item_id": b.items[0]})
		took := time.Since(began)
		if err != nil || a.status != http.StatusCreated && a.status != http.StatusServiceUnavailable || took > within {
			t.Errorf("%s: %d %s (%v) after %s; want an order or a 503 within %s", when, a.status, a.body, err, took.Round(time.Millisecond), within)
		}
	}
	// sells wants a claim, its payment and a look at the campaign to succeed.
	sells := func(when string, within time.Duration) {
		t.Helper()
		key := strings.ReplaceAll("after "+when, " ", "-")
		j.asks(key, buyers)
		began := time.Now()
		var o order
		for _, step := range []func() (answer, error){
			func() (answer, error) {
				return asker.send("POST", "/v1/campaigns/"+b.campaign+"/claims", key, map[string]any{"item_id": b.items[0]})
			},
			func() (answer, error) { return b.pay(o, "pay-"+key) },
			func() (answer, error) { return b.send("GET", "/v1/campaigns/"+b.campaign, "", nil) },
		} {
			for {
				a, err := step()
				if err == nil && a.status < 300 {
					if o.ID == "" {
						err = a.read(&o)
					}
					if err == nil {
						break
					}
				}
				if time.Since(began) > within {
					t.Fatalf("%s: %d %s (%v) after %s", when, a.status, a.body, err, time.Since(began))
				}
				time.Sleep(20 * time.Millisecond)
			}
		}
		took := time.Since(began).Round(time.Millisecond)
		if t.Logf("%s: sold again after %s", when, took); took > within {
			t.Errorf("%s: it took %s, at most %s", when, took, within)
		}
	}
	w.be(moodSlow)
	heard("every question two seconds late", "slow", 26*time.Second)
	w.be(moodPlain)
	sells("the lag", 10*time.Second)
	w.be(moodCut)
	heard("no connection", "cut", 8*time.Second)
	w.be(moodPlain)
	sells("the cut", 10*time.Second)
	w.goDeaf()
	heard("nobody at the other end", "deaf", 26*time.Second)
	sells("the silence", 10*time.Second)
	j.reach(t, 2*enough)
	leave()
	j.check(t, p, b)
	p.proven()
	if !s.alive() {
		t.Error("the house did not outlive it")
	}
}
