package httpd

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"siyu/internal/fault"
)

// ErrTooMany refuses a caller over his rate.
var ErrTooMany = fault.New(fault.KindTooMany, "too_many_requests", "请求过于频繁，请稍后再试", "too many requests; slow down")

// Rate is how many requests a caller may make in a window, and how many of
// them at once.
type Rate struct {
	Name  string // shown in RateLimit-Policy
	Count int
	Per   time.Duration
	Burst int
}

// Verdict is what the limiter says of one request.
type Verdict struct {
	Allowed bool
	Left    int           // requests that would be allowed at once
	Reset   time.Duration // until the burst is whole again
	Retry   time.Duration // until one request is allowed
}

// Limiter is a GCRA limiter in this process's memory. A caller is one moment,
// the theoretical arrival time of his next request; there is no counter to
// expire. It keeps two generations of at most cap callers each: when the
// young one is full it becomes the old one, and callers still active move
// over as they come. Memory is bounded, and an active caller is never
// forgotten unless cap others came since his last request.
type Limiter struct {
	cap int

	mu    sync.Mutex
	young map[string]time.Time
	old   map[string]time.Time
}

// NewLimiter keeps at most twice cap callers.
func NewLimiter(cap int) *Limiter {
	return &Limiter{cap: cap, young: map[string]time.Time{}}
}

// Take counts one request of the caller. share is by how many processes the
// rate is divided.
func (l *Limiter) Take(caller string, r Rate, share int, now time.Time) Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, next := gcra(l.tat(caller), r, share, now)
	l.put(caller, next)
	return v
}

// Peek says what Take would, without counting.
func (l *Limiter) Peek(caller string, r Rate, share int, now time.Time) Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, _ := gcra(l.tat(caller), r, share, now)
	return v
}

// gcra is the pure decision: the verdict and the caller's next arrival time.
func gcra(tat time.Time, r Rate, share int, now time.Time) (Verdict, time.Time) {
	share = max(share, 1)
	every := r.Per * time.Duration(share) / time.Duration(max(r.Count, 1))
	burst := max(r.Burst/share, 1)
	tolerance := every * time.Duration(burst)
	if tat.Before(now) {
		tat = now
	}
	next := tat.Add(every)
	if wait := next.Sub(now) - tolerance; wait > 0 {
		return Verdict{Reset: tat.Sub(now), Retry: wait}, tat
	}
	left := (tolerance - next.Sub(now)) / every
	return Verdict{Allowed: true, Left: int(left), Reset: next.Sub(now)}, next
}

func (l *Limiter) tat(caller string) time.Time {
	if t, ok := l.young[caller]; ok {
		return t
	}
	return l.old[caller]
}

func (l *Limiter) put(caller string, t time.Time) {
	if _, ok := l.young[caller]; !ok && len(l.young) >= l.cap {
		l.old, l.young = l.young, make(map[string]time.Time, l.cap/4)
	}
	l.young[caller] = t
}

// Show writes the RateLimit fields of the IETF draft
// (draft-ietf-httpapi-ratelimit-headers), under their names in canonical form.
func (v Verdict) Show(h http.Header, r Rate) {
	h["Ratelimit-Policy"] = []string{r.policy()}
	b := append(append(make([]byte, 0, 48), '"'), r.Name...)
	b = strconv.AppendInt(append(b, `";r=`...), int64(v.Left), 10)
	b = strconv.AppendInt(append(b, ";t="...), int64(seconds(v.Reset)), 10)
	h["Ratelimit"] = []string{string(b)}
	if !v.Allowed {
		h.Set("Retry-After", strconv.Itoa(seconds(v.Retry)))
	}
}

func (r Rate) policy() string {
	return `"` + r.Name + `";q=` + strconv.Itoa(r.Count) + ";w=" + strconv.Itoa(int(r.Per.Seconds()))
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
