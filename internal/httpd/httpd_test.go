package httpd

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/internal/fault"
)

// quick are limits a test can wait for.
var quick = Limits{Header: 200 * time.Millisecond, Read: 500 * time.Millisecond, Write: 2 * time.Second, Idle: 300 * time.Millisecond, Drain: 5 * time.Second}

// serve runs an engine with the routes over a real listener.
func serve(t *testing.T, cfg Config, routes func(e *gin.Engine)) (addr string) {
	t.Helper()
	e, err := NewEngine(cfg)
	if err != nil {
		t.Fatal(err)
	}
	routes(e)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, ln, e, cfg.Limits) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return ln.Addr().String()
}

func echo(e *gin.Engine) {
	e.POST("/echo", func(c *gin.Context) {
		var in struct {
			Note string `json:"note"`
		}
		if err := DecodeBody(c, &in); err != nil {
			Refuse(c, err)
			return
		}
		c.JSON(http.StatusOK, in)
	})
	e.GET("/panic", func(c *gin.Context) { panic("boom") })
	e.GET("/inner", func(c *gin.Context) { Refuse(c, errors.New("password hunter2")) })
	e.GET("/fault", func(c *gin.Context) {
		Refuse(c, fault.New(fault.KindConflict, "test.state", "现在是 {state}", "it is {state}").With("state", "ended").After(1500*time.Millisecond))
	})
	e.GET("/ip", func(c *gin.Context) { c.String(http.StatusOK, c.ClientIP()) })
}

func TestRefuse(t *testing.T) {
	addr := serve(t, Config{Limits: quick}, echo)
	for name, tc := range map[string]struct {
		method, path, lang string
		status             int
		code, detail       string
	}{
		"a fault in Chinese":         {"GET", "/fault", "", 409, "test.state", "现在是 ended"},
		"a fault in English":         {"GET", "/fault", "fr, en-GB;q=0.8, zh;q=0.5", 409, "test.state", "it is ended"},
		"an inner error stays inner": {"GET", "/inner", "en", 500, "internal", fault.Internal.EN},
		"a panic":                    {"GET", "/panic", "en", 500, "internal", fault.Internal.EN},
		"an unknown route":           {"GET", "/nowhere", "en", 404, "route_not_found", ErrNoRoute.EN},
		"a wrong method":             {"DELETE", "/fault", "en", 405, "method_not_allowed", ErrNoMethod.EN},
	} {
		t.Run(name, func(t *testing.T) {
			req, _ := http.NewRequest(tc.method, "http://"+addr+tc.path, nil)
			req.Header.Set("Accept-Language", tc.lang)
			req.Header.Set("X-Request-ID", "req-1")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			var p Problem
			if err := json.NewDecoder(res.Body).Decode(&p); err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != tc.status || p.Status != tc.status || p.Code != tc.code || p.Detail != tc.detail ||
				p.Type != "urn:siyu:problem:"+tc.code || p.RequestID != "req-1" || p.Title == "" {
				t.Errorf("got %d %+v", res.StatusCode, p)
			}
			h := res.Header
			if h.Get("Content-Type") != "application/problem+json" || h.Get("X-Request-ID") != "req-1" || h.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("got headers %v", h)
			}
			if tc.code == "test.state" && h.Get("Retry-After") != "2" {
				t.Errorf("got Retry-After %q, want the seconds rounded up", h.Get("Retry-After"))
			}
			if tc.status == 405 && h.Get("Allow") != "GET" {
				t.Errorf("got Allow %q", h.Get("Allow"))
			}
		})
	}
}

func TestRequestID_unsafe_is_replaced(t *testing.T) {
	addr := serve(t, Config{Limits: quick}, echo)
	for _, bad := range []string{"", "a b", "a\x7f", strings.Repeat("x", 65), "中"} {
		req, _ := http.NewRequest("GET", "http://"+addr+"/ip", nil)
		req.Header["X-Request-Id"] = []string{bad}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			continue // net/http refuses to send some of them
		}
		res.Body.Close()
		if got := res.Header.Get("X-Request-ID"); got == bad || !safeID(got) {
			t.Errorf("%q: got %q", bad, got)
		}
	}
}

func TestBody(t *testing.T) {
	addr := serve(t, Config{Limits: Limits{Body: 64}}, echo)
	for name, tc := range map[string]struct {
		kind, body string
		status     int
	}{
		"fits":                {"application/json; charset=utf-8", `{"note":"x"}`, 200},
		"wrong content type":  {"text/plain", `{}`, 415},
		"no content type":     {"", `{}`, 415},
		"other charset":       {"application/json; charset=gbk", `{}`, 415},
		"one byte over":       {"application/json", `{"note":"` + strings.Repeat("x", 54) + `"}`, 413},
		"as much as there is": {"application/json", `{"note":"` + strings.Repeat("x", 53) + `"}`, 200},
	} {
		t.Run(name, func(t *testing.T) {
			res, err := http.Post("http://"+addr+"/echo", tc.kind, strings.NewReader(tc.body))
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != tc.status {
				t.Errorf("got %d, want %d", res.StatusCode, tc.status)
			}
		})
	}
}

