package api

import (
	"net/http"
	"testing"

	"siyu/access"
	"siyu/campaign/checkup"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
)

// The API says of a file what the command says.
func TestCheckup(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		marketer := h.keys[east][access.Marketer]
		const file = "group,time,event,n\nA,2026-03-02 10:00,send,2\nA,2026-03-02 11:00,leave,3\nA,2026-03-02 12:00,sent,\n"
		var r checkup.Report
		h.call(t, marketer, "POST /v1/checkups?days=30", file).into(t, &r)
		if r.Sends.Total != 2 || r.Sends.Allowed != 1 || r.Leaves.AfterHeld != 3 || r.Lines.Bad != 1 || r.Lines.Why[0].Line != 4 {
			t.Errorf("got %+v", r)
		}
		for _, bad := range []string{"?preset=vip", "?zone=Mars", "?days=3", "?days=x"} {
			if got := h.call(t, marketer, "POST /v1/checkups"+bad, file); got.status != http.StatusUnprocessableEntity {
				t.Errorf("%s: got %d", bad, got.status)
			}
		}
		if got := h.call(t, marketer, "POST /v1/checkups", "a,b\n"); got.status != http.StatusUnprocessableEntity || got.problem().Code != "checkup.header" {
			t.Errorf("no header: got %d %s", got.status, got.body)
		}
	})
}
