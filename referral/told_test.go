package referral_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/webhook"
	"siyu/referral"
)

// TestBindingsAreTold: who listens hears of each binding, and of its end once,
// with the reason and the moment.
func TestBindingsAreTold(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		hooks := &webhook.Service{DB: db, Secrets: h.Secrets}
		if _, err := hooks.Create(bg, webhook.In{URL: "https://mall.example/hook", Events: webhook.Events{"binding.*"}}); err != nil {
			t.Fatal(err)
		}
		h.newProgram(100_000, credits(referral.Attribution{Wins: referral.WinsLast, TouchDays: 7}, 10))
		anna, bob, guest := h.member(), h.member(), h.member()
		first := h.mustBind(anna, guest)
		db.Clock.Jump(day)
		taken := h.now()
		second := h.mustBind(bob, guest)
		db.Clock.Jump(30 * day)
		for range 2 {
			if err := h.EndLapsed(bg); err != nil {
				t.Fatal(err)
			}
		}
		var rows []struct{ Type, Payload string }
		if err := db.Read(bg).Raw("SELECT type, payload FROM events ORDER BY id").Scan(&rows).Error; err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rows {
			var e struct {
				ID     id.Binding
				Reason string
				Ended  clock.Milli `json:"ended_at"`
			}
			if err := json.Unmarshal([]byte(r.Payload), &e); err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(r.Type, " ", e.ID, " ", e.Reason, " ", int64(e.Ended)))
		}
		want := []string{
			fmt.Sprint("binding.made ", first, "  0"),
			fmt.Sprint("binding.ended ", first, " replaced ", int64(taken)),
			fmt.Sprint("binding.made ", second, "  0"),
			fmt.Sprint("binding.ended ", second, " lapsed ", int64(taken.Add(10*day))),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// TestKOCProposalIsTold: who listens hears that a proposal waits, once, and how
// many it names.
func TestKOCProposalIsTold(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		if _, err := (&webhook.Service{DB: db, Secrets: h.Secrets}).Create(bg, webhook.In{URL: "https://mall.example/hook", Events: webhook.Events{"koc_proposal.*"}}); err != nil {
			t.Fatal(err)
		}
		h.newProgram(100_000, monthEnd())
		g, anna := h.group(), h.member()
		p := h.propose(g, 20260331, anna, h.member())
		_, err := h.tryPropose(asStaff(1), g, 20260331, anna)
		refused(t, err, referral.ErrNoCandidates)
		if err := h.ApproveKOC(asStaff(2), p); err != nil {
			t.Fatal(err)
		}
		var payloads []string
		if err := db.Read(bg).Raw("SELECT payload FROM events WHERE type = 'koc_proposal.waiting'").Scan(&payloads).Error; err != nil {
			t.Fatal(err)
		}
		h.is("told", len(payloads), 1)
		var e struct {
			ID      id.KOCProposal
			Month   int
			Members int `json:"member_count"`
		}
		if err := json.Unmarshal([]byte(payloads[0]), &e); err != nil {
			t.Fatal(err)
		}
		if e.ID != p || e.Month != 202603 || e.Members != 2 {
			t.Errorf("told of %+v", e)
		}
	})
}
