package task

import (
	"errors"
	"math/rand/v2"
	"time"
)

// Attempts is how often a task is tried before it is dead: with the back-off
// below that is about an hour.
const Attempts = 15

// backoff is the wait after the n-th failed attempt: 1 s doubling up to 10
// minutes, a fifth more or less so that a crowd does not come back together.
func backoff(n int) time.Duration {
	d := 10 * time.Minute
	if n < 10 {
		d = time.Second << max(n-1, 0)
	}
	return d*4/5 + rand.N(d*2/5)
}

// After is err with the wait until the next attempt, instead of the back-off.
func After(err error, d time.Duration) error { return &later{err, d, true} }

// Snooze puts the task off without counting an attempt: what it waits for is
// not there yet.
func Snooze(d time.Duration) error { return &later{errors.New("task: not yet"), d, false} }

// Dead is err with no further attempt: the task is dead at once.
func Dead(err error) error { return &dead{err} }

type later struct {
	error
	wait   time.Duration
	counts bool
}

func (l *later) Unwrap() error { return l.error }

func snoozed(err error) bool {
	var l *later
	return errors.As(err, &l) && !l.counts
}

type dead struct{ error }

func (d *dead) Unwrap() error { return d.error }

// verdict is what becomes of a row whose run failed.
type verdict struct {
	attempts int
	dead     bool
	wait     time.Duration
}

// judge decides from the attempts before this run and its error.
func judge(before int, err error) verdict {
	v := verdict{attempts: before + 1}
	v.wait = backoff(v.attempts)
	var l *later
	if errors.As(err, &l) {
		v.wait = l.wait
		if !l.counts {
			v.attempts = before
			return v
		}
	}
	var d *dead
	v.dead = v.attempts >= Attempts || errors.As(err, &d)
	return v
}
