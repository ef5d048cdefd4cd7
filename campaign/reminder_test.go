package campaign_test

import (
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/campaigntest"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// told are the reminder events so far, by member, with the state each says.
func told(t *testing.T, db *database.DB) map[string][]string {
	t.Helper()
	var rows []string
	if err := db.Read(bg).Raw("SELECT payload FROM events WHERE type = 'campaign.reminder' ORDER BY id").Scan(&rows).Error; err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, r := range rows {
		var e struct {
			Member string `json:"member_id"`
			State  string `json:"state"`
		}
		if err := json.Unmarshal([]byte(r), &e); err != nil {
			t.Fatal(err)
		}
		out[e.Member] = append(out[e.Member], e.State)
	}
	return out
}

// soon is a published campaign that starts in an hour.
func soon(w *campaigntest.World, rules string) campaign.Campaign {
	w.T.Helper()
	cid := w.Draft(campaigntest.Sale{Rules: rules, Hours: 48})
	at := clock.MilliOf(w.DB.Clock.Now()).Add(time.Hour)
	if err := edit(w, cid, campaign.CampaignEdit{StartsAt: &at}); err != nil {
		w.T.Fatal(err)
	}
	if err := w.Campaign.Turn(bg, cid, campaign.Publish); err != nil {
		w.T.Fatal(err)
	}
	c, err := w.Campaign.FindCampaign(bg, cid)
	if err != nil {
		w.T.Fatal(err)
	}
	return c
}

// TestReminder asks, races itself, and is told once, five minutes before.
func TestReminder(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		hear(t, db)
		c := soon(w, "")
		members := w.Members(230)
		for _, m := range members[1:] {
			if _, err := w.Campaign.Remind(bg, campaign.ReminderIn{Campaign: c.ID, Member: m}); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		got := make([]id.Reminder, 64)
		for i := range got {
			wg.Go(func() {
				r, err := w.Campaign.Remind(bg, campaign.ReminderIn{Campaign: c.ID, Member: members[0], LeadS: 300})
				if err != nil {
					t.Error(err)
				}
				got[i] = r
			})
		}
		wg.Wait()
		for _, r := range got {
			if r != got[0] || r == 0 {
				t.Fatalf("64 wishes are %v, want one reminder", got)
			}
		}
		var runs int
		if err := db.Read(bg).Raw("SELECT COUNT(*) FROM outbox WHERE kind = 'campaign:remind'").Scan(&runs).Error; err != nil || runs != 1 {
			t.Errorf("%d tasks for one moment, %v", runs, err)
		}
		w.Drain(54 * time.Minute)
		if n := len(told(t, db)); n != 0 {
			t.Errorf("%d told six minutes before", n)
		}
		w.Drain(time.Minute)
		w.Drain(5 * time.Minute)
		w.Drain(time.Hour)
		all := told(t, db)
		for _, m := range members {
			if got := all[m.String()]; len(got) != 1 || got[0] != "starting" {
				t.Fatalf("%s was told %v, want once that it starts", m, got)
			}
		}
		list, err := w.Campaign.ListReminders(as(members[0]), c.ID)
		if err != nil || len(list) != 1 || list[0].Status != campaign.ReminderTold || list[0].ToldAt != c.StartsAt.Add(-5*time.Minute) {
			t.Errorf("got %+v, %v", list, err)
		}
		w.Verify()
	})
}

