package guard_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// TestReserveAhead: a window that lies ahead is reserved by the policy and the
// charter that are in force when it begins, and its slot says which; until
// then the ones of today hold.
func TestReserveAhead(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		day := func(days int) guard.Window {
			from := now(db).Add(time.Duration(days) * 24 * time.Hour)
			return guard.Window{From: from, To: from.Add(time.Hour)}
		}
		none := newGroup(t, db, community.PresetBenefit)
		for version, n := range []int{0, 1} { // none at once, one a day in seven days
			p, err := s.FindAdPolicy(bg, none)
			if err == nil {
				_, err = s.SetAdPolicy(bg, none, guard.AdPolicyIn{Preset: guard.PresetBenefit, Mode: guard.ModeEnforce, SettingsIn: guard.SettingsIn{AdsPerDay: with(n)}}, p.Version)
			}
			if err != nil {
				t.Fatal(version, err)
			}
		}
		promised := newGroup(t, db, community.PresetBenefit)
		c := &community.Service{DB: db}
		for _, n := range []int{0, 6} { // a looser promise counts seven days after it was made
			_, err := c.PublishCharter(bg, promised, community.CharterIn{Purpose: "分享好物", AdsPerDay: n, AdsPerWeek: 5 * n, QuietFrom: 23 * 60, QuietTo: 6 * 60})
			if err != nil {
				t.Fatal(err)
			}
			db.Clock.Jump(time.Second)
		}
		for g, want := range map[id.Group]guard.Rule{none: guard.RuleDay, promised: guard.RuleCharterDay} {
			if a := reserve(t, s, 1, day(6), g)[0]; a.Outcome != guard.OutcomeDeny || a.Rule != want {
				t.Errorf("a day before what is looser: got %s by %s, want %s", a.Outcome, a.Rule, want)
			}
			a := reserve(t, s, 2, day(8), g)[0]
			if a.Outcome != guard.OutcomeAllow {
				t.Errorf("when what is looser is in force: got %s %v", a.Outcome, a.Reasons)
				continue
			}
			slot, err := s.FindSlot(bg, a.SlotID)
			if err != nil {
				t.Fatal(err)
			}
			if g == none && (slot.CapDay != 1 || slot.PolicyVersion != 3) || g == promised && slot.CharterVersion != 3 {
				t.Errorf("its slot: a cap of %d by policy %d, charter %d", slot.CapDay, slot.PolicyVersion, slot.CharterVersion)
			}
		}
		mustHold(t, db)
	})
}

// TestMainAdOfNoCampaign: another campaign's ad of the day is advised against,
// one that belongs to no campaign is not another's.
func TestMainAdOfNoCampaign(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		for posted, want := range map[id.Campaign]bool{0: false, 5: false, 6: true} {
			g := newGroup(t, db, community.PresetBenefit)
			if _, err := s.PostByHand(bg, g, posted, 0); err != nil {
				t.Fatal(err)
			}
			from := now(db).Add(4 * time.Hour)
			as, err := s.Reserve(bg, guard.Ask{Campaign: 5, Promotion: 1, Window: guard.Window{From: from, To: from.Add(time.Hour)}, Groups: []id.Group{g}}, nothing)
			if err != nil {
				t.Fatal(err)
			}
			advised := slices.ContainsFunc(as[0].Advice, func(r guard.Reason) bool { return r.Rule == guard.RuleMain })
			if as[0].Outcome != guard.OutcomeAllow || advised != want {
				t.Errorf("after an ad of campaign %d: got %s, advised against %v, want %v", posted, as[0].Outcome, advised, want)
			}
		}
	})
}

