package groupbuy_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/campaign/groupbuy"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// The defects that other group-buys are known to have, each as a test that
// shows we do not have it. docs/defects.md lists them all.

// rig is a group-buy that runs.
type rig struct {
	*campaigntest.World
	c campaign.Campaign
}

func newRig(t *testing.T, db *database.DB, sale campaigntest.Sale) rig {
	w := campaigntest.New(t, db)
	sale.Kind = "group_buy"
	return rig{w, w.Run(sale)}
}

func (r rig) open(who id.Member) campaign.Order {
	r.T.Helper()
	return r.MustClaim(campaign.Claim{Campaign: r.c.ID, Item: r.c.Items[0].ID, Member: who, OpenTeam: true})
}

func (r rig) join(team id.Team, who id.Member) campaign.Order {
	r.T.Helper()
	return r.MustClaim(campaign.Claim{Campaign: r.c.ID, Item: r.c.Items[0].ID, Member: who, Team: team})
}

func (r rig) team(tid id.Team) groupbuy.Team {
	r.T.Helper()
	team, err := r.GroupBuy.FindTeam(bg, tid)
	if err != nil {
		r.T.Fatal(err)
	}
	return team
}

func TestPaymentForFullTeamIsNoStuckMoney(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		r := newRig(t, db, campaigntest.Sale{Rules: `{"size":2,"open_for_s":7200}`, Stock: 10})
		m := r.Members(3)
		first := r.open(m[0])
		slow := r.join(first.TeamID, m[1])
		r.Pay(first.ID)
		r.Drain(16 * time.Minute) // the second seat's time to pay is over
		quick := r.join(first.TeamID, m[2])
		r.Pay(quick.ID)
		before := r.count("SELECT COUNT(*) FROM teams")
		r.Pay(slow.ID) // the callback succeeds, and the money goes back

		late := r.Order(slow.ID)
		if len(late.Refunds) != 1 || late.Refunds[0].Amount != late.Amount || late.Refunds[0].Status != campaign.RefundRequested {
			t.Errorf("late order %+v, want all of it requested back", late)
		}
		if late.Status == campaign.OrderPaid || late.TeamID != first.TeamID {
			t.Errorf("late order %+v, want let go, and moved to no other team", late)
		}
		if now := r.count("SELECT COUNT(*) FROM teams"); now != before {
			t.Errorf("a payment opened a team nobody asked for: %d, had %d", now, before)
		}
		if team := r.team(first.TeamID); team.Status != groupbuy.StatusFormed || team.PaidSeats != 2 {
			t.Errorf("team %+v, want formed by two", team)
		}
		r.Verify()
	})
}

func (r rig) count(query string, args ...any) (n int) {
	r.T.Helper()
	if err := r.DB.Read(bg).Raw(query, args...).Scan(&n).Error; err != nil {
		r.T.Fatal(err)
	}
	return n
}

func TestLastPiecesAreBoughtThroughATeam(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		r := newRig(t, db, campaigntest.Sale{Rules: `{"size":3}`, Stock: 3})
		m := r.Members(3)
		first := r.open(m[0])
		all := []id.Order{first.ID, r.join(first.TeamID, m[1]).ID, r.join(first.TeamID, m[2]).ID}
		for _, o := range all {
			r.Pay(o)
		}
		if team, item := r.team(first.TeamID), r.Item(r.c.ID); team.Status != groupbuy.StatusFormed || item.Sold != 3 || item.Left != 0 {
			t.Errorf("team %+v, item %+v; want the whole stock sold through one team", team, item)
		}
		r.Verify()
	})
}

func TestSeatsPaidAtOnceFormTheTeamOnce(t *testing.T) {
	const size = 8
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			url := dbtest.URL(t, engine)
			db := dbtest.At(t, url)
			r := newRig(t, db, campaigntest.Sale{Rules: `{"size":8}`, Stock: 1000})
			worlds := []*campaigntest.World{r.World}
			if engine != "sqlite" {
				worlds = append(worlds, campaigntest.New(t, dbtest.Twin(t, db, url, 2)))
			}
			m := r.Members(size)
			for range 8 {
				first := r.open(m[0])
				orders := []campaign.Order{first}
				for _, who := range m[1:] {
					orders = append(orders, r.join(first.TeamID, who))
				}
				var wg sync.WaitGroup
				start := make(chan struct{})
				for i, o := range orders {
					for twin := range 2 { // the mall reports each payment twice
						wg.Go(func() {
							<-start
							w := worlds[(i+twin)%len(worlds)]
							if err := w.Campaign.Pay(bg, o.ID, campaigntest.Payment(o, "p"+o.ID.String())); err != nil {
								t.Errorf("payment: %v", err)
							}
						})
					}
				}
				close(start)
				wg.Wait()
				if team := r.team(first.TeamID); team.Status != groupbuy.StatusFormed || team.PaidSeats != size || team.LiveSeats != size {
					t.Fatalf("team %+v, want formed by its %d payers at once", team, size)
				}
				if back := r.count("SELECT COUNT(*) FROM refunds"); back != 0 {
					t.Fatalf("%d refunds of payments that were all wanted", back)
				}
			}
			r.Verify()
		})
	}
}

