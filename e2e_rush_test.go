package main_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// TestRush lets 200 buyers claim the last 10 pieces at once, 30 times over:
// exactly 10 get one, everybody else is told that it is sold out. On MariaDB
// the buyers are spread over three processes.
func TestRush(t *testing.T) {
	const buyers, left, rounds = 200, 10, 30
	for engine, processes := range map[string]int{"sqlite": 1, "mariadb": 3} {
		t.Run(engine, func(t *testing.T) {
			p := newPlace(t, engine)
			_, first := p.serve()
			urls := []string{first}
			for len(urls) < processes {
				_, url := p.serve()
				urls = append(urls, url)
			}
			b := p.open(first, buyers, rounds, left, nil)
			for round := range rounds {
				answers := rush(b, urls, round)
				if answers[fmt.Sprint(http.StatusCreated)] != left || answers["campaign.sold_out"] != buyers-left {
					t.Errorf("round %d: %v; want %d granted and %d sold out", round, answers, left, buyers-left)
				}
			}
			var c struct {
				Items []struct{ Left, Held int }
			}
			b.must(t, "GET", "/v1/campaigns/"+b.campaign, "", nil, &c)
			for i, item := range c.Items {
				if item.Left != 0 || item.Held != left {
					t.Errorf("item %d: %d left, %d held", i, item.Left, item.Held)
				}
			}
			p.proven()
		})
	}
}

// rush lets every member claim the round's item at the same moment and counts
// the answers, by status when granted and by code when refused.
func rush(b brand, urls []string, round int) map[string]int {
	var mu sync.Mutex
	answers, orders := map[string]int{}, map[string]bool{}
	var crowd sync.WaitGroup
	begin := make(chan struct{})
	for n := range b.tokens {
		crowd.Go(func() {
			<-begin
			mine := b
			mine.caller = b.at(urls[n%len(urls)])
			a, err := mine.claim(n, round, fmt.Sprintf("rush-%d-%d", round, n))
			what := a.code
			var o order
			switch {
			case err != nil:
				what = err.Error()
			case a.code == "":
				what = fmt.Sprint(a.status)
				if err := a.read(&o); err != nil {
					what = err.Error()
				}
			}
			mu.Lock()
			defer mu.Unlock()
			if orders[o.ID] {
				what = "the same order twice"
			}
			orders[o.ID] = o.ID != ""
			answers[what]++
		})
	}
	close(begin)
	crowd.Wait()
	return answers
}
