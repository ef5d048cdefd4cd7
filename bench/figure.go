package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// figure is what one subject did in one round.
type figure struct {
	subject string
	says    string // what the subject is
	round   int
	tally   tally
	good    int // answers with the code the subject is about
	rate    float64
	server  time.Duration // CPU time of its process, and so on
	base    time.Duration
	redis   time.Duration
	load    time.Duration
	others  time.Duration // of processes that are none of ours
	peak    int64
	commits []time.Duration // the engine's own meanwhile, sorted; only where the run probes
	batch   float64         // claims per commit of the house; 0: not of one item
}

// count is how many answers had one of the codes.
func (t tally) count(codes []int) (n int) {
	for _, c := range codes {
		n += t.codes[c]
	}
	return n
}

// percentile is the latency that p of all answers stay within.
func (t tally) percentile(p float64) time.Duration { return percentile(t.took, p) }

// percentile is what p of a sorted list stay within.
func percentile(list []time.Duration, p float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	return list[min(int(p*float64(len(list))), len(list)-1)]
}

// codesText is the answers by code, like "201×123 503×4".
func (t tally) codesText() string {
	var words []string
	for _, code := range slices.Sorted(maps.Keys(t.codes)) {
		words = append(words, fmt.Sprintf("%d×%d", code, t.codes[code]))
	}
	if t.broken > 0 {
		words = append(words, fmt.Sprintf("broken×%d", t.broken))
	}
	return strings.Join(words, " ")
}

// median of a list; the mean of the middle two when it is even.
func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(list))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// of collects the figures of one subject.
func (l *lab) of(subject string) []figure {
	var out []figure
	for _, f := range l.figures {
		if f.subject == subject {
			out = append(out, f)
		}
	}
	return out
}

// over is the median over the rounds of something of a subject.
func over(list []figure, what func(figure) float64) float64 {
	var all []float64
	for _, f := range list {
		all = append(all, what(f))
	}
	return median(all)
}

// ratio is the median of the rounds' own ratios of two subjects: both ran
// within the same round, so drift of the machine falls out.
func (l *lab) ratio(a, b string, what func(figure) float64) float64 {
	second := map[int]float64{}
	for _, f := range l.of(b) {
		second[f.round] = what(f)
	}
	var all []float64
	for _, f := range l.of(a) {
		if d := second[f.round]; d > 0 {
			all = append(all, what(f)/d)
		}
	}
	return median(all)
}

func rateOf(f figure) float64 { return f.rate }

func millis(d time.Duration) float64 { return float64(d) / 1e6 }