func TestNobodyJoinsAFormedTeam(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		r := newRig(t, db, campaigntest.Sale{Rules: `{"size":2}`, Stock: 10})
		m := r.Members(3)
		first := r.open(m[0])
		second := r.join(first.TeamID, m[1])
		r.Pay(first.ID)
		r.Pay(second.ID)
		if err := r.Campaign.Refund(bg, second.ID, campaign.RefundIn{RefundNo: "r", Amount: second.Amount, Goods: second.Amount}); err != nil {
			t.Fatal(err)
		}
		_, err := r.Claim(campaign.Claim{Campaign: r.c.ID, Item: r.c.Items[0].ID, Member: m[2], Team: first.TeamID})
		if !errors.Is(err, groupbuy.ErrTeamGone) {
			t.Errorf("a seat of a formed team: %v, want refused", err)
		}
		r.Verify()
	})
}

func TestEveryMemberOfAFailedTeamIsRefundedForHisOwnOrder(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		r := newRig(t, db, campaigntest.Sale{Rules: `{"size":5,"open_for_s":3600}`, Stock: 100, PerOrder: 3})
		m := r.Members(4)
		first := r.open(m[0])
		paid := []campaign.Order{first}
		for i, who := range m[1:] {
			paid = append(paid, r.MustClaim(campaign.Claim{Campaign: r.c.ID, Item: r.c.Items[0].ID, Member: who, Team: first.TeamID, Qty: 1 + i%3}))
		}
		for i, o := range paid {
			in := campaigntest.Payment(o, "p"+o.ID.String())
			in.Freight = money.Amount(100 * i) // the freight goes back too
			in.Amount += in.Freight
			if err := r.Campaign.Pay(bg, o.ID, in); err != nil {
				t.Fatal(err)
			}
		}
		r.Drain(2 * time.Hour)
		for i, o := range paid {
			now := r.Order(o.ID)
			want := o.Amount + money.Amount(100*i)
			if len(now.Refunds) != 1 || now.Refunds[0].OrderID != o.ID || now.Refunds[0].Amount != want || now.Refunds[0].Qty != o.Qty {
				t.Errorf("payer %d: %+v, want %d fen of order %s back", i, now.Refunds, want, o.ID)
			}
		}
		r.Verify()
	})
}

// A team is marked failed together with the note of what it owes, and each
// refund is asked for in a transaction of its own that takes the note away. So
// a run that is cut off leaves no failed team without a refund or a note, and
// the next run does the rest.
func TestFailedTeamsAreRefundedOneByOneAndTriedAgain(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		r := newRig(t, db, campaigntest.Sale{Rules: `{"size":2,"open_for_s":3600}`, Stock: 100})
		var paid []campaign.Order
		for _, who := range r.Members(30) {
			o := r.open(who)
			r.Pay(o.ID)
			paid = append(paid, o)
		}
		db.Clock.Jump(2 * time.Hour)
		cut := 0
		for within := time.Millisecond; ; within += 2 * time.Millisecond {
			ctx, cancel := context.WithTimeout(bg, within)
			err := r.GroupBuy.Sweep(ctx)
			cancel()
			for _, o := range paid {
				team, now := r.team(o.TeamID), r.Order(o.ID)
				owed := r.count("SELECT COUNT(*) FROM team_refunds WHERE order_id = ?", o.ID)
				if failed := team.Status == groupbuy.StatusFailed; failed != (len(now.Refunds)+owed == 1) {
					t.Fatalf("team %s is %s with refunds %+v, %d owed", team.ID, team.Status, now.Refunds, owed)
				}
			}
			if err == nil {
				break
			}
			if cut++; within > time.Minute {
				t.Fatalf("never ends: %v", err)
			}
		}
		if cut == 0 {
			t.Error("no run was cut off, so this proves nothing")
		}
		if got := r.count("SELECT COUNT(*) FROM refunds"); got != len(paid) {
			t.Errorf("%d refunds for %d payers", got, len(paid))
		}
		r.Verify()
	})
}

func TestEveryTeamHasItsOwnDeadline(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		r := newRig(t, db, campaigntest.Sale{Rules: `{"size":2,"open_for_s":3600}`, Stock: 100})
		m := r.Members(3)
		early := r.open(m[0])
		r.Pay(early.ID)
		r.Drain(40 * time.Minute)
		late := r.open(m[1])
		r.Pay(late.ID)
		r.Drain(30 * time.Minute)
		if a, b := r.team(early.TeamID), r.team(late.TeamID); a.Status != groupbuy.StatusFailed || b.Status != groupbuy.StatusOpen {
			t.Errorf("teams %+v and %+v, want the older failed and the younger open", a, b)
		}
		_, err := r.Claim(campaign.Claim{Campaign: r.c.ID, Item: r.c.Items[0].ID, Member: m[2], Team: early.TeamID})
		if _, refused := fault.As(err); !refused {
			t.Errorf("joining an expired team: %v, want refused and never taken for a success", err)
		}
		r.Verify()
	})
}
