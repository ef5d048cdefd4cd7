package campaign_test

import (
	"errors"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// bySession is a sale of 100 pieces in two sessions a day, five a session; the
// first begins now.
func bySession(w *campaigntest.World) campaign.Campaign {
	w.T.Helper()
	loc, err := time.LoadLocation(clock.Shanghai)
	if err != nil {
		w.T.Fatal(err)
	}
	now := w.DB.Clock.Now().In(loc)
	w.DB.Clock.Jump(time.Date(now.Year(), now.Month(), now.Day()+1, 10, 0, 0, 0, loc).Sub(now))
	return w.Run(campaigntest.Sale{
		Stock: 100, SessionStock: 5, Hours: 72, Rules: `{"sessions":[{"from":"10:00","to":"11:00"},{"from":"11:00","to":"12:00"}],"wait_pay_within_s":60}`,
	})
}

func TestSessionStock(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := replicas(t, engine)
			c := bySession(w[0])
			claim := campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID}
			buyers := w[0].Members(64)
			if got := rush(w, claim, buyers); got != 5 {
				t.Fatalf("the first session sold %d, want 5", got)
			}
			claim.Member = buyers[0]
			if _, err := w[0].Claim(claim); !errors.Is(err, campaign.ErrSessionSoldOut) {
				t.Errorf("a sold-out session answers %v", err)
			}
			if _, err := w[0].Campaign.Wait(bg, campaign.WaitIn{Campaign: c.ID, Item: claim.Item, Member: buyers[0]}); !errors.Is(err, campaign.ErrInStock) {
				t.Errorf("waiting while later sessions have stock: %v", err)
			}
			// What is not paid within the session can be had again in it.
			w[0].Drain(20 * time.Minute)
			if got := rush(w, claim, buyers); got != 5 {
				t.Fatalf("after the unpaid orders went, the session sold %d, want 5", got)
			}
			w[0].Verify()
			// The next session has its own five, and the orders of the first
			// that are let go in it do not add to them.
			w[0].Drain(0)
			w[0].DB.Clock.Jump(41 * time.Minute)
			if got := rush(w, claim, buyers); got != 5 {
				t.Fatalf("the second session sold %d, want 5", got)
			}
			w[0].Drain(time.Minute)
			if got := rush(w, claim, buyers); got != 0 {
				t.Fatalf("the second session sold %d more", got)
			}
			w[0].Verify()
		})
		t.Run(engine+" without locks it breaks", func(t *testing.T) {
			mustBreak(t, engine, "V1", func(w []*campaigntest.World, buyers []id.Member) {
				c := bySession(w[0])
				rush(w, campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID}, buyers)
			})
		})
	}
}

// TestSessionStockGivenBack refunds a paid order within its session and after.
func TestSessionStockGivenBack(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := campaigntest.New(t, dbtest.Open(t, engine))
			c := bySession(w)
			claim := campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID}
			m := w.Members(12)
			var orders []id.Order
			for _, who := range m[:5] {
				claim.Member = who
				o := w.MustClaim(claim)
				w.Pay(o.ID)
				orders = append(orders, o.ID)
			}
			back := func(o id.Order) {
				t.Helper()
				if err := w.Campaign.Refund(bg, o, campaign.RefundIn{RefundNo: "r", Amount: 9900, Goods: 9900, Qty: 1}); err != nil {
					t.Fatal(err)
				}
			}
			take := func(who id.Member) error {
				claim.Member = who
				_, err := w.Claim(claim)
				return err
			}
			back(orders[0])
			if err := take(m[5]); err != nil {
				t.Errorf("the piece that came back: %v", err)
			}
			if err := take(m[6]); !errors.Is(err, campaign.ErrSessionSoldOut) {
				t.Errorf("one more: %v", err)
			}
			w.DB.Clock.Jump(time.Hour)
			for _, who := range m[7:12] {
				if err := take(who); err != nil {
					t.Errorf("the next session: %v", err)
				}
			}
			back(orders[1])
			if err := take(m[6]); !errors.Is(err, campaign.ErrSessionSoldOut) {
				t.Errorf("a piece of the session before: %v", err)
			}
			w.Verify()
		})
	}
}

// TestLatePaymentInALaterSession pays, while a later session is open that has
// sold nothing, an order of an earlier one that had expired, and refunds it.
func TestLatePaymentInALaterSession(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := bySession(w)
		o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: w.Members(1)[0]})
		w.Drain(time.Hour)
		w.Pay(o.ID)
		if got := w.Order(o.ID); got.Status != campaign.OrderPaid {
			t.Fatalf("order %+v, want paid", got)
		}
		w.Verify()
		if err := w.Campaign.Refund(bg, o.ID, campaign.RefundIn{RefundNo: "r", Amount: 9900, Goods: 9900}); err != nil {
			t.Fatal(err)
		}
		if item := w.Item(c.ID); item.SessionTaken != 0 {
			t.Errorf("the session sold %d, want none", item.SessionTaken)
		}
		w.Verify()
	})
}

func TestSessionStockEdits(t *testing.T) {
	w := campaigntest.New(t, dbtest.Open(t, "sqlite"))
	c := bySession(w)
	set := func(n int64) error {
		c, err := w.Campaign.FindCampaign(bg, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		return w.Campaign.Edit(bg, c.ID, c.Version, campaign.CampaignEdit{Items: []campaign.ItemEdit{{ID: c.Items[0].ID, SessionStock: &n}}})
	}
	for _, step := range []struct {
		to   int64
		want error
	}{{4, fault.Invalid}, {101, fault.Invalid}, {6, nil}, {0, nil}, {7, fault.Invalid}} {
		if err := set(step.to); !errors.Is(err, step.want) {
			t.Errorf("to %d: got %v, want %v", step.to, err, step.want)
		}
	}
}
