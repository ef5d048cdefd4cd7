package health

import (
	"slices"

	"siyu/internal/clock"
)

// The cut points of the daily active rate, in basis points, and what a group
// is measured by from its second month on.
const (
	healthyRate = 2_000
	warmRate    = 1_000
	coolingRate = 500
	quietRate   = 200

	earlyDays   = 30 // a fifth a day is asked of these alone
	ownFrom     = 31 // the days whose median is a group's own measure
	ownTo       = 90
	ownKnown    = 14 // so many of them must be known
	ownShare    = 7_000
	topicDays   = 5 // of the last seven
	hostShare   = 9_000
	enoughKnown = 5_000 // a share of a window's days
)

// History is a group's days in order, without gaps, and what happened in it at
// which moments, in order.
type History struct {
	Born     int // the local day of the group's real creation
	Days     []Day
	Ads      []Ad
	Leaves   []clock.Milli // of members who left
	Refusals []clock.Milli // of members who want no more marketing
}

// Judgement is what one day that is over was found to be. Figures are Unknown
// where inputs are missing.
type Judgement struct {
	Day          int    `json:"day"`
	State        State  `json:"state"`
	Coverage     int    `json:"coverage"` // share of the last 14 days that are covered
	Size         Figure `json:"size"`
	Rate         Figure `json:"rate"`          // daily active rate
	DAR          Figure `json:"dar"`           // its mean of the last 7 days
	HostShare    Figure `json:"host_share"`    // of all that was said in 14 days
	Held         int    `json:"held"`          // the last day on which an interaction drew enough; 0: none is known
	Week         Figure `json:"week"`          // whether one did in the ISO week that was over
	Content      Figure `json:"content"`       // of the last 7 days
	Ads          int    `json:"ads"`           // of the last 7 days
	Fatigue      Figure `json:"fatigue"`       // how tired of ads it is
	FatigueKnown int    `json:"fatigue_known"` // the share of its parts whose inputs were there
	Fall         Figure `json:"fall"`          // of the rate after an ad or the group's beginning
}

// judge says what the i-th day of a history is.
func (h History) judge(i int) Judgement {
	j := Judgement{
		Day: h.Days[i].Day, Coverage: h.coverage(i, 14), Size: Figure(h.Days[i].Size), Rate: Figure(h.rate(i)),
		HostShare: Figure(h.hostShare(i)), Held: h.held(i), Week: Figure(h.week(i)), Fall: Figure(h.fall(i)),
	}
	rate := h.meanRate(i, 7)
	j.State, j.DAR = h.state(i, rate), Figure(rate)
	content, ads := h.content(i)
	j.Content, j.Ads = Figure(content), ads
	tired, known := h.fatigue(i)
	j.Fatigue, j.FatigueKnown = Figure(tired), known
	return j
}

// state is the first that fits. Whether a group is dead is asked first: a group
// in which only the host talks is dead however many look on.
func (h History) state(i, rate int) State {
	if share := h.hostShare(i); share > hostShare {
		return StateDead
	}
	if rate == Unknown {
		return StateUnknown
	}
	age := between(h.Born, h.Days[i].Day) + 1
	switch {
	case rate < quietRate && h.silent(i):
		return StateDead
	case age > earlyDays && (h.topical(i) || h.likeItself(i, rate)):
		return StateHealthy
	case rate >= healthyRate && (age <= earlyDays || h.own(i) == Unknown):
		return StateHealthy
	case rate >= warmRate:
		return StateWarm
	case rate >= coolingRate:
		return StateCooling
	}
	return StateQuiet
}

// last is the window of n days that ends with the i-th.
func (h History) last(i, n int) []Day { return h.Days[max(0, i-n+1) : i+1] }

// coverage is the share of the last n days that are covered. Days from before
// the group was born are not asked for.
func (h History) coverage(i, n int) int {
	n = max(1, min(n, between(h.Born, h.Days[i].Day)+1))
	covered := 0
	for _, d := range h.last(i, n) {
		if d.Covered {
			covered++
		}
	}
	return covered * whole / n
}

