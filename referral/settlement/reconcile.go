package settlement

import (
	"siyu/referral/payfile"
)

// Outcome is what a line of a result file did.
type Outcome string

// The outcomes. Only the first three change anything; those after already are
// for a person to look at.
const (
	OutcomePaid     Outcome = "paid"
	OutcomeFailed   Outcome = "failed"
	OutcomeUnknown  Outcome = "unknown" // on its way still
	OutcomeAlready  Outcome = "already" // says what stands
	OutcomeNoLine   Outcome = "no_such_line"
	OutcomeTwice    Outcome = "twice"          // an earlier line of the file named the payment
	OutcomeAmount   Outcome = "amount_differs" // nothing is believed of it
	OutcomeConflict Outcome = "conflict"       // paid, it says, what had failed and was carried on
	OutcomeBehind   Outcome = "behind"         // unknown, it says, what has ended
)

// reconcile holds one line of a result file against the payment it names, nil
// if there is none. A payment that had arrived may still come back; one that
// failed is owed by a later settlement by now and never turns into a payment.
func reconcile(r ImportRow, l *PayoutLine, named bool) Outcome {
	switch {
	case l == nil || l.TransferID == 0 || l.allTax():
		return OutcomeNoLine
	case named:
		return OutcomeTwice
	case r.Amount != payfile.Untold && r.Amount != l.Net:
		return OutcomeAmount
	}
	switch r.State {
	case payfile.Success:
		switch {
		case l.Status.flies():
			return OutcomePaid
		case l.Status == PayoutLinePaid:
			return OutcomeAlready
		}
		return OutcomeConflict
	case payfile.Fail:
		if l.Status == PayoutLineFailed {
			return OutcomeAlready
		}
		return OutcomeFailed
	}
	switch l.Status {
	case PayoutLineSent:
		return OutcomeUnknown
	case PayoutLineUnknown:
		return OutcomeAlready
	}
	return OutcomeBehind
}
