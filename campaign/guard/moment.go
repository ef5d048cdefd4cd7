package guard

import (
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Moment is a key moment: local days around which ads are in place or, on days
// of mourning and the like, out of it. Units are those it is for; nil is
// everybody.
type Moment struct {
	FromDay, ToDay int // yyyymmdd, both included
	Avoid          bool
	Units          map[id.Unit]bool
}

// Moments knows the key moments of a stretch of local days and those to avoid;
// ok says that it knows all of them. The calendar is an upper room, so main
// hands it in.
type Moments func(q *database.Query, fromDay, toDay int) (list []Moment, ok bool, err error)

// G8: an ad is in place from the preset's days before a key moment until a day
// after it; elsewhere one may be shown in a fortnight.
const (
	momentAfter  = 1
	evergreenFor = 14 * day
)

// moments reads the key moments that matter to a window.
func (s *Service) moments(q *database.Query, w Window) ([]Moment, bool, error) {
	if s.Moments == nil || w == (Window{}) {
		return nil, false, nil
	}
	of := func(t clock.Milli) int { return clock.Day(t.Time(), time.UTC) }
	list, ok, err := s.Moments(q, of(w.From.Add(-reach)), of(w.To.Add(reach)))
	if err != nil {
		return nil, false, fmt.Errorf("guard: moments: %w", err)
	}
	return list, ok, nil
}

// nearby are the key moments as spans of local days, worked out once for all
// groups of a unit and zone.
type nearby struct {
	all   []Moment
	known map[place]spans
}

// spans are key moments and days to avoid.
type spans struct{ key, avoid []Window }

type place struct {
	unit id.Unit
	zone *time.Location
}

func (n *nearby) of(unit id.Unit, loc *time.Location) (out spans) {
	if len(n.all) == 0 {
		return out
	}
	at := place{unit, loc}
	out, done := n.known[at]
	if done {
		return out
	}
	z := zone{loc: loc}
	for _, m := range n.all {
		if m.Units != nil && !m.Units[unit] {
			continue
		}
		span := Window{z.begin(m.FromDay, 0), z.begin(m.ToDay, 1)}
		if m.Avoid {
			out.avoid = append(out.avoid, span)
		} else {
			out.key = append(out.key, span)
		}
	}
	if n.known == nil {
		n.known = map[place]spans{}
	}
	n.known[at] = out
	return out
}

// moment asks for a key moment near the window's begin, or for a fortnight
// without another ad that was near none.
func (x *exam) moment(w Window, v *verdict) {
	if x.nearMoment(w.From) {
		return
	}
	for _, first := range x.state.Ads.first {
		if first <= w.From.Add(-evergreenFor) || x.nearMoment(first) {
			continue
		}
		if first >= w.From.Add(evergreenFor) {
			return
		}
		days := int64(max(w.From-first, first-w.From)) / int64(day.Milliseconds())
		v.deny(Reason{RuleMoment, days, int64(evergreenFor / day)}, min(first.Add(evergreenFor), x.nextMoment(w.From)))
		return
	}
}

// nearMoment says whether ads are in place at t.
func (x *exam) nearMoment(t clock.Milli) bool {
	for _, m := range x.state.Moments {
		if x.opens(m) <= t && t < x.dayLater(m.To, momentAfter) {
			return true
		}
	}
	return false
}

// nextMoment is when ads are next in place after t.
func (x *exam) nextMoment(t clock.Milli) clock.Milli {
	next := never
	for _, m := range x.state.Moments {
		if from := x.opens(m); from > t {
			next = min(next, from)
		}
	}
	return next
}

func (x *exam) opens(m Window) clock.Milli { return x.dayLater(m.From, -x.policy.Care.Moment) }

// dayLater is the beginning of a local day so many local days later.
func (x *exam) dayLater(t clock.Milli, days int) clock.Milli {
	return x.zone.startOf(x.zone.day(t) + int64(days))
}
