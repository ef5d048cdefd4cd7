package main_test

import (
	"bytes"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// mood is what a wire does to those who speak over it.
type mood int32

const (
	moodPlain     mood = iota
	moodForgetful      // cuts half of the connections before the answer to their COMMIT
	moodSlow           // every question arrives lag late
	moodCut            // nobody gets through
)

const lag = 2 * time.Second

// wire lies between a house and its server, so that what is said arrives late,
// in part or not at all while both of them are well.
type wire struct {
	t       testing.TB
	network string
	address string // of the server
	path    string // of the socket it listens on
	mood    atomic.Int32
	lost    atomic.Int64 // answers to a COMMIT that were cut off

	mu    sync.Mutex
	flows map[*flow]bool
}

// flow is one connection over the wire.
type flow struct {
	w              *wire
	client, server net.Conn
	cutting        atomic.Bool // the next answer is not passed on
	deaf           atomic.Bool // nothing is passed on, and nobody is told
}

// newWire lies before the server of a MariaDB address; url is the address
// through it.
func newWire(t testing.TB, to string) (w *wire, url string) {
	t.Helper()
	head, rest, _ := strings.Cut(to, "@")
	address, schema := rest[:strings.LastIndex(rest, "/")], rest[strings.LastIndex(rest, "/"):]
	w = &wire{t: t, network: "tcp", address: address, path: filepath.Join(t.TempDir(), "w"), flows: map[*flow]bool{}}
	if socket, is := strings.CutPrefix(address, "unix("); is {
		w.network, w.address = "unix", strings.TrimSuffix(socket, ")")
	}
	ln, err := net.Listen("unix", w.path)
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			w.carry(client, &open)
		}
	})
	t.Cleanup(func() { ln.Close(); w.each((*flow).close); open.Wait() })
	return w, head + "@unix(" + w.path + ")" + schema
}

func (w *wire) be(m mood) {
	w.mood.Store(int32(m))
	if m == moodCut {
		w.each((*flow).close)
	}
}

func (w *wire) is(m mood) bool { return mood(w.mood.Load()) == m }

// each does something to every connection there is.
func (w *wire) each(do func(*flow)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for f := range w.flows {
		do(f)
	}
}

// goDeaf leaves all connections standing and passes nothing on over them any
// more, as when the machine at the other end is gone. New ones are well.
func (w *wire) goDeaf() { w.each(func(f *flow) { f.deaf.Store(true) }) }

func (w *wire) carry(client net.Conn, open *sync.WaitGroup) {
	server, err := net.Dial(w.network, w.address)
	if err != nil || w.is(moodCut) {
		client.Close()
		if err == nil {
			server.Close()
		}
		return
	}
	f := &flow{w: w, client: client, server: server}
	w.mu.Lock()
	w.flows[f] = true
	w.mu.Unlock()
	open.Go(func() { f.pass(server, client, f.asked) })
	open.Go(func() { f.pass(client, server, f.answered) })
}

// pass carries what one side says to the other while look lets it.
func (f *flow) pass(to, from net.Conn, look func(said []byte) bool) {
	defer func() {
		if !f.deaf.Load() { // else the other side is not told either
			f.end()
		}
	}()
	said := make([]byte, 64<<10)
	for {
		n, err := from.Read(said)
		if err != nil || !look(said[:n]) {
			return
		}
		if f.deaf.Load() {
			continue
		}
		if _, err := to.Write(said[:n]); err != nil {
			return
		}
	}
}

func (f *flow) asked(said []byte) bool {
	if f.w.is(moodSlow) {
		time.Sleep(lag)
	}
	if f.w.is(moodForgetful) && bytes.Contains(said, []byte("COMMIT")) && rand.IntN(2) == 0 {
		f.cutting.Store(true)
	}
	return true
}

// answered cuts where it has to. A message with a COMMIT may hold more before
// it, so the first word of the answer can come before the commit: the server
// is given a moment, sometimes.
func (f *flow) answered([]byte) bool {
	if !f.cutting.Load() {
		return true
	}
	time.Sleep(rand.N(20 * time.Millisecond))
	f.w.lost.Add(1)
	return false
}

func (f *flow) close() {
	f.client.Close()
	f.server.Close()
}

func (f *flow) end() {
	f.close()
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	delete(f.w.flows, f)
}
