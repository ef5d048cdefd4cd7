package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// commitEvery is the pause between two commits of a commitProbe.
const commitEvery = 20 * time.Millisecond

// commitProbe times the COMMIT of one small row, on a connection of its own,
// while the house is under load: what the engine and the disk ask of every
// commit then, and so what no claim can be faster than.
type commitProbe struct {
	stop context.CancelFunc
	done chan error
	took []time.Duration
}

// driveProbed drives the plan with a commitProbe beside it, if this run probes.
// The probe runs no longer than the load: the COMMIT of an idle engine, while
// the next sale is opened or the last one counted, is no floor of a busy one.
func (l *lab) driveProbed(ctx context.Context, p plan) (t tally, commits []time.Duration, err error) {
	if !l.probing {
		t, err = drive(p)
		return t, nil, err
	}
	probe, err := l.store.probeCommits(ctx)
	if err != nil {
		return t, nil, err
	}
	t, err = drive(p)
	commits, ended := probe.end()
	return t, commits, errors.Join(err, ended)
}

func (s *store) probeCommits(ctx context.Context) (*commitProbe, error) {
	name, dsn, err := driver(s.url)
	if err != nil {
		return nil, err
	}
	pool, err := sql.Open(name, dsn)
	if err != nil {
		return nil, err
	}
	c, err := pool.Conn(ctx)
	if err == nil {
		_, err = c.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS bench_commits (id BIGINT NOT NULL PRIMARY KEY)")
	}
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("commit probe: %w", err)
	}
	running, stop := context.WithCancel(ctx)
	p := &commitProbe{stop: stop, done: make(chan error, 1)}
	go func() {
		defer pool.Close()
		defer c.Close()
		p.done <- p.run(running, c, beginText(s.sqlite))
	}()
	return p, nil
}

func (p *commitProbe) run(ctx context.Context, c *sql.Conn, begin string) error {
	tick := time.NewTicker(commitEvery)
	defer tick.Stop()
	whole := context.WithoutCancel(ctx) // what has begun is committed
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if _, err := c.ExecContext(whole, begin); err != nil {
			return err
		}
		if _, err := c.ExecContext(whole, "INSERT INTO bench_commits (id) VALUES (?)", time.Now().UnixNano()); err != nil {
			return err
		}
		began := time.Now()
		if _, err := c.ExecContext(whole, "COMMIT"); err != nil {
			return err
		}
		p.took = append(p.took, time.Since(began))
	}
}

// end ends the probe and tells what every COMMIT took, the shortest first.
func (p *commitProbe) end() ([]time.Duration, error) {
	p.stop()
	err := <-p.done
	slices.Sort(p.took)
	return p.took, err
}
