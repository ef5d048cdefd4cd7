package task

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
)

// How many rows of one kind, and of all kinds that work inside the store, one
// process works on at a time. SQLite has one writer, so one there.
const (
	slotsOutside = 16
	slotsInside  = 4
	insideMost   = 8
)

// Queue works the due rows of one store in this process: one lane per kind,
// started by Kick and ended when nothing is due. Any number of processes may
// each have one.
type Queue struct {
	db     *database.DB
	reg    *Registry
	inside chan struct{} // bounds work inside the store over all lanes

	run    context.Context // of the handlers; ended when their grace is over
	cancel context.CancelFunc

	mu      sync.Mutex
	lanes   map[string]*lane
	ticked  map[string]clock.Milli // latest tick seen of each job
	closing chan struct{}
	closed  bool
	wg      sync.WaitGroup
}

// lane works one kind.
type lane struct {
	kind    string
	handler handler
	slots   int
	kicked  chan struct{} // holds one kick that has not been looked after
	running bool
	looked  time.Time   // when it last looked for leases that ran out
	lost    atomic.Bool // the store did not answer; the pass ends
}

// lookEvery is how often a busy lane looks for leases that ran out; that look
// passes over every leased row of the kind.
const lookEvery = 900 * time.Millisecond

// find is the lane's next rows: leased, or, of a kind that is worked many to a
// transaction, those behind the place.
func (q *Queue) find(l *lane, at *place) ([]Job, error) {
	stale := time.Since(l.looked) >= lookEvery
	if stale {
		l.looked = time.Now()
	}
	most, look := leaseMost, dueRows
	if l.handler.mode == outside {
		most = l.slots
	}
	if stale {
		look = candidates
	}
	if l.handler.many == nil {
		return takeOf(q.run, q.db, l.kind, most, look)
	}
	if stale {
		if jobs, err := takeOf(q.run, q.db, l.kind, most, overdue); err != nil || len(jobs) > 0 {
			return jobs, err
		}
	}
	return dueJobs(q.run, q.db, l.kind, most, at)
}

// NewQueue is a queue that works nothing until it is kicked.
func NewQueue(db *database.DB, r *Registry) *Queue {
	q := &Queue{
		db: db, reg: r, inside: make(chan struct{}, insideMost),
		lanes: map[string]*lane{}, ticked: map[string]clock.Milli{}, closing: make(chan struct{}),
	}
	q.run, q.cancel = context.WithCancel(database.WithActor(context.Background(), database.Actor{}))
	for kind, h := range r.handlers {
		q.lanes[kind] = &lane{kind: kind, handler: h, slots: q.slots(h.mode), kicked: make(chan struct{}, 1)}
	}
	return q
}

func (q *Queue) slots(m mode) int {
	switch {
	case m == outside:
		return slotsOutside
	case m == inside && q.db.Dialect.Name != "sqlite":
		return slotsInside
	}
	return 1
}

// Kick says that rows of the kind may be due. It never waits: it starts the
// kind's lane, or has the running one look again.
func (q *Queue) Kick(kind string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l, known := q.lanes[kind]
	if !known || q.closed {
		return
	}
	select {
	case l.kicked <- struct{}{}:
	default:
	}
	if !l.running {
		l.running = true
		q.wg.Go(func() { q.work(l) })
	}
}

// Schedule makes the due ticks of the periodic jobs tasks. A tick this process
// has seen is not asked for again.
func (q *Queue) Schedule(ctx context.Context) error {
	now := clock.MilliOf(q.db.Clock.Now())
	for _, b := range q.reg.jobs {
		due := b.due(now)
		q.mu.Lock()
		seen := q.ticked[b.name] >= due
		q.mu.Unlock()
		if seen {
			continue
		}
		if err := schedule(ctx, q.db, b, due); err != nil {
			return err
		}
		q.mu.Lock()
		q.ticked[b.name] = due
		q.mu.Unlock()
	}
	return nil
}

