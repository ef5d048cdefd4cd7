package httpd

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/internal/fault"
)

// Config is what an engine needs to know.
type Config struct {
	// TrustedProxies are the addresses or networks whose X-Forwarded-For is
	// believed; none by default.
	TrustedProxies []string
	Limits         Limits
}

// answerWithin cancels the work of a request a little before the server would
// cut its answer off, so that the caller still hears why.
const answerWithin = 25 * time.Second

// ErrNoRoute refuses an address that leads nowhere.
var ErrNoRoute = fault.New(fault.KindNotFound, "route_not_found", "没有这个地址", "there is nothing at this address")

// ErrNoMethod refuses an address that is there for another method.
var ErrNoMethod = fault.New(fault.Kind(http.StatusMethodNotAllowed), "method_not_allowed", "该地址不支持此方法，见 Allow", "this address does not take the method; see Allow")

// NewEngine is a gin engine in release mode with the middleware of every
// request. api and web add their routes to it.
func NewEngine(cfg Config) (*gin.Engine, error) {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.HandleMethodNotAllowed = true
	e.RedirectTrailingSlash = false
	if err := e.SetTrustedProxies(cfg.TrustedProxies); err != nil {
		return nil, fmt.Errorf("httpd: SIYU_TRUSTED_PROXIES %q: %w; list addresses or networks like 10.0.0.0/8", cfg.TrustedProxies, err)
	}
	e.Use(requestID, accessLog, recovered, secured, bounded(cfg.Limits.orDefaults().Body))
	e.NoRoute(func(c *gin.Context) { Refuse(c, ErrNoRoute) })
	e.NoMethod(func(c *gin.Context) { Refuse(c, ErrNoMethod) })
	return e, nil
}

// notes are what the floor keeps of one request.
type notes struct {
	id   string
	raw  io.ReadCloser // the body before it was bounded
	body []byte        // once read
}

const notesKey = "siyu.httpd"

// noted are the request's notes; outside an engine there are none yet.
func noted(c *gin.Context) *notes {
	if v, ok := c.Get(notesKey); ok {
		return v.(*notes)
	}
	n := &notes{}
	c.Set(notesKey, n)
	return n
}

// RequestID is the id the request is logged and answered under.
func RequestID(c *gin.Context) string { return noted(c).id }

// requestID takes the caller's X-Request-ID when it is safe to log, else makes
// one.
func requestID(c *gin.Context) {
	id := c.GetHeader("X-Request-Id")
	if !safeID(id) {
		id = rand.Text()
	}
	noted(c).id = id
	c.Writer.Header()["X-Request-Id"] = []string{id}
	ctx, cancel := context.WithTimeout(c.Request.Context(), answerWithin)
	defer cancel()
	c.Request = c.Request.WithContext(ctx)
	c.Next()
}

func safeID(s string) bool {
	if len(s) < 1 || len(s) > 64 {
		return false
	}
	for _, r := range []byte(s) {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_', r == '.':
		default:
			return false
		}
	}
	return true
}

// accessLog writes one line per request: the route's template instead of the
// path, because paths carry codes; no query, header, address or body.
func accessLog(c *gin.Context) {
	started := time.Now()
	c.Next()
	logAnswer(c, started)
}

func logAnswer(c *gin.Context, started time.Time) {
	route := c.FullPath()
	if route == "" {
		route = "none"
	}
	slog.LogAttrs(c.Request.Context(), slog.LevelInfo, "request", slog.String("method", c.Request.Method), slog.String("route", route),
		slog.Int("status", c.Writer.Status()), slog.Int64("took_ms", time.Since(started).Milliseconds()),
		slog.Int("bytes", max(c.Writer.Size(), 0)), slog.String("request_id", RequestID(c)))
}

// secure are the headers every answer carries, names in canonical form.
var secure = http.Header{
	"X-Content-Type-Options":  {"nosniff"},
	"X-Frame-Options":         {"DENY"},
	"Referrer-Policy":         {"no-referrer"},
	"Content-Security-Policy": {"default-src 'none'; frame-ancestors 'none'"},
	"Cache-Control":           {"no-store"},
}

// secured sets them. Pages of web widen the content policy for themselves.
func secured(c *gin.Context) {
	maps.Copy(c.Writer.Header(), secure)
	c.Next()
}
