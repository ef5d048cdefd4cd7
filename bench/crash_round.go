package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"siyu/internal/id"
)

// killedLoad bounds the load around one kill, and afterKill how long it goes
// on against a house whose database was killed.
const (
	killedLoad = 20 * time.Second
	afterKill  = time.Second
)

// heard is what the load was told in one round: the journal outside.
type heard struct {
	orders []string // by request; "" without a 201
	asked  int      // requests sent
	acks   int
}

// crash plays one kill and counts its losses. It tells whether the kill came
// after enough acknowledgements.
func (l *lab) crash(ctx context.Context, k kill, journal *os.File, x *losses) (bool, error) {
	if err := l.freshTokens(ctx); err != nil {
		return false, err
	}
	h, err := l.victim(ctx, k)
	if err != nil {
		return false, err
	}
	defer func() { h.kill() }()
	l.rest.addr = h.addr
	items, err := l.openSale(ctx, sale{kind: "flash_sale", items: 1, stock: k.stock, limit: 1})
	if err != nil {
		return false, err
	}
	key := fmt.Sprintf("kill%d", k.n)
	src := oncePer(l.crowd, key, claimsOf(items)...)
	told, err := l.loadUntilDead(ctx, h, &k, src)
	if err != nil {
		return false, err
	}
	for n, order := range told.orders {
		if order != "" {
			fmt.Fprintf(journal, "%s-%d %s\n", key, n, order)
		}
	}
	if k.what == "database" {
		if err := l.store.startServer(); err != nil {
			return false, err
		}
	} else {
		h.kill()
		if h, err = l.startHouse(ctx, "SIYU_RATE_MEMBER=100000"); err != nil {
			return false, err
		}
	}
	if err := l.compare(ctx, h, k, items[0], key, src, told, x); err != nil {
		return false, err
	}
	if err := l.proved(ctx, x); err != nil {
		return false, err
	}
	x.acked += told.acks
	if told.acks < enoughAcks {
		x.few++
		return false, nil
	}
	x.kills[k.what]++
	return true, nil
}

// victim is a house that dies at its point, or one to be killed. Its limiter
// divides by the node numbers that the dead still hold, hence the rate.
func (l *lab) victim(ctx context.Context, k kill) (*house, error) {
	env := []string{"SIYU_RATE_MEMBER=100000"}
	if k.what != "random" && k.what != "database" {
		env = append(env, fmt.Sprintf("SIYU_KILL_AT=%s:%d", k.what, k.nth))
	}
	return l.startHouse(ctx, env...)
}

// loadUntilDead drives claims until the kill has happened and nothing answers
// any more, or, when only the database died, for a second longer.
func (l *lab) loadUntilDead(ctx context.Context, h *house, k *kill, src source) (heard, error) {
	told := heard{orders: make([]string, src.count)}
	var due, killed time.Time
	p := plan{addrs: []string{h.addr}, conns: l.conns, lasts: killedLoad, src: src}
	p.seen = func(n, status int, body []byte) {
		if status != 201 {
			return
		}
		told.orders[n] = field(body, "id")
		told.acks++
		if told.acks >= k.after && due.IsZero() {
			due = time.Now().Add(k.late)
		}
	}
	// stop is asked after every handful of answers.
	p.stop = func() bool {
		if killed.IsZero() && !due.IsZero() && time.Now().After(due) {
			killed = time.Now()
			l.strike(h, k)
		}
		return k.what == "database" && !killed.IsZero() && time.Since(killed) > afterKill || ctx.Err() != nil
	}
	sent := 0
	write := p.src.write
	p.src.write = func(buf []byte, n int) []byte {
		sent = max(sent, n+1)
		return write(buf, n)
	}
	_, err := drive(p)
	told.asked = sent
	return told, errors.Join(err, ctx.Err())
}

// strike kills from outside: the database, or the house, also where its point
// was not passed in time.
func (l *lab) strike(h *house, k *kill) {
	if k.what == "database" {
		l.store.server.kill()
		return
	}
	k.what = "random"
	_ = h.cmd.Process.Kill() // it may have reached its point this moment
}

