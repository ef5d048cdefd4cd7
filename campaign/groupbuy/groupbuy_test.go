package groupbuy_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/campaign/groupbuy"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

var bg = context.Background()

func TestTeam(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{Kind: "group_buy", Rules: `{"size":3,"open_for_s":3600}`, Stock: 100, Hours: 48})
		m := w.Members(8)
		open := func(who id.Member) campaign.Order {
			return w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: who, OpenTeam: true})
		}
		join := func(team id.Team, who id.Member) (id.Order, error) {
			return w.Claim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: who, Team: team})
		}
		find := func(team id.Team) groupbuy.Team {
			got, err := w.GroupBuy.FindTeam(bg, team)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}

		t.Run("forms with the last payment", func(t *testing.T) {
			first := open(m[0])
			orders := []id.Order{first.ID}
			for _, who := range m[1:3] {
				o, err := join(first.TeamID, who)
				if err != nil {
					t.Fatal(err)
				}
				orders = append(orders, o)
			}
			if _, err := join(first.TeamID, m[3]); !errors.Is(err, groupbuy.ErrTeamFull) {
				t.Errorf("fourth of three: %v, want team full", err)
			}
			w.Pay(orders[0])
			w.Pay(orders[1])
			if got := find(first.TeamID); got.Status != groupbuy.StatusOpen || got.PaidSeats != 2 {
				t.Errorf("team %+v, want open with 2 paid", got)
			}
			w.Pay(orders[2])
			if got := find(first.TeamID); got.Status != groupbuy.StatusFormed || got.FormedAt == 0 {
				t.Errorf("team %+v, want formed", got)
			}
			full := w.Order(orders[2])
			if err := w.Campaign.Refund(bg, full.ID, campaign.RefundIn{RefundNo: "r", Amount: full.Amount, Goods: full.Amount}); err != nil {
				t.Fatal(err)
			}
			if got := find(first.TeamID); got.Status != groupbuy.StatusFormed {
				t.Errorf("a refund unformed the team: %+v", got)
			}
		})
		t.Run("one member sits once", func(t *testing.T) {
			first := open(m[0])
			if _, err := join(first.TeamID, m[0]); !errors.Is(err, groupbuy.ErrInTeam) {
				t.Errorf("got %v, want already in", err)
			}
		})
		t.Run("an unpaid seat is free again after its deadline", func(t *testing.T) {
			first := open(m[1])
			w.Pay(first.ID)
			if _, err := join(first.TeamID, m[2]); err != nil {
				t.Fatal(err)
			}
			w.Drain(16 * time.Minute)
			if got := find(first.TeamID); got.LiveSeats != 1 {
				t.Errorf("team %+v, want one live seat", got)
			}
		})
		t.Run("fails at its deadline and every payer gets a refund of his own", func(t *testing.T) {
			first := open(m[4])
			second, err := join(first.TeamID, m[5])
			if err != nil {
				t.Fatal(err)
			}
			w.Pay(first.ID)
			w.Drain(2 * time.Hour)
			if got := find(first.TeamID); got.Status != groupbuy.StatusFailed {
				t.Fatalf("team %+v, want failed", got)
			}
			paid, unpaid := w.Order(first.ID), w.Order(second)
			if len(paid.Refunds) != 1 || paid.Refunds[0].Amount != paid.Amount || paid.Refunds[0].Status != campaign.RefundRequested {
				t.Errorf("paid order %+v, want one requested refund of all", paid)
			}
			if unpaid.Status == campaign.OrderHeld || len(unpaid.Refunds) != 0 {
				t.Errorf("unpaid order %+v, want let go", unpaid)
			}
			w.Pay(second) // too late: the money goes back
			if late := w.Order(second); len(late.Refunds) != 1 || late.Refunds[0].Status != campaign.RefundRequested {
				t.Errorf("late payment: %+v, want a refund", late)
			}
			done := campaign.RefundIn{RefundNo: paid.Refunds[0].RefundNo, Amount: paid.Amount, Goods: paid.Amount}
			if err := w.Campaign.Refund(bg, paid.ID, done); err != nil {
				t.Fatal(err)
			}
			if got := w.Order(paid.ID); got.Status != campaign.OrderRefunded {
				t.Errorf("order %+v, want refunded", got)
			}
		})
		w.Verify()
	})
}

// lastSeats lets 50 members join one team of 5 at once, over two replicas.
func lastSeats(w []*campaigntest.World, members []id.Member) int64 {
	c := w[0].Run(campaigntest.Sale{Kind: "group_buy", Rules: `{"size":5}`, Stock: 1000})
	first := w[0].MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: members[0], OpenTeam: true})
	var joined atomic.Int64
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i, m := range members[1:] {
		wg.Go(func() {
			<-start
			_, err := w[i%len(w)].Claim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m, Team: first.TeamID})
			if err == nil {
				joined.Add(1)
			} else if _, ok := fault.As(err); !ok {
				w[0].T.Errorf("join: %v", err)
			}
		})
	}
	close(start)
	wg.Wait()
	return joined.Load()
}

func TestLastSeat(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			url := dbtest.URL(t, engine)
			db := dbtest.At(t, url)
			w := []*campaigntest.World{campaigntest.New(t, db)}
			if engine != "sqlite" {
				w = append(w, campaigntest.New(t, dbtest.Twin(t, db, url, 2)))
			}
			members := w[0].Members(51)
			for range 10 {
				if got := lastSeats(w, members); got != 4 {
					t.Fatalf("%d joined a team with 4 seats left", got)
				}
			}
			w[0].Verify()
		})
		t.Run(engine+" without locks it breaks", func(t *testing.T) {
			db := dbtest.Unlocked(t, engine)
			w := []*campaigntest.World{campaigntest.New(t, db), campaigntest.New(t, db), campaigntest.New(t, db)}
			members := w[0].Members(51)
			for range 400 {
				if lastSeats(w, members) > 4 {
					return
				}
			}
			t.Fatal("V3 held in 400 rounds without any lock")
		})
	}
}
