package campaign_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// The world of one history: small, so that its members meet at every limit.
const (
	historyMembers = 3
	historyKeys    = 4 // of each member
	historyStock   = 7
	historyLimit   = 4 // pieces per member
	historyClients = 6
	historySteps   = 9 // of each client
)

// story is one history being made: clients at an item, and what they saw.
type story struct {
	worlds  []*campaigntest.World
	item    campaign.Claim // campaign and item
	members []id.Member
	name    string // of the keys, which differ between histories
	start   time.Time

	mu     sync.Mutex
	ops    []porcupine.Operation
	orders map[int]id.Order // the keys' orders, as far as anybody was told
	failed []error          // answers that no item gives
}

// begin opens a sale for a history.
func begin(w []*campaigntest.World, members []id.Member) *story {
	c := w[0].Run(campaigntest.Sale{Stock: historyStock, PerMember: historyLimit, PerOrder: 3})
	return &story{
		worlds: w, item: campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID}, members: members,
		name: c.ID.String(), start: time.Now(), orders: map[int]id.Order{},
	}
}

// stroll is how long a client that does not hurry pauses at most, half of the
// times: long enough for memory to grow old, which it does by wall time.
const stroll = 120 * time.Millisecond

// tell lets the clients do their steps and returns all they saw, payments with
// what became of them, and at the end what the item holds.
func tell(w []*campaigntest.World, members []id.Member, seed uint64, pause time.Duration) *story {
	s := begin(w, members)
	var clients sync.WaitGroup
	for n := range historyClients {
		clients.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(n)))
			for range historySteps {
				if pause > 0 && r.IntN(2) == 0 {
					time.Sleep(time.Duration(r.Int64N(int64(pause))))
				}
				s.step(n, r)
			}
		})
	}
	clients.Wait()
	s.count(0, 0)
	s.settlePayments()
	return s
}

// step is one random thing a client does.
func (s *story) step(client int, r *rand.Rand) {
	world := client % len(s.worlds)
	switch pick := r.IntN(100); {
	case pick < 60:
		s.claim(client, world, r.IntN(historyMembers*historyKeys), 1+r.IntN(3))
	case pick < 72:
		s.withOrder(r, func(key int) { s.cancel(client, world, key) })
	case pick < 78:
		s.withOrder(r, func(key int) { s.letGo(client, world, key) })
	case pick < 90:
		s.withOrder(r, func(key int) { s.pay(client, world, key, r.Uint64()) })
	default:
		s.count(client, world)
	}
}

// note keeps what one call asked and was answered.
func (s *story) note(client int, asked ask, call time.Time, told reply) {
	op := porcupine.Operation{ClientId: client, Input: asked, Call: int64(call.Sub(s.start)), Output: told, Return: int64(time.Since(s.start))}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ops = append(s.ops, op)
	if told.order != 0 {
		s.orders[asked.key] = told.order
	}
}

// fail keeps an answer that no item gives.
func (s *story) fail(asked ask, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = append(s.failed, fmt.Errorf("%+v: %w", asked, err))
}

// withOrder picks a key whose order somebody has been told.
func (s *story) withOrder(r *rand.Rand, do func(key int)) {
	s.mu.Lock()
	var known []int
	for key := range historyMembers * historyKeys {
		if s.orders[key] != 0 {
			known = append(known, key)
		}
	}
	s.mu.Unlock()
	if len(known) > 0 {
		do(known[r.IntN(len(known))])
	}
}

func (s *story) orderOf(key int) id.Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.orders[key]
}

