package database

import (
	"context"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// silence is how long an answer may be awaited before a connection that is
// given up then counts as one with nobody at its other end.
const silence = 2 * time.Second

// watched is a connection that tells when it is closed unanswered.
type watched struct {
	net.Conn
	raw    syscall.Conn // the driver looks there whether the server hung up
	asked  atomic.Int64 // when the last question was sent, unix nanoseconds; 0: it was answered
	silent func()
}

// dialWatched is a mysql driver's DialFunc whose connections call silent when
// they are closed after nobody answered for a while.
func dialWatched(silent func()) dial {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		var d net.Dialer
		c, err := d.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &watched{Conn: c, raw: c.(syscall.Conn), silent: silent}, nil
	}
}

func (w *watched) SyscallConn() (syscall.RawConn, error) { return w.raw.SyscallConn() }

func (w *watched) Write(b []byte) (int, error) {
	w.asked.Store(time.Now().UnixNano())
	return w.Conn.Write(b)
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if n > 0 {
		w.asked.Store(0)
	}
	return n, err
}

func (w *watched) Close() error {
	if at := w.asked.Swap(0); at != 0 && time.Since(time.Unix(0, at)) > silence {
		w.silent()
	}
	return w.Conn.Close()
}

// shed closes the connections that nobody uses, because one of them was not
// answered: a server or a way to it that is gone has silenced the others too,
// and each would cost its caller the whole wait before a fresh one is tried.
func (db *DB) shed() {
	for p, idle := range db.idle {
		p.SetMaxIdleConns(0)
		p.SetMaxIdleConns(idle)
	}
}
