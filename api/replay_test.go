package api

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// replayed is a call that was done under a key.
type replayed struct {
	rt         *route
	staff      string // whose key, or
	member     string // whose token it was
	path, body string
	headers    []string
	status     int
}

// TestReplaysLater: a call that was done under a key is answered as done
// whenever it is repeated, whatever has passed, ended or run out meanwhile, and
// refused with another input.
func TestReplaysLater(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := newWanderer(t, db, 1)
		var done []replayed
		never := 0
		for _, rt := range w.routes {
			if !rt.keyed {
				continue
			}
			was := len(done)
			for range 30 {
				if r, ok := w.doOnce(rt); ok {
					done = append(done, r)
					break
				}
			}
			if len(done) == was {
				never++
			}
		}
		t.Logf("%d calls under a key were done, %d routes never", len(done), never)
		if len(done) < 60 {
			t.Error("too few calls to repeat")
		}
		w.DB.Clock.Jump(100 * 24 * time.Hour)
		w.signIn()
		for _, r := range done {
			caller := r.staff
			if r.member != "" {
				i := slices.Index(w.signed, r.member)
				if i < 0 {
					continue // merged or erased since
				}
				caller = w.tokens[i]
			}
			got := w.call(t, caller, r.rt.method+" "+r.path, r.body, r.headers...)
			if got.status != r.status || got.header.Get("Idempotency-Replayed") != "true" {
				t.Errorf("%s %s: was %d, got %d %s", r.rt.name(), r.body, r.status, got.status, got.body)
			}
			if other := w.call(t, caller, r.rt.method+" "+r.path, r.body+" ", r.headers...); other.status != http.StatusUnprocessableEntity {
				t.Errorf("%s with another input: got %d %s", r.rt.name(), other.status, other.body)
			}
		}
	})
}

// doOnce sends a call of the walk and says whether it was done.
func (w *wanderer) doOnce(rt *route) (r replayed, ok bool) {
	caller, path, body, headers := w.drawn(rt)
	r = replayed{rt: rt, staff: caller, path: path, body: body, headers: headers}
	if i := slices.Index(w.tokens, caller); i >= 0 {
		r.staff, r.member = "", w.signed[i]
	}
	got := w.call(w.t, caller, rt.method+" "+path, body, headers...)
	w.learn(got)
	r.status = got.status
	return r, got.status/100 == 2
}