func (s *story) claim(client, world, key, qty int) {
	c := s.item
	c.Member, c.Qty = s.members[key/historyKeys], qty
	sum := sha256.Sum256(fmt.Appendf(nil, "%d", qty))
	ctx := database.WithKey(context.Background(), database.Key{
		Principal: c.Member.String(), Route: "claim", Key: fmt.Sprintf("%s-%d", s.name, key), Hash: hex.EncodeToString(sum[:]),
	})
	asked := ask{what: askClaim, key: key, qty: qty}
	call := time.Now()
	out, err := s.worlds[world].Campaign.Claim(ctx, c)
	switch {
	case err == nil && out.Replayed:
		s.note(client, asked, call, reply{is: replayed, order: out.Order.ID})
	case err == nil:
		s.note(client, asked, call, reply{is: granted, order: out.Order.ID})
	case errors.Is(err, database.ErrKeyReused):
		s.note(client, asked, call, reply{is: keyReused})
	case errors.Is(err, campaign.ErrLimit):
		s.note(client, asked, stale(call), reply{is: limited})
	case errors.Is(err, campaign.ErrSoldOut):
		s.note(client, asked, stale(call), reply{is: soldOut})
	default:
		s.fail(asked, err)
	}
}

// stale is when a refusal may at the earliest have been true. A process may
// refuse from what it saw of the item at most 200 ms ago (docs/claims.md), so
// a refusal takes effect somewhere between 200 ms before its call and its
// return. Nothing else is given that freedom: what is granted, replayed,
// cancelled, paid or counted takes effect while it is asked.
func stale(call time.Time) time.Time { return call.Add(-200 * time.Millisecond) }

func (s *story) cancel(client, world, key int) {
	asked, call := ask{what: askCancel, key: key}, time.Now()
	err := s.worlds[world].Campaign.CancelOrder(context.Background(), s.orderOf(key))
	switch {
	case err == nil:
		s.note(client, asked, call, reply{is: done})
	case errors.Is(err, campaign.ErrOrderState):
		s.note(client, asked, call, reply{is: wrongState})
	default:
		s.fail(asked, err)
	}
}

// letGo lets an order go as a failed team does; one that is paid stays.
func (s *story) letGo(client, world, key int) {
	asked, call, w := ask{what: askLetGo, key: key}, time.Now(), s.worlds[world]
	o := campaign.Order{ID: s.orderOf(key), CampaignID: s.item.Campaign, ItemID: s.item.Item}
	err := w.DB.Tx(context.Background(), func(tx *database.Tx) error { return w.Campaign.LetGoTx(tx, []campaign.Order{o}) })
	if err != nil {
		s.fail(asked, err)
		return
	}
	s.note(client, asked, call, reply{is: done})
}

// pay reports a payment under a number of its own. The mall is told nothing
// about what it bought; settlePayments finds out.
func (s *story) pay(client, world, key int, no uint64) {
	order := s.orderOf(key)
	asked := ask{what: askPay, key: key, no: fmt.Sprintf("%s-%d", s.name, no)}
	o, err := s.worlds[world].Campaign.FindOrder(context.Background(), order)
	if err != nil {
		s.fail(asked, err)
		return
	}
	call := time.Now()
	if err := s.worlds[world].Campaign.Pay(context.Background(), order, campaigntest.Payment(o, asked.no)); err != nil {
		s.fail(asked, err)
		return
	}
	s.note(client, asked, call, reply{is: bought})
}

// settlePayments finds the payments that were sent back, and why. A payment's
// fate is decided when it is reported and stays.
func (s *story) settlePayments() {
	back := map[string]string{} // payment number → reason
	for _, oid := range s.orders {
		o := s.worlds[0].Order(oid)
		for _, p := range o.Payments {
			for _, r := range o.Refunds {
				if r.RefundNo == "back_"+p.ID.String() {
					back[p.PaymentNo] = r.Reason
				}
			}
		}
	}
	for i, op := range s.ops {
		if reason := back[op.Input.(ask).no]; reason != "" {
			s.ops[i].Output = reply{is: sentBack, reason: reason}
		}
	}
}

// count reads the item as everybody sees it.
func (s *story) count(client, world int) {
	asked, call := ask{what: askCount}, time.Now()
	c, err := s.worlds[world].Campaign.FindCampaign(context.Background(), s.item.Campaign)
	if err != nil {
		s.fail(asked, err)
		return
	}
	i := c.Items[0]
	s.note(client, asked, call, reply{is: counted, left: i.Left, held: i.Held, sold: i.Sold})
}

