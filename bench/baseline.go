package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"siyu/internal/id"
)

// valid is what a baseline must reach behind bare gin on a quiet machine of
// two cores to be taken for tuned.
var valid = map[string]float64{"update": 1800, "insert": 6500, "queue": 20000}

// letters are the baselines' names in the issue and the README.
var letters = map[string]string{
	"update": "(a) row UPDATE and INSERT per request", "insert": "(b) Redis count, then INSERT",
	"queue": "(c) Redis count and queue, not durable", "gin": "(d) bare gin", "front": "(d2) our front without the claim",
}

// baselineSubjects are the baselines asked for: the row update with its best
// pool, each tried once behind bare gin first.
func (l *lab) baselineSubjects(ctx context.Context) ([]subject, error) {
	var out []subject
	for _, name := range l.baselines() {
		way := name
		switch name {
		case "gin":
			out = append(out, l.baseline(name, "none", "bare"))
			continue
		case "front":
			out = append(out, l.baseline(name, "none", "house"))
			continue
		case "update":
			best, err := l.bestPool(ctx, "update", func(name, way string) subject { return l.baseline(name, way, "house") })
			if err != nil {
				return nil, err
			}
			way = best
		}
		if err := l.validate(ctx, name, way); err != nil {
			return nil, err
		}
		out = append(out, l.baseline(name, way, "house"))
	}
	return out, nil
}

// bestPool tries the pool sizes of a way and takes the fastest.
func (l *lab) bestPool(ctx context.Context, prefix string, on func(name, way string) subject) (string, error) {
	best, most := "", 0.0
	for _, way := range l.front.ways {
		if !strings.HasPrefix(way, prefix) {
			continue
		}
		f, err := l.turn(ctx, on(way, way).warm(), -1)
		if err != nil {
			return "", err
		}
		l.printf("  pool of %s connections: %s %.0f/s\n", strings.TrimPrefix(way, prefix), prefix, f.rate)
		if f.rate > most {
			best, most = way, f.rate
		}
	}
	return best, nil
}

// validate runs a baseline once behind bare gin. A noisy machine may miss the
// mark without fault of the baseline, so it is said and not refused.
func (l *lab) validate(ctx context.Context, name, way string) error {
	s := l.baseline(name, way, "bare")
	s.limit = min(2*time.Second, l.lasts())
	f, err := l.turn(ctx, s, -2)
	if err != nil {
		return err
	}
	verdict := "valid"
	if !l.store.sqlite && f.rate < valid[name] {
		verdict = fmt.Sprintf("VOID below %.0f/s, unless the machine is busy", valid[name])
	}
	l.printf("  %s behind bare gin: %.0f/s (%s)\n", letters[name], f.rate, verdict)
	return nil
}

// baseline is a way behind bare gin or behind the house's front, with an item
// of its own in every round.
func (l *lab) baseline(name, way, behind string) subject {
	s := subject{name: name, says: letters[name], pids: []int{l.front.pid()}, codes: []int{201}}
	s.addrs = []string{l.front.house}
	if behind == "bare" {
		s.addrs = []string{l.front.bare}
	}
	s.source = func(context.Context, int) (source, error) {
		l.baseItem++
		it := item{id: id.Item(l.baseItem), campaign: id.Campaign(l.baseItem)}
		r := post("/probe/"+way+"/"+it.campaign.String()+"/claims", it.body())
		if behind == "bare" {
			r = post("/bare/"+way, it.body())
			r.member = true
		}
		return oncePer(l.crowd, fmt.Sprintf("%s%d", name, l.baseItem), r), nil
	}
	s.after = func(ctx context.Context, _ *figure) error { return l.front.rest(ctx) }
	return s
}
