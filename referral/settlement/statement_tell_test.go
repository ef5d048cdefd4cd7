package settlement_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/secret"
	"siyu/internal/webhook"
)

// TestStatementsAreTold: a member hears once in a month that his statement is
// there, by whichever settlement named him first, however often the job runs.
func TestStatementsAreTold(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.clear(reward{member: 4, amount: 100})
		h.jump(time.Hour)
		h.closed() // nobody listens yet

		keys, err := secret.New(secret.Fresh())
		h.must(err)
		_, err = (&webhook.Service{DB: db, Secrets: keys}).Create(bg, webhook.In{URL: "https://mall.example/hook", Events: webhook.Events{"statement.*"}})
		h.must(err)
		h.clear(reward{member: 4, amount: 100}, reward{member: 5, amount: 100}, reward{member: 5, amount: 100})
		h.jump(time.Hour)
		first := h.closed()
		h.must(h.RunTell(bg, first.ID))
		h.exec("INSERT INTO members (id, unit_id, name, guest, status, merged_into, version, created_at) VALUES (5, ?, '', 0, 'active', 6, 1, 1), (6, ?, '', 0, 'active', 0, 1, 1)", unit, unit)
		h.clear(reward{member: 6, amount: 100}, reward{member: 7, amount: 100})
		h.jump(time.Hour)
		second := h.closed()
		h.jump(31 * 24 * time.Hour)
		h.clear(reward{member: 7, amount: 100})
		h.jump(time.Hour)
		third := h.closed()

		var rows []struct{ Type, Payload string }
		h.must(db.Read(bg).Raw("SELECT type, payload FROM events ORDER BY id").Scan(&rows).Error)
		var got []string
		for _, r := range rows {
			var e struct {
				Member     id.Member     `json:"member_id"`
				Settlement id.Settlement `json:"settlement_id"`
				Month      int
				Until      clock.Milli `json:"object_until"`
			}
			h.must(json.Unmarshal([]byte(r.Payload), &e))
			if e.Until != h.find(e.Settlement).SealedAt.Add(72*time.Hour) {
				t.Errorf("%s: until %s", e.Settlement, e.Until)
			}
			got = append(got, fmt.Sprint(r.Type, " ", int64(e.Member), " ", e.Month, " ", e.Settlement))
		}
		want := []string{
			fmt.Sprint("statement.ready 4 202603 ", first.ID), fmt.Sprint("statement.ready 5 202603 ", first.ID),
			fmt.Sprint("statement.ready 7 202603 ", second.ID), fmt.Sprint("statement.ready 7 202604 ", third.ID), // 6 was told as 5
		}
		if !slices.Equal(got, want) {
			t.Errorf("told\n%q, want\n%q", got, want)
		}
	})
}
