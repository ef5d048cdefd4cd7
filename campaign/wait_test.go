package campaign_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// as is a context in which the member calls.
func as(m id.Member) context.Context {
	return database.WithActor(bg, database.Actor{Kind: database.ActorMember, Member: m})
}

// line is a sold-out sale with its holders' orders and a line of places.
type line struct {
	w      *campaigntest.World
	c      campaign.Campaign
	claim  campaign.Claim // without a member
	orders []id.Order
	queue  []id.Member
	places []id.Wait
}

func newLine(w *campaigntest.World, holders, queue []id.Member) line {
	w.T.Helper()
	l := line{w: w, queue: queue}
	l.c = w.Run(campaigntest.Sale{Stock: int64(len(holders)), PerMember: 1, Rules: `{"wait_pay_within_s":120}`})
	l.claim = campaign.Claim{Campaign: l.c.ID, Item: l.c.Items[0].ID}
	for _, m := range holders {
		claim := l.claim
		claim.Member = m
		l.orders = append(l.orders, w.MustClaim(claim).ID)
	}
	for _, m := range queue {
		wid, err := w.Campaign.Wait(bg, l.ask(m))
		if err != nil {
			w.T.Fatal(err)
		}
		l.places = append(l.places, wid)
	}
	return l
}

func (l line) ask(m id.Member) campaign.WaitIn {
	return campaign.WaitIn{Campaign: l.c.ID, Item: l.claim.Item, Member: m}
}

// at is the member's place as he sees it.
func (l line) at(i int) campaign.Wait {
	l.w.T.Helper()
	w, err := l.w.Campaign.FindWait(as(l.queue[i]), l.places[i])
	if err != nil {
		l.w.T.Fatal(err)
	}
	return w
}

// stands fails unless the places have these states, in order.
func (l line) stands(want ...campaign.WaitStatus) {
	l.w.T.Helper()
	for i, s := range want {
		if got := l.at(i); got.Status != s {
			l.w.T.Errorf("place %d: %+v, want %s", i+1, got, s)
		}
	}
}

func (l line) letGo(i int) {
	l.w.T.Helper()
	if err := l.w.Campaign.CancelOrder(bg, l.orders[i]); err != nil {
		l.w.T.Fatal(err)
	}
}

