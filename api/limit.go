package api

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/internal/database"
	"siyu/internal/httpd"
)

// Rates are how many requests per minute each sort of caller may make, all
// replicas together; the burst is a quarter of it.
type Rates struct {
	Staff   int // per staff member
	Member  int // per member or guest
	Address int // per address, for calls without valid credentials and for guests
}

func (r Rates) orDefaults() Rates {
	for _, x := range []struct {
		n    *int
		rate int
	}{{&r.Staff, 6000}, {&r.Member, 240}, {&r.Address, 6000}} {
		if *x.n == 0 {
			*x.n = x.rate
		}
	}
	return r
}

// limits keeps callers to their rates. Each replica takes its share: the rate
// divided by the live node leases, counted anew every ten seconds by one of
// the requests.
type limits struct {
	limiter                *httpd.Limiter
	staff, member, address httpd.Rate

	share atomic.Int64
	next  atomic.Int64 // when the share is counted again, unix milliseconds
}

// limitedCallers bounds the limiter's memory: at most twice as many callers,
// about 100 bytes each.
const limitedCallers = 50_000

func newLimits(r Rates) *limits {
	r = r.orDefaults()
	rate := func(name string, n int) httpd.Rate {
		return httpd.Rate{Name: name, Count: n, Per: time.Minute, Burst: max(n/4, 1)}
	}
	return &limits{
		limiter: httpd.NewLimiter(limitedCallers),
		staff:   rate("staff", r.Staff), member: rate("member", r.Member), address: rate("address", r.Address),
	}
}

// caller counts a request of somebody known. Guests cost nothing to become,
// so their address counts too.
func (l *limits) caller(c *gin.Context, db *database.DB, a database.Actor) error {
	rate := l.member
	switch a.Kind {
	case database.ActorStaff:
		rate = l.staff
	case database.ActorGuest:
		if err := l.perAddress(c, db); err != nil {
			return err
		}
	}
	return l.take(c, db, a.Principal(), rate)
}

// perAddress counts a request against the address it came from.
func (l *limits) perAddress(c *gin.Context, db *database.DB) error {
	return l.take(c, db, "ip:"+c.ClientIP(), l.address)
}

// spent refuses an address that has used its rate up, without counting.
func (l *limits) spent(c *gin.Context, db *database.DB) error {
	v := l.limiter.Peek("ip:"+c.ClientIP(), l.address, l.replicas(c.Request.Context(), db), time.Now())
	if v.Allowed {
		return nil
	}
	v.Show(c.Writer.Header(), l.address)
	return httpd.ErrTooMany.After(v.Retry)
}

func (l *limits) take(c *gin.Context, db *database.DB, caller string, rate httpd.Rate) error {
	v := l.limiter.Take(caller, rate, l.replicas(c.Request.Context(), db), time.Now())
	v.Show(c.Writer.Header(), rate)
	if !v.Allowed {
		return httpd.ErrTooMany.After(v.Retry)
	}
	return nil
}

const recount = 10 * time.Second

// replicas is by how many the rates are divided. When the store does not
// answer in time the last count stays.
func (l *limits) replicas(ctx context.Context, db *database.DB) int {
	due, now := l.next.Load(), time.Now().UnixMilli()
	if now >= due && l.next.CompareAndSwap(due, now+recount.Milliseconds()) {
		quick, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		if n, err := db.LiveNodes(quick); err == nil {
			l.share.Store(int64(n))
		}
	}
	return max(int(l.share.Load()), 1)
}
