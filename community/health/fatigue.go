package health

import (
	"sort"
	"time"

	"siyu/internal/clock"
)

// Ad is one that was shown, on its local day.
type Ad struct {
	At  clock.Milli
	Day int
}

// What makes a group tired of ads: members who leave, a rate that falls, and
// members who want no more. Each part is a share of what counts as too much.
const (
	leaveFull, leaveWeight   = 100, 5_000 // one in a hundred leaves, beyond the usual
	fallFull, fallWeight     = 5_000, 3_000
	refuseFull, refuseWeight = 50, 2_000 // one in two hundred

	usualDays  = 14 // days without an ad that say what is usual
	fatigueAds = 24 // ads that still weigh something
)

// fatigue is how tired of ads a group is by the i-th day: the mean over its ads
// of how each was taken, an ad three later weighing half. Known is the share of
// the parts whose inputs were there.
func (h History) fatigue(i int) (tired, known int) {
	weights := [fatigueAds]int{whole, 7_937, 6_300} // 2^(-k/3)
	for k := 3; k < fatigueAds; k++ {
		weights[k] = weights[k-3] / 2
	}
	sum, sumKnown, all, nth := 0, 0, 0, 0
	for k := len(h.Ads) - 1; k >= 0 && nth < fatigueAds; k-- {
		taken, share := h.taken(i, h.Ads[k])
		if taken == Unknown {
			continue
		}
		sum, sumKnown, all = sum+taken*weights[nth], sumKnown+share*weights[nth], all+weights[nth]
		nth++
	}
	if all == 0 {
		return Unknown, 0
	}
	return sum / all, sumKnown / all
}

// taken is how badly one ad was taken, as far as the i-th day knows. An ad of
// the day itself is not over yet.
func (h History) taken(i int, ad Ad) (bad, known int) {
	t := i - between(ad.Day, h.Days[i].Day)
	if t < 0 || t >= i || h.Days[t].Size <= 0 {
		return Unknown, 0
	}
	size := h.Days[t].Size
	usual, days := h.usual(t)
	if days == 0 {
		return Unknown, 0
	}
	end := ad.At.Add(24 * time.Hour)
	// The part is weight × share ÷ full; one division, so that nothing is lost.
	left := max(0, within(h.Leaves, ad.At, end)*days-usual)
	bad = left * whole * leaveWeight / (leaveFull * days * size)
	bad += within(h.Refusals, ad.At, end) * whole * refuseWeight / (refuseFull * size)
	known = leaveWeight + refuseWeight
	before, after := h.mean(t-7, t-1), h.mean(t+1, min(t+3, i))
	if before > 0 && after != Unknown {
		bad += max(0, before-after) * whole / before * fallWeight / fallFull
		known += fallWeight
	}
	return min(bad, whole), known
}

// usual counts who left on the last days without an ad before the t-th.
func (h History) usual(t int) (leaves, days int) {
	shown := map[int]bool{}
	for _, ad := range h.Ads {
		shown[ad.Day] = true
	}
	for k := t - 1; k >= 0 && days < usualDays; k-- {
		if d := h.Days[k]; !shown[d.Day] && d.Size != Unknown {
			leaves, days = leaves+d.Leaves, days+1
		}
	}
	return leaves, days
}

// within counts the moments after from, up to the end.
func within(sorted []clock.Milli, from, end clock.Milli) int {
	after := func(t clock.Milli) int {
		return sort.Search(len(sorted), func(k int) bool { return sorted[k] > t })
	}
	return after(end) - after(from)
}

// fallDays is how soon after an ad, or after the group began, a fall of the
// rate is an early death.
const fallDays = 3

// fallAlarm is a fall to half.
const fallAlarm = 5_000

// fall is how far the i-th day's rate lies below what it was in the week before
// an ad of the last three days, or on the group's first day; the worst of them.
func (h History) fall(i int) int {
	now, worst := h.rate(i), Unknown
	if now == Unknown {
		return Unknown
	}
	compare := func(before int) {
		if before > 0 {
			worst = max(worst, (before-now)*whole/before, 0)
		}
	}
	for _, ad := range h.Ads {
		if back := between(ad.Day, h.Days[i].Day); back >= 1 && back <= fallDays {
			compare(h.mean(i-back-7, i-back-1))
		}
	}
	if age := between(h.Born, h.Days[i].Day); age >= 1 && age <= fallDays && age <= i {
		compare(h.rate(i - age))
	}
	return worst
}

// week says whether an interaction of the ISO week that was over by the i-th
// day drew enough people: 1 yes, 0 no, or Unknown.
func (h History) week(i int) int {
	sunday := i - int(noon(h.Days[i].Day).Weekday())
	if sunday < 0 {
		return Unknown
	}
	met := 0
	for _, d := range h.last(sunday, 7) {
		if d.drawn() {
			met = 1
		}
	}
	if met == 0 && !h.known(sunday, 7) {
		return Unknown
	}
	return met
}