// TestHostile lets callers misbehave on the wire: each is cut off and memory stays flat.
func TestHostile(t *testing.T) {
	addr := serve(t, Config{Limits: quick}, echo)
	dial := func(t *testing.T) net.Conn {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		return conn
	}
	// cutOff reads to the end, which only the server can bring about.
	cutOff := func(t *testing.T, conn net.Conn, within time.Duration) string {
		started := time.Now()
		b, err := io.ReadAll(conn)
		var late net.Error
		if errors.As(err, &late) && late.Timeout() || time.Since(started) > within {
			t.Errorf("the connection was still open after %s", time.Since(started))
		}
		return string(b)
	}

	t.Run("headers that never end", func(t *testing.T) {
		conn := dial(t)
		io.WriteString(conn, "GET /ip HTTP/1.1\r\nHost: x\r\nX-Slow: ")
		cutOff(t, conn, 3*time.Second)
	})
	t.Run("a body that never ends", func(t *testing.T) {
		conn := dial(t)
		io.WriteString(conn, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
		got := cutOff(t, conn, 3*time.Second)
		if !strings.HasPrefix(got, "HTTP/1.1 400") {
			t.Errorf("got %.40q", got)
		}
	})
	t.Run("an idle connection", func(t *testing.T) {
		conn := dial(t)
		io.WriteString(conn, "GET /ip HTTP/1.1\r\nHost: x\r\n\r\n")
		cutOff(t, conn, 3*time.Second)
	})
	t.Run("a header flood", func(t *testing.T) {
		conn := dial(t)
		io.WriteString(conn, "GET /ip HTTP/1.1\r\nHost: x\r\n")
		line := "X-Flood: " + strings.Repeat("x", 1000) + "\r\n"
		if _, err := io.WriteString(conn, strings.Repeat(line, 24)+"\r\n"); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("24 KB of headers: got %v, %v", res, err)
		}
	})
	t.Run("a body of 1 GB", func(t *testing.T) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		body := io.LimitReader(endless{}, 1<<30)
		req, _ := http.NewRequest("POST", "http://"+addr+"/echo", body)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Expect", "")
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			if res.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("got %d", res.StatusCode)
			}
			res.Body.Close()
		}
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 64<<20 {
			t.Errorf("the heap grew by %d MiB", grown>>20)
		}
	})
	t.Run("JSON nested 100,000 deep", func(t *testing.T) {
		res, err := http.Post("http://"+addr+"/echo", "application/json", strings.NewReader(`{"note":`+strings.Repeat("[", 100_000)))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusBadRequest {
			t.Errorf("got %d", res.StatusCode)
		}
	})
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// TestClientIP: only a named proxy may say who calls.
func TestClientIP(t *testing.T) {
	ask := func(t *testing.T, proxies ...string) string {
		addr := serve(t, Config{Limits: quick, TrustedProxies: proxies}, echo)
		req, _ := http.NewRequest("GET", "http://"+addr+"/ip", nil)
		req.Header["X-Forwarded-For"] = []string{"6.6.6.6, 203.0.113.9"}
		req.Header.Set("X-Real-IP", "6.6.6.6")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return string(b)
	}
	if got := ask(t); got != "127.0.0.1" {
		t.Errorf("without a proxy: got %s, want the peer", got)
	}
	if got := ask(t, "127.0.0.1"); got != "203.0.113.9" {
		t.Errorf("with the proxy: got %s, want the last address before it", got)
	}
	if got := ask(t, "10.0.0.0/8"); got != "127.0.0.1" {
		t.Errorf("with another proxy: got %s, want the peer", got)
	}
	if _, err := NewEngine(Config{TrustedProxies: []string{"proxy"}}); err == nil {
		t.Error("a proxy that is no address was accepted")
	}
}

func TestServe_drains(t *testing.T) {
	e, err := NewEngine(Config{})
	if err != nil {
		t.Fatal(err)
	}
	entered, leave := make(chan struct{}), make(chan struct{})
	e.GET("/slow", func(c *gin.Context) {
		close(entered)
		<-leave
		if c.Request.Context().Err() != nil {
			c.Status(http.StatusTeapot)
			return
		}
		c.Status(http.StatusNoContent)
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, ln, e, quick) }()
	answer := make(chan int, 1)
	go func() {
		res, err := http.Get("http://" + ln.Addr().String() + "/slow")
		if err != nil {
			answer <- 0
			return
		}
		res.Body.Close()
		answer <- res.StatusCode
	}()
	<-entered
	stop()
	close(leave)
	if got := <-answer; got != http.StatusNoContent {
		t.Errorf("got %d, want what ran at the stop to be finished", got)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestLogs_hold_no_secret: a request, whatever it carries, leaves nothing of it in the log.
func TestLogs_hold_no_secret(t *testing.T) {
	var log bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(old) })
	e, err := NewEngine(Config{})
	if err != nil {
		t.Fatal(err)
	}
	echo(e)
	for _, path := range []string{"/panic?token=canary", "/canary/path", "/ip?canary"} {
		req, _ := http.NewRequest("GET", path, nil)
		req.Header.Set("Authorization", "Bearer canary")
		req.Header.Set("Cookie", "siyu_guest=canary")
		req.Header.Set("X-Api-Key", "canary")
		e.ServeHTTP(discard{h: http.Header{}}, req)
	}
	if log.Len() == 0 || strings.Contains(log.String(), "canary") {
		t.Errorf("the log holds what it must not:\n%s", log.String())
	}
}

type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}
