package settlement

import (
	"context"
	"net/http"

	"siyu/internal/money"
	"siyu/internal/wechat"
	"siyu/referral/payee"
)

// Teller is a channel that pays person by person, each by a bill that it knows
// by our number. Send of a number that exists is that bill. An error that is
// no *wechat.Error says nothing about the bill.
type Teller interface {
	Send(ctx context.Context, t wechat.Transfer) (wechat.Bill, error)
	Find(ctx context.Context, billNo string) (wechat.Bill, error)
	Cancel(ctx context.Context, billNo string) (wechat.Bill, error)
	ReadNotice(h http.Header, body []byte) (wechat.Bill, error)
}

// Bills is how bills are asked for: by which merchant, of which app's members,
// in the words that the scene wants. The words must not change while bills are
// on their way: the channel refuses a number with other parameters.
type Bills struct {
	Teller     Teller
	MerchantID string
	AppID      string
	Scene      string
	Perception string
	Remark     string
	Infos      []wechat.Info
	NotifyURL  string
	Least      money.Amount // of one bill
	Most       money.Amount
	Rate       int // requests a second, of one process
}

// nameLeast and nameMost bound the amounts for which the channel takes a real
// name, and for which it must have one; between them it is told, and so
// compared.
const nameLeast money.Amount = 30

// reasonAmount holds a member whose payment is less or more than one bill may
// be.
const reasonAmount payee.Reason = "bill_amount"

// serves says whether the channel pays out of the payer's own account with the
// merchant's number, to members of its app.
func (x *Bills) serves(p payee.Payer) bool {
	return x != nil && p.MchID == x.MerchantID && p.AppID == x.AppID
}

// transfer is the request for a bill. The openid is of the payee's version
// that was frozen on the line.
func (x *Bills) transfer(b Bill, to payee.Opened) wechat.Transfer {
	t := wechat.Transfer{AppID: x.AppID, BillNo: b.No, Scene: x.Scene, OpenID: to.OpenID, Amount: int64(b.Net), Remark: x.Remark,
		NotifyURL: x.NotifyURL, Perception: x.Perception, Infos: x.Infos}
	if b.Net >= nameLeast {
		t.Name = to.Name
	}
	return t
}
