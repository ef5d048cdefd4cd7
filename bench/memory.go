package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// waitingClaims is how many claims wait at once.
const waitingClaims = 10_000

// runMemory holds the item's row so that claims must wait, and compares what
// the house holds then with bare gin whose handler waits. Both processes have
// just served claims.
func runMemory(ctx context.Context, l *lab) error {
	l.conns = min(l.conns, waitingClaims)
	ours := l.claiming("siyu", sale{kind: "flash_sale", items: 1, stock: plenty, limit: l.limit})
	if _, err := l.turn(ctx, ours.warm(), -1); err != nil {
		return err
	}
	if err := l.startFront(ctx, 0); err != nil {
		return err
	}
	if _, err := l.turn(ctx, l.baseline("gin", "none", "bare").warm(), -1); err != nil {
		return err
	}
	held, err := l.claimsHeld(ctx)
	if err != nil {
		return err
	}
	bare, err := l.ginHeld(ctx)
	if err != nil {
		return err
	}
	l.printf("memory at %d waiting claims: the house %.1f MiB, bare gin %.1f MiB: %.2f × (goal 1.3)\n",
		waitingClaims, mib(held), mib(bare), float64(held)/float64(bare))
	return l.settled(ctx)
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }

// claimsHeld is the house's memory while the row is locked.
func (l *lab) claimsHeld(ctx context.Context) (int64, error) {
	items, err := l.openSale(ctx, sale{kind: "flash_sale", items: 1, stock: plenty, limit: l.limit})
	if err != nil {
		return 0, err
	}
	release, err := l.lock(ctx, items[0])
	if err != nil {
		return 0, err
	}
	src := oncePer(l.crowd, "wait", claimsOf(items)...)
	src.count = waitingClaims
	t, most, err := hold(plan{addrs: l.addrs(), conns: waitingClaims, lasts: grace, src: src}, l.pids()[0], release)
	if err != nil {
		return 0, err
	}
	l.printf("  the house answered, once the row was free: %s\n", t.codesText())
	if n := t.codes[201]; n < waitingClaims {
		l.printf("  so only %d waited; the others were refused at once\n", n)
	}
	return most, l.exact(ctx, items, t.codes[201])
}

// ginHeld is the memory of bare gin that does not answer.
func (l *lab) ginHeld(ctx context.Context) (int64, error) {
	r := post("/hold", item{id: 1, campaign: 1}.body())
	src := oncePer(l.crowd, "hold", r)
	src.count = waitingClaims
	t, most, err := hold(plan{addrs: []string{l.front.bare}, conns: waitingClaims, lasts: grace, src: src}, l.front.pid(), func() error {
		return newRest(l.front.bare, "").call(ctx, "POST", "/release", nil, nil)
	})
	if err == nil && t.codes[201] != waitingClaims {
		err = fmt.Errorf("bare gin answered %s", t.codesText())
	}
	return most, err
}

// hold drives the plan, whose requests wait, and reads the memory of the
// process before it lets them go.
func hold(p plan, pid int, release func() error) (t tally, most int64, err error) {
	if pid == 0 {
		return t, 0, errors.New("memory needs a house of its own")
	}
	resetPeak(pid)
	ended := make(chan error, 1)
	go func() {
		var err error
		t, err = drive(p)
		ended <- err
	}()
	time.Sleep(4 * time.Second) // 10,000 connections are made and sent on within two
	most = residentOf(pid)
	err = release()
	return t, most, errors.Join(err, <-ended)
}

// lock holds what a claim of the item must lock, until release.
func (l *lab) lock(ctx context.Context, of item) (release func() error, err error) {
	name, dsn, err := driver(l.store.url)
	if err != nil {
		return nil, err
	}
	pool, err := sql.Open(name, dsn)
	if err != nil {
		return nil, err
	}
	c, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	begin, take := "START TRANSACTION", "SELECT id FROM items WHERE id = ? FOR UPDATE"
	if l.store.sqlite {
		begin, take = "BEGIN IMMEDIATE", "SELECT id FROM items WHERE id = ?"
	}
	if _, err := c.ExecContext(ctx, begin); err != nil {
		return nil, err
	}
	var got int64
	if err := c.QueryRowContext(ctx, take, of.id).Scan(&got); err != nil {
		return nil, err
	}
	return func() error {
		_, err := c.ExecContext(ctx, "ROLLBACK")
		return errors.Join(err, c.Close(), pool.Close())
	}, nil
}
