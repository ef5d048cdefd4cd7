package wechat

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// State is where a bill stands.
type State string

// The states of the platform. Only the last three are final.
const (
	StateAccepted   State = "ACCEPTED"
	StateProcessing State = "PROCESSING"
	StateWait       State = "WAIT_USER_CONFIRM"
	StateMoving     State = "TRANSFERING"
	StateCanceling  State = "CANCELING"
	StateSuccess    State = "SUCCESS"
	StateFail       State = "FAIL"
	StateCancelled  State = "CANCELLED"
)

// Final says whether nothing more will happen to the bill.
func (s State) Final() bool { return s == StateSuccess || s == StateFail || s == StateCancelled }

// ConfirmFor is how long the person has to confirm; then the bill fails.
const ConfirmFor = 24 * time.Hour

// Transfer asks for one bill.
type Transfer struct {
	AppID      string `json:"appid"`
	BillNo     string `json:"out_bill_no"` // ours: at most 32 letters and digits, one per bill for ever
	Scene      string `json:"transfer_scene_id"`
	OpenID     string `json:"openid"`
	Name       string `json:"-"` // the real name, compared by the platform; "" leaves it out
	Amount     int64  `json:"transfer_amount"`
	Remark     string `json:"transfer_remark"`
	NotifyURL  string `json:"notify_url,omitempty"`
	Perception string `json:"user_recv_perception,omitempty"`
	Infos      []Info `json:"transfer_scene_report_infos"`
}

// Info is one thing a scene must be told.
type Info struct {
	Type    string `json:"info_type"`
	Content string `json:"info_content"`
}

// Bill is a bill as the platform knows it. Package is there while the person
// may confirm, and only in the answer to a Transfer; for a bill that waits the
// same Transfer again tells it anew.
type Bill struct {
	BillNo     string `json:"out_bill_no"`
	PlatformNo string `json:"transfer_bill_no"`
	State      State  `json:"state"`
	Amount     int64  `json:"transfer_amount"` // not in the answer to a Transfer
	FailReason string `json:"fail_reason"`
	Package    string `json:"package_info"`
	CreateTime string `json:"create_time"`
}

// Overdue says whether the reason of a bill that failed, if it has one, is that
// nobody confirmed it.
func (b Bill) Overdue() bool { return b.FailReason == "" || b.FailReason == "OVERDUE_CLOSE" }

// CreatedAt is the platform's time of the bill, zero if it told none.
func (b Bill) CreatedAt() time.Time {
	t, _ := time.Parse(time.RFC3339, b.CreateTime)
	return t
}

const bills = "/v3/fund-app/mch-transfer/transfer-bills"

// Send asks for the bill. The same number with the same parameters is the same
// bill, however often it is sent.
func (c *Client) Send(ctx context.Context, t Transfer) (Bill, error) {
	body := struct {
		Transfer
		Sealed string `json:"user_name,omitempty"`
	}{Transfer: t}
	if t.Name != "" {
		var err error
		if body.Sealed, err = sealName(c.m.Platform, t.Name); err != nil {
			return Bill{}, err
		}
	}
	return c.bill(ctx, http.MethodPost, bills, t.BillNo, body)
}

// Find asks for a bill by our number; the platform keeps it for 30 days.
func (c *Client) Find(ctx context.Context, billNo string) (Bill, error) {
	return c.bill(ctx, http.MethodGet, bills+"/out-bill-no/"+url.PathEscape(billNo), billNo, nil)
}

// Cancel asks to call a bill off that is not final. The answer says only that
// the platform heard it; Find tells what became of the bill.
func (c *Client) Cancel(ctx context.Context, billNo string) (Bill, error) {
	return c.bill(ctx, http.MethodPost, bills+"/out-bill-no/"+url.PathEscape(billNo)+"/cancel", billNo, nil)
}

// bill is a call that is answered by the bill it names: a signed answer of
// another bill says nothing of this one.
func (c *Client) bill(ctx context.Context, method, path, billNo string, in any) (Bill, error) {
	var b Bill
	if err := c.call(ctx, method, path, in, &b); err != nil {
		return Bill{}, err
	}
	if b.BillNo != billNo {
		return Bill{}, fmt.Errorf("%w: it names another bill", ErrUnconfirmed)
	}
	return b, nil
}
