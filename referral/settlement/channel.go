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

// reasonAccount holds a member whose account the channel cannot pay into,
// reasonNotStaff one whom payroll does not know.
const (
	reasonAccount  payee.Reason = "other_account"
	reasonNotStaff payee.Reason = "not_staff"
)

// WhyNextPayout is why payroll's payout did not pay a member, as he sees it.
const WhyNextPayout Why = Why(reasonNotStaff)

// waits says of a reason that another payout of the settlement can pay the
// member, so that none is carried for it.
func waits(r payee.Reason) bool {
	return r == reasonLimit || r == reasonObjected || r == payee.ReasonPayroll || r == reasonNotStaff
}

// blocks says why the channel cannot pay the member, or the payer cannot.
// Staff are paid by a form of payroll alone, which pays nobody else.
func (c Channel) blocks(r payee.Ready) payee.Reason {
	kind, payroll := payee.AccountKind(""), false
	if c == ChannelBills {
		kind = payee.AccountWechat
	} else if p, err := payfile.Find(string(c)); err == nil {
		kind, payroll = payee.AccountKind(p.AccountKind), p.PayeeType == string(payee.TypeStaff)
	}
	switch {
	case payroll && r.Type != payee.TypeStaff:
		return reasonNotStaff
	case !payroll && r.Type == payee.TypeStaff:
		return payee.ReasonPayroll
	case r.Blocked != "" || c == ChannelManual:
		return r.Blocked
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
