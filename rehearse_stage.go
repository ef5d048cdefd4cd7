package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"siyu/api"
	"siyu/configs"
	"siyu/internal/clock"
	"siyu/internal/id"
	"siyu/internal/secret"
)

// handsOff is how long after a phone's last tap the clock goes on at the pace
// of the wall. At a day a minute nobody could pay within a quarter of an hour.
const handsOff = 2 * time.Minute

// stage is one rehearsal: a second house with its own store, queue, keys and
// clock, the script that plays on it, and the door for phones.
type stage struct {
	id    id.Rehearsal
	token string // unguessable; it opens this house and no other
	play  api.Play
	cfg   configs.Config
	until time.Time // wall
	clk   *clock.Clock
	house *house
	stop  context.CancelFunc
	ctx   context.Context
	gone  chan struct{} // closed when all is freed and the place given back

	mu      sync.Mutex
	state   api.RehearsalState
	checks  []api.RehearsalCheck
	landing string       // where a phone begins, once the script is through
	handler http.Handler // the house's, until it ends
	seen    string       // the phones' last address
	taps    *time.Timer
	mall    mall // what stands for the shop, once it is hired
}

func newStage(s *stages, rid id.Rehearsal, p api.Play) *stage {
	st := &stage{
		id: rid, token: rand.Text() + rand.Text(), play: p, cfg: stageSettings(s.cfg),
		until: time.Now().Add(s.lasts), clk: clock.Fast(p.Campaign.StartsAt.Time().Add(-time.Hour), 1),
		gone: make(chan struct{}), state: api.RehearsalPlaying,
	}
	st.ctx, st.stop = context.WithDeadline(context.Background(), st.until)
	st.taps = time.AfterFunc(time.Hour, st.hurry)
	st.taps.Stop()
	return st
}

// build opens the house over its store in memory, with keys of its own. One
// that is ended meanwhile is built to the end, and then ends.
func (st *stage) build() (err error) {
	st.house, err = buildWith(context.WithoutCancel(st.ctx), st.cfg, st.clk, func(configs.Config) (*secret.Set, error) { return secret.New(secret.Fresh()) })
	if err != nil {
		st.stop()
		return err
	}
	st.handler = st.house.handler
	return nil
}

// run plays until the time is over or somebody ends it, and frees all.
func (st *stage) run() {
	defer st.stop()
	var all sync.WaitGroup
	all.Go(func() { played(st.ctx, st.house) })
	all.Go(func() {
		if err := newScript(st).play(); err != nil && st.ctx.Err() == nil {
			slog.Warn("rehearsal stopped", "rehearsal", st.id, "error", err)
		}
	})
	all.Wait()
	st.mu.Lock()
	defer st.mu.Unlock()
	st.taps.Stop()
	st.state, st.house, st.handler = api.RehearsalEnded, nil, nil
}

// view is the rehearsal as it stands.
func (st *stage) view() api.Rehearsal {
	st.mu.Lock()
	defer st.mu.Unlock()
	return api.Rehearsal{
		ID: st.id, CampaignID: st.play.Campaign.ID, UnitID: st.play.Campaign.UnitID, State: st.state,
		URL: st.cfg.PublicURL + doorPath + st.token, EndsAt: clock.MilliOf(st.until), Clock: clock.MilliOf(st.clk.Now()),
		Checks: slices.Clone(st.checks),
	}
}

// opens says whether the token is this rehearsal's.
func (st *stage) opens(token string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(st.token)) == 1
}

// note writes what came of a check.
func (st *stage) note(code string, to api.CheckState, detail string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for i := range st.checks {
		if st.checks[i].Code == code {
			st.checks[i].State, st.checks[i].Detail = to, detail
		}
	}
}

// opened lets phones in at the address of a landing page.
func (st *stage) opened(landing string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.state == api.RehearsalPlaying {
		st.state, st.landing = api.RehearsalOpen, landing
		st.clk.Pace(aDayAMinute)
	}
}

// stopped says that the script could not go on.
func (st *stage) stopped() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.state == api.RehearsalPlaying {
		st.state = api.RehearsalStopped
	}
}

// tap slows the clock down for whoever has a page to read and pay on. A page
// that only renews itself asks for the same address again and is no tap.
func (st *stage) tap(method, path string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	again := method == "GET" && path == st.seen
	st.seen = path
	if st.state == api.RehearsalOpen && !again {
		st.clk.Pace(1)
		st.taps.Reset(handsOff)
	}
}

// hurry goes back to a day a minute.
func (st *stage) hurry() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.state == api.RehearsalOpen {
		st.clk.Pace(aDayAMinute)
	}
}
