package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"
)

// subject is something that takes requests.
type subject struct {
	name  string
	says  string // what it is, for ratios and the chart
	addrs []string
	pids  []int
	codes []int // of the answers it is about
	// source makes the requests of a round.
	source func(ctx context.Context, round int) (source, error)
	// after looks at what the round left, if set, and may add to its figure.
	after func(ctx context.Context, f *figure) error
	limit time.Duration // instead of -seconds
}

// turn drives one subject for one round and notes the figure.
func (l *lab) turn(ctx context.Context, s subject, round int) (figure, error) {
	if err := ctx.Err(); err != nil {
		return figure{}, err
	}
	if err := l.freshTokens(ctx); err != nil {
		return figure{}, err
	}
	src, err := s.source(ctx, round)
	if err != nil {
		return figure{}, fmt.Errorf("%s: %w", s.name, err)
	}
	runtime.GC() // our own rubbish is not to be collected on the subject's time
	for _, pid := range s.pids {
		resetPeak(pid)
	}
	before, ours, all := l.cpu(s), l.ourCPU(), machineCPU()
	p := plan{addrs: s.addrs, conns: l.conns, lasts: l.lasts(), rate: l.open, src: src}
	if s.limit > 0 {
		p.lasts = s.limit
	}
	t, commits, err := l.driveProbed(ctx, p)
	if err != nil {
		return figure{}, fmt.Errorf("%s: %w", s.name, err)
	}
	after := l.cpu(s)
	ours, all = l.ourCPU()-ours, machineCPU()-all
	slices.Sort(t.took)
	f := figure{
		subject: s.name, says: s.says, round: round, tally: t, good: t.count(s.codes), commits: commits,
		server: after[0] - before[0], base: after[1] - before[1], redis: after[2] - before[2], load: after[3] - before[3],
		others: max(all-ours, 0),
	}
	f.rate = float64(f.good) / t.elapsed.Seconds()
	for _, pid := range s.pids {
		f.peak += peakOf(pid)
	}
	if f.good == 0 {
		return f, fmt.Errorf("%s answered nothing it should: %s %v", s.name, t.codesText(), t.first)
	}
	if s.after != nil {
		if err := s.after(ctx, &f); err != nil {
			return f, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return f, nil
}

func (l *lab) cpu(s subject) (out [4]time.Duration) {
	for _, pid := range s.pids {
		out[0] += cpuOf(pid)
	}
	out[1], out[2], out[3] = cpuOf(l.store.server.pid()), cpuOf(l.redis.pid()), cpuOf(os.Getpid())
	return out
}

// ourCPU is what all processes of this run have used.
func (l *lab) ourCPU() time.Duration {
	sum := cpuOf(os.Getpid()) + cpuOf(l.store.server.pid()) + cpuOf(l.redis.pid())
	for _, h := range l.houses {
		sum += cpuOf(h.pid())
	}
	if l.front != nil {
		sum += cpuOf(l.front.pid())
	}
	return sum
}

// play gives every subject its turn in every round. The order within a round
// changes, so that nobody always comes after the same one.
func (l *lab) play(ctx context.Context, subjects []subject) error {
	for round := range l.rounds {
		for i := range subjects {
			s := subjects[(i+round)%len(subjects)]
			f, err := l.turn(ctx, s, round)
			if err != nil {
				return err
			}
			f.tally.took = slices.Clip(f.tally.took)
			l.figures = append(l.figures, f)
		}
		l.printf("  round %d of %d\n", round+1, l.rounds)
	}
	return nil
}
