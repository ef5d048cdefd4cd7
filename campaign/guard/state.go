package guard

import (
	"slices"
	"time"

	"siyu/internal/clock"
)

// State is what a decision knows of a group.
type State struct {
	Open    bool // it exists and is not closed
	Owned   bool // somebody answers for it
	BornAt  clock.Milli
	Zone    *time.Location
	EndsAt  clock.Milli // the group's planned end; 0: none
	Charter Charter
	Ads     Ads
	Life    int // slots that count since the group began

	Silences []Window  // no ad at all
	Permits  []Allowed // that may still be used
	Rest     []Window  // the silent days after a pass
	Early    []Window  // ads taken in advance: when each may show

	Condition Condition // the group's health
	Others    Ads       // those of Ads that are another campaign's
	Intake    Intake    // who came lately
	Platform  Platform  // what the platform lets in

	Moments      []Window // key moments, from the first local day to the end of the last
	Mourning     []Window // days on which cheerful promotion is out of place
	MomentsKnown bool     // that there are no others
}

// show counts an ad that was allowed, and uses the permit it rests on.
func (s *State) show(d Decision) {
	s.Ads.Add(d.Window.From, d.Window.To-1)
	s.Life++
	if d.By.once() {
		s.Permits = slices.DeleteFunc(s.Permits, func(a Allowed) bool { return a.ID == d.Permit })
	}
	if d.By == PermitAdvance {
		s.Early = append(s.Early, Window{d.Window.From, d.Window.To - 1})
	}
}

// Charter is what the group was promised; Version 0 means none yet, EndsAt the
// moment from which the group is promised no ad (0: none).
type Charter struct {
	Version int
	Day     int
	Week    int
	Quiet   Quiet
	EndsAt  clock.Milli
}

// Ads are the moments at which the group's slots count, each from a first to a
// last one: the window while unconfirmed, one moment afterwards. Firsts and
// lasts are sorted apart, so that how many slots touch a span is the
// difference of two positions.
type Ads struct {
	first, last []clock.Milli
}

// Add counts an ad that shows at some moment from first to last.
func (a *Ads) Add(first, last clock.Milli) {
	i, _ := slices.BinarySearch(a.first, first)
	a.first = slices.Insert(a.first, i, first)
	i, _ = slices.BinarySearch(a.last, last)
	a.last = slices.Insert(a.last, i, last)
}

// Each gives the ads as spans that together cover the moments they may show
// at, in order.
func (a *Ads) Each(span func(first, last clock.Milli)) {
	for i := range a.first {
		span(a.first[i], a.last[i])
	}
}

// Clone is a copy that may be added to.
func (a *Ads) Clone() Ads {
	return Ads{slices.Clone(a.first), slices.Clone(a.last)}
}

// without are the ads without one of them.
func (a *Ads) without(first, last clock.Milli) Ads {
	drop := func(sorted []clock.Milli, t clock.Milli) []clock.Milli {
		if i, found := slices.BinarySearch(sorted, t); found {
			return slices.Delete(slices.Clone(sorted), i, i+1)
		}
		return sorted
	}
	return Ads{drop(a.first, first), drop(a.last, last)}
}

// Len is how many ads are known.
func (a *Ads) Len() int { return len(a.first) }

// before is how many of the sorted moments lie before t.
func before(sorted []clock.Milli, t clock.Milli) int {
	i, _ := slices.BinarySearch(sorted, t)
	return i
}

// touching is how many ads may show at a moment of [from, to).
func (a *Ads) touching(from, to clock.Milli) int {
	return before(a.first, to) - before(a.last, from)
}

// nearest is the least time between a moment of [from, last] and an ad.
func (a *Ads) nearest(from, last clock.Milli) (clock.Milli, bool) {
	if a.touching(from, last+1) > 0 {
		return 0, true
	}
	near, found := never, false
	if i := before(a.last, from); i > 0 {
		near, found = from-a.last[i-1], true
	}
	if i := before(a.first, last+1); i < len(a.first) {
		near, found = min(near, a.first[i]-last), true
	}
	return near, found
}

// crowded looks at every span of the length that may hold a moment of
// [from, last] together with other ads. It returns the most ads in one, and
// the latest beginning of a span that holds cap or more of them.
//
// Sliding a span to the right until an ad it holds would drop out never lowers
// its count, so only spans that begin at an ad's last moment, or at last
// itself, need a look; and none where all ads near are too few to fill one.
func (a *Ads) crowded(from, last, length clock.Milli, limit int) (most int, latest clock.Milli, full bool) {
	i := before(a.last, from-length+1) // ads over before the span
	j := before(a.first, last+length)  // and begun before its end
	if j-i < limit {
		return 0, 0, false
	}
	for j = i; i < len(a.last) && a.last[i] <= last; i++ {
		s := a.last[i]
		for j < len(a.first) && a.first[j] < s+length {
			j++
		}
		if n := j - i; n >= limit {
			most, latest, full = max(most, n), s, true
		}
	}
	for j < len(a.first) && a.first[j] < last+length {
		j++
	}
	if n := j - i; n >= limit {
		most, latest, full = max(most, n), last, true
	}
	return most, latest, full
}
