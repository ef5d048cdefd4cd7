package task

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
)

// Registry knows who handles which kind. main makes one per store and lets
// every room register; after that it is only read.
type Registry struct {
	handlers map[string]handler
	jobs     []job
}

// handler works one leased row, or up to most of them in one transaction.
type handler struct {
	mode mode
	run  func(ctx context.Context, j Job) error

	most int
	many func(ctx context.Context, jobs []Job) error

	// of a table of due rows, instead of run
	due   string
	sweep func(ctx context.Context, db *database.DB, allowed func() bool) (n int, failed, lost error)
}

// mode decides how many rows of a kind one process works on at a time.
type mode int

const (
	inside   mode = iota // one transaction of our own store
	outside              // waits for others
	ticking              // a periodic job, one at a time
	sweeping             // a table of due rows, see Rows
)

// NewRegistry is an empty registry.
func NewRegistry() *Registry { return &Registry{handlers: map[string]handler{}} }

// Handle registers work whose whole effect lies in one transaction. The inbox
// key, the effect and the end of the task commit together, so however often
// the task runs it has one effect.
func Handle[A Args](r *Registry, fn func(tx *database.Tx, a A) error) {
	r.add(kindOf[A](), handler{mode: inside, run: once(fn)})
}

// once is the run of one task by fn.
func once[A Args](fn func(tx *database.Tx, a A) error) func(ctx context.Context, j Job) error {
	return func(ctx context.Context, j Job) error {
		a, err := decode[A](j)
		if err != nil {
			return err
		}
		return j.db.Tx(ctx, func(tx *database.Tx) error {
			stands, err := j.keyTx(tx)
			if err != nil {
				return err
			}
			if !stands {
				if err := fn(tx, a); err != nil {
					return err
				}
			}
			return j.endTx(tx)
		})
	}
}

// HandleMany registers work that fn does for up to most tasks in one
// transaction, which holds their inbox keys, effects and ends: a commit costs
// the same for one as for all. fn takes its locks for all of them at once, in
// the house's order. If it fails, each half is tried by itself, down to the
// task that is at fault, which alone pays with an attempt.
func HandleMany[A Args](r *Registry, most int, fn func(tx *database.Tx, list []A) error) {
	many := func(ctx context.Context, jobs []Job) error {
		list := make([]A, len(jobs))
		for i, j := range jobs {
			var err error
			if list[i], err = decode[A](j); err != nil {
				return err
			}
		}
		return jobs[0].db.Tx(ctx, func(tx *database.Tx) error {
			if err := keysTx(tx, jobs); err != nil {
				return err
			}
			if err := fn(tx, list); err != nil {
				return err
			}
			return endsTx(tx, jobs)
		})
	}
	one := once(func(tx *database.Tx, a A) error { return fn(tx, []A{a}) })
	r.add(kindOf[A](), handler{mode: inside, run: one, most: most, many: many})
}

// HandleOutside registers work with the outside world or over several
// transactions. fn must be repeatable, with j.ID as its key towards others;
// when it returns nil the task is done, unless it was already by j.DoneTx.
// ctx ends when the lease is lost or the process stops.
func HandleOutside[A Args](r *Registry, fn func(ctx context.Context, j Job, a A) error) {
	r.add(kindOf[A](), handler{mode: outside, run: func(ctx context.Context, j Job) error {
		a, err := decode[A](j)
		if err != nil {
			return err
		}
		if err := fn(ctx, j, a); err != nil {
			return err
		}
		return j.finish(ctx)
	}})
}

// Every registers periodic work: fn runs for each multiple of every since the
// epoch (UTC) of the business clock, on one replica. Of missed ticks only the
// latest runs; a tick that failed is tried again until the next one is due.
// fn must be repeatable.
func Every(r *Registry, name string, every time.Duration, fn func(ctx context.Context, due clock.Milli) error) {
	if every < time.Second || every%time.Millisecond != 0 {
		panic(fmt.Sprintf("task: %s every %s; a second is the least", name, every))
	}
	r.jobs = append(r.jobs, job{name, every})
	r.add(name, handler{mode: ticking, run: func(ctx context.Context, j Job) error {
		t, err := decode[tick](j)
		if err != nil {
			return err
		}
		late, err := superseded(j.db.Read(ctx), name, t.Due)
		if err != nil {
			return err
		}
		if !late {
			if err := fn(ctx, t.Due); err != nil {
				return err
			}
		}
		return j.finish(ctx)
	}})
}

// Kinds lists what is registered, in order.
func (r *Registry) Kinds() []string { return slices.Sorted(maps.Keys(r.handlers)) }

// Room is the part of a kind before the colon; wake-ups of one room share a
// queue.
func Room(kind string) string {
	room, _, _ := strings.Cut(kind, ":")
	return room
}

func (r *Registry) add(kind string, h handler) {
	if Room(kind) == kind || len(kind) > 64 {
		panic(fmt.Sprintf("task: kind %q is not package:verb_noun of at most 64 characters", kind))
	}
	if _, twice := r.handlers[kind]; twice {
		panic(fmt.Sprintf("task: kind %q is registered twice", kind))
	}
	r.handlers[kind] = h
}

func kindOf[A Args]() string {
	var a A
	return a.Kind()
}

func decode[A any](j Job) (A, error) {
	var a A
	if err := json.Unmarshal([]byte(j.payload), &a); err != nil {
		return a, fmt.Errorf("task: payload of %s: %w", j.ID, err)
	}
	return a, nil
}
