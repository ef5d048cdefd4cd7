package web

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/internal/httpd"
)

// Rates are how many requests per minute the pages take, all replicas
// together; the burst is a quarter of it. They are the API's own numbers.
type Rates struct {
	Visitor int // pages and forms per member or guest
	Address int // pages per address, whoever asks
}

func (r Rates) orDefaults() Rates {
	if r.Visitor == 0 {
		r.Visitor = 240
	}
	if r.Address == 0 {
		r.Address = 6000
	}
	return r
}

// limits keep the pages open for all. Every page counts against the address it
// is asked from, which a whole carrier's customers may share, and against the
// visitor once he is known. What costs more has rates of its own: a tenth of
// the address's for making guests, and ten a minute for keys that are wrong.
// Static files are not counted.
type limits struct {
	gate                            *httpd.Gate
	visitor, address, guests, wrong httpd.Rate
}

func (s *Server) newLimits() limits {
	r := s.Rates.orDefaults()
	return limits{
		gate:    httpd.NewGate(s.DB),
		visitor: httpd.PerMinute("visitor", r.Visitor), address: httpd.PerMinute("address", r.Address),
		guests: httpd.PerMinute("guests", max(r.Address/10, 1)),
		wrong:  httpd.Rate{Name: "wrong_keys", Count: 10, Per: time.Minute, Burst: 10},
	}
}

// known counts a page against the visitor.
func (l *limits) known(c *gin.Context, v visitor) error {
	if v.Member == 0 {
		return nil
	}
	return l.gate.Take(c, v.Member.String(), l.visitor)
}

// from counts against the address.
func (l *limits) from(c *gin.Context, r httpd.Rate) error {
	return l.gate.Take(c, httpd.Address(c), r)
}

// crowded says on a page that there were too many, and leads back where the
// address can be asked for again.
func (p *plainPage) crowded(c *gin.Context) {
	p.Head = choose(p.Lang, "来的人有点多，歇一下", "A little too busy just now")
	p.Body = choose(p.Lang, "请稍等几秒再打开。已经下的单、已有的名额都还在。", "Please try again in a few seconds. Orders and seats you have are safe.")
	if c.Request.Method == http.MethodGet {
		p.Link, p.LinkText = p.Home, choose(p.Lang, "再试一次", "Try again")
	}
}
