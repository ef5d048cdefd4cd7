// Package httpd is the hardened HTTP floor that api and web stand on.
//
// It owns the server with its timeouts and its draining, the gin engine with
// the middleware every request passes (recovery, request id, security headers,
// body limit, access log), the one place where a fault becomes problem+json,
// strict JSON decoding, and the rate limiter. It knows no business and no
// route.
//
// What must stay true: no header value, token, phone number or query string
// reaches the log; no body is read past its limit; a forwarded address counts
// only from a proxy the operator named; an error that is not a fault is logged
// and never shown.
package httpd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Limits bound how long and how much one connection may take. Zero fields
// take the defaults.
type Limits struct {
	Header time.Duration // to send the headers
	Read   time.Duration // to send headers and body
	Write  time.Duration // to take the answer
	Idle   time.Duration // between two requests
	Drain  time.Duration // to finish what runs when the server stops
	Body   int64         // bytes of one body, unless a route says otherwise
}

// headerBytes bounds the request line and headers together; net/http adds a
// slack of 4 KiB of its own.
const headerBytes = 16 << 10

func (l Limits) orDefaults() Limits {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&l.Header, 5*time.Second)
	set(&l.Read, 15*time.Second)
	set(&l.Write, 30*time.Second)
	set(&l.Idle, 60*time.Second)
	set(&l.Drain, 20*time.Second)
	if l.Body == 0 {
		l.Body = 1 << 20
	}
	return l
}

// NewServer wraps a handler in a server with every timeout set.
func NewServer(h http.Handler, l Limits) *http.Server {
	l = l.orDefaults()
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: l.Header,
		ReadTimeout:       l.Read,
		WriteTimeout:      l.Write,
		IdleTimeout:       l.Idle,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
}

// Serve answers on the listener until the context ends, then takes no new
// connection, lets what runs finish and returns. Its contexts are not those of
// the caller: a request under way is finished, not cancelled, by a stop.
func Serve(ctx context.Context, ln net.Listener, h http.Handler, l Limits) error {
	srv := NewServer(h, l)
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	select {
	case err := <-failed:
		return fmt.Errorf("httpd: serve: %w", err)
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.orDefaults().Drain)
	defer cancel()
	if err := srv.Shutdown(end); err != nil {
		return errors.Join(fmt.Errorf("httpd: requests still ran when the drain ended: %w", err), srv.Close())
	}
	return nil
}