// String is the history in the order of its calls, for the log of a failure.
func (s *story) String() string {
	var b strings.Builder
	for _, op := range slices.SortedFunc(slices.Values(s.ops), func(a, b porcupine.Operation) int { return int(a.Call - b.Call) }) {
		fmt.Fprintf(&b, "%10s … %10s  client %d  %v → %v\n", time.Duration(op.Call), time.Duration(op.Return), op.ClientId, op.Input, op.Output)
	}
	return b.String()
}

// TestHistories lets random clients claim, repeat keys, let go and pay at one
// item, through one replica and through two, and has every history explained
// by one item that does one thing at a time.
func TestHistories(t *testing.T) {
	count := 15
	if testing.Short() {
		count = 4
	}
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			all := replicas(t, engine)
			members := all[0].Members(historyMembers)
			for n := 1; n <= min(2, len(all)); n++ {
				t.Run(fmt.Sprintf("replicas %d", n), func(t *testing.T) { explained(t, all[:n], members, count) })
			}
			all[0].Verify()
		})
		t.Run(engine+" without locks they break", func(t *testing.T) {
			var w []*campaigntest.World
			db := dbtest.Unlocked(t, engine)
			for range historyClients {
				w = append(w, campaigntest.New(t, db))
			}
			members := w[0].Members(historyMembers)
			for range 400 {
				// Only histories whose every answer is known can be judged.
				if s := tell(w, members, rand.Uint64(), 0); len(s.failed) == 0 && judge(s.ops) == porcupine.Illegal {
					return
				}
			}
			t.Fatal("one item could have given all of 400 histories without any lock")
		})
	}
}

// explained judges so many histories of the replicas.
func explained(t *testing.T, w []*campaigntest.World, members []id.Member, count int) {
	seen := map[answer]int{}
	for round := range count {
		seed, pause := rand.Uint64(), time.Duration(0)
		if round%3 == 2 {
			pause = stroll
		}
		s := tell(w, members, seed, pause)
		if err := errors.Join(s.failed...); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if got := judge(s.ops); got != porcupine.Ok {
			t.Fatalf("seed %d: %s, want what one item could do\n%s", seed, got, s)
		}
		for _, op := range s.ops {
			seen[op.Output.(reply).is]++
		}
	}
	for _, a := range answers {
		if seen[a] == 0 && !testing.Short() {
			t.Errorf("%q was never answered in %d histories, so they prove nothing of it", a, count)
		}
	}
}

// TestMemoryIsFresh frees stock through one replica, again and again, while the
// other refuses from memory: a refusal then must have been true at most 200 ms
// before.
func TestMemoryIsFresh(t *testing.T) {
	w := replicas(t, "mariadb")[:2]
	s := begin(w, w[0].Members(historyMembers))
	first, second, third := 0, historyKeys, 2*historyKeys // the members' first keys
	s.claim(0, 0, first, 3)
	s.claim(0, 0, second, 3)
	s.claim(0, 0, third, 1)
	told := s.ops
	// Another replica's grants make a process ask the database for a second;
	// only then it refuses from memory.
	for end := time.Now().Add(1300 * time.Millisecond); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		s.claim(1, 1, third+1, 3)
	}
	s.ops = told // a hundred refusals that were all true are nothing to judge
	for key, free := third+1, first; key < third+historyKeys; key, free = key+1, key {
		s.cancel(0, 0, free)
		for try := 0; try < 20 && s.orderOf(key) == 0; try++ {
			s.claim(1, 1, key, 3)
			time.Sleep(30 * time.Millisecond)
		}
		if s.orderOf(key) == 0 {
			t.Fatalf("three pieces are free, and nobody gets them\n%s", s)
		}
	}
	if err := errors.Join(s.failed...); err != nil {
		t.Fatal(err)
	}
	if got := judge(s.ops); got != porcupine.Ok {
		t.Errorf("%s, want what one item could do\n%s", got, s)
	}
}
