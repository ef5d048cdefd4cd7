package worker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// link is the way to Redis and what is known about its health.
type link struct {
	client   redis.UniversalClient
	embedded *miniredis.Miniredis // nil on a real Redis
	stop     chan struct{}
	ended    sync.WaitGroup

	failures atomic.Int64 // commands failed since the last one that worked
	commands atomic.Int64
	since    atomic.Int64 // wall milliseconds of the first of them
}

// dial prepares the way; go-redis connects on the first command.
func dial(url string) (*link, error) {
	l := &link{stop: make(chan struct{})}
	if url == "" {
		return l, l.embed()
	}
	client, err := open(url)
	if err != nil {
		return nil, err
	}
	l.use(client)
	return l, nil
}

func (l *link) use(c redis.UniversalClient) {
	c.AddHook(brake{l})
	l.client = c
}

// open reads the address. Time limits are short: nobody who matters waits for
// Redis, and a hung one must be seen to be away.
func open(url string) (redis.UniversalClient, error) {
	const remedy = "worker: SIYU_REDIS %s; use redis://user:password@host:6379/0, rediss://… or unix:///path?db=0"
	if strings.Contains(url, "addr=") {
		o, err := redis.ParseClusterURL(url)
		if err != nil {
			return nil, fmt.Errorf(remedy, "is not a cluster address")
		}
		o.DialTimeout, o.ReadTimeout, o.WriteTimeout = time.Second, time.Second, time.Second
		o.DisableIdentity = true
		return redis.NewClusterClient(o), nil
	}
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, fmt.Errorf(remedy, "is not an address")
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.MaxRetries = time.Second, time.Second, time.Second, 1
	o.DisableIdentity = true
	return redis.NewClient(o), nil
}

// embed starts the process's own Redis, on loopback with a random password.
// Its TTLs do not run down by themselves; a ticker makes wall time pass.
func (l *link) embed() error {
	m := miniredis.NewMiniRedis()
	password := rand.Text()
	m.RequireAuth(password)
	if err := m.StartAddr("127.0.0.1:0"); err != nil {
		return fmt.Errorf("worker: embedded queue: %w", err)
	}
	l.embedded = m
	l.use(redis.NewClient(&redis.Options{
		Addr: m.Addr(), Password: password, MaxRetries: 1,
		DialTimeout: time.Second, ReadTimeout: time.Second, WriteTimeout: time.Second,
		DisableIdentity: true, // CLIENT SETINFO is unknown to it and to Redis before 7.2
	}))
	l.ended.Go(l.passTime)
	slog.Info("embedded queue: pending work is rebuilt from the database")
	return nil
}

func (l *link) passTime() {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for last := time.Now(); ; {
		select {
		case <-l.stop:
			return
		case now := <-tick.C:
			l.embedded.FastForward(now.Sub(last))
			last = now
		}
	}
}

// name says which Redis this is, for people.
func (l *link) name() string {
	if l.embedded != nil {
		return "embedded"
	}
	return "redis"
}

// down says whether the last command failed, and since when.
func (l *link) down() (since time.Time, down bool) {
	if l.failures.Load() == 0 {
		return time.Time{}, false
	}
	return time.UnixMilli(l.since.Load()), true
}

func (l *link) close() error {
	close(l.stop)
	l.ended.Wait()
	err := l.client.Close()
	if l.embedded != nil {
		l.embedded.Close()
	}
	return err
}

// brake makes each failing command wait before it returns its error, longer
// the longer Redis is away. asynq's polling loop does not wait between errors
// and would turn as fast as the processor allows.
type brake struct{ *link }

// brakeMost is the longest wait.
const brakeMost = time.Second

// DialHook changes nothing; a failed dial fails the command.
func (b brake) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessHook brakes single commands.
func (b brake) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		b.note(ctx, err)
		return err
	}
}

// ProcessPipelineHook brakes pipelines.
func (b brake) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		b.note(ctx, err)
		return err
	}
}

func (b brake) note(ctx context.Context, err error) {
	b.commands.Add(1)
	if !failed(err) {
		if n := b.failures.Swap(0); n > 0 {
			slog.Info("redis answers again", "failed_commands", n)
		}
		return
	}
	n := b.failures.Add(1)
	if n == 1 {
		b.since.Store(time.Now().UnixMilli())
		slog.Warn("redis is away; due work is started from the database", "error", err)
	}
	wait := brakeMost
	if n < 5 {
		wait = 50 * time.Millisecond << (n - 1)
	}
	select {
	case <-ctx.Done():
	case <-b.stop:
	case <-time.After(wait):
	}
}

// failed tells what is Redis's failure from what is an answer: nothing there,
// a script to be loaded first, a caller who gave up.
func failed(err error) bool {
	return err != nil && !errors.Is(err, redis.Nil) && !errors.Is(err, context.Canceled) && !redis.HasErrorPrefix(err, "NOSCRIPT")
}
