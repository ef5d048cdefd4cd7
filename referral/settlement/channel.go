package settlement

import (
	"siyu/internal/fault"
	"siyu/referral/payee"
	"siyu/referral/payfile"
	"siyu/wallet"
)

// Channel is the way a payout is paid: by hand and marked, by a file of the
// form that it names, or by transfer bills.
type Channel string

// The channels that no form describes.
const (
	ChannelManual Channel = "manual"       // paid elsewhere: what is marked counts as arrived
	ChannelBills  Channel = "wechat_bills" // person by person, each confirms his bill
)

// stage is where the money is once it was given out.
func (c Channel) stage() wallet.Stage {
	if c == ChannelManual {
		return wallet.StagePaid
	}
	return wallet.StagePaying
}

// status is how a line begins.
func (c Channel) status() PayoutLineStatus {
	if c == ChannelManual {
		return PayoutLinePaid
	}
	return PayoutLineSent
}

// reasonAccount holds a member whose account the channel cannot pay into.
const reasonAccount payee.Reason = "other_account"

// blocks says why the channel cannot pay the member, though the payer could.
func (c Channel) blocks(r payee.Ready) payee.Reason {
	if c == ChannelManual {
		return ""
	}
	kind := payee.AccountKind("")
	if c == ChannelBills {
		kind = payee.AccountWechat
	} else if p, err := payfile.Find(string(c)); err == nil {
		kind = payee.AccountKind(p.AccountKind)
	}
	switch {
	case r.No == 0:
		return payee.ReasonNoPayee
	case kind != "" && r.Kind != kind:
		return reasonAccount
	}
	return ""
}

// form is the form of the channel's files and results.
func (c Channel) form() (payfile.Profile, error) {
	if c == ChannelManual {
		return payfile.Find("bills")
	}
	return payfile.Find(string(c))
}

func (c Channel) validate(check *fault.Check) {
	_, err := c.form()
	check.That(err == nil || c == ChannelBills, "channel", "unknown_value", "应为 manual、wechat_bills 或某个文件格式的名称", "must be manual, wechat_bills or the name of a file form")
}
