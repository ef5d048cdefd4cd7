package campaign_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
)

var bg = context.Background()

// standing is what must be equal whatever order the callbacks came in.
type standing struct {
	Status        campaign.OrderStatus
	RefundedQty   int
	RefundedGoods int64
	Received      bool
	Left, Sold    int64
	Backs         int
}

// TestCallbacksInAnyOrder reports one order's five callbacks in all 120
// orders, each of them twice.
func TestCallbacksInAnyOrder(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{Stock: 1000, PerOrder: 3, Hours: 300})
		buyer := w.Members(1)[0]
		want := standing{Status: campaign.OrderPaid, RefundedQty: 1, RefundedGoods: 9900, Received: true, Backs: 1}
		for i, order := range permutations(5) {
			before := w.Item(c.ID)
			o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: buyer, Qty: 3})
			calls := []func() error{
				func() error { return w.Campaign.Pay(bg, o.ID, campaigntest.Payment(o, "a"+o.ID.String())) },
				func() error {
					return w.Campaign.Refund(bg, o.ID, campaign.RefundIn{RefundNo: "r1", Amount: 9900, Goods: 9900, Qty: 1})
				},
				func() error {
					return w.Campaign.Ship(bg, o.ID, campaign.Shipment{Stage: "shipped", ShipmentNo: "s1"})
				},
				func() error {
					return w.Campaign.Ship(bg, o.ID, campaign.Shipment{Stage: "received", ShipmentNo: "s1"})
				},
				func() error { // a payment of a wrong sum goes back
					return w.Campaign.Pay(bg, o.ID, campaign.PaymentIn{Provider: "wechat", PaymentNo: "b" + o.ID.String(), Goods: 1, Amount: 1})
				},
			}
			for range 2 {
				for _, n := range order {
					if err := calls[n](); err != nil {
						t.Fatalf("order %d %v: %v", i, order, err)
					}
				}
			}
			after, now := w.Order(o.ID), w.Item(c.ID)
			got := standing{
				Status: after.Status, RefundedQty: after.RefundedQty, RefundedGoods: int64(after.RefundedGoods),
				Received: after.ReceivedAt > 0, Left: before.Left - now.Left, Sold: now.Sold - before.Sold,
			}
			for _, r := range after.Refunds {
				if r.ByWhom == "siyu" {
					got.Backs++
				}
			}
			want.Left, want.Sold = 2, 2
			if got != want {
				t.Fatalf("order %v: got %+v, want %+v", order, got, want)
			}
		}
		w.Verify()
	})
}

func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{{}}
	}
	var out [][]int
	for _, p := range permutations(n - 1) {
		for at := 0; at <= len(p); at++ {
			out = append(out, slices.Insert(slices.Clone(p), at, n-1))
		}
	}
	return out
}

func TestLatePayment(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{Stock: 1, PerMember: 1})
		m := w.Members(2)
		claim := campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m[0]}
		late := w.MustClaim(claim)
		w.Drain(16 * time.Minute)
		if got := w.Order(late.ID).Status; got != campaign.OrderExpired {
			t.Fatalf("unpaid order: %s, want expired", got)
		}

		t.Run("is honoured while stock is left", func(t *testing.T) {
			w.Pay(late.ID)
			if o := w.Order(late.ID); o.Status != campaign.OrderPaid || len(o.Refunds) != 0 {
				t.Errorf("order %+v", o)
			}
		})
		t.Run("is sent back when sold out, in the same transaction", func(t *testing.T) {
			err := w.Campaign.Refund(bg, late.ID, campaign.RefundIn{RefundNo: "r", Amount: 9900, Goods: 9900})
			if err != nil {
				t.Fatal(err)
			}
			claim.Member = m[1]
			second := w.MustClaim(claim)
			w.Drain(16 * time.Minute)
			claim.Member = m[0]
			w.Pay(w.MustClaim(claim).ID)
			w.Pay(second.ID)
			o := w.Order(second.ID)
			if o.Status != campaign.OrderExpired || len(o.Refunds) != 1 || o.Refunds[0].Reason != "late_sold_out" || o.Refunds[0].Amount != 9900 {
				t.Errorf("order %+v", o)
			}
		})
		t.Run("a second payment is sent back", func(t *testing.T) {
			o := w.Order(late.ID)
			if o.Status != campaign.OrderRefunded {
				t.Fatalf("order is %s", o.Status)
			}
			if err := w.Campaign.Pay(bg, o.ID, campaigntest.Payment(o, "again")); err != nil {
				t.Fatal(err)
			}
			if o = w.Order(o.ID); o.Refunds[len(o.Refunds)-1].Reason != "paid_twice" {
				t.Errorf("refunds %+v", o.Refunds)
			}
		})
		t.Run("a payment number buys one order only", func(t *testing.T) {
			err := w.Campaign.Pay(bg, heldBy(w, c, m[1]), campaigntest.Payment(campaign.Order{Amount: 9900}, "again"))
			if !errors.Is(err, campaign.ErrPaymentReused) {
				t.Errorf("got %v, want payment reused", err)
			}
		})
		w.Verify()
	})
}

