package guard_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/community/health"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/secret"
	"siyu/internal/task"
	"siyu/internal/webhook"
)

// TestTells: each event is told once, when what it tells is true.
func TestTells(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		s, tasks := &guard.Service{DB: db}, task.NewRegistry()
		s.Register(tasks)
		keys, err := secret.New(secret.Fresh())
		must(err)
		_, err = (&webhook.Service{DB: db, Secrets: keys}).Create(bg, webhook.In{URL: "https://mall.example/hook", Events: webhook.Events{"guard.*"}})
		must(err)
		var seen id.Event
		told := func(jump time.Duration, want ...webhook.Type) (bodies []string) {
			t.Helper()
			db.Clock.Jump(jump)
			must(task.Drain(bg, db, tasks))
			var rows []struct {
				ID   id.Event
				Type webhook.Type
				Body string `gorm:"column:payload"`
			}
			must(db.Read(bg).Raw("SELECT id, type, payload FROM events WHERE id > ? ORDER BY id", seen).Scan(&rows).Error)
			var types []webhook.Type
			for _, r := range rows {
				seen, types, bodies = r.ID, append(types, r.Type), append(bodies, r.Body)
			}
			if diff := cmp.Diff(want, types); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
			return bodies
		}
		silence := func(from, until time.Duration) guard.Silence {
			t.Helper()
			var made guard.Silence
			must(db.Tx(bg, func(tx *database.Tx) (err error) {
				made, err = s.SilenceTx(tx, guard.SilenceIn{Scope: guard.ScopeHouse, Reason: "王小明去世", From: now(db).Add(from), Until: now(db).Add(until)})
				return err
			}))
			return made
		}
		lift := func(x guard.Silence) {
			t.Helper()
			must(db.Tx(bg, func(tx *database.Tx) error { _, err := s.LiftTx(tx, x.ID); return err }))
		}

		silence(0, time.Hour)
		for _, body := range told(time.Second, guard.EventSilenceBegun) {
			if strings.Contains(body, "王小明") {
				t.Errorf("an event holds free text: %s", body)
			}
		}
		told(30 * time.Minute)
		told(time.Hour, guard.EventSilenceEnded)
		lifted := silence(0, 2*time.Hour)
		told(time.Minute, guard.EventSilenceBegun)
		lift(lifted)
		told(0, guard.EventSilenceEnded)
		unborn := silence(time.Hour, 2*time.Hour)
		told(time.Minute)
		lift(unborn)
		told(3 * time.Hour) // neither began nor ended

		g := newGroup(t, db, community.PresetBenefit)
		permit, err := s.AskPermit(asks, guard.PermitIn{Kind: guard.PermitPass, Groups: []id.Group{g}, Reason: "周年庆", From: now(db), To: now(db).Add(time.Hour)})
		must(err)
		told(0, guard.EventPermitAsked)
		must(s.ApprovePermit(approves, permit))
		told(0, guard.EventPermitGiven)

		g = newGroup(t, db, community.PresetBenefit)
		judged(t, db, g, health.StateHealthy, 0, 6_000)
		_, err = s.PostByHand(bg, g, 0, 0)
		must(err)
		posted := now(db)
		db.Clock.Jump(26 * time.Hour)
		later := guard.Window{From: now(db), To: now(db).Add(time.Hour)}
		for range 2 { // a promotion hears it once
			if a := reserve(t, s, 9, later, g)[0]; a.Rule != guard.RuleFatigue {
				t.Fatalf("a tired group: got %s %v", a.Outcome, a.Reasons)
			}
		}
		if bodies := told(0, guard.EventGroupsPaused); len(bodies) == 1 && !strings.Contains(bodies[0], posted.Add(7*24*time.Hour).String()) {
			t.Errorf("paused until a week after its last ad: got %s", bodies[0])
		}

		put, err := (&community.Service{DB: db}).PutGroups(bg, []community.GroupIn{
			{UnitID: 1, ExternalID: "wr1", Name: "老客一群", OwnerID: 7, Preset: community.PresetRetail, BornAt: 1},
			{UnitID: 1, ExternalID: "wr2", Name: "老客二群", OwnerID: 7, Preset: community.PresetRetail, BornAt: 1},
		})
		must(err)
		reserve(t, s, 10, guard.Window{From: now(db), To: now(db).Add(time.Hour)}, put[0].Group, put[1].Group)
		told(time.Hour)
		_, err = s.Enforce(approves, guard.EnforceIn{Groups: []id.Group{put[0].Group}})
		must(err)
		told(0, guard.EventGroupsEnforce)
		bodies := told(14*24*time.Hour, guard.EventObserveOver)
		if len(bodies) == 1 && (strings.Contains(bodies[0], put[0].Group.String()) || !strings.Contains(bodies[0], put[1].Group.String())) {
			t.Errorf("observed to the end: got %s", bodies[0])
		}
	})
}
