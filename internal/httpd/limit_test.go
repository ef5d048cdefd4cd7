package httpd

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	start := time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)
	rate := Rate{Name: "staff", Count: 60, Per: time.Minute, Burst: 10}

	t.Run("a burst, then one per interval", func(t *testing.T) {
		l := NewLimiter(10)
		for i := range 10 {
			v := l.Take("a", rate, 1, start)
			if !v.Allowed || v.Left != 9-i {
				t.Fatalf("request %d: got %+v", i, v)
			}
		}
		v := l.Take("a", rate, 1, start)
		if v.Allowed || v.Retry != time.Second || v.Reset != 10*time.Second {
			t.Errorf("got %+v, want to be told to wait a second", v)
		}
		if v := l.Take("a", rate, 1, start.Add(time.Second-1)); v.Allowed {
			t.Error("allowed before the second was over")
		}
		if v := l.Take("a", rate, 1, start.Add(time.Second)); !v.Allowed || v.Left != 0 {
			t.Errorf("got %+v after exactly the wait", v)
		}
		if v := l.Take("b", rate, 1, start); !v.Allowed {
			t.Error("another caller was refused")
		}
	})
	t.Run("a replica takes its share", func(t *testing.T) {
		l, allowed := NewLimiter(10), 0
		for range 100 {
			if l.Take("a", rate, 5, start).Allowed {
				allowed++
			}
		}
		if v := l.Take("a", rate, 5, start); allowed != 2 || v.Retry != 5*time.Second {
			t.Errorf("got %d allowed, %+v", allowed, v)
		}
	})
	t.Run("peeking counts nothing", func(t *testing.T) {
		l := NewLimiter(10)
		for range 100 {
			if !l.Peek("a", rate, 1, start).Allowed {
				t.Fatal("refused")
			}
		}
	})
	t.Run("memory is bounded and the active are remembered", func(t *testing.T) {
		l := NewLimiter(100)
		for range 10 {
			l.Take("busy", rate, 1, start)
		}
		for i := range 1000 {
			l.Take(fmt.Sprint(i), rate, 1, start)
			if i%50 == 0 && l.Take("busy", rate, 1, start).Allowed {
				t.Fatalf("the busy caller was forgotten after %d others", i)
			}
			if n := len(l.young) + len(l.old); n > 200 {
				t.Fatalf("%d callers kept", n)
			}
		}
	})
	t.Run("shown to the caller", func(t *testing.T) {
		h := http.Header{}
		Verdict{Left: 3, Reset: 1500 * time.Millisecond, Retry: time.Second}.Show(h, rate)
		want := http.Header{"Ratelimit-Policy": {`"staff";q=60;w=60`}, "Ratelimit": {`"staff";r=3;t=2`}, "Retry-After": {"1"}}
		for k := range want {
			if h.Get(k) != want.Get(k) {
				t.Errorf("%s: got %q, want %q", k, h.Get(k), want.Get(k))
			}
		}
	})
}
