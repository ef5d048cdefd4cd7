package settlement

import (
	"errors"
	"testing"
	"time"

	"siyu/internal/clock"
	"siyu/internal/wechat"
)

// TestBillNext asks of a bill in every state what to ask the channel.
func TestBillNext(t *testing.T) {
	sent := clock.Milli(1_000_000)
	until := sent.Add(24 * time.Hour)
	for _, c := range []struct {
		name string
		b    Bill
		at   clock.Milli
		want act
	}{
		{"made", Bill{Status: BillMade}, sent, actSend},
		{"made again after it was not found", Bill{Status: BillMade, SentAt: sent}, sent, actSend},
		{"asked", Bill{Status: BillAsked, SentAt: sent}, sent, actFind},
		{"moving", Bill{Status: BillMoving, SentAt: sent}, sent, actFind},
		{"waiting without a package", Bill{Status: BillWaiting, SentAt: sent, UntilAt: until}, sent, actSend},
		{"waiting", Bill{Status: BillWaiting, SentAt: sent, UntilAt: until, Package: "p"}, sent, actFind},
		{"its end", Bill{Status: BillWaiting, SentAt: sent, UntilAt: until}, until, actFind},
		{"past its end", Bill{Status: BillWaiting, SentAt: sent, UntilAt: until, Package: "p"}, until.Add(confirmGrace), actCancel},
		{"called off", Bill{Status: BillWaiting, SentAt: sent, UntilAt: until, CalledAt: sent}, sent, actCancel},
		{"called off, and heard", Bill{Status: BillMoving, SentAt: sent, UntilAt: until, CalledAt: sent}, sent, actFind},
		{"forgotten by the channel", Bill{Status: BillAsked, SentAt: sent}, sent.Add(askedFor), actNone},
		{"forgotten, and not made again", Bill{Status: BillMade, SentAt: sent}, sent.Add(askedFor), actNone},
		{"final", Bill{Status: BillExpired, SentAt: sent}, sent, actNone},
	} {
		if got := c.b.next(c.at); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestBillHeard tells a bill all that the channel may say or not say.
func TestBillHeard(t *testing.T) {
	sent := clock.Milli(1_000_000)
	until := sent.Add(24 * time.Hour)
	asked := Bill{Status: BillAsked, SentAt: sent, Net: 1200, Asked: 1}
	waiting := Bill{Status: BillWaiting, SentAt: sent, UntilAt: until, Net: 1200, Package: "p"}
	refused := asked
	refused.Refused, refused.Code = true, "PARAM_ERROR"
	lost := errors.New("reset")
	for _, c := range []struct {
		name string
		b    Bill
		did  act
		told wechat.Bill
		err  error
		at   clock.Milli
		want BillStatus
		code string
	}{
		{"made", asked, actSend, wechat.Bill{State: wechat.StateWait, Package: "p"}, nil, sent, BillWaiting, ""},
		{"found", asked, actFind, wechat.Bill{State: wechat.StateWait}, nil, sent, BillWaiting, ""},
		{"the channel works", asked, actSend, wechat.Bill{State: wechat.StateAccepted}, nil, sent, BillMoving, ""},
		{"a state nobody knows", asked, actFind, wechat.Bill{State: "FROZEN"}, nil, sent, BillMoving, ""},
		{"confirmed", waiting, actFind, wechat.Bill{State: wechat.StateSuccess, Amount: 1200}, nil, sent, BillPaid, ""},
		{"of another amount", waiting, actFind, wechat.Bill{State: wechat.StateSuccess, Amount: 1300}, nil, sent, BillWaiting, "AMOUNT_DIFFERS"},
		{"failed", waiting, actFind, wechat.Bill{State: wechat.StateFail, FailReason: "REAL_NAME_CHECK_FAIL"}, nil, sent, BillFailed, "REAL_NAME_CHECK_FAIL"},
		{"failed at its end", waiting, actFind, wechat.Bill{State: wechat.StateFail, FailReason: "OVERDUE_CLOSE"}, nil, until, BillExpired, "OVERDUE_CLOSE"},
		{"failed, which is heard at its end", waiting, actFind, wechat.Bill{State: wechat.StateFail, FailReason: "REAL_NAME_CHECK_FAIL"}, nil, until, BillFailed, "REAL_NAME_CHECK_FAIL"},
		{"cancelled", waiting, actFind, wechat.Bill{State: wechat.StateCancelled}, nil, sent, BillCancelled, ""},
		{"cancelled at its end", waiting, actCancel, wechat.Bill{State: wechat.StateCancelled}, nil, until.Add(confirmGrace), BillExpired, ""},
		{"no answer to a request", asked, actSend, wechat.Bill{}, lost, sent, BillAsked, "NO_ANSWER"},
		{"no answer to a question", waiting, actFind, wechat.Bill{}, lost, sent, BillWaiting, "NO_ANSWER"},
		{"no money", asked, actSend, wechat.Bill{}, wechat.ErrNotEnough, sent, BillAsked, "NOT_ENOUGH"},
		{"not found", asked, actFind, wechat.Bill{}, wechat.ErrNotFound, sent, BillMade, ""},
		{"refused", asked, actSend, wechat.Bill{}, wechat.ErrParam, sent, BillAsked, "PARAM_ERROR"},
		{"refused and not found", refused, actFind, wechat.Bill{}, wechat.ErrNotFound, sent.Add(refusedFor - time.Second), BillMade, "PARAM_ERROR"},
		{"refused for a day and not found", refused, actFind, wechat.Bill{}, wechat.ErrNotFound, sent.Add(refusedFor), BillFailed, "PARAM_ERROR"},
		{"unsure for a day and not found", asked, actFind, wechat.Bill{}, wechat.ErrNotFound, sent.Add(refusedFor), BillMade, ""},
		{"not found where it waited", waiting, actFind, wechat.Bill{}, wechat.ErrNotFound, sent, BillWaiting, "NOT_FOUND"},
		{"an end that comes twice", Bill{Status: BillFailed, Code: "X"}, actFind, wechat.Bill{State: wechat.StateSuccess}, nil, sent, BillFailed, "X"},
	} {
		got := c.b.heard(c.did, c.told, c.err, c.at)
		if got.Status != c.want || got.Code != c.code {
			t.Errorf("%s: %s %q, want %s %q", c.name, got.Status, got.Code, c.want, c.code)
		}
		if got.Status.final() != (got.NextAt == 0) && !c.b.Status.final() {
			t.Errorf("%s: %s, to be asked again at %d", c.name, got.Status, got.NextAt)
		}
	}
	if got := asked.heard(actSend, wechat.Bill{State: wechat.StateWait, Package: "p", CreateTime: sent.Add(-30 * time.Second).Time().Format(time.RFC3339)}, nil, sent.Add(time.Hour)); got.UntilAt != until.Add(-30*time.Second).Add(-time.Duration(sent%1000)*time.Millisecond) {
		t.Errorf("a bill that was made by a lost request ends at %d, want 24 h after the channel made it", got.UntilAt)
	}
	for n, want := range map[int]time.Duration{1: 5 * time.Second, 2: 10 * time.Second, 10: 2560 * time.Second, 11: time.Hour, 1000: time.Hour} {
		if got := (Bill{Asked: n}).wait(); got != want {
			t.Errorf("after %d questions: %s, want %s", n, got, want)
		}
	}
}
