package main_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"siyu/internal/database/dbtest"
)

// journal is what the buyers were told, kept outside the processes that die.
type journal struct {
	mu     sync.Mutex
	orders map[string]order  // by the key whose claim was acknowledged
	buyer  map[string]int    // who sent the key
	unsure map[string]bool   // keys without an answer
	paid   map[string]string // key of the acknowledged payment, by order id
	odd    map[string]int    // answers nobody should get
}

func newJournal() *journal {
	return &journal{orders: map[string]order{}, buyer: map[string]int{}, unsure: map[string]bool{}, paid: map[string]string{}, odd: map[string]int{}}
}

// claimed notes the answer to a claim and says whether it granted.
func (j *journal) claimed(key string, a answer, err error) (order, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var o order
	switch {
	case err != nil || a.status >= 500:
		j.unsure[key] = true
		return o, false
	case a.status != http.StatusCreated || a.read(&o) != nil:
		j.odd[fmt.Sprintf("claim: %d %s", a.status, a.code)]++
		return o, false
	}
	if before, twice := j.orders[key]; twice && before.ID != o.ID {
		j.odd["a key with two orders"]++
	}
	delete(j.unsure, key)
	j.orders[key] = o
	return o, true
}

func (j *journal) payed(o order, key string, a answer, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case err != nil || a.status >= 500:
	case a.status == http.StatusOK:
		j.paid[o.ID] = key
	default:
		j.odd[fmt.Sprintf("payment: %d %s", a.status, a.code)]++
	}
}

// crowd lets buyers shop, each by draws of its own and at the address it names,
// until leave is called.
func (j *journal) crowd(b brand, buyers int, seed uint64, at func(n int, rnd *rand.Rand) string) (leave func()) {
	var stop atomic.Bool
	var shoppers sync.WaitGroup
	for n := range buyers {
		rnd := rand.New(rand.NewPCG(seed, uint64(n+1)))
		shoppers.Go(func() { j.shop(b, n, func() string { return at(n, rnd) }, rnd, stop.Load) })
	}
	return func() {
		stop.Store(true)
		shoppers.Wait()
	}
}

// shop keeps one member buying and paying until stopped. What is not answered
// is asked again, every second time, by the same key.
func (j *journal) shop(b brand, n int, at func() string, rnd *rand.Rand, stopped func() bool) {
	for i := 0; !stopped(); i++ {
		key := fmt.Sprintf("buy-%d-%d", n, i)
		j.asks(key, n)
		granted, o := false, order{}
		for try := 0; try == 0 || try < 20 && !granted && i%2 == 0; try++ {
			b.caller = b.at(at())
			a, err := b.claim(n, i%len(b.items), key)
			if o, granted = j.claimed(key, a, err); !granted {
				time.Sleep(20 * time.Millisecond)
			}
		}
		if granted && i%3 != 0 {
			a, err := b.pay(o, "pay-"+key)
			j.payed(o, "pay-"+key, a, err)
		}
		time.Sleep(time.Duration(rnd.IntN(15)) * time.Millisecond)
	}
}

// TestKills ends servers by SIGKILL at random moments under load, 20 times on
// each engine. What was acknowledged stands exactly once, what was not stands
// at most once, and every invariant holds.
func TestKills(t *testing.T) {
	const kills, buyers = 20, 6
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			rnd := rand.New(rand.NewPCG(seed, 0))
			p := newPlace(t, engine)
			servers := make([]*process, map[string]int{"sqlite": 1, "mariadb": 2}[engine])
			urls := make([]atomic.Value, len(servers))
			for i := range servers {
				s, url := p.serve()
				servers[i] = s
				urls[i].Store(url)
			}
			b := p.open(urls[0].Load().(string), buyers, 3, 100_000, nil)
			j := newJournal()
			leave := j.crowd(b, buyers, seed, func(_ int, rnd *rand.Rand) string { return urls[rnd.IntN(len(urls))].Load().(string) })
			for range kills {
				time.Sleep(time.Duration(20+rnd.IntN(250)) * time.Millisecond)
				i := rnd.IntN(len(servers))
				servers[i].kill()
				s, url := p.serve()
				servers[i] = s
				urls[i].Store(url)
			}
			j.reach(t, enough)
			leave()
			b.caller = b.at(urls[0].Load().(string))
			j.check(t, p, b)
			j.cutOff(t)
			p.proven()
		})
	}
}

