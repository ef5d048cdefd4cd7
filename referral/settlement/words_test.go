package settlement_test

import (
	"strings"
	"testing"

	"siyu/internal/fault"
	"siyu/referral/payee"
	"siyu/referral/settlement"
)

// TestStatesAreNamed: what may not be done says where the thing stands in
// words, of every state there is.
func TestStatesAreNamed(t *testing.T) {
	states := []fault.Worded{payee.ReasonNoPayee, payee.ReasonPending, payee.ReasonNoInvoice, payee.ReasonNoOpenID, payee.ReasonPayroll, payee.ReasonBlocked}
	for _, s := range []settlement.Status{settlement.StatusOpen, settlement.StatusDiscarded, settlement.StatusClosing, settlement.StatusSealing, settlement.StatusClosed, settlement.StatusReviewed, settlement.StatusPaid, settlement.StatusRejected} {
		states = append(states, s)
	}
	for _, s := range []settlement.PayoutStatus{settlement.PayoutCreated, settlement.PayoutPaying, settlement.PayoutSent, settlement.PayoutPaid, settlement.PayoutUnpaid} {
		states = append(states, s)
	}
	for _, s := range []settlement.WithdrawalStatus{settlement.WithdrawalAsked, settlement.WithdrawalSettled, settlement.WithdrawalRefused, settlement.WithdrawalCancelled} {
		states = append(states, s)
	}
	for _, s := range []settlement.BillStatus{settlement.BillMade, settlement.BillAsked, settlement.BillWaiting, settlement.BillMoving, settlement.BillPaid, settlement.BillFailed, settlement.BillCancelled, settlement.BillExpired} {
		states = append(states, s)
	}
	for _, s := range states {
		zh, en := s.Words()
		if zh == "" || en == "" || zh == en {
			t.Errorf("%v is called %q, %q", s, zh, en)
		}
	}
	if got := settlement.ErrPaying.With("state", settlement.PayoutPaid).Text("zh"); !strings.Contains(got, "付款批次") || !strings.Contains(got, "已完成") {
		t.Errorf("a payout that is paid: %s", got)
	}
}
