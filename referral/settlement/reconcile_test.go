package settlement

import (
	"testing"

	"siyu/referral/payfile"
)

func TestReconcile(t *testing.T) {
	line := func(s PayoutLineStatus) *PayoutLine { return &PayoutLine{Status: s, TransferID: 1, Net: 100} }
	for _, c := range []struct {
		name  string
		row   ImportRow
		line  *PayoutLine
		named bool
		want  Outcome
	}{
		{"arrived", ImportRow{State: payfile.Success, Amount: 100}, line(PayoutLineSent), false, OutcomePaid},
		{"arrived after all", ImportRow{State: payfile.Success, Amount: 100}, line(PayoutLineUnknown), false, OutcomePaid},
		{"no amount told", ImportRow{State: payfile.Success, Amount: payfile.Untold}, line(PayoutLineSent), false, OutcomePaid},
		{"another amount", ImportRow{State: payfile.Success, Amount: 99}, line(PayoutLineSent), false, OutcomeAmount},
		{"an amount that is none", ImportRow{State: payfile.Success, Amount: payfile.Unreadable}, line(PayoutLineSent), false, OutcomeAmount},
		{"known", ImportRow{State: payfile.Success, Amount: 100}, line(PayoutLinePaid), false, OutcomeAlready},
		{"paid after it was carried on", ImportRow{State: payfile.Success, Amount: 100}, line(PayoutLineFailed), false, OutcomeConflict},
		{"failed", ImportRow{State: payfile.Fail, Amount: 100}, line(PayoutLineSent), false, OutcomeFailed},
		{"came back after it arrived", ImportRow{State: payfile.Fail, Amount: 100}, line(PayoutLinePaid), false, OutcomeFailed},
		{"failed before", ImportRow{State: payfile.Fail, Amount: 100}, line(PayoutLineFailed), false, OutcomeAlready},
		{"unknown", ImportRow{State: payfile.Unknown, Amount: 100}, line(PayoutLineSent), false, OutcomeUnknown},
		{"still unknown", ImportRow{State: payfile.Unknown, Amount: 100}, line(PayoutLineUnknown), false, OutcomeAlready},
		{"unknown after the end", ImportRow{State: payfile.Unknown, Amount: 100}, line(PayoutLinePaid), false, OutcomeBehind},
		{"nobody's", ImportRow{State: payfile.Success, Amount: 100}, nil, false, OutcomeNoLine},
		{"carried without a payment", ImportRow{State: payfile.Success, Amount: 100}, &PayoutLine{Status: PayoutLineFailed}, false, OutcomeNoLine},
		{"named twice", ImportRow{State: payfile.Fail, Amount: 100}, line(PayoutLineSent), true, OutcomeTwice},
	} {
		if got := reconcile(c.row, c.line, c.named); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}
