package main

import (
	"net/http"
	"strings"
	"time"

	"siyu/api"
)

const (
	// doorPath begins the addresses of the door: into a rehearsal, out of it,
	// and what stands for the mall.
	doorPath = "/rehearse/"
	// doorCookie holds the token and, after a dot, which phone this is.
	doorCookie = "siyu_rehearsal"
	// staged begins the names of a rehearsal's own cookies in the browser.
	staged = "siyu_rehearsal_"
)

// ServeHTTP sends a request to the rehearsal its browser is in, or to the live
// house. Without a rehearsal it costs one comparison and one load.
func (s *stages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, doorPath) {
		s.door(w, r)
		return
	}
	if s.open.Load() > 0 {
		if st, _ := s.of(r); st != nil {
			st.serve(w, r)
			return
		}
	}
	s.live.ServeHTTP(w, r)
}

// of is the rehearsal the browser is in, and which phone it is.
func (s *stages) of(r *http.Request) (st *stage, phone string) {
	c, err := r.Cookie(doorCookie)
	if err != nil {
		return nil, ""
	}
	token, phone, _ := strings.Cut(c.Value, ".")
	return s.byToken(token), phone
}

// serve answers from the second house. It sees of the browser's cookies its
// own only, and those it sets get names of their own, so that the live house's
// are neither read nor overwritten.
func (st *stage) serve(w http.ResponseWriter, r *http.Request) {
	st.tap(r.Method, r.URL.Path)
	inner := r.Clone(r.Context())
	inner.Header.Del("Cookie")
	for _, c := range r.Cookies() {
		if name, ok := strings.CutPrefix(c.Name, staged); ok {
			inner.AddCookie(&http.Cookie{Name: name, Value: c.Value})
		}
	}
	st.mu.Lock()
	handler := st.handler
	st.mu.Unlock()
	if handler == nil { // it ended this very moment
		http.Error(w, "彩排已结束 · the rehearsal is over", http.StatusGone)
		return
	}
	out := &stagedWriter{ResponseWriter: w}
	handler.ServeHTTP(out, inner)
	if r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/i/") && out.status == http.StatusOK {
		st.note("phone_opened", api.CheckPassed, "")
	}
}

// stagedWriter renames the cookies an answer sets.
type stagedWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader renames them before they leave.
func (w *stagedWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
		cookies := w.Header()["Set-Cookie"]
		for i, line := range cookies {
			cookies[i] = staged + line
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write sends the headers first, as net/http does.
func (w *stagedWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// doorCookieFor is the cookie of a phone, for as long as the rehearsal lasts;
// without a value it ends.
func (s *stages) doorCookieFor(value string, until time.Time) *http.Cookie {
	c := &http.Cookie{
		Name: doorCookie, Value: value, Path: "/", MaxAge: int(time.Until(until).Seconds()),
		HttpOnly: true, Secure: strings.HasPrefix(s.cfg.PublicURL, "https://"), SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}