// compare holds the journal against the store, then asks again for every
// request that was not acknowledged and for some that were: each key must find
// its one order.
func (l *lab) compare(ctx context.Context, h *house, k kill, of item, key string, src source, told heard, x *losses) error {
	before, err := l.granted(ctx, of, key)
	if err != nil {
		return err
	}
	for n, order := range told.orders {
		if order != "" && before[n] != order {
			x.lost++
		}
	}
	x.unheard += len(before) - told.acks
	again := pending(told, 300)
	found := make(map[int]string, len(again))
	if err := l.await(ctx, h); err != nil {
		return err
	}
	t, err := drive(plan{addrs: []string{h.addr}, conns: min(l.conns, 64), lasts: killedLoad, src: source{count: len(again), write: func(buf []byte, n int) []byte {
		return src.write(buf, again[n])
	}}, seen: func(n, status int, body []byte) {
		if status == 201 {
			found[again[n]] = field(body, "id")
		}
	}})
	if err != nil {
		return err
	}
	if other := t.answers() - t.codes[201] - t.codes[409]; other > 0 || t.broken > 0 {
		return fmt.Errorf("asked again, the house answered %s", t.codesText())
	}
	after, err := l.granted(ctx, of, key)
	if err != nil {
		return err
	}
	for n, order := range before {
		if again := found[n]; again != "" && again != order {
			x.strange++
		}
	}
	for n, order := range found {
		if after[n] != order {
			x.strange++
		}
	}
	for _, n := range again {
		if before[n] != "" && found[n] == "" {
			x.strange++ // it was granted, and its key says it was not
		}
	}
	return l.withinBounds(ctx, of, k, len(after), x)
}

// await waits until the house answers claims again after its database died.
func (l *lab) await(ctx context.Context, h *house) error {
	return until("the house is ready again", 30*time.Second, func() bool { return h.ready(ctx) })
}

// pending are the requests to ask again: all that were sent and not
// acknowledged, and some that were.
func pending(told heard, some int) []int {
	var out []int
	for n := range told.asked {
		if told.orders[n] == "" {
			out = append(out, n)
		} else if some > 0 {
			out = append(out, n)
			some--
		}
	}
	return out
}

// granted are the item's orders in the store, by request.
func (l *lab) granted(ctx context.Context, of item, key string) (map[int]string, error) {
	var rows []struct {
		ID      id.Order
		IdemKey string
	}
	if err := l.store.db.Read(ctx).Raw("SELECT id, idem_key FROM orders WHERE id > ? AND item_id = ?", of.campaign, of.id).Scan(&rows).Error; err != nil {
		return nil, err
	}
	out := make(map[int]string, len(rows))
	for _, r := range rows {
		var n int
		if _, err := fmt.Sscanf(r.IdemKey, key+"-%d", &n); err != nil {
			return nil, fmt.Errorf("%w: an order under the key %q, which nobody sent", errInexact, r.IdemKey)
		}
		out[n] = r.ID.String()
	}
	return out, nil
}

// withinBounds counts oversold items and members over their limit.
func (l *lab) withinBounds(ctx context.Context, of item, k kill, orders int, x *losses) error {
	taken, err := l.store.number(ctx, "SELECT stock - left_qty FROM items WHERE id = ?", of.id)
	if err != nil {
		return err
	}
	if taken != int64(orders) || int64(orders) > k.stock {
		x.oversold++
	}
	twice, err := l.store.number(ctx, `SELECT COUNT(*) FROM (SELECT member_id FROM orders WHERE id > ? AND item_id = ? GROUP BY member_id HAVING SUM(qty) > 1) AS over_limit`, of.campaign, of.id)
	x.twice += int(twice)
	return err
}

// proved counts what verify finds broken.
func (l *lab) proved(ctx context.Context, x *losses) error {
	out, err := l.verifyOutput(ctx)
	if errors.Is(err, errInexact) {
		l.printf("%v\n%s\n", err, out)
		x.broken++
		return nil
	}
	return err
}