func TestWait(t *testing.T) {
	const waiting, granted, skipped, left = campaign.WaitWaiting, campaign.WaitGranted, campaign.WaitSkipped, campaign.WaitLeft
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		hear(t, db)
		m := w.Members(20)
		outsider := m[19]

		t.Run("only for what is sold out", func(t *testing.T) {
			l := newLine(w, m[:1], nil)
			if err := w.Campaign.CancelOrder(bg, l.orders[0]); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Campaign.Wait(bg, l.ask(m[1])); !errors.Is(err, campaign.ErrInStock) {
				t.Errorf("got %v, want in stock", err)
			}
			team := w.Run(campaigntest.Sale{Kind: "group_buy", Rules: `{"size":2}`})
			if _, err := w.Campaign.Wait(bg, campaign.WaitIn{Campaign: team.ID, Item: team.Items[0].ID, Member: m[1]}); !errors.Is(err, campaign.ErrNoLine) {
				t.Errorf("a group-buy: got %v, want no line", err)
			}
		})
		t.Run("only for who could claim", func(t *testing.T) {
			l := newLine(w, m[:1], nil)
			if _, err := w.Campaign.Wait(bg, l.ask(m[0])); !errors.Is(err, campaign.ErrLimit) {
				t.Errorf("at his limit: got %v", err)
			}
			guest, err := w.Community.NewGuest(bg)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Campaign.Wait(bg, l.ask(guest)); !errors.Is(err, campaign.ErrIdentity) {
				t.Errorf("a guest: got %v", err)
			}
		})
		t.Run("what is let go is the head's at once", func(t *testing.T) {
			l := newLine(w, m[:2], m[2:5])
			if again, err := w.Campaign.Wait(bg, l.ask(m[3])); err != nil || again != l.places[1] {
				t.Errorf("asked again: got %v, %v, want the same place", again, err)
			}
			if got := l.at(2); got.Place != 3 {
				t.Errorf("got %+v, want the third place", got)
			}
			l.letGo(0)
			l.stands(granted, waiting, waiting)
			o := w.Order(l.at(0).OrderID)
			if o.MemberID != m[2] || o.Status != campaign.OrderHeld || o.DeadlineAt != o.CreatedAt.Add(2*time.Minute) {
				t.Errorf("order %+v", o)
			}
			if got := l.at(2); got.Place != 2 {
				t.Errorf("got %+v, want the second place", got)
			}
			claim := l.claim
			claim.Member = outsider
			if _, err := w.Claim(claim); !errors.Is(err, campaign.ErrSoldOut) {
				t.Errorf("a claim beside the line: got %v, want sold out", err)
			}
			if got := heard(t, db, "order.from_wait"); len(got) != 1 {
				t.Errorf("events %v, want one", got)
			}
			w.Drain(3 * time.Minute) // unpaid: the next one's turn
			l.stands(granted, granted, waiting)
			w.Pay(l.orders[1])
			if err := w.Campaign.Refund(bg, l.orders[1], campaign.RefundIn{RefundNo: "r", Amount: 9900, Goods: 9900}); err != nil {
				t.Fatal(err)
			}
			l.stands(granted, granted, granted)
			w.Pay(l.at(1).OrderID)
			w.Pay(o.ID) // too late
			if o = w.Order(o.ID); o.Status != campaign.OrderExpired || len(o.Refunds) != 1 {
				t.Errorf("order %+v, want expired with its money on the way back", o)
			}
			if again, err := w.Campaign.Wait(bg, l.ask(m[2])); err != nil || again != l.places[0] || l.at(0).Place != 1 {
				t.Errorf("at the end again: got %v, %v, %+v", again, err, l.at(0))
			}
		})
		t.Run("who may no longer have it is skipped", func(t *testing.T) {
			l := newLine(w, m[:1], m[5:8])
			if err := w.Community.EraseMember(bg, m[5]); err != nil {
				t.Fatal(err)
			}
			l.letGo(0)
			l.stands(skipped, granted, waiting)
			if got := l.at(0); got.Reason != campaign.ErrIdentity.Code || got.OrderID != 0 {
				t.Errorf("got %+v", got)
			}
		})
		t.Run("a place can be left", func(t *testing.T) {
			l := newLine(w, m[:1], m[8:10])
			if err := w.Campaign.LeaveLine(as(m[9]), l.places[0]); !errors.Is(err, fault.NotFound) {
				t.Errorf("somebody else's: got %v", err)
			}
			for range 2 {
				if err := w.Campaign.LeaveLine(as(m[8]), l.places[0]); err != nil {
					t.Fatal(err)
				}
			}
			l.letGo(0)
			l.stands(left, granted)
			if err := w.Campaign.LeaveLine(as(m[9]), l.places[1]); !errors.Is(err, campaign.ErrWaited) {
				t.Errorf("a granted one: got %v", err)
			}
		})
		t.Run("a paused campaign's line stands, and nobody overtakes it", func(t *testing.T) {
			l := newLine(w, m[:2], m[10:13])
			turn := func(v campaign.Verb) {
				t.Helper()
				if err := w.Campaign.Turn(bg, l.c.ID, v); err != nil {
					t.Fatal(err)
				}
			}
			turn(campaign.Pause)
			l.letGo(0)
			l.stands(waiting, waiting, waiting)
			turn(campaign.Resume)
			claim := l.claim
			claim.Member = outsider
			if _, err := w.Claim(claim); !errors.Is(err, campaign.ErrSoldOut) {
				t.Errorf("a claim before the line was served: got %v, want sold out", err)
			}
			w.Drain(0)
			l.stands(granted, waiting, waiting)
			c, err := w.Campaign.FindCampaign(bg, l.c.ID)
			if err != nil {
				t.Fatal(err)
			}
			err = w.Campaign.Edit(bg, c.ID, c.Version, campaign.CampaignEdit{Items: []campaign.ItemEdit{{ID: l.claim.Item, AddStock: 3}}})
			if err != nil {
				t.Fatal(err)
			}
			w.MustClaim(claim) // two of the three are promised
			w.Drain(0)
			l.stands(granted, granted, granted)
			turn(campaign.End)
		})
		t.Run("a long line is served in turns", func(t *testing.T) {
			l := newLine(w, m[:1], w.Members(130))
			c, err := w.Campaign.FindCampaign(bg, l.c.ID)
			if err != nil {
				t.Fatal(err)
			}
			err = w.Campaign.Edit(bg, c.ID, c.Version, campaign.CampaignEdit{Items: []campaign.ItemEdit{{ID: l.claim.Item, AddStock: 140}}})
			if err != nil {
				t.Fatal(err)
			}
			w.Drain(0)
			if item := w.Item(c.ID); item.Held != 131 || item.Left != 10 || item.Waiting != 0 {
				t.Errorf("item %+v, want everybody served", item)
			}
		})
		t.Run("an ended campaign has no line", func(t *testing.T) {
			l := newLine(w, m[:1], m[13:14])
			if err := w.Campaign.Turn(bg, l.c.ID, campaign.End); err != nil {
				t.Fatal(err)
			}
			l.letGo(0)
			l.stands(campaign.WaitOver)
		})
		w.Verify()
	})
}