// TestReminderStates says instead of a start that there is none.
func TestReminderStates(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		hear(t, db)
		m := w.Members(7)
		ask := func(c campaign.Campaign, m id.Member) {
			t.Helper()
			if _, err := w.Campaign.Remind(bg, campaign.ReminderIn{Campaign: c.ID, Member: m}); err != nil {
				t.Fatal(err)
			}
		}
		cancelled := soon(w, "")
		ask(cancelled, m[0])
		if err := w.Campaign.Turn(bg, cancelled.ID, campaign.Cancel); err != nil {
			t.Fatal(err)
		}
		no, yes := false, true
		refuse := func(m id.Member, granted *bool) {
			t.Helper()
			in := []community.ConsentIn{{Purpose: community.PurposeMarketing, Granted: granted, TextVersion: "v1"}}
			if err := w.Community.SetConsents(bg, m, in); err != nil {
				t.Fatal(err)
			}
		}
		c := soon(w, "")
		refuse(m[1], &no) // before he asked: the wish is the later word
		db.Clock.Jump(time.Second)
		for _, x := range m[1:6] {
			ask(c, x)
		}
		db.Clock.Jump(time.Second)
		refuse(m[2], &no)
		refuse(m[3], &no)
		refuse(m[3], &yes)
		if err := w.Community.EraseMember(bg, m[4]); err != nil {
			t.Fatal(err)
		}
		if err := w.Campaign.Forget(as(m[5]), c.ID, 0); err != nil {
			t.Fatal(err)
		}
		w.Drain(time.Hour)
		all := told(t, db)
		for i, want := range []string{"cancelled", "starting", "", "starting", "", "", ""} {
			got := ""
			if list := all[m[i].String()]; len(list) > 0 {
				got = list[0]
			}
			if got != want {
				t.Errorf("member %d was told %q, want %q", i, got, want)
			}
		}
		paused := w.Run(campaigntest.Sale{Rules: sessionsAround(db), Hours: 48})
		ask(paused, m[6])
		if err := w.Campaign.Turn(bg, paused.ID, campaign.Pause); err != nil {
			t.Fatal(err)
		}
		w.Drain(24 * time.Hour)
		if got := told(t, db)[m[6].String()]; len(got) != 1 || got[0] != "paused" {
			t.Errorf("of a paused campaign: told %v", got)
		}
		w.Verify()
	})
}

// sessionsAround is one session a day, which begins two hours from now in Shanghai.
func sessionsAround(db *database.DB) string {
	loc, _ := time.LoadLocation(clock.Shanghai)
	at := db.Clock.Now().In(loc).Add(2 * time.Hour)
	return `{"sessions":[{"from":"` + at.Format("15:04") + `","to":"` + at.Add(30*time.Minute).Format("15:04") + `"}]}`
}

// TestReminderRefused names what there is no reminding of.
func TestReminderRefused(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		m := w.Members(3)
		guest, err := w.Community.NewGuest(bg)
		if err != nil {
			t.Fatal(err)
		}
		c, running, draft := soon(w, ""), w.Run(campaigntest.Sale{}), w.Draft(campaigntest.Sale{})
		for name, x := range map[string]struct {
			in   campaign.ReminderIn
			want error
		}{
			"a guest":             {campaign.ReminderIn{Campaign: c.ID, Member: guest}, campaign.ErrIdentity},
			"a running campaign":  {campaign.ReminderIn{Campaign: running.ID, Member: m[0]}, campaign.ErrNoStart},
			"a draft":             {campaign.ReminderIn{Campaign: draft, Member: m[0]}, fault.NotFound},
			"no such campaign":    {campaign.ReminderIn{Campaign: 7, Member: m[0]}, fault.NotFound},
			"a moment in between": {campaign.ReminderIn{Campaign: c.ID, Member: m[0], SessionAt: c.StartsAt + 1}, fault.Invalid},
			"a lead of a second":  {campaign.ReminderIn{Campaign: c.ID, Member: m[0], LeadS: 1}, fault.Invalid},
		} {
			if _, err := w.Campaign.Remind(bg, x.in); !errors.Is(err, x.want) {
				t.Errorf("%s: got %v, want %v", name, err, x.want)
			}
		}
		db.Clock.Jump(time.Hour - 9*time.Second)
		if _, err := w.Campaign.Remind(bg, campaign.ReminderIn{Campaign: c.ID, Member: m[0]}); !errors.Is(err, campaign.ErrTooLate) {
			t.Errorf("nine seconds before: %v", err)
		}
		if err := w.Campaign.MergeMembers(bg, m[0], m[1]); err != nil {
			t.Errorf("merging who has none: %v", err)
		}
	})
}

// TestReminderMerge hands reminders on, and tells one person once.
func TestReminderMerge(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		hear(t, db)
		a, b, m := soon(w, ""), soon(w, ""), w.Members(2)
		for _, x := range []campaign.ReminderIn{{Campaign: a.ID, Member: m[0]}, {Campaign: a.ID, Member: m[1]}, {Campaign: b.ID, Member: m[0]}} {
			if _, err := w.Campaign.Remind(bg, x); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Campaign.MergeMembers(bg, m[0], m[1]); err != nil {
			t.Fatal(err)
		}
		w.Drain(time.Hour)
		if all := told(t, db); len(all[m[1].String()]) != 2 || len(all[m[0].String()]) != 0 {
			t.Errorf("told %v, want %s twice, once for each campaign", all, m[1])
		}
		if list, err := w.Campaign.RemindersOf(bg, m[1]); err != nil || len(list) != 2 {
			t.Errorf("export: %+v, %v", list, err)
		}
	})
}
