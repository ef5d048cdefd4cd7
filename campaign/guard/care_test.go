package guard_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/community/health"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// judged writes what health says of a group, as its task would.
func judged(t testing.TB, db *database.DB, g id.Group, state health.State, coverage, fatigue int) {
	t.Helper()
	yesterday := clock.Day(db.Clock.Now().Add(-24*time.Hour), time.UTC)
	err := db.Tx(bg, func(tx *database.Tx) error {
		if err := tx.Exec("DELETE FROM group_standings WHERE group_id = ?", g).Error; err != nil {
			return err
		}
		return tx.Exec(`INSERT INTO group_standings (group_id, day, state, since, coverage, dar, fatigue, content, ads, held, redo, judged_at, next_at)
			VALUES (?, ?, ?, ?, ?, 0, ?, 100, 0, ?, 0, 0, 0)`, g, yesterday, state, yesterday, coverage, fatigue, yesterday).Error
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestCareOnTheSlot: what the group's health and the platform asked of a slot
// is written on it and counted again; where it only advised, nothing is.
func TestCareOnTheSlot(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db, Platform: guard.PlatformWeek}
		cooling, tired, advised := newGroup(t, db, community.PresetChain), newGroup(t, db, community.PresetBenefit), newGroup(t, db, community.PresetChain)
		judged(t, db, cooling, health.StateQuiet, 7_000, -1)
		judged(t, db, tired, health.StateHealthy, 0, 3_000)
		judged(t, db, advised, health.StateQuiet, 6_999, -1)
		slotIn := func(promotion id.Promotion, g id.Group, w guard.Window) guard.Slot {
			t.Helper()
			a := reserve(t, s, promotion, w, g)[0]
			if a.Outcome != guard.OutcomeAllow {
				t.Fatalf("got %s %v", a.Outcome, a.Reasons)
			}
			slot, err := s.FindSlot(bg, a.SlotID)
			if err != nil {
				t.Fatal(err)
			}
			return slot
		}
		now := now(db)
		hour := func(n int) guard.Window {
			from := now.Add(time.Duration(n) * time.Hour)
			return guard.Window{From: from, To: from.Add(time.Hour)}
		}
		quiet := slotIn(1, cooling, hour(1))
		if quiet.CareDay != 2 || quiet.CareWeek != 8 || quiet.CareMonth != 30 || quiet.Platform != guard.PlatformWeek {
			t.Errorf("a quiet group's slot: got %+v", quiet)
		}
		slotIn(2, tired, hour(1))
		second := slotIn(3, tired, hour(8))
		if second.CareDay != guard.Unlimited || second.CareGapMinutes != 6*60 {
			t.Errorf("a tired group's slot: got %+v", second)
		}
		if free := slotIn(4, advised, hour(1)); free.CareWeek != guard.Unlimited || free.CareGapMinutes != 0 {
			t.Errorf("an advised group's slot: got %+v", free)
		}
		broken := func() string {
			t.Helper()
			proofs, err := guard.Verify(bg, db)
			if err != nil {
				t.Fatal(err)
			}
			return strings.Join(proofs[0].Broken, "; ")
		}
		if said := broken(); said != "" {
			t.Errorf("verify: %s", said)
		}
		for set, want := range map[string]string{
			"care_week = 0":                           "ISO week by health",
			"care_month = 0":                          "30 × 24 h by health",
			"care_gap_minutes = 361":                  "in a tired group, 361 kept",
			"platform = 'day_1'":                      "the platform's day_1",
			"care_day = 1, care_week = 1":             "local day by health",
			"care_day = 1, platform = 'day_1'":        "the platform's day_1",
			"care_gap_minutes = 6000, care_month = 0": "in a tired group, 6000 kept",
		} {
			change := func(set string) {
				if err := db.Tx(bg, func(tx *database.Tx) error { return tx.Exec("UPDATE slots SET "+set+" WHERE id = ?", second.ID).Error }); err != nil {
					t.Fatal(err)
				}
			}
			change(set)
			if said := broken(); !strings.Contains(said, want) {
				t.Errorf("with %s: got %q, want %q", set, said, want)
			}
			change("care_day = -1, care_week = -1, care_month = -1, care_gap_minutes = 360, platform = 'week_7'")
		}
	})
}

// TestIntakeIsRead: people who came within two days hold ads back in a group
// of which enough is known; those who left and those of before do not.
func TestIntakeIsRead(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		g := newGroup(t, db, community.PresetInterest)
		judged(t, db, g, health.StateHealthy, 7_000, -1)
		people := &community.Service{DB: db}
		rows := make([]community.MemberIn, 34)
		for i := range rows {
			rows[i].Identities = []community.Identity{{Kind: community.IdentityMall, Value: fmt.Sprint("mall-", i)}}
		}
		made, err := people.UpsertMembers(bg, rows)
		if err != nil {
			t.Fatal(err)
		}
		in := []community.MembershipIn{}
		for i := range 30 {
			in = append(in, community.MembershipIn{MemberID: made[i].Member, JoinedAt: now(db).Add(-49 * time.Hour)})
		}
		for i := range 3 { // 3 of 33 came, 2 came and went
			in[i].JoinedAt = now(db).Add(-20 * time.Hour)
			in = append(in, community.MembershipIn{MemberID: made[30+i].Member, JoinedAt: now(db).Add(-time.Hour), LeftAt: now(db)})
		}
		put := func() {
			t.Helper()
			if _, err := people.PutMemberships(bg, g, in); err != nil {
				t.Fatal(err)
			}
		}
		asked := guard.Window{From: now(db), To: now(db).Add(5 * time.Hour)}
		put()
		if a := reserve(t, s, 1, asked, g)[0]; a.Outcome != guard.OutcomeAllow {
			t.Fatalf("a tenth came: got %s %v", a.Outcome, a.Reasons)
		}
		if _, err := s.Release(bg, reserve(t, s, 1, asked, g)[0].SlotID, guard.ReleaseNotSent, nil); err != nil {
			t.Fatal(err)
		}
		in = []community.MembershipIn{{MemberID: made[33].Member, JoinedAt: now(db).Add(-20 * time.Hour)}}
		put()
		a := reserve(t, s, 2, asked, g)[0]
		if a.Outcome != guard.OutcomeDefer || a.Rule != guard.RuleIntake || a.NotBefore != now(db).Add(4*time.Hour) {
			t.Errorf("four of 31 came: got %s %v not before %s", a.Outcome, a.Reasons, a.NotBefore.Time())
		}
	})
}
