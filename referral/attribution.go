package referral

import (
	"cmp"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Wins says which of several inviters an invitation is credited to.
type Wins string

// The rules. By the first touch an invitation that stands keeps others out; by
// the last one it gives way to a later scan of another's code.
const (
	WinsFirst Wins = "first_touch"
	WinsLast  Wins = "last_touch"
)

// Renewal says what lengthens a binding by its whole life again.
type Renewal string

// The renewals. A touch is a scan of the same inviter's code.
const (
	RenewalNone      Renewal = ""
	RenewalTouch     Renewal = "touch"
	RenewalPaidOrder Renewal = "paid_order"
)

// Attribution says whose scan an act is credited to. The zero value is the
// first touch, by the page alone that is acted on, for a binding's one life.
// Fields of the default are left out of the stored text, so that the digests
// of versions from before stand.
type Attribution struct {
	Wins Wins `json:"wins,omitempty"`
	// TouchDays is how long a scan counts before the act; 0: none does but
	// that of the page acted on.
	TouchDays int     `json:"touch_days,omitempty"`
	Renewal   Renewal `json:"renewal,omitempty"`
}

// touchDaysMost bounds the window.
const touchDaysMost = 90

func (a Attribution) check(c *fault.Check) {
	const at = "rules.attribution."
	c.OneOf(string(cmp.Or(a.Wins, WinsFirst)), at+"wins", string(WinsFirst), string(WinsLast))
	c.Range(int64(a.TouchDays), at+"touch_days", 0, touchDaysMost)
	c.That(a.Wins != WinsLast || a.TouchDays > 0, at+"touch_days", "required",
		"按最后一次扫码归属时，请填写扫码在几天内有效", "the last touch needs the days a touch counts")
	if a.Renewal != RenewalNone {
		c.OneOf(string(a.Renewal), at+"renewal", string(RenewalTouch), string(RenewalPaidOrder))
	}
}

// stored is the form that is kept: what says nothing but the default is empty.
func (a Attribution) stored() Attribution {
	if a.Wins == WinsFirst {
		a.Wins = ""
	}
	return a
}

// rule is the rule in words that are never empty.
func (a Attribution) rule() Wins { return cmp.Or(a.Wins, WinsFirst) }

// Scan is one opening of a code's page by the person who acts.
type Scan struct {
	Touch   id.Touch // none: the page acted on, whose scan is not noted
	Code    id.Code
	Inviter id.Member
	Version int // of the program that the page showed
	At      clock.Milli
}

// Credit decides which of a person's scans his act is credited to, and of how
// many: a pure function of the rule, the scans and the moment of the act. A
// scan counts until its days are over, to the millisecond; one that a clock
// ahead of ours noted counts as well. None is left: ok is false.
func (a Attribution) Credit(scans []Scan, now clock.Milli) (won Scan, weighed int, ok bool) {
	live := slices.DeleteFunc(slices.Clone(scans), func(s Scan) bool { return s.At.Add(days(a.TouchDays)) <= now })
	if len(live) == 0 {
		return Scan{}, 0, false
	}
	if a.rule() == WinsLast {
		return slices.MaxFunc(live, byTime), len(live), true
	}
	return slices.MinFunc(live, byTime), len(live), true
}

func byTime(a, b Scan) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Touch, b.Touch))
}