// churn lets the orders go while others claim, all at the same moment, spread
// over replicas, and says how many claims were granted.
func churn(t testing.TB, replicas []*campaigntest.World, l line, orders []id.Order, buyers []id.Member) int {
	t.Helper()
	var all sync.WaitGroup
	failed := make([]error, len(orders))
	start := make(chan struct{})
	for i, o := range orders {
		all.Go(func() {
			<-start
			failed[i] = replicas[i%len(replicas)].Campaign.CancelOrder(bg, o)
		})
	}
	granted := 0
	all.Go(func() {
		close(start)
		granted = rush(replicas, l.claim, buyers)
	})
	all.Wait()
	if err := errors.Join(failed...); err != nil {
		t.Errorf("an order could not be let go: %v", err)
	}
	return granted
}

// TestLineUnderRace lets 64 orders go against 64 claims with 20 waiting.
func TestLineUnderRace(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := replicas(t, engine)
			m := w[0].Members(148)
			holders, queue, buyers := m[:64], m[64:84], m[84:]
			for range 3 {
				l := newLine(w[0], holders, queue)
				// Fewer than wait: exactly the head of the line gets them.
				if got := churn(t, w, l, l.orders[:10], buyers); got != 0 {
					t.Fatalf("%d claims overtook the line", got)
				}
				for i := range queue {
					want := campaign.WaitWaiting
					if i < 10 {
						want = campaign.WaitGranted
					}
					if got := l.at(i); got.Status != want {
						t.Fatalf("place %d: %+v, want %s", i+1, got, want)
					}
				}
				// More than wait: the rest of the line first, then whoever comes.
				got := churn(t, w, l, l.orders[10:], buyers)
				for i := range queue {
					if got := l.at(i); got.Status != campaign.WaitGranted {
						t.Fatalf("place %d: %+v, want granted", i+1, got)
					}
				}
				if item := w[0].Item(l.c.ID); got > 44 || item.Held != int64(20+got) || item.Left != int64(44-got) || item.Waiting != 0 {
					t.Fatalf("granted %d claims, item %+v", got, item)
				}
				// All 64 at once.
				l = newLine(w[0], holders, queue)
				got = churn(t, w, l, l.orders, buyers)
				if item := w[0].Item(l.c.ID); got > 44 || item.Held != int64(20+got) || item.Left != int64(44-got) || item.Waiting != 0 {
					t.Fatalf("granted %d claims, item %+v", got, item)
				}
				w[0].Verify()
			}
		})
		t.Run(engine+" without locks it breaks", func(t *testing.T) {
			mustBreak(t, engine, "V12", func(w []*campaigntest.World, m []id.Member) {
				l := newLine(w[0], m[:20], m[20:30])
				churn(quiet{t}, w, l, l.orders, m[30:50])
			})
		})
	}
}

// quiet is a test whose load may fail: without locks anything does.
type quiet struct{ testing.TB }

// Errorf says nothing.
func (quiet) Errorf(string, ...any) {}
