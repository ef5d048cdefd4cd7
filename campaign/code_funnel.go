package campaign

import (
	"context"
	"fmt"
	"slices"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// CodeFunnel is how far one code reached, and what it cost and brought.
type CodeFunnel struct {
	CodeID id.Code `json:"code_id"`
	FunnelSteps
	Cost     money.Amount `json:"cost_fen"`
	Gross    money.Amount `json:"gross_fen"`
	LetBack  money.Amount `json:"refunded_fen" gorm:"column:let_back_goods"`
	Visitors int64        `json:"visitors"`
}

// CodeFunnel counts a code's touches, bindings and orders in one snapshot.
// Orders have no index by code, which every claim would pay for: they are found
// by whom the code brought. Who may see the code is the caller's question.
func (s *Service) CodeFunnel(ctx context.Context, code referral.Code) (CodeFunnel, error) {
	out := CodeFunnel{CodeID: code.ID, Cost: code.Cost}
	err := s.DB.Snapshot(ctx, func(q *database.Query) error {
		var err error
		if out.Touches, out.Visitors, err = referral.TouchesOf(q, code.ID); err != nil {
			return err
		}
		people := map[id.Member]bool{}
		for after := id.Binding(0); ; {
			brought, err := referral.BroughtBy(q, []id.Code{code.ID}, after, broughtAtOnce)
			if err != nil {
				return err
			}
			if len(brought) == 0 {
				break
			}
			var some []id.Member
			for _, b := range brought {
				if after = b.BindingID; !people[b.InviteeID] {
					people[b.InviteeID] = true
					some = append(some, b.InviteeID)
				}
			}
			out.Bindings += int64(len(brought))
			if err := out.addOrders(q, some); err != nil {
				return err
			}
		}
		out.convert()
		return nil
	})
	if err != nil {
		return out, fmt.Errorf("campaign: funnel of %s: %w", code.ID, err)
	}
	return out, nil
}

// broughtAtOnce is how many people are looked at together.
const broughtAtOnce = 200

// addOrders counts what these people claimed with the code, under whichever
// id they had then.
func (f *CodeFunnel) addOrders(q *database.Query, people []id.Member) error {
	if len(people) == 0 {
		return nil
	}
	was, err := community.MergedInto(q, people)
	if err != nil {
		return err
	}
	claimers := slices.Clone(people)
	for _, m := range people {
		claimers = append(claimers, was[m]...)
	}
	for some := range slices.Chunk(claimers, broughtAtOnce) {
		var sum CodeFunnel
		err := q.Raw(`SELECT COUNT(*) AS orders, COALESCE(SUM(CASE WHEN paid_at > 0 THEN 1 ELSE 0 END), 0) AS paid,
				COALESCE(SUM(CASE WHEN status = 'refunded' THEN 1 ELSE 0 END), 0) AS refunded,
				COALESCE(SUM(goods), 0) AS gross, COALESCE(SUM(refunded_goods), 0) AS let_back_goods
			FROM orders WHERE claimed_by IN ? AND code_id = ?`, some, f.CodeID).Scan(&sum).Error
		if err != nil {
			return err
		}
		f.Orders, f.Paid, f.Refunded = f.Orders+sum.Orders, f.Paid+sum.Paid, f.Refunded+sum.Refunded
		f.Gross, f.LetBack = f.Gross+sum.Gross, f.LetBack+sum.LetBack
	}
	return nil
}
