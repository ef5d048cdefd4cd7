package settlement

import (
	"time"

	"siyu/internal/clock"
	"siyu/internal/money"
	"siyu/internal/wechat"
)

// act is what to ask the channel about a bill.
type act string

// The acts. Send is for a bill of which it is known that it does not exist,
// and for one that waits without the package of its page: the same number is
// the same bill.
const (
	actNone   act = ""
	actSend   act = "send"
	actFind   act = "find"
	actCancel act = "cancel"
)

// next says what to ask about the bill at a moment.
func (b Bill) next(now clock.Milli) act {
	switch {
	case b.Status.final(), b.SentAt != 0 && now >= b.SentAt.Add(askedFor):
		return actNone
	case b.Status == BillMade:
		return actSend
	case b.Status == BillWaiting && (b.CalledAt != 0 || now >= b.UntilAt.Add(confirmGrace)):
		return actCancel
	case b.Status == BillWaiting && b.Package == "" && now < b.UntilAt:
		return actSend
	}
	return actFind
}

// heard is the bill after an answer, or the lack of one. What is final stays,
// whatever comes late; what the channel did not say changes nothing but when
// it is asked again.
func (b Bill) heard(did act, told wechat.Bill, err error, now clock.Milli) Bill {
	switch {
	case b.Status.final():
		return b
	case err != nil:
		b = b.failed(did, err, now)
	case told.Amount != 0 && money.Amount(told.Amount) != b.Net:
		// Somebody else's bill under our number: a person must look.
		b.Code, b.NextAt = "AMOUNT_DIFFERS", now.Add(pollMost)
		if b.Status == BillMade {
			b.Status = BillAsked
		}
	default:
		b = b.told(told, now)
	}
	if b.Status.final() {
		b.EndedAt, b.NextAt, b.Package = now, 0, ""
	}
	return b
}

// told folds a state of the channel in.
func (b Bill) told(x wechat.Bill, now clock.Milli) Bill {
	b.Code, b.Refused = "", false
	if x.PlatformNo != "" {
		b.PlatformNo = x.PlatformNo
	}
	late := b.UntilAt != 0 && now >= b.UntilAt
	switch x.State {
	case wechat.StateSuccess:
		b.Status = BillPaid
	case wechat.StateFail, wechat.StateCancelled:
		b.Status, b.Code = BillFailed, x.FailReason
		if x.State == wechat.StateCancelled {
			b.Status = BillCancelled
		}
		if late && x.Overdue() {
			b.Status = BillExpired
		}
	case wechat.StateWait:
		if b.UntilAt == 0 {
			b.UntilAt = b.madeAt(x, now).Add(wechat.ConfirmFor)
		}
		if b.Status, b.NextAt = BillWaiting, now.Add(pollEvery); now < b.UntilAt {
			b.NextAt = min(b.NextAt, b.UntilAt.Add(confirmGrace))
		}
		if b.CalledAt != 0 { // called off while we asked, or the channel is slow
			b.NextAt = min(b.NextAt, now.Add(b.wait()))
		}
		if x.Package != "" {
			b.Package = x.Package
		} else if b.Package == "" {
			b.NextAt = now
		}
	default:
		b.Status, b.NextAt = BillMoving, now.Add(b.wait())
	}
	return b
}

// madeAt is when the channel made the bill, by our clock: its own word where
// that can be true, because the answer that told us may be a later one.
func (b Bill) madeAt(x wechat.Bill, now clock.Milli) clock.Milli {
	if at := clock.MilliOf(x.CreatedAt()); !x.CreatedAt().IsZero() && at >= b.SentAt.Add(-time.Minute) && at <= now {
		return at
	}
	return now
}

// failed is the bill after a call that brought no state. Whatever a request to
// make it met, the next question is whether it exists. Only that, and nothing
// else, lets a bill be made again or be given up.
func (b Bill) failed(did act, err error, now clock.Milli) Bill {
	sort := wechat.SortOf(err)
	b.NextAt = now.Add(b.wait())
	switch {
	case sort != wechat.SortAbsent:
		b.Code = wechat.Code(err)
		if did == actSend {
			b.Refused = sort == wechat.SortRefused
			if b.Status == BillMade {
				b.Status = BillAsked
			}
		}
	case did != actFind || b.Status != BillAsked:
		b.Code = wechat.Code(err)
	case b.Refused && now >= b.SentAt.Add(refusedFor):
		b.Status = BillFailed
	default:
		b.Status, b.NextAt = BillMade, now
	}
	return b
}

// wait is the pause before the bill is asked about again: 5 s, doubling up to
// an hour.
func (b Bill) wait() time.Duration {
	return min(5*time.Second<<min(max(b.Asked-1, 0), 12), pollMost)
}