// Close takes no more rows, gives back those not begun, lets the others go on
// for at most grace, then ends their context. A handler that ignores it runs on
// behind the fence.
func (q *Queue) Close(grace time.Duration) {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.closing)
	}
	q.mu.Unlock()
	ended := make(chan struct{})
	go func() { q.wg.Wait(); close(ended) }()
	select {
	case <-ended:
		q.cancel()
		return
	case <-time.After(grace):
	}
	q.cancel()
	select {
	case <-ended:
	case <-time.After(2 * time.Second):
		slog.Warn("tasks are still running at shutdown; their leases will run out")
	}
}

// work passes over the lane until a pass ends with no kick left.
func (q *Queue) work(l *lane) {
	for {
		select {
		case <-l.kicked:
			q.pass(l)
			continue
		default:
		}
		q.mu.Lock()
		if len(l.kicked) == 0 || q.closed {
			l.running = false
			q.mu.Unlock()
			return
		}
		q.mu.Unlock()
	}
}

// pass finds and works rows until none is due and none is being worked on.
// Rows flow: a slow one holds its slot, not the rows behind it.
func (q *Queue) pass(l *lane) {
	if l.handler.sweep != nil {
		q.sweepLane(l)
		return
	}
	rows := make(chan found)
	ended := make(chan struct{}, 1)
	busy := newCount(ended)
	var wg sync.WaitGroup
	for range l.slots {
		wg.Go(func() {
			for r := range rows {
				q.one(l, r)
				busy.add(-1)
			}
		})
	}
	for at := (place{}); q.open() && !l.lost.Swap(false); {
		jobs, err := q.find(l, &at)
		if err != nil {
			slog.Warn("due tasks not found", "kind", l.kind, "error", err)
			break // the relay kicks again in a second
		}
		if len(jobs) > 0 {
			q.feed(rows, busy, l.handler, jobs)
			continue
		}
		if busy.now() == 0 {
			if at == (place{}) {
				break
			}
			at = place{} // and once more from the beginning, for what came due behind it
			continue
		}
		select {
		case <-l.kicked:
		case <-ended:
		case <-q.closing:
		}
	}
	close(rows)
	wg.Wait()
}

// found is a row on its way to a slot, or as many as one transaction takes.
type found struct {
	jobs []Job
	hold *hold // nil if they are not leased
}

// feed hands the rows to the slots; those left when the queue closes go back.
func (q *Queue) feed(rows chan<- found, busy *count, by handler, jobs []Job) {
	var h *hold
	if jobs[0].lease != "" {
		h = holdOf(q.db, jobs)
	}
	for len(jobs) > 0 {
		n := min(max(by.most, 1), len(jobs))
		busy.add(1)
		select {
		case rows <- found{jobs[:n], h}:
			jobs = jobs[n:]
		case <-q.closing:
			busy.add(-1)
			if h != nil {
				h.giveBack(jobs)
			}
			return
		}
	}
}

func (q *Queue) one(l *lane, r found) {
	if l.handler.mode == inside {
		q.inside <- struct{}{}
		defer func() { <-q.inside }()
	}
	if r.hold == nil {
		if _, lost := runDue(q.run, q.db, l.handler, r.jobs); lost != nil {
			slog.Warn("tasks not leased", "kind", l.kind, "rows", len(r.jobs), "error", lost)
			l.lost.Store(true)
		}
		return
	}
	// The row knows its error and the log has it.
	_ = r.hold.run(q.run, l.handler, r.jobs)
}

func (q *Queue) open() bool {
	select {
	case <-q.closing:
		return false
	default:
		return true
	}
}

// count counts rows being worked on and says when there are none.
type count struct {
	mu   sync.Mutex
	n    int
	none chan<- struct{}
}

func newCount(none chan<- struct{}) *count { return &count{none: none} }

func (c *count) now() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

func (c *count) add(d int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n += d; c.n == 0 {
		select {
		case c.none <- struct{}{}:
		default:
		}
	}
}