// reach waits until so many orders are acknowledged, however slow the machine.
func (j *journal) reach(t *testing.T, orders int) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		j.mu.Lock()
		n := len(j.orders)
		j.mu.Unlock()
		if n >= orders {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("only %d orders were acknowledged within two minutes", n)
		}
	}
}

// enough is how many acknowledged orders prove something.
const enough = 100

// check holds the journal against the house.
func (j *journal) check(t *testing.T, p *place, b brand) {
	t.Helper()
	for what, n := range j.odd {
		t.Errorf("%d × %s", n, what)
	}
	var rows []struct {
		IdemKey string
		N       int
	}
	if err := p.db().Read(context.Background()).Raw("SELECT idem_key, COUNT(*) AS n FROM orders GROUP BY idem_key").Scan(&rows).Error; err != nil {
		t.Fatal(err)
	}
	stands := map[string]int{}
	for _, r := range rows {
		stands[r.IdemKey] = r.N
	}
	for key := range j.buyer {
		switch _, told := j.orders[key]; {
		case told && stands[key] != 1:
			t.Errorf("%s was acknowledged and stands %d times", key, stands[key])
		case stands[key] > 1:
			t.Errorf("%s stands %d times", key, stands[key])
		}
		delete(stands, key)
	}
	if len(stands) > 0 {
		t.Errorf("%d orders that nobody asked for: %v", len(stands), stands)
	}
	j.replay(t, b)
	t.Logf("%d orders and %d payments acknowledged, %d claims never answered", len(j.orders), len(j.paid), len(j.unsure))
	if len(j.orders) < enough {
		t.Error("the load was too light to prove anything")
	}
}

// cutOff wants that some claims were never answered: otherwise nothing was
// interrupted.
func (j *journal) cutOff(t *testing.T) {
	t.Helper()
	if len(j.unsure) == 0 {
		t.Error("every claim was answered, so the test shows nothing")
	}
}

// asks notes that a buyer will use the key.
func (j *journal) asks(key string, n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.buyer[key] = n
}

// replay sends every acknowledged call again: the same answer must come, and
// be marked as a repetition.
func (j *journal) replay(t *testing.T, b brand) {
	t.Helper()
	keys := make(chan string)
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for key := range keys {
				j.replayOne(t, b, key)
			}
		})
	}
	for key := range j.orders {
		keys <- key
	}
	close(keys)
	callers.Wait()
}

func (j *journal) replayOne(t *testing.T, b brand, key string) {
	n, i := 0, 0
	if _, err := fmt.Sscanf(key, "buy-%d-%d", &n, &i); err != nil {
		t.Error(err)
		return
	}
	told := j.orders[key]
	a, err := b.claim(n, i%len(b.items), key)
	var o order
	if err != nil || a.status != http.StatusCreated || a.header.Get("Idempotency-Replayed") != "true" || a.read(&o) != nil || o.ID != told.ID {
		t.Errorf("%s again: %d %s (%v); want a replay of %s", key, a.status, a.body, err, told.ID)
		return
	}
	pay, paid := j.paid[told.ID]
	if !paid {
		return
	}
	if o.Status != "paid" {
		t.Errorf("%s was paid and is %s", o.ID, o.Status)
	}
	if a, err = b.pay(told, pay); err != nil || a.status != http.StatusOK || a.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("%s again: %d %s (%v); want a replay", pay, a.status, a.body, err)
	}
}
