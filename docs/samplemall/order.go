package main

import (
	"context"
	"fmt"
	"log"
	"maps"
	"slices"
	"time"
)

// order is what the mall reads of an order of Siyu's.
type order struct {
	ID            string `json:"id"`
	Status        string `json:"status"`
	Qty           int    `json:"qty"`
	Amount        int64  `json:"amount_fen"`
	RefundedGoods int64  `json:"refunded_goods_fen"`
}

// refund is a refund as the mall reports it.
type refund struct {
	No     string `json:"refund_no"`
	Amount int64  `json:"amount_fen"`
	Goods  int64  `json:"goods_fen"`
	Qty    int    `json:"qty"`
	Status string `json:"status"` // done, failed
}

// pay takes the money and reports it. The payment number is the provider's and
// is spent for ever; reported again it changes nothing.
func (m *mall) pay(ctx context.Context, id, no string) (o order, err error) {
	if err := m.siyu.call(ctx, "GET", "/v1/orders/"+id, "", nil, &o); err != nil {
		return o, err
	}
	err = m.siyu.call(ctx, "POST", "/v1/orders/"+id+"/payments", "pay-"+no, map[string]any{
		"provider": "samplepay", "payment_no": no, "goods_fen": o.Amount, "amount_fen": o.Amount,
	}, &o)
	return o, err
}

// refund reports how a refund ended, whole or in part. It may come before the
// payment it belongs to; then Siyu keeps it.
func (m *mall) refund(ctx context.Context, id string, r refund) (o order, err error) {
	err = m.siyu.call(ctx, "POST", "/v1/orders/"+id+"/refunds", "refund-"+id+"-"+r.No+"-"+r.Status, r, &o)
	return o, err
}

// ship reports goods sent or received.
func (m *mall) ship(ctx context.Context, id, stage, no string) (o order, err error) {
	err = m.siyu.call(ctx, "POST", "/v1/orders/"+id+"/shipments", stage+"-"+id+"-"+no, map[string]any{"stage": stage, "shipment_no": no}, &o)
	return o, err
}

// cancel lets an unpaid order go.
func (m *mall) cancel(ctx context.Context, id string) (o order, err error) {
	err = m.siyu.call(ctx, "POST", "/v1/orders/"+id+"/cancel", "cancel-"+id, map[string]any{}, &o)
	return o, err
}

// carryOut sends back the money that Siyu asked for and reports each refund
// done or failed, until ctx ends. What was cut off is found in the store.
func (m *mall) carryOut(ctx context.Context) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var open []request
		m.store.read(func(s state) {
			for _, no := range slices.Sorted(maps.Keys(s.Refunds)) {
				if s.Refunds[no].Reported != "done" {
					open = append(open, *s.Refunds[no])
				}
			}
		})
		for _, r := range open {
			if err := m.sendBack(ctx, r); err != nil && ctx.Err() == nil {
				log.Printf("refund %s of %s: %v", r.No, r.Order, err)
			}
		}
	}
}

// sendBack has the bank pay, if it has not, and tells Siyu how that ended. The
// bank knows the refund by its number too, so asked twice it pays once.
func (m *mall) sendBack(ctx context.Context, r request) error {
	name := r.Order + " " + r.No
	if !r.Paid {
		r.Tries++
		r.Paid = r.Tries > m.failing
		err := m.store.change(func(s *state) { s.Refunds[name].Tries, s.Refunds[name].Paid = r.Tries, r.Paid })
		if err != nil {
			return err
		}
	}
	status := "done"
	if !r.Paid {
		status = "failed" // it stays open, and may still be done
	}
	if status != r.Reported {
		_, err := m.refund(ctx, r.Order, refund{No: r.No, Amount: r.Amount, Goods: r.Goods, Qty: r.Qty, Status: status})
		if err != nil {
			return err
		}
	}
	return m.store.change(func(s *state) { s.Refunds[name].Reported = status })
}

// token asks for a member token, which the mall's pages hand to the browser.
func (m *mall) token(ctx context.Context, mallID string) (string, error) {
	var member string
	m.store.read(func(s state) { member = s.Members[mallID] })
	if member == "" {
		return "", fmt.Errorf("the mall knows no member %q", mallID)
	}
	var t struct {
		Token string `json:"token"`
	}
	key := fmt.Sprintf("token-%s-%d", member, time.Now().UnixNano())
	err := m.siyu.call(ctx, "POST", "/v1/members/"+member+"/tokens", key, map[string]any{"ttl_seconds": 900}, &t)
	return t.Token, err
}
