package main

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

// source makes the requests of one stretch of load: the n-th of count.
type source struct {
	count int
	write func(buf []byte, n int) []byte
}

// plan is one stretch of load. It ends after the time or the source's last
// request, whichever comes first, when all that was sent is answered.
type plan struct {
	addrs []string // connections are spread over them
	conns int
	lasts time.Duration
	// rate is requests per second sent whether or not earlier ones are
	// answered, each latency counted from the moment its request was due. 0 is
	// the closed loop: a connection sends when its last answer has come.
	rate float64
	src  source
	seen func(n, status int, body []byte) // of every answer; may be nil
	lost func(n int)                      // of a request without answer; may be nil
	stop func() bool                      // asked between answers; true ends the sending; may be nil
}

// tally is what came back.
type tally struct {
	elapsed time.Duration // from the first request to the last answer
	codes   map[int]int
	first   map[int]string // the first body of each code
	broken  int            // connections that ended instead of answering
	took    []time.Duration
}

// answers is how many requests were answered.
func (t tally) answers() int { return len(t.took) }

// grace is how long answers may still come after the last request.
const grace = 40 * time.Second

// conn is one keep-alive connection with at most one request under way.
type conn struct {
	fd   int
	addr string
	busy bool
	n    int       // of the request
	at   time.Time // when it was sent, or was due
	out  []byte
	in   []byte
	have int
}

// loop drives all connections from one goroutine.
type loop struct {
	plan
	poll  *poller
	conns []*conn
	free  []int // slots of idle connections, used by the open loop
	next  int
	busy  int
	alive int
	tally tally
}

// drive runs the plan.
func drive(p plan) (tally, error) {
	poll, err := newPoller(p.conns)
	if err != nil {
		return tally{}, err
	}
	defer poll.close()
	l := &loop{plan: p, poll: poll, tally: tally{codes: map[int]int{}, first: map[int]string{}, took: make([]time.Duration, 0, min(p.src.count, 1<<20))}}
	defer l.close()
	for i := range p.conns {
		l.conns = append(l.conns, &conn{addr: p.addrs[i%len(p.addrs)], in: make([]byte, 4096)})
		if err := l.open(i); err != nil {
			return l.tally, err
		}
	}
	return l.tally, l.run()
}

func (l *loop) close() {
	for _, c := range l.conns {
		if c.fd != 0 {
			syscall.Close(c.fd)
		}
	}
}

func (l *loop) open(slot int) error {
	c := l.conns[slot]
	fd, err := dialLoopback(c.addr)
	if err != nil {
		return err
	}
	c.fd, c.have, c.busy = fd, 0, false
	l.alive++
	l.free = append(l.free, slot)
	return l.poll.add(fd, slot)
}

func (l *loop) run() error {
	began := time.Now()
	last := began
	for {
		now := time.Now()
		sending := now.Sub(began) < l.lasts && l.next < l.src.count && l.alive > 0 && (l.stop == nil || !l.stop())
		if sending {
			l.sendDue(began, now)
		} else if l.busy == 0 {
			break
		} else if now.Sub(began) > l.lasts+grace {
			return fmt.Errorf("%d requests were not answered within %s", l.busy, grace)
		}
		events, err := l.poll.wait(l.patience())
		if err != nil {
			return err
		}
		for _, e := range events {
			if l.read(int(e.Fd)) {
				last = time.Now()
			}
		}
	}
	l.tally.elapsed = last.Sub(began)
	return nil
}

// patience is how long to wait for input: the next due request of an open
// loop comes within a millisecond, epoll's finest.
func (l *loop) patience() time.Duration {
	if l.rate > 0 {
		return time.Millisecond
	}
	return 100 * time.Millisecond
}

// sendDue sends on idle connections what is due.
func (l *loop) sendDue(began, now time.Time) {
	for len(l.free) > 0 && l.next < l.src.count {
		due := now
		if l.rate > 0 {
			if due = began.Add(time.Duration(float64(l.next) / l.rate * 1e9)); due.After(now) {
				return
			}
		}
		slot := l.free[len(l.free)-1]
		l.free = l.free[:len(l.free)-1]
		l.send(slot, due)
	}
}

func (l *loop) send(slot int, due time.Time) {
	c := l.conns[slot]
	c.n, c.at, c.busy = l.next, due, true
	l.next++
	l.busy++
	c.out = l.src.write(c.out[:0], c.n)
	// The socket's buffer is empty, for the last answer has come, and takes a
	// request whole.
	n, err := syscall.Write(c.fd, c.out)
	if err != nil || n < len(c.out) {
		l.drop(slot)
	}
}

// read takes what a connection has to say and tells whether it was an answer.
func (l *loop) read(slot int) bool {
	c := l.conns[slot]
	if c.fd == 0 {
		return false
	}
	if c.have == len(c.in) {
		c.in = append(c.in, make([]byte, len(c.in))...)
	}
	n, err := syscall.Read(c.fd, c.in[c.have:])
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR) {
		return false
	}
	if err != nil || n <= 0 {
		l.drop(slot)
		return false
	}
	c.have += n
	a, whole, err := parse(c.in[:c.have])
	if err != nil {
		l.drop(slot)
		return false
	}
	if !whole || !c.busy {
		return false
	}
	l.tally.took = append(l.tally.took, time.Since(c.at))
	if l.tally.codes[a.status]++; l.tally.codes[a.status] == 1 {
		l.tally.first[a.status] = string(a.body)
	}
	if l.seen != nil {
		l.seen(c.n, a.status, a.body)
	}
	c.have, c.busy = 0, false
	l.busy--
	l.free = append(l.free, slot)
	return true
}

// drop gives a connection up and opens it again; one that cannot be opened
// again stays closed.
func (l *loop) drop(slot int) {
	c := l.conns[slot]
	syscall.Close(c.fd)
	c.fd = 0
	l.alive--
	if c.busy {
		l.tally.broken++
		l.busy--
		if l.lost != nil {
			l.lost(c.n)
		}
	}
	c.busy = false
	l.free = without(l.free, slot)
	_ = l.open(slot) // the server may be gone; the others tell
}

func without(list []int, x int) []int {
	for i, v := range list {
		if v == x {
			return append(list[:i], list[i+1:]...)
		}
	}
	return list
}
