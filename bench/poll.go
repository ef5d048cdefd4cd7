package main

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"
)

// poller waits for many sockets on one thread. A goroutine per connection
// would cost about twice the CPU, which this program takes from the servers it
// measures.
type poller struct {
	fd     int
	events []syscall.EpollEvent
}

func newPoller(conns int) (*poller, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return &poller{fd: fd, events: make([]syscall.EpollEvent, min(max(conns, 1), 1024))}, nil
}

func (p *poller) close() { _ = syscall.Close(p.fd) }

// add watches fd for input; slot is what wait names it by.
func (p *poller) add(fd, slot int) error {
	return syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(slot)})
}

// wait returns the slots with input, or none after the time, which counts in
// whole milliseconds.
func (p *poller) wait(most time.Duration) ([]syscall.EpollEvent, error) {
	n, err := syscall.EpollWait(p.fd, p.events, int(most.Milliseconds()))
	if errors.Is(err, syscall.EINTR) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return p.events[:n], nil
}

// dialLoopback connects a non-blocking socket to an IPv4 address.
func dialLoopback(addr string) (int, error) {
	to, err := netip.ParseAddrPort(addr)
	if err != nil || !to.Addr().Is4() {
		return 0, fmt.Errorf("%q: bench speaks to IPv4 addresses with a port", addr)
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	err = syscall.Connect(fd, &syscall.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})
	if err == nil {
		err = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	}
	if err == nil {
		err = syscall.SetNonblock(fd, true)
	}
	if err != nil {
		syscall.Close(fd)
		return 0, fmt.Errorf("connect %s: %w", addr, err)
	}
	return fd, nil
}
