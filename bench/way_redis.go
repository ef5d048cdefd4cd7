package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// takeOne counts in Redis: once per member, while there is stock. With a third
// key it also queues the claim, which is then all there is of it.
var takeOne = redis.NewScript(`
if redis.call('SADD', KEYS[2], ARGV[1]) == 0 then return -1 end
if tonumber(redis.call('GET', KEYS[1])) <= 0 then redis.call('SREM', KEYS[2], ARGV[1]) return 0 end
redis.call('DECR', KEYS[1])
if KEYS[3] then redis.call('LPUSH', KEYS[3], ARGV[2]) end
return 1`)

const queueKey = "bench:queue"

func (w *ways) fillRedis(ctx context.Context) error {
	pipe := w.redis.Pipeline()
	for i := range baseItems {
		pipe.Set(ctx, stockKey(int64(i+1)), 100_000_000, 0)
	}
	_, err := pipe.Exec(ctx)
	return err
}

func stockKey(item int64) string  { return "bench:stock:" + strconv.FormatInt(item, 10) }
func boughtKey(item int64) string { return "bench:bought:" + strconv.FormatInt(item, 10) }

func (w *ways) take(ctx context.Context, a asked, more ...string) error {
	keys := append([]string{stockKey(a.item), boughtKey(a.item)}, more...)
	got, err := takeOne.Run(ctx, w.redis, keys, a.member, fmt.Sprintf("%d %d %s", a.item, a.member, a.key)).Int()
	if err == nil && got != 1 {
		return errNoStock
	}
	return err
}

// countThenInsert acknowledges when the row is written; a crash between the
// two leaves Redis and SQL apart.
func (w *ways) countThenInsert(ctx context.Context, a asked) error {
	if err := w.take(ctx, a); err != nil {
		return err
	}
	_, err := w.rows.ExecContext(ctx, insertClaim, serial.Add(1)+process0, a.item, a.member, a.key, time.Now().UnixMilli())
	return err
}

// countThenQueue acknowledges when Redis has the claim, which is not durable.
func (w *ways) countThenQueue(ctx context.Context, a asked) error {
	if err := w.take(ctx, a, queueKey); err != nil {
		return err
	}
	w.idle.Add(1)
	return nil
}

// writeQueue moves what is queued into the table, up to 500 at once.
func (w *ways) writeQueue(ctx context.Context) {
	for ctx.Err() == nil {
		list, err := w.redis.RPopCount(ctx, queueKey, 500).Result()
		if errors.Is(err, redis.Nil) || len(list) == 0 {
			time.Sleep(2 * time.Millisecond)
			continue
		}
		if err == nil {
			err = w.insertMany(ctx, list)
		}
		if err != nil && ctx.Err() == nil {
			slog.Error("baseline queue", "error", err)
		}
		w.idle.Add(-int64(len(list)))
	}
}

func (w *ways) insertMany(ctx context.Context, list []string) error {
	var b strings.Builder
	b.WriteString("INSERT INTO bench_claims (id, item_id, member_id, idem_key, created_at) VALUES ")
	now := time.Now().UnixMilli()
	for i, text := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		item, rest, _ := strings.Cut(text, " ")
		member, key, _ := strings.Cut(rest, " ")
		fmt.Fprintf(&b, "(%d,%s,%s,'%s',%d)", serial.Add(1)+process0, item, member, key, now)
	}
	_, err := w.rows.ExecContext(ctx, b.String())
	return err
}
