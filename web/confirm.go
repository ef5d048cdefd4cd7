package web

import (
	"context"

	"siyu/internal/id"
	"siyu/internal/money"
)

// confirmView is a payment that waits for the member's tap inside WeChat.
type confirmView struct {
	Amount     money.Amount
	Clock      countdown
	MerchantID string
	AppID      string
	Package    string
	payout     id.Payout
}

// confirms are the payments that the member may confirm now.
func (s *Server) confirms(ctx context.Context, p page, m id.Member) ([]confirmView, error) {
	list, err := s.Settlement.ToConfirm(ctx, m)
	if err != nil {
		return nil, err
	}
	var out []confirmView
	for _, b := range list {
		out = append(out, confirmView{b.Net, countdown{Until: b.UntilAt.Time().In(shop), Now: p.Now, Reload: true}, b.MerchantID, b.AppID, b.Package, b.PayoutID})
	}
	return out, nil
}