func TestRefunds(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{Stock: 10, PerOrder: 3})
		o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: w.Members(1)[0], Qty: 3})
		w.Pay(o.ID)
		refund := func(no string, goods int64, qty int) error {
			return w.Campaign.Refund(bg, o.ID, campaign.RefundIn{RefundNo: no, Amount: money.Amount(goods), Goods: money.Amount(goods), Qty: qty})
		}
		if err := refund("1", 9900, 1); err != nil {
			t.Fatal(err)
		}
		if err := refund("1", 5000, 1); !errors.Is(err, campaign.ErrRefundDiffers) {
			t.Errorf("same number, other sum: %v", err)
		}
		if err := refund("2", 29700, 3); !errors.Is(err, campaign.ErrRefundExceeds) {
			t.Errorf("more than was paid: %v", err)
		}
		if err := refund("3", 19800, 0); err != nil {
			t.Fatal(err)
		}
		if got := w.Order(o.ID); got.Status != campaign.OrderRefunded || got.RefundedQty != 3 {
			t.Errorf("order %+v, want all refunded", got)
		}
		if item := w.Item(c.ID); item.Left != 10 {
			t.Errorf("item %+v, want all 10 left", item)
		}
		w.Verify()
	})
}

func TestMerge(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{Stock: 10, PerMember: 2, PerOrder: 2})
		m := w.Members(2)
		for _, who := range m {
			w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: who, Qty: 2})
		}
		if err := w.Campaign.MergeMembers(bg, m[0], m[1]); err != nil {
			t.Fatal(err)
		}
		_, err := w.Claim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m[1]})
		if !errors.Is(err, campaign.ErrLimit) {
			t.Errorf("after the merge: got %v, want limit", err)
		}
		_, err = w.Claim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m[0]})
		if !errors.Is(err, campaign.ErrLimit) {
			t.Errorf("the merged member: got %v, want limit", err)
		}
		w.Verify()
	})
}

func TestGuestWhoPaysBecomesTheMember(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{})
		guest, err := w.Community.NewGuest(bg)
		if err != nil {
			t.Fatal(err)
		}
		o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: guest})
		known := w.Members(1)[0]
		in := campaigntest.Payment(o, "p")
		in.Member = &campaign.IdentityRef{Kind: "mall", Value: w.MallID(known)}
		if err := w.Campaign.Pay(bg, o.ID, in); err != nil {
			t.Fatal(err)
		}
		if got := w.Order(o.ID); got.MemberID != known || got.Status != campaign.OrderPaid {
			t.Errorf("order %+v, want paid by %s", got, known)
		}
		w.Verify()
	})
}

// heldBy makes an order of the member in the campaign, in any state a payment
// may meet.
func heldBy(w *campaigntest.World, c campaign.Campaign, m id.Member) id.Order {
	if _, err := w.Claim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: m}); err == nil {
		w.T.Fatal("stock was left")
	}
	var oid id.Order
	w.DB.Read(bg).Raw("SELECT MAX(id) FROM orders WHERE member_id = ?", m).Scan(&oid)
	return oid
}

func TestOverdueRefund(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		c := w.Run(campaigntest.Sale{Stock: 1, Hours: 100})
		o := w.MustClaim(campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: w.Members(1)[0]})
		w.Pay(o.ID)
		if err := w.Campaign.Pay(bg, o.ID, campaigntest.Payment(o, "twice")); err != nil {
			t.Fatal(err)
		}
		w.Drain(23 * time.Hour)
		if r := w.Order(o.ID).Refunds[0]; r.AlertedAt != 0 {
			t.Errorf("refund %+v alerted before its bound", r)
		}
		w.Drain(2 * time.Hour)
		if r := w.Order(o.ID).Refunds[0]; r.AlertedAt == 0 {
			t.Errorf("refund %+v is a day late without an alert", r)
		}
		w.Verify()
	})
}

// TestMergedGuestSharesTheLimit claims by the cookie of a guest who became a
// member and by the member's own token: both count against one limit.
func TestMergedGuestSharesTheLimit(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		guest, err := w.Community.NewGuest(bg)
		if err != nil {
			t.Fatal(err)
		}
		known := w.Members(1)[0]
		if err := w.Campaign.MergeMembers(bg, guest, known); err != nil {
			t.Fatal(err)
		}
		for _, order := range [][]id.Member{{known, guest}, {guest, known}} {
			c := w.Run(campaigntest.Sale{Stock: 10, PerMember: 1})
			claim := campaign.Claim{Campaign: c.ID, Item: c.Items[0].ID, Member: order[0]}
			if _, err := w.Claim(claim); err != nil {
				t.Fatal(err)
			}
			claim.Member = order[1]
			if _, err := w.Claim(claim); !errors.Is(err, campaign.ErrLimit) {
				t.Errorf("second claim by the same person: got %v, want limit", err)
			}
		}
		w.Verify()
	})
}
