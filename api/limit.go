package api

import (
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

// limits keeps the API's callers to their rates.
type limits struct {
	gate                   *httpd.Gate
	staff, member, address httpd.Rate
}

func newLimits(db *database.DB, r Rates) *limits {
	r = r.orDefaults()
	return &limits{
		gate:  httpd.NewGate(db),
		staff: httpd.PerMinute("staff", r.Staff), member: httpd.PerMinute("member", r.Member), address: httpd.PerMinute("address", r.Address),
	}
}

// caller counts a request of somebody known. Guests cost nothing to become,
// so their address counts too.
func (l *limits) caller(c *gin.Context, a database.Actor) error {
	rate := l.member
	switch a.Kind {
	case database.ActorStaff:
		rate = l.staff
	case database.ActorGuest:
		if err := l.perAddress(c); err != nil {
			return err
		}
	}
	return l.gate.Take(c, a.Principal(), rate)
}

// perAddress counts a request against the address it came from.
func (l *limits) perAddress(c *gin.Context) error {
	return l.gate.Take(c, httpd.Address(c), l.address)
}

// spent refuses an address that has used its rate up, without counting.
func (l *limits) spent(c *gin.Context) error {
	return l.gate.Spent(c, httpd.Address(c), l.address)
}
