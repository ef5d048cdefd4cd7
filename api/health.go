package api

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/fault"
)

func (s *Server) healthRoutes(r *routes) {
	r.get("/healthz", s.healthz, public)
	r.get("/readyz", s.readyz, public)
	r.get("/metrics", s.showMetrics, public)
}

// healthz says that the process answers, and nothing about what it needs: a
// restart would not mend a store that is down.
func (s *Server) healthz(c *gin.Context) error {
	return render(c, http.StatusOK, gin.H{"status": "ok"})
}

// readyz says whether to send traffic here. Without the store nothing can be
// answered; without the queue everything is, only later.
func (s *Server) readyz(c *gin.Context) error {
	ctx, cancel := context.WithTimeout(c.Request.Context(), 2*time.Second)
	defer cancel()
	if err := s.DB.Ping(ctx); err != nil {
		return fault.Unavailable.With("part", "database").After(5 * time.Second).Wrap(err)
	}
	degraded := []string{}
	if s.Ready != nil {
		degraded = append(degraded, s.Ready(ctx)...)
	}
	status := "ready"
	if len(degraded) > 0 {
		status = "degraded"
	}
	return render(c, http.StatusOK, gin.H{"status": status, "degraded": degraded})
}

// showMetrics answers a scraper on this machine, or the brand's admin by key.
// A request that passed a proxy is never local, whatever its peer address.
func (s *Server) showMetrics(c *gin.Context) error {
	if !local(c.Request) {
		bearer, _ := bearerOf(c.Request)
		a, err := s.Access.Authenticate(c.Request.Context(), bearer)
		if err != nil {
			return err
		}
		if a.Role != string(access.Admin) || a.Units != nil {
			return fault.Forbidden
		}
	}
	c.Header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	c.Status(http.StatusOK)
	s.metrics.write(c.Writer)
	writeGauges(c.Writer, poolGauges(s.DB))
	if s.Gauges != nil {
		writeGauges(c.Writer, s.Gauges(c.Request.Context()))
	}
	return nil
}

func local(r *http.Request) bool {
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}

func poolGauges(db *database.DB) []Gauge {
	var out []Gauge
	for i, p := range db.Stats() {
		pool := map[string]string{"pool": []string{"write", "read"}[min(i, 1)]}
		out = append(out,
			Gauge{"siyu_db_connections_open", pool, float64(p.OpenConnections)},
			Gauge{"siyu_db_connections_in_use", pool, float64(p.InUse)},
			Gauge{"siyu_db_connections_max", pool, float64(p.MaxOpenConnections)},
			Gauge{"siyu_db_waits_total", pool, float64(p.WaitCount)},
			Gauge{"siyu_db_wait_seconds_total", pool, p.WaitDuration.Seconds()},
		)
	}
	return out
}
