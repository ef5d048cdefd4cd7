package invite

import (
	"time"

	"siyu/campaign"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/id"
)

// Outcome is how an invitee turned out, for the breaker; it is final.
type Outcome string

// The outcomes.
const (
	OutcomeOpen Outcome = "open"
	OutcomeKept Outcome = "kept"
	OutcomeLost Outcome = "lost"
)

// Deeds are what is known of an invitee. A code that names a group counts that
// group alone.
type Deeds struct {
	BoundAt, Until clock.Milli // the binding's life
	Group          id.Group
	Stays          []community.Membership
	Orders         []campaign.Paid // by payment
}

// Verdict is what the deeds amount to now. StaysAt is when he has stayed long
// enough, 0 while he is in no group.
type Verdict struct {
	Stayed   bool
	StaysAt  clock.Milli
	Bought   bool
	BoughtAt clock.Milli
	Outcome  Outcome
}

// joinLag is how long before the binding a membership may have begun: groups
// and pages tell of one scan at different times.
const joinLag = 10 * time.Minute

// Judge decides what an invitee counts for. He counts as staying once a
// membership that began within the binding's life and before the campaign's
// end has lasted so many days, whatever he does later; as a buyer if his first
// order ever was paid within both, as long as one such order is not wholly
// refunded.
func Judge(d Deeds, stayDays int, end, now clock.Milli) Verdict {
	v := Verdict{Outcome: OutcomeOpen}
	last := min(d.Until, end)
	long := days(stayDays)
	left := false
	for _, m := range d.Stays {
		if m.JoinedAt < d.BoundAt.Add(-joinLag) || m.JoinedAt >= last || d.Group != 0 && m.GroupID != d.Group {
			continue
		}
		at := m.JoinedAt.Add(long)
		if m.LeftAt != 0 && m.LeftAt < at {
			left = true
			continue
		}
		if v.StaysAt == 0 || at < v.StaysAt {
			v.StaysAt = at
		}
	}
	v.Stayed = v.StaysAt != 0 && v.StaysAt <= now
	refunded := false
	if len(d.Orders) > 0 && d.Orders[0].PaidAt >= d.BoundAt {
		for _, o := range d.Orders {
			switch {
			case o.PaidAt >= last:
			case o.Refunded:
				refunded = true
			case !v.Bought:
				v.Bought, v.BoughtAt = true, o.PaidAt
			}
		}
	}
	switch {
	case refunded && !v.Bought, left && v.StaysAt == 0:
		v.Outcome = OutcomeLost
	case v.Stayed, v.StaysAt == 0 && v.Bought && v.BoughtAt.Add(long) <= now:
		v.Outcome = OutcomeKept
	}
	return v
}

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