// TestStartOnce: a delivery that begins again in its window is the same one; one
// whose ad was shown or taken back meanwhile begins no more, nor does one at the
// window's very end.
func TestStartOnce(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		w := guard.Window{From: now(db).Add(time.Hour), To: now(db).Add(2 * time.Hour)}
		slot := func() id.Slot { return reserve(t, s, 1, w, newGroup(t, db, community.PresetBenefit))[0].SlotID }
		start := func(x id.Slot) (row guard.Slot, err error) {
			err = db.Tx(bg, func(tx *database.Tx) error { row, err = s.StartTx(tx, x); return err })
			return row, err
		}
		refused := func(x id.Slot, what string) {
			t.Helper()
			if _, err := start(x); !errors.Is(err, guard.ErrNotNow) {
				t.Errorf("%s: got %v, want %v", what, err, guard.ErrNotNow)
			}
		}
		shown, taken, late := slot(), slot(), slot()
		refused(shown, "before its window")
		db.Clock.Jump(time.Hour)
		first, err := start(shown)
		if err != nil {
			t.Fatalf("in the first moment of its window: %v", err)
		}
		db.Clock.Jump(time.Minute)
		if again, err := start(shown); err != nil || again.StartedAt != first.StartedAt || again.StartedNo != first.StartedNo {
			t.Errorf("begun again: got %+v, %v", again, err)
		}
		if _, err := s.Confirm(bg, shown, 0); err != nil {
			t.Fatal(err)
		}
		refused(shown, "it was shown")
		if _, err := s.Release(bg, taken, guard.ReleaseCancelled, nil); err != nil {
			t.Fatal(err)
		}
		refused(taken, "it was taken back")
		db.Clock.Jump(59 * time.Minute)
		refused(late, "at the end of its window")
		mustHold(t, db)
	})
}

// TestStartInClosedGroup: no delivery begins in a group that has closed, or from
// the very moment on at which it, or its charter's promise, ends; and an ad was
// not shown before its slot was reserved.
func TestStartInClosedGroup(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		hours := guard.Window{From: now(db), To: now(db).Add(4 * time.Hour)}
		starts := func(set, table, key string) error {
			g := newGroup(t, db, community.PresetBenefit)
			slot := reserve(t, s, 1, hours, g)[0].SlotID
			return db.Tx(bg, func(tx *database.Tx) error {
				if set != "" {
					if err := tx.Exec("UPDATE "+table+" SET "+set+" WHERE "+key+" = ?", g).Error; err != nil {
						return err
					}
				}
				_, err := s.StartTx(tx, slot)
				return err
			})
		}
		at := fmt.Sprint(int64(now(db)))
		later := fmt.Sprint(int64(now(db)) + 1)
		for name, c := range map[string]struct {
			set, table, key string
			want            guard.Rule // empty: it begins
		}{
			"open":                            {"", "", "", ""},
			"closed":                          {"status = 'dissolved'", "chat_groups", "id", guard.RuleClosed},
			"its planned end is now":          {"ends_at = " + at, "chat_groups", "id", guard.RuleEnd},
			"its planned end is a moment off": {"ends_at = " + later, "chat_groups", "id", ""},
			"its charter ends now":            {"ends_at = " + at, "charters", "group_id", guard.RuleCharterEnded},
			"its charter ends a moment later": {"ends_at = " + later, "charters", "group_id", ""},
			"its charter is quiet now":        {"quiet_from = 0, quiet_to = 1440", "charters", "group_id", guard.RuleCharterQuiet},
			"its slot was over":               {"to_at = " + at, "slots", "group_id", guard.RuleWindow},
		} {
			err := starts(c.set, c.table, c.key)
			if stopped := errors.Is(err, guard.ErrNotNow); stopped != (c.want != "") || stopped && guard.WhyNotNow(err) != c.want || !stopped && err != nil {
				t.Errorf("a group that is %s: got %v by %q, want %q", name, err, guard.WhyNotNow(err), c.want)
			}
		}
		db.Clock.Jump(time.Hour)
		slot := reserve(t, s, 1, hours, newGroup(t, db, community.PresetBenefit))[0].SlotID
		if _, err := s.Confirm(bg, slot, now(db)-1); !errors.Is(err, fault.Invalid) {
			t.Errorf("shown before it was reserved: got %v", err)
		}
		if _, err := s.Confirm(bg, slot, now(db)); err != nil {
			t.Errorf("shown as it was reserved: got %v", err)
		}
	})
}
