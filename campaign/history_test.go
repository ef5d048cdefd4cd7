package campaign_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// The item of a history: so many pieces, at most so many per member.
const (
	historyStock = 6
	historyLimit = 3
)

// step is what somebody asks of the item: a claim under a key, or with an
// order, that it be cancelled.
type step struct {
	member id.Member
	key    string
	qty    int
	cancel id.Order
}

// answer is what he was told.
type answer struct {
	order   id.Order
	refusal string
}

// shop is the item as one thing at a time would change it.
type shop struct {
	left   int
	held   map[id.Member]int
	orders map[string]id.Order // by key
	live   map[id.Order]step
}

// oneItem is the specification: what a shop that does one thing at a time may
// answer.
var oneItem = porcupine.Model{
	Init: func() any {
		return shop{historyStock, map[id.Member]int{}, map[string]id.Order{}, map[id.Order]step{}}
	},
	Step: func(state, input, output any) (bool, any) { return state.(shop).do(input.(step), output.(answer)) },
	Equal: func(a, b any) bool {
		x, y := a.(shop), b.(shop)
		return x.left == y.left && maps.Equal(x.held, y.held) && maps.Equal(x.orders, y.orders) && maps.Equal(x.live, y.live)
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
}

func (s shop) do(in step, out answer) (bool, any) {
	next := shop{s.left, maps.Clone(s.held), maps.Clone(s.orders), maps.Clone(s.live)}
	if in.cancel != 0 {
		was, live := next.live[in.cancel]
		if live {
			next.left += was.qty
			next.held[was.member] -= was.qty
			delete(next.live, in.cancel)
		}
		return out.refusal == "", next
	}
	if before, used := s.orders[in.key]; used {
		return out.order == before, next
	}
	// Where both stand in the way, either may be named.
	over, gone := s.held[in.member]+in.qty > historyLimit, s.left < in.qty
	switch out.refusal {
	case campaign.ErrLimit.Code:
		return over, next
	case campaign.ErrSoldOut.Code:
		return gone, next
	}
	if over || gone || out.order == 0 {
		return false, next
	}
	next.left -= in.qty
	next.held[in.member] += in.qty
	next.orders[in.key], next.live[out.order] = out.order, in
	return true, next
}

// history lets clerks claim, repeat and cancel at once over the replicas, and
// returns what each was told.
func history(t *testing.T, replicas []*campaigntest.World, seed uint64) []porcupine.Operation {
	t.Helper()
	const clerks, steps = 6, 9
	w := replicas[0]
	c := w.Run(campaigntest.Sale{Stock: historyStock, PerMember: historyLimit, PerOrder: historyLimit})
	members := w.Members(4)
	var (
		all  []porcupine.Operation
		mu   sync.Mutex
		done sync.WaitGroup
	)
	began := time.Now()
	for clerk := range clerks {
		done.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(clerk)))
			at := replicas[clerk%len(replicas)]
			var mine []id.Order
			for n := range steps {
				m := members[r.IntN(len(members))]
				// A key is its member's own; few keys, so that many repeat.
				in := step{member: m, key: fmt.Sprintf("%d-%d", m, r.IntN(6)), qty: 1}
				if n%3 == 2 && len(mine) > 0 {
					in = step{cancel: mine[r.IntN(len(mine))]}
				}
				op := porcupine.Operation{ClientId: clerk, Input: in, Call: time.Since(began).Nanoseconds()}
				out := ask(t, at, c, in)
				op.Output, op.Return = out, time.Since(began).Nanoseconds()
				if len(replicas) > 1 && out.refusal != "" {
					// Memory may refuse by what it saw up to 200 ms ago; what
					// another replica gave back since then it need not know.
					op.Call -= (200 * time.Millisecond).Nanoseconds()
				}
				if out.order != 0 {
					mine = append(mine, out.order)
				}
				mu.Lock()
				all = append(all, op)
				mu.Unlock()
			}
		})
	}
	done.Wait()
	return all
}

// ask takes one step and tells what came back.
func ask(t *testing.T, w *campaigntest.World, c campaign.Campaign, in step) answer {
	var order id.Order
	var err error
	if in.cancel != 0 {
		err = w.Campaign.CancelOrder(t.Context(), in.cancel)
	} else {
		order, err = w.ClaimKeyed(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: in.member, Qty: in.qty}, fmt.Sprintf("%d-%s", c.ID, in.key))
	}
	for _, f := range []*fault.Fault{campaign.ErrLimit, campaign.ErrSoldOut} {
		if errors.Is(err, f) {
			return answer{refusal: f.Code}
		}
	}
	if err != nil {
		t.Errorf("%+v: %v", in, err)
	}
	return answer{order: order}
}

// TestHistories: whatever claims, repeats and cancellations come at once, the
// answers are those of a shop that did one after the other.
func TestHistories(t *testing.T) {
	rounds := 25
	if testing.Short() {
		rounds = 5
	}
	check := func(t *testing.T, replicas ...*campaigntest.World) {
		for seed := range rounds {
			switch ops := history(t, replicas, uint64(seed)); porcupine.CheckOperationsTimeout(oneItem, ops, 10*time.Second) {
			case porcupine.Illegal:
				t.Fatalf("seed %d: no order of these explains the answers: %s", seed, told(ops))
			case porcupine.Unknown:
				t.Logf("seed %d: not decided in 10 s", seed)
			}
		}
		replicas[0].Verify()
	}
	dbtest.Run(t, func(t *testing.T, db *database.DB) { check(t, campaigntest.New(t, db)) })
	t.Run("two replicas", func(t *testing.T) {
		check(t, replicas(t, "mariadb")[:2]...)
	})
	t.Run("a store without locks is found out", func(t *testing.T) {
		db := dbtest.Unlocked(t, "sqlite")
		replicas := []*campaigntest.World{campaigntest.New(t, db), campaigntest.New(t, db), campaigntest.New(t, db)}
		for seed := range 400 {
			if porcupine.CheckOperationsTimeout(oneItem, history(t, replicas, uint64(seed)), 10*time.Second) == porcupine.Illegal {
				return
			}
		}
		t.Error("400 histories without any lock, and each could be explained")
	})
}

func told(ops []porcupine.Operation) (text string) {
	for _, o := range ops {
		text += fmt.Sprintf("\n%d: %d-%d us %+v -> %+v", o.ClientId, o.Call/1000, o.Return/1000, o.Input, o.Output)
	}
	return text
}