// known says whether enough of the last n days is covered to speak of them.
func (h History) known(i, n int) bool { return h.coverage(i, n) >= enoughKnown }

// rate is a day's active rate: who did something over the mean size of the two
// ends of the day.
func (h History) rate(i int) int {
	d := h.Days[i]
	if !d.Covered || d.Size == Unknown {
		return Unknown
	}
	both := 2 * d.Size
	if i > 0 && h.Days[i-1].Size != Unknown {
		both = d.Size + h.Days[i-1].Size
	}
	if both == 0 {
		return Unknown
	}
	return min(d.People*2*whole/both, whole)
}

// meanRate is the mean rate of the covered ones among the last n days.
func (h History) meanRate(i, n int) int {
	if !h.known(i, n) {
		return Unknown
	}
	return h.mean(max(0, i-n+1), i)
}

// mean is the mean of the rates that are known from one day to another.
func (h History) mean(from, to int) int {
	sum, days := 0, 0
	for k := max(from, 0); k <= min(to, len(h.Days)-1); k++ {
		if r := h.rate(k); r != Unknown {
			sum, days = sum+r, days+1
		}
	}
	if days == 0 {
		return Unknown
	}
	return sum / days
}

// own is the median rate of the group's own days 31 to 90, as far as they lie
// before the i-th.
func (h History) own(i int) int {
	var rates []int
	for k := range i + 1 {
		age := between(h.Born, h.Days[k].Day) + 1
		if r := h.rate(k); r != Unknown && age >= ownFrom && age <= ownTo {
			rates = append(rates, r)
		}
	}
	if len(rates) < ownKnown {
		return Unknown
	}
	return median(rates)
}

func median(list []int) int {
	list = slices.Sorted(slices.Values(list))
	if n := len(list); n%2 == 0 {
		return (list[n/2-1] + list[n/2]) / 2
	}
	return list[len(list)/2]
}

func (h History) likeItself(i, rate int) bool {
	own := h.own(i)
	return own != Unknown && rate*whole >= own*ownShare
}

// enough is how many people make a topic or an interaction one of the group.
func enough(size int) int { return max(5, (size*3+99)/100) }

func (d Day) topical() bool {
	return d.Covered && d.Size != Unknown && d.TopicPeople >= enough(d.Size)
}

func (h History) topical(i int) bool {
	n := 0
	for _, d := range h.last(i, 7) {
		if d.topical() {
			n++
		}
	}
	return n >= topicDays
}

// drawn says that an interaction of the day drew enough. What the owner held is
// known also where nobody reports what members do.
func (d Day) drawn() bool {
	return d.Size != Unknown && d.Drawn >= enough(d.Size)
}

// held is the last of the last 14 days on which an interaction drew enough.
func (h History) held(i int) int {
	for _, d := range slices.Backward(h.last(i, 14)) {
		if d.drawn() {
			return d.Day
		}
	}
	return 0
}

// silent says that no member posted, answered or replied for a week.
func (h History) silent(i int) bool {
	for _, d := range h.last(i, 7) {
		if d.Talk > 0 {
			return false
		}
	}
	return true
}

// hostShare is the hosts' share of all that was said in 14 days, rounded up, so
// that more than the limit is more.
func (h History) hostShare(i int) int {
	if !h.known(i, 14) {
		return Unknown
	}
	host, all := 0, 0
	for _, d := range h.last(i, 14) {
		host, all = host+d.Host, all+d.Host+d.Said
	}
	if all == 0 {
		return Unknown
	}
	return (host*whole + all - 1) / all
}

// content counts the last week's content, if enough of it is known, and ads.
func (h History) content(i int) (content, ads int) {
	for _, d := range h.last(i, 7) {
		content += d.Content
		for _, ad := range h.Ads {
			if ad.Day == d.Day {
				ads++
			}
		}
	}
	if !h.known(i, 7) {
		content = Unknown
	}
	return content, ads
}
