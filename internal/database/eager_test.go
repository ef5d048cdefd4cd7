package database

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// TestEager: what comes late is read, and the driver's own deadline still ends
// the wait.
func TestEager(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := dialEager((&net.Dialer{}).DialContext)(t.Context(), "tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	far, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	answered := make(chan error, 1)
	go func() {
		time.Sleep(20 * glance)
		_, err := far.Write([]byte("late"))
		answered <- err
	}()
	b := make([]byte, 8)
	if n, err := c.Read(b); err != nil || string(b[:n]) != "late" {
		t.Errorf("got %q, %v, want what came after many glances", b[:n], err)
	}
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(5 * glance)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("past the driver's deadline: got %v", err)
	}
	if err := errors.Join(c.SetReadDeadline(time.Time{}), far.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(b); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("closed at the other end: got %v, want its end", err)
	}
}
