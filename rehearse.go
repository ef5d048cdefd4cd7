package main

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"siyu/api"
	"siyu/configs"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// The terms of rehearsals.
const (
	// stagesMost is how many are played at once in a process: each costs it a
	// store in memory and a queue.
	stagesMost = 2
	// stageFor is how long one lasts, in wall time.
	stageFor = 20 * time.Minute
	// stagesKept is how many lists of checks are kept after the end.
	stagesKept = 20
	// aDayAMinute is how fast a rehearsal's clock runs while nobody acts.
	aDayAMinute = 24 * 60
)

// stages are the rehearsals of this process. They stand before the live house:
// a browser that came by a rehearsal's address is served by that one.
type stages struct {
	cfg   configs.Config
	live  http.Handler
	most  int
	lasts time.Duration

	open    atomic.Int32 // how many are open, so that live requests look no further
	mu      sync.Mutex
	closed  bool
	playing map[id.Rehearsal]*stage
	over    []api.Rehearsal // oldest first
	ended   sync.WaitGroup
}

func newStages(cfg configs.Config, live http.Handler) *stages {
	return &stages{cfg: cfg, live: live, most: stagesMost, lasts: stageFor, playing: map[id.Rehearsal]*stage{}}
}

// offered is what api may do with them.
func (s *stages) offered(ids interface{ Next() int64 }) api.Rehearsals {
	return api.Rehearsals{
		Start: func(p api.Play) (api.Rehearsal, error) { return s.start(id.Rehearsal(ids.Next()), p) },
		Find:  s.find, End: s.end,
	}
}

// start opens a house for the play and lets the script begin. The place is
// taken before the house is built, so that no more than most ever stand.
func (s *stages) start(rid id.Rehearsal, p api.Play) (api.Rehearsal, error) {
	st := newStage(s, rid, p)
	if err := s.admit(st); err != nil {
		return api.Rehearsal{}, err
	}
	if err := st.build(); err != nil {
		s.leave(st)
		return api.Rehearsal{}, err
	}
	go func() {
		defer s.leave(st)
		st.run()
	}()
	return st.view(), nil
}

// admit takes one of the places.
func (s *stages) admit(st *stage) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.playing) >= s.most || s.closed {
		first := st.until
		for _, other := range s.playing {
			if other.until.Before(first) {
				first = other.until
			}
		}
		return api.ErrRehearsalsBusy.With("most", s.most).With("at", clock.MilliOf(first))
	}
	s.playing[st.id] = st
	s.open.Add(1)
	s.ended.Add(1)
	return nil
}

// leave gives the place back and keeps the list of checks.
func (s *stages) leave(st *stage) {
	last := st.view()
	last.State = api.RehearsalEnded
	s.mu.Lock()
	delete(s.playing, st.id)
	if s.over = append(s.over, last); len(s.over) > stagesKept {
		s.over = s.over[1:]
	}
	s.mu.Unlock()
	s.open.Add(-1)
	close(st.gone)
	s.ended.Done()
}

func (s *stages) find(rid id.Rehearsal) (api.Rehearsal, bool) {
	s.mu.Lock()
	st := s.playing[rid]
	at := slices.IndexFunc(s.over, func(r api.Rehearsal) bool { return r.ID == rid })
	var last api.Rehearsal
	if at >= 0 {
		last = s.over[at]
	}
	s.mu.Unlock()
	if st != nil {
		return st.view(), true
	}
	return last, at >= 0
}

// end ends one and waits until its memory is free.
func (s *stages) end(rid id.Rehearsal) {
	s.mu.Lock()
	st := s.playing[rid]
	s.mu.Unlock()
	if st != nil {
		st.stop()
		<-st.gone
	}
}

// close ends all and lets none begin, because the process drains.
func (s *stages) close() {
	s.mu.Lock()
	s.closed = true
	all := slices.SortedFunc(maps.Values(s.playing), func(a, b *stage) int { return cmp.Compare(a.id, b.id) })
	s.mu.Unlock()
	for _, st := range all {
		st.stop()
	}
	s.ended.Wait()
}

// byToken is the open rehearsal whose address holds the token.
func (s *stages) byToken(token string) *stage {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.playing {
		if st.opens(token) {
			return st
		}
	}
	return nil
}

// stageSettings are those of the second house: nothing of the live one but how
// it is reached and whose forwarded addresses count.
func stageSettings(live configs.Config) configs.Config {
	cfg := configs.Default()
	cfg.DB = database.Memory()
	cfg.PublicURL, cfg.QRURL, cfg.TrustedProxies = live.PublicURL, live.PublicURL, live.TrustedProxies
	cfg.Rates = configs.Rates{Staff: 1_000_000, Member: 10_000, Address: 1_000_000}
	return cfg
}

// played runs the house without a listener until ctx ends.
func played(ctx context.Context, h *house) {
	if err := h.run(ctx, nil); err != nil {
		slog.Warn("rehearsal's house ended", "error", err)
	}
	h.close()
}
