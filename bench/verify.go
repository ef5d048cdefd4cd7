package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// besideRate is how many claims a second come while something else is at work,
// sent whether or not answers come: few, so that the crowd lasts.
const besideRate = 100

// runVerify clears -existing rewards, so that each has four entries, settles
// them and proves the store, both while claims go on.
func runVerify(ctx context.Context, l *lab) error {
	n := l.existing
	if n == 0 {
		n = settleUsual
	}
	p := &payday{lab: l}
	if err := p.makeProgram(ctx, n); err != nil {
		return err
	}
	if err := p.fillBindings(ctx); err != nil {
		return err
	}
	if err := p.fillRewards(ctx, n, true); err != nil {
		return err
	}
	took, err := l.mature(ctx)
	if err != nil {
		return err
	}
	l.printf("  %s rewards made payable in %.0f s\n", short(n), took.Seconds())
	if err := l.clearedExactly(ctx); err != nil {
		return err
	}
	if err := p.ripen(ctx); err != nil {
		return err
	}
	logged := l.logSize()
	err = l.beside(ctx, "closing", func() error {
		st, err := p.settles(ctx)
		if err == nil {
			l.printf("close %s rewards: lines frozen after %.1f s, sealed after %.1f s (goal 60 s)\n", short(st.Lines), st.frozen.Seconds(), st.sealed.Seconds())
		}
		return err
	})
	if err != nil {
		return err
	}
	slow, most := l.slowSince(logged)
	l.printf("  %d transactions took more than 200 ms meanwhile, the longest %d ms\n", slow, most)
	entries, err := l.store.number(ctx, "SELECT COUNT(*) FROM entries")
	if err != nil {
		return err
	}
	return l.beside(ctx, "verify", func() error {
		cmd := exec.CommandContext(ctx, l.bin, "verify", "-v")
		cmd.Dir, cmd.Env = l.folder, l.env()
		began := time.Now()
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: siyu verify: %w\n%s", errInexact, err, out)
		}
		var peak int64
		if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			peak = usage.Maxrss << 10
		}
		l.printf("verify %s rewards and %s entries: %d proofs hold after %.1f s, %.0f MiB (goal 120 s, 200 MiB)\n",
			short(n), short(int(entries)), strings.Count(string(out), " holds "), time.Since(began).Seconds(), mib(peak))
		l.printf("%s", slowest(string(out)))
		return nil
	})
}

// proofTook is a line of siyu verify -v that took a tenth of a second or more.
var proofTook = regexp.MustCompile(`(?m)^.* (?:[1-9]\d*\.\d|0\.[1-9]) s  .*\n`)

// slowest are the proofs that took their time.
func slowest(out string) string { return strings.Join(proofTook.FindAllString(out, -1), "") }

// slowLine is what the house logs of a transaction of more than 200 ms.
var slowLine = regexp.MustCompile(`msg="slow transaction".* took_ms=(\d+)`)

func (l *lab) logSize() int {
	text, _ := os.ReadFile(l.houses[0].log)
	return len(text)
}

// slowSince counts the slow transactions that the house has logged since.
func (l *lab) slowSince(size int) (n, most int) {
	text, _ := os.ReadFile(l.houses[0].log)
	for _, m := range slowLine.FindAllSubmatch(text[min(size, len(text)):], -1) {
		took, _ := strconv.Atoi(string(m[1]))
		n, most = n+1, max(most, took)
	}
	return n, most
}

// beside drives claims for a while, then as long as the work lasts, and says
// how much later they were answered.
func (l *lab) beside(ctx context.Context, what string, work func() error) error {
	s := l.claiming("claims beside "+what, sale{kind: "flash_sale", items: 1, stock: plenty, limit: l.limit})
	var done atomic.Bool
	var failed error
	p99 := [2]time.Duration{}
	for i := range p99 {
		if err := l.freshTokens(ctx); err != nil {
			return err
		}
		src, err := s.source(ctx, i)
		if err != nil {
			return err
		}
		p := plan{addrs: s.addrs, conns: 64, lasts: 15 * time.Second, rate: besideRate, src: src}
		ended := make(chan struct{})
		if i == 1 {
			p.lasts, p.stop = 15*time.Minute, done.Load
			go func() {
				defer close(ended)
				failed = work()
				done.Store(true)
			}()
		} else {
			close(ended)
		}
		t, err := drive(p)
		if err != nil {
			return err
		}
		<-ended
		slices.Sort(t.took)
		p99[i] = t.percentile(0.99)
		if t.count(s.codes) != t.answers() || t.broken > 0 {
			l.printf("  claims beside %s: %s, %d connections broken\n", what, t.codesText(), t.broken)
		}
	}
	if failed != nil {
		return failed
	}
	l.printf("claims at %d/s: p99 %.1f ms before, %.1f ms beside %s: %.2f × (goal under 2)\n",
		besideRate, millis(p99[0]), millis(p99[1]), what, float64(p99[1])/float64(p99[0]))
	return nil
}
