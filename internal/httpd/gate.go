package httpd

import (
	"context"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/internal/database"
)

// gateCallers bounds a gate's memory: at most twice as many callers, about
// 100 bytes each.
const gateCallers = 50_000

// Gate keeps callers to rates that all replicas share: each takes the rate
// divided by the live node leases, counted anew every ten seconds by one of
// the requests. A rate's name keeps its callers apart from those of another.
type Gate struct {
	db      *database.DB
	limiter *Limiter

	share atomic.Int64
	next  atomic.Int64 // when the share is counted again, unix milliseconds
}

// NewGate is a gate in front of what the store serves.
func NewGate(db *database.DB) *Gate { return &Gate{db: db, limiter: NewLimiter(gateCallers)} }

// PerMinute is a rate whose burst is a quarter of it.
func PerMinute(name string, n int) Rate {
	return Rate{Name: name, Count: n, Per: time.Minute, Burst: max(n/4, 1)}
}

// Take counts one request of the caller, or refuses it.
func (g *Gate) Take(c *gin.Context, caller string, r Rate) error {
	v := g.limiter.Take(r.Name+" "+caller, r, g.replicas(c.Request.Context()), time.Now())
	v.Show(c.Writer.Header(), r)
	if !v.Allowed {
		return ErrTooMany.After(v.Retry)
	}
	return nil
}

// Spent refuses a caller who has used the rate up, without counting.
func (g *Gate) Spent(c *gin.Context, caller string, r Rate) error {
	v := g.limiter.Peek(r.Name+" "+caller, r, g.replicas(c.Request.Context()), time.Now())
	if v.Allowed {
		return nil
	}
	v.Show(c.Writer.Header(), r)
	return ErrTooMany.After(v.Retry)
}

// Address names where a request comes from, as a caller: an IPv4 address, or
// the /64 network of an IPv6 one, all of which one line usually has.
func Address(c *gin.Context) string {
	from := c.ClientIP()
	ip, err := netip.ParseAddr(from)
	if err != nil {
		return from
	}
	if ip = ip.Unmap().WithZone(""); ip.Is6() {
		if line, err := ip.Prefix(64); err == nil {
			return line.String()
		}
	}
	return ip.String()
}

const recount = 10 * time.Second

// replicas is by how many the rates are divided. When the store does not
// answer in time the last count stays.
func (g *Gate) replicas(ctx context.Context) int {
	due, now := g.next.Load(), time.Now().UnixMilli()
	if now >= due && g.next.CompareAndSwap(due, now+recount.Milliseconds()) {
		quick, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		if n, err := g.db.LiveNodes(quick); err == nil {
			g.share.Store(int64(n))
		}
	}
	return max(int(g.share.Load()), 1)
}
