package guard_test

import (
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// A silence without an end names the field as missing, one that ends before it
// begins as out of range.
func TestSilenceEnds(t *testing.T) {
	in := guard.SilenceIn{Scope: guard.ScopeHouse, Reason: "台风", From: 2}
	for until, want := range map[clock.Milli]string{0: "required", 1: "range", 2: "range", 3: ""} {
		in.Until = until
		got := ""
		if f, ok := fault.As(in.Validate()); ok {
			got = f.Fields[0].Code
		}
		if got != want {
			t.Errorf("until %d: got %q, want %q", until, got, want)
		}
	}
}

// TestSilentRegion: a shop that opens in a silent region is silent, one of
// another region is not, and who called the silence finds the shop's slots.
func TestSilentRegion(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		addUnits(t, db)
		var silence guard.Silence
		err := db.Tx(bg, func(tx *database.Tx) (err error) {
			in := guard.SilenceIn{Scope: guard.ScopeUnit, UnitID: 2, Units: []id.Unit{2, 1}, Reason: "台风", Until: now(db).Add(48 * time.Hour)}
			silence, err = s.SilenceTx(tx, in)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		group := func(unit id.Unit) id.Group {
			g, err := (&community.Service{DB: db}).CreateGroup(bg, community.GroupIn{UnitID: unit, Name: "群", OwnerID: 7, Preset: community.PresetChain, BornAt: now(db).Add(-365 * 24 * time.Hour)})
			if err != nil {
				t.Fatal(err)
			}
			return g
		}
		old, fresh, elsewhere := group(1), group(3), group(4)
		reached := func() bool {
			t.Helper()
			in, err := s.Reach(db.Read(bg), silence)
			if err != nil {
				t.Fatal(err)
			}
			return in(guard.Slot{UnitID: 3, FromAt: now(db), ToAt: now(db).Add(time.Hour)})
		}
		w := guard.Window{From: now(db), To: now(db).Add(2 * time.Hour)}
		if a := reserve(t, s, 1, w, old, fresh, elsewhere); a[0].Rule != guard.RuleSilence || a[1].Outcome != guard.OutcomeAllow || a[2].Outcome != guard.OutcomeAllow || reached() {
			t.Fatalf("before the shop is below the region: got %+v", a)
		}
		err = db.Tx(bg, func(tx *database.Tx) error {
			path := id.Unit(2).String() + "/" + id.Unit(3).String() + "/"
			return tx.Exec("INSERT INTO units (id, parent_id, kind, name, path, version, created_at) VALUES (3, 2, 'store', '新店', ?, 1, 0)", path).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		if a := reserve(t, s, 2, w, old, group(3), group(4)); a[0].Rule != guard.RuleSilence || a[1].Rule != guard.RuleSilence || a[2].Outcome != guard.OutcomeAllow {
			t.Errorf("a shop opened in the silent region: got %+v", a)
		}
		if !reached() {
			t.Error("the slots of the new shop are not reached")
		}
		mustHold(t, db)
	})
}

// TestReach: a silence reaches a slot that may be shown for one moment of it;
// one whose window ends as it begins, or begins as it ends, it does not reach,
// nor what was shown, what is free, or what is of another group or campaign.
func TestReach(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		from, until := now(db), now(db).Add(time.Hour)
		in := func(of guard.Silence, x guard.Slot) bool {
			t.Helper()
			reach, err := s.Reach(db.Read(bg), of)
			if err != nil {
				t.Fatal(err)
			}
			return reach(x)
		}
		of := guard.Silence{Scope: guard.ScopeHouse, From: from, Until: until}
		for name, c := range map[string]struct {
			slot guard.Slot
			want bool
		}{
			"ends as it begins":       {guard.Slot{FromAt: from - 9, ToAt: from}, false},
			"ends a moment later":     {guard.Slot{FromAt: from - 9, ToAt: from + 1}, true},
			"begins as it ends":       {guard.Slot{FromAt: until, ToAt: until + 9}, false},
			"begins a moment earlier": {guard.Slot{FromAt: until - 1, ToAt: until + 9}, true},
			"was shown":               {guard.Slot{FromAt: from, ToAt: until, ConfirmedAt: from}, false},
			"is free":                 {guard.Slot{FromAt: from, ToAt: until, ReleasedAt: from}, false},
			"is on its way":           {guard.Slot{FromAt: from, ToAt: until, StartedAt: from}, true},
		} {
			if got := in(of, c.slot); got != c.want {
				t.Errorf("what %s: reached %v, want %v", name, got, c.want)
			}
		}
		slot := guard.Slot{UnitID: 3, GroupID: 4, CampaignID: 5, FromAt: from, ToAt: until}
		for _, c := range []struct {
			of   guard.Silence
			want bool
		}{
			{guard.Silence{Scope: guard.ScopeGroup, UnitID: 3, GroupID: 4}, true}, {guard.Silence{Scope: guard.ScopeGroup, UnitID: 3, GroupID: 5}, false},
			{guard.Silence{Scope: guard.ScopeCampaign, UnitID: 9, CampaignID: 5}, true}, {guard.Silence{Scope: guard.ScopeCampaign, UnitID: 3, CampaignID: 4}, false},
		} {
			c.of.From, c.of.Until = from, until
			if got := in(c.of, slot); got != c.want {
				t.Errorf("a silence of %s %s %s: reached %v, want %v", c.of.Scope, c.of.GroupID, c.of.CampaignID, got, c.want)
			}
		}
	})
}
