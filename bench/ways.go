package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/redis/go-redis/v9"

	"siyu/api"
	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/id"
)

// asked is a claim as a baseline sees it: who, what, under which key. Its
// table is as narrow as one can be, so the baselines write less than the house.
type asked struct {
	item, member int64
	key          string
}

// way is one way to claim.
type way struct {
	name  string
	claim func(ctx context.Context, a asked) error
}

// bare answers behind bare gin. The member comes in a header, because there is
// no token.
func (w way) bare(c *gin.Context, in bareClaim) (campaign.Order, error) {
	var it id.Item
	if err := it.UnmarshalText([]byte(in.ItemID)); err != nil {
		return campaign.Order{}, err
	}
	var m id.Member
	if err := m.UnmarshalText([]byte(c.GetHeader("X-Member"))); err != nil {
		return campaign.Order{}, err
	}
	a := asked{int64(it), int64(m), c.GetHeader("Idempotency-Key")}
	return orderOf(api.Probed{Item: it, Member: m}), w.claim(c.Request.Context(), a)
}

// house answers behind the house's front. In a join the campaign of the path
// stands for the team.
func (w way) house(ctx context.Context, in api.Probed) (campaign.Order, error) {
	a := asked{int64(in.Item), int64(in.Member), in.Key}
	if strings.HasPrefix(w.name, "join") {
		a.item = int64(in.Campaign)
	}
	return orderOf(in), w.claim(ctx, a)
}

var serial atomic.Int64

// orderOf is an order like the house's answer.
func orderOf(in api.Probed) campaign.Order {
	now := clock.MilliOf(time.Now())
	return campaign.Order{
		ID: id.Order(process0 + serial.Add(1)), CampaignID: in.Campaign, ItemID: in.Item, MemberID: in.Member, Qty: 1,
		UnitPrice: 9900, Amount: 9900, Status: campaign.OrderHeld, CreatedAt: now, DeadlineAt: now + 900_000, Version: 1,
	}
}

// ways are the baselines of one process with what they stand on.
type ways struct {
	list  []way
	rows  *sql.DB
	redis *redis.Client
	held  chan struct{} // closed when held requests may be answered
	idle  atomic.Int64  // claims acknowledged and not yet written
}

// baseItems is how many items the baselines have: a fresh one for every turn.
const baseItems = 400

// pools are the pool sizes the row update is tried with.
func pools(sqlite bool) []int {
	if sqlite {
		return []int{1, 4}
	}
	return []int{4, 8, 16}
}

// openWays makes the baselines' tables and every way the store allows.
func openWays(ctx context.Context, db, redisURL string, teams int) (*ways, func(), error) {
	w := &ways{held: make(chan struct{})}
	name, dsn, err := driver(db)
	if err != nil {
		return nil, nil, err
	}
	embedded := name == "sqlite"
	open := func(size int) (*sql.DB, error) {
		pool, err := sql.Open(name, dsn)
		if err != nil {
			return nil, err
		}
		pool.SetMaxOpenConns(size)
		pool.SetMaxIdleConns(size)
		return pool, nil
	}
	most := 32
	if embedded {
		most = 1
	}
	if w.rows, err = open(most); err != nil {
		return nil, nil, err
	}
	if err := w.makeTables(ctx, teams); err != nil {
		return nil, nil, err
	}
	w.list = append(w.list, way{"none", func(context.Context, asked) error { return nil }})
	for _, size := range pools(embedded) {
		pool, err := open(size)
		if err != nil {
			return nil, nil, err
		}
		row := &rowUpdate{pool: pool, begin: beginText(embedded)}
		w.list = append(w.list, way{"update" + strconv.Itoa(size), row.claim}, way{"join" + strconv.Itoa(size), row.join})
	}
	if redisURL == "" {
		return w, func() {}, nil
	}
	opt, err := redis.ParseURL(redisURL)
	if err != nil {
		return nil, nil, err
	}
	opt.PoolSize = 64
	w.redis = redis.NewClient(opt)
	writing, stop := context.WithCancel(ctx)
	go w.writeQueue(writing)
	w.list = append(w.list, way{"insert", w.countThenInsert}, way{"queue", w.countThenQueue})
	return w, stop, w.fillRedis(ctx)
}

func beginText(embedded bool) string {
	if embedded {
		return "BEGIN IMMEDIATE"
	}
	return "START TRANSACTION"
}

func (w *ways) makeTables(ctx context.Context, teams int) error {
	for _, text := range []string{
		"DROP TABLE IF EXISTS bench_items", "DROP TABLE IF EXISTS bench_claims", "DROP TABLE IF EXISTS bench_teams",
		"CREATE TABLE bench_items (id BIGINT NOT NULL PRIMARY KEY, left_qty BIGINT NOT NULL)",
		"CREATE TABLE bench_claims (id BIGINT NOT NULL PRIMARY KEY, item_id BIGINT NOT NULL, member_id BIGINT NOT NULL, idem_key VARCHAR(64) NOT NULL, created_at BIGINT NOT NULL)",
		"CREATE UNIQUE INDEX bench_claims_member ON bench_claims (item_id, member_id)",
		"CREATE TABLE bench_teams (id BIGINT NOT NULL PRIMARY KEY, live_seats INT NOT NULL)",
	} {
		if _, err := w.rows.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("baseline tables: %w", err)
		}
	}
	fill := func(table string, n int, qty int64) error {
		const chunk = 2000
		for from := 1; from <= n; from += chunk {
			var b strings.Builder
			b.WriteString("INSERT INTO " + table + " VALUES ")
			for i := from; i < min(from+chunk, n+1); i++ {
				if i > from {
					b.WriteByte(',')
				}
				fmt.Fprintf(&b, "(%d,%d)", i, qty)
			}
			if _, err := w.rows.ExecContext(ctx, b.String()); err != nil {
				return fmt.Errorf("baseline tables: %w", err)
			}
		}
		return nil
	}
	return errors.Join(fill("bench_items", baseItems, 100_000_000), fill("bench_teams", teams, 0))
}

// rest waits until everything acknowledged is written.
func (w *ways) rest(ctx context.Context) {
	for end := time.Now().Add(drainRest); w.idle.Load() > 0 && time.Now().Before(end) && ctx.Err() == nil; {
		time.Sleep(20 * time.Millisecond)
	}
}
