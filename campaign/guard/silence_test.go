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
