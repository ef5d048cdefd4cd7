package main_test

import (
	"net/http"
	"sync"
	"syscall"
	"testing"

	"siyu/internal/database/dbtest"
)

// TestReplay sends one Idempotency-Key fifty times at once, then again to a
// process that was stopped and one that was killed: one effect, the same
// answer; with another input it is refused.
func TestReplay(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			p := newPlace(t, engine)
			s, url := p.serve()
			b := p.open(url, 2, 1, 100, nil)
			var o order
			twins(t, &o, func() (answer, error) { return b.claim(0, 0, "one-claim") })
			twins(t, &o, func() (answer, error) { return b.pay(o, "one-payment") })
			again := func(when string) {
				t.Helper()
				for what, send := range map[string]func() (answer, error){
					"claim":   func() (answer, error) { return b.claim(0, 0, "one-claim") },
					"payment": func() (answer, error) { return b.pay(o, "one-payment") },
				} {
					a, err := send()
					var got order
					if err != nil || a.read(&got) != nil || got.ID != o.ID || a.header.Get("Idempotency-Replayed") != "true" {
						t.Errorf("%s, the %s: %d %s (%v); want a replay of %s", when, what, a.status, a.body, err, o.ID)
					}
				}
				other := o
				other.Amount--
				a, err := b.pay(other, "one-payment")
				refused(t, when+", another payment", a, err)
				a, err = b.as(b.tokens[0]).send("POST", "/v1/campaigns/"+b.campaign+"/claims", "one-claim", map[string]any{"item_id": b.items[0], "qty": 2})
				refused(t, when+", another claim", a, err)
			}
			again("at once")
			s.stop(syscall.SIGTERM)
			s, b.url = p.serve()
			again("after a stop")
			s.kill()
			_, b.url = p.serve()
			again("after a kill")
			a, err := b.claim(1, 0, "one-claim")
			var theirs order
			if err != nil || a.status != http.StatusCreated || a.read(&theirs) != nil || theirs.ID == o.ID {
				t.Errorf("another member's key of the same text: %d %s (%v); want an order of his own", a.status, a.body, err)
			}
			var c struct {
				Items []struct{ Held, Sold int }
			}
			b.must(t, "GET", "/v1/campaigns/"+b.campaign, "", nil, &c)
			if c.Items[0].Sold != 1 || c.Items[0].Held != 1 {
				t.Errorf("sold %d and held %d, want 1 and 1", c.Items[0].Sold, c.Items[0].Held)
			}
			p.proven()
		})
	}
}

// twins sends the same call fifty times at once. Every answer is the one
// order, or that the call is still running.
func twins(t *testing.T, o *order, send func() (answer, error)) {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	begin := make(chan struct{})
	fresh := 0
	for range 50 {
		all.Go(func() {
			<-begin
			a, err := send()
			mu.Lock()
			defer mu.Unlock()
			var got order
			switch {
			case err == nil && a.code == "idempotency.in_flight":
				return
			case err != nil || a.status >= 300 || a.read(&got) != nil:
				t.Errorf("a twin got %d %s (%v)", a.status, a.body, err)
				return
			case o.ID == "":
				*o = got
			case o.ID != got.ID:
				t.Errorf("a twin got %s, another %s", got.ID, o.ID)
			}
			if a.header.Get("Idempotency-Replayed") != "true" {
				fresh++
			}
		})
	}
	close(begin)
	all.Wait()
	if fresh != 1 {
		t.Errorf("%d answers were not marked as replays, want 1", fresh)
	}
}

// refused checks that a key was refused for another input.
func refused(t *testing.T, what string, a answer, err error) {
	t.Helper()
	if err != nil || a.status != http.StatusUnprocessableEntity || a.code != "idempotency.key_reused" {
		t.Errorf("%s: %d %s (%v); want 422 idempotency.key_reused", what, a.status, a.body, err)
	}
}
