package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"siyu/access"
	"siyu/api"
	"siyu/campaign"
	"siyu/configs"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/httpd"
	"siyu/internal/secret"
	"siyu/internal/task"
	"siyu/internal/webhook"
	"siyu/referral"
	"siyu/referral/review"
	"siyu/worker"
)

// house is one complete wiring: every room over one store. Two of them in one
// process are two replicas, each with its own node number, committer, relay
// and queue server.
type house struct {
	cfg      configs.Config
	db       *database.DB
	access   *access.Service
	campaign *campaign.Service
	referral *referral.Service
	review   *review.Service
	worker   *worker.Worker // nil where the role is api
	waker    *worker.Waker  // nil where there is a worker
	rest     *api.Server
	handler  http.Handler
	stages   *stages // nil in a rehearsal
}

// build opens the store, brings its schema up, takes a node number and wires
// the rooms. Nothing runs yet.
func build(ctx context.Context, cfg configs.Config, clk *clock.Clock) (*house, error) {
	h, err := buildWith(ctx, cfg, clk, keySet)
	if err != nil {
		return nil, err
	}
	h.stages = newStages(h.cfg, h.handler)
	h.rest.Rehearsals = h.stages.offered(h.db.IDs)
	h.handler = h.stages
	return h, nil
}

// buildWith is build with keys of any origin, and without a stage.
func buildWith(ctx context.Context, cfg configs.Config, clk *clock.Clock, keysOf func(configs.Config) (*secret.Set, error)) (*house, error) {
	allow, err := webhook.ParseAllow(cfg.WebhookAllow)
	if err != nil {
		return nil, fmt.Errorf("SIYU_WEBHOOK_ALLOW: %w", err)
	}
	db, err := database.Open(ctx, database.Config{URL: cfg.DB, Clock: clk})
	if err != nil {
		return nil, err
	}
	if _, err := db.Migrate(ctx); err != nil {
		db.Close()
		return nil, err
	}
	keys, err := keysOf(cfg)
	if err != nil {
		db.Close()
		return nil, err
	}
	if err := db.Lease(ctx); err != nil {
		db.Close()
		return nil, err
	}
	h := &house{cfg: cfg, db: db, access: &access.Service{DB: db, Secrets: keys}}
	if err := h.wire(keys, allow); err != nil {
		db.Close()
		return nil, err
	}
	return h, nil
}

// keySet turns the configured keys into the house's set.
func keySet(cfg configs.Config) (*secret.Set, error) {
	uses := make([]string, 0, 4)
	for _, u := range secret.Uses() {
		uses = append(uses, string(u))
	}
	given, err := cfg.Keys(uses)
	if err != nil {
		return nil, err
	}
	keys := make([]secret.Key, 0, len(given))
	for _, k := range given {
		keys = append(keys, secret.Key{ID: k.ID, Use: secret.Use(k.Use), Secret: k.Secret})
	}
	return secret.New(keys)
}

// queue makes the worker, or for an api process only what wakes workers.
func (h *house) queue(reg *task.Registry) (err error) {
	if h.cfg.Role == configs.RoleAPI {
		h.waker, err = worker.NewWaker(h.db, h.cfg.Redis)
		return err
	}
	h.worker, err = worker.New(worker.Config{DB: h.db, Registry: reg, RedisURL: h.cfg.Redis})
	return err
}

// rehearsal says whether the house is played on a store in memory.
func (h *house) rehearsal() bool { return database.InMemory(h.cfg.DB) }

// outbox is the folder of the file channel, beside an embedded store.
func (h *house) outbox() string {
	if path, ok := strings.CutPrefix(h.cfg.DB, "sqlite:"); ok {
		return filepath.Join(filepath.Dir(path), "sends")
	}
	return filepath.Join("data", "sends")
}

// run serves on the listener (nil: the role has no pages) and works the queue
// until ctx ends, then drains: requests first, then claims, then tasks.
func (h *house) run(ctx context.Context, ln net.Listener) error {
	h.campaign.Start()
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var loops sync.WaitGroup
	failed := make(chan error, 4)
	keep := func(name string, loop func(context.Context) error) {
		loops.Go(func() {
			if err := loop(background); err != nil {
				failed <- fmt.Errorf("%s: %w", name, err)
			}
		})
	}
	for what, flush := range map[string]func(context.Context) error{"touches": h.referral.Flush, "sightings": h.review.Flush} {
		keep(what, func(ctx context.Context) error { return task.KeepFlushed(ctx, what, flush) })
	}
	keep("clock", h.markTime)
	if h.worker != nil {
		keep("worker", h.worker.Run)
	} else {
		keep("waker", func(ctx context.Context) error { h.waker.Run(ctx); return nil })
	}
	var err error
	serving, end := context.WithCancel(ctx)
	if ln != nil {
		go func() {
			select {
			case e := <-failed:
				failed <- e
				end()
			case <-serving.Done():
			}
		}()
		err = httpd.Serve(serving, ln, h.handler, httpd.Limits{})
	} else {
		select {
		case e := <-failed:
			err = e
		case <-ctx.Done():
		}
	}
	end()
	if h.stages != nil {
		h.stages.close()
	}
	h.campaign.Close()
	stop()
	loops.Wait()
	select {
	case e := <-failed:
		if err == nil {
			err = e
		}
	default:
	}
	return err
}

// markTime writes the business time into the store every second, so that
// verify knows what time it is there.
func (h *house) markTime(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := h.db.MarkNow(ctx); err != nil && ctx.Err() == nil {
			slog.Warn("store time not written", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// idle says whether nothing is due and the sweeps have caught up.
func (h *house) idle(ctx context.Context) (bool, error) {
	now := h.db.Clock.Now().UnixMilli()
	var due, behind int
	q := h.db.Read(ctx)
	if err := q.Raw("SELECT COUNT(*) FROM outbox WHERE status < 2 AND next_at <= ?", now).Scan(&due).Error; err != nil {
		return false, err
	}
	if due == 0 {
		if err := q.Raw("SELECT COUNT(*) FROM ripening WHERE matures_at <= ?", now).Scan(&due).Error; err != nil {
			return false, err
		}
	}
	err := q.Raw("SELECT COUNT(*) FROM sweeps WHERE swept < ?", now-30_000).Scan(&behind).Error
	return due == 0 && behind == 0, err
}

// degraded names what works slower than it should, for /readyz.
func (h *house) degraded(context.Context) []string {
	if h.worker == nil {
		return nil
	}
	var list []string
	s := h.worker.State()
	if s.Degraded {
		list = append(list, "queue: Redis does not answer; work goes on from SQL")
	}
	if !s.Ready() {
		list = append(list, "queue: the relay does not see the outbox")
	}
	return list
}

func (h *house) gauges(context.Context) []api.Gauge {
	if h.worker == nil {
		return nil
	}
	var list []api.Gauge
	for kind, lag := range h.worker.State().Lag {
		list = append(list, api.Gauge{Name: "siyu_queue_lag_seconds", Labels: map[string]string{"kind": kind}, Value: lag.Seconds()})
	}
	return list
}

// close gives back what the house holds.
func (h *house) close() {
	if err := h.db.Close(); err != nil {
		slog.Warn("store not closed", "error", err)
	}
}

// quiet sends the house's own log to a file, for commands that talk to a
// person.
func quiet(path string) (func(), error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(f, nil)))
	return func() { slog.SetDefault(before); f.Close() }, nil
}
