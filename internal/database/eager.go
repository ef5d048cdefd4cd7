package database

import (
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// glance is how soon an eager connection first looks for an answer by itself;
// then it looks whenever it has waited an eighth longer. Who waits long for a
// long statement loses little by that, and looking costs as much as to read.
const (
	glance  = 200 * time.Microsecond
	patient = 8
)

// eager is a connection whose reader does not wait in line. Go hands a socket's
// readiness out only when a processor has nothing else to run; under a rush
// there always are other requests to run, and the one answer that everybody
// waits for lies unread for milliseconds. A deadline that runs out is noticed
// before the next goroutine runs, so the reader sets one glance after glance and
// reads again. On an idle process it costs nothing: the answer comes first.
type eager struct {
	net.Conn
	until atomic.Int64 // the deadline the driver set, unix nanoseconds; 0: none
}

// dial is a mysql driver's DialFunc.
type dial = func(ctx context.Context, network, addr string) (net.Conn, error)

// dialEager makes the connections of another DialFunc eager.
func dialEager(d dial) dial {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := d(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &eager{Conn: c}, nil
	}
}

// SetReadDeadline keeps the driver's deadline; Read holds it.
func (e *eager) SetReadDeadline(t time.Time) error {
	e.until.Store(0)
	if !t.IsZero() {
		e.until.Store(t.UnixNano())
	}
	return e.Conn.SetReadDeadline(t)
}

// SetDeadline keeps the part of it that Read holds.
func (e *eager) SetDeadline(t time.Time) error {
	return errors.Join(e.Conn.SetWriteDeadline(t), e.SetReadDeadline(t))
}

// Read reads what is there, or waits for it.
func (e *eager) Read(b []byte) (int, error) {
	began := time.Now()
	for now := began; ; now = time.Now() {
		until := e.until.Load()
		if until != 0 && now.UnixNano() >= until {
			return 0, os.ErrDeadlineExceeded
		}
		next := now.Add(max(glance, now.Sub(began)/patient))
		if until != 0 && next.UnixNano() > until {
			next = time.Unix(0, until)
		}
		if err := e.Conn.SetReadDeadline(next); err != nil {
			return 0, err
		}
		n, err := e.Conn.Read(b)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
	}
}
