package settlement

import (
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payee"
)

// billBounds hold what arrives of payments against the least and the most of a
// bill. What arrives is after tax, which rests on the payments before it: of
// one person as several members too. The zero value, of a channel without
// bills, holds nobody.
type billBounds struct {
	least, most money.Amount
	payer       id.Payer
	outlook     *payee.Outlook
}

// boundsTx makes the bounds of a payout by bills, ready for these members.
func (s *Service) boundsTx(tx *database.Tx, p Payout, owed []payee.Owed) (*billBounds, error) {
	if p.Channel != ChannelBills {
		return &billBounds{}, nil
	}
	list := make([]payee.Withholding, 0, len(owed))
	for _, o := range owed {
		list = append(list, payee.Withholding{Payer: p.PayerID, Member: o.Member, Amount: o.Amount})
	}
	outlook, err := payee.OutlookTx(tx, list)
	return &billBounds{s.Bills.Least, s.Bills.Most, p.PayerID, outlook}, err
}

// blocks says why no bill can be of what arrives if the member is paid next.
// Where tax takes all there is none, which is no reason against paying.
func (b *billBounds) blocks(o payee.Owed) (payee.Reason, error) {
	if b.outlook == nil {
		return "", nil
	}
	net, err := b.outlook.Next(payee.Withholding{Payer: b.payer, Member: o.Member, Amount: o.Amount})
	if err != nil || net == 0 || net >= b.least && net <= b.most {
		return "", err
	}
	return reasonAmount, nil
}

// take says that the member looked at last is paid.
func (b *billBounds) take() {
	if b.outlook != nil {
		b.outlook.Take()
	}
}
