package api

import (
	"errors"
	"testing"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/task"
)

// errand is work that fails until it is mended.
type errand struct{}

// Kind names it in the queue.
func (errand) Kind() string { return "api:errand" }

// TestDeadTaskIsRedriven: what failed for good is listed with its error, and
// given its attempts again by the brand's admin alone.
func TestDeadTaskIsRedriven(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		admin := h.keys[""][access.Admin]
		broken, done := true, 0
		r := task.NewRegistry()
		task.Handle(r, func(tx *database.Tx, _ errand) error {
			if broken {
				return task.Dead(errors.New("the shop is closed"))
			}
			done++
			return nil
		})
		if err := h.DB.Tx(bg, func(tx *database.Tx) error { return task.EnqueueTx(tx, errand{}, tx.Now) }); err != nil {
			t.Fatal(err)
		}
		if err := task.Drain(bg, h.DB, r); err == nil {
			t.Fatal("it did not fail")
		}
		var list database.Paged[task.DeadTask]
		h.want(t, 200, admin, "GET /v1/dead-tasks?kind=api:errand", "").into(t, &list)
		if len(list.Items) != 1 || list.Items[0].Kind != "api:errand" || list.Items[0].LastError != "the shop is closed" || list.Items[0].Attempts != 1 {
			t.Fatalf("dead: got %+v", list.Items)
		}
		redrive, key := "POST /v1/dead-tasks/"+list.Items[0].ID.String()+"/redrive", h.newKey()
		h.want(t, 403, h.keys[east][access.Admin], redrive, "")
		for _, replayed := range []string{"", "true"} {
			if got := h.call(t, admin, redrive, "", key); got.status != 202 || got.header.Get("Idempotency-Replayed") != replayed {
				t.Errorf("redriven: got %d %s", got.status, got.body)
			}
		}
		if got := h.want(t, 409, admin, redrive, ""); got.problem().Code != "task.not_dead" {
			t.Errorf("redriven twice: got %s", got.body)
		}
		broken = false
		if err := task.Drain(bg, h.DB, r); err != nil || done != 1 {
			t.Errorf("done %d times, %v", done, err)
		}
		if h.want(t, 200, admin, "GET /v1/dead-tasks", "").into(t, &list); len(list.Items) != 0 {
			t.Errorf("still dead: got %+v", list.Items)
		}
	})
}
