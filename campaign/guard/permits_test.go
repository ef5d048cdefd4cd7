package guard_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

var (
	asks     = database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 1})
	approves = database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 2})
)

func TestPermitLife(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		g := newGroup(t, db, community.PresetRetail)
		today := guard.Window{From: now(db), To: now(db).Add(4 * time.Hour)}
		override := guard.PermitIn{Kind: guard.PermitOverride, Groups: []id.Group{g}, PromotionID: 2, Reason: "门店开业", From: today.From, To: today.To}
		reserve(t, s, 1, today, g)

		made, err := s.AskPermit(asks, override)
		if err != nil {
			t.Fatal(err)
		}
		if a := reserve(t, s, 2, today, g)[0]; a.Outcome == guard.OutcomeAllow {
			t.Fatal("a permit that nobody approved let an ad through")
		}
		if err := s.ApprovePermit(asks, made); !errors.Is(err, guard.ErrSameStaff) {
			t.Errorf("who asked approves: got %v", err)
		}
		if err := s.ApprovePermit(approves, made); err != nil {
			t.Fatal(err)
		}
		if a := reserve(t, s, 3, today, g)[0]; a.Outcome == guard.OutcomeAllow {
			t.Error("another promotion's override let an ad through")
		}
		a := reserve(t, s, 2, today, g)[0]
		if a.Outcome != guard.OutcomeAllow || a.Permit != made || a.By != guard.PermitOverride {
			t.Fatalf("got %s by %s %v", a.Outcome, a.By, a.Reasons)
		}
		kept, err := s.ListDecisions(bg, guard.SlotFilter{Promotion: 2}, database.Page{})
		if err != nil || kept.Items[0].Permit != made || len(kept.Items[0].Advice) < 2 {
			t.Errorf("its receipt: got %+v, %v", kept.Items, err)
		}
		if slot, err := s.FindSlot(bg, a.SlotID); err != nil || slot.PermitID != made || slot.GapMinutes != 0 || slot.CapDay != 6 {
			t.Errorf("its slot carries what held, the charter's six a day: got %+v, %v", slot, err)
		}
		again, err := s.AskPermit(asks, override)
		if err != nil {
			t.Fatal(err)
		}
		refused := s.ApprovePermit(approves, again)
		if f, ok := fault.As(refused); !ok || !errors.Is(f, guard.ErrPermitLimit) ||
			!strings.HasSuffix(f.Text("en"), "of this kind: one in 30 days") || !strings.HasSuffix(f.Text("zh"), "同类许可已用完：30 天 1 次") {
			t.Errorf("a second one in 30 days: got %v", refused)
		}
		mustHold(t, db)

		t.Run("V8 sees one without its record", func(t *testing.T) {
			change := func(set string) {
				if err := db.Tx(bg, func(tx *database.Tx) error {
					return tx.Exec("UPDATE guard_permits SET "+set+" WHERE id = ?", made).Error
				}); err != nil {
					t.Fatal(err)
				}
			}
			for _, c := range [][2]string{{"approved_at = 0", "approved_at = created_at"}, {"approved_by = 1", "approved_by = 2"}, {"to_at = to_at - 3600000", "to_at = to_at + 3600000"}, {"promotion_id = 9", "promotion_id = 2"}} {
				change(c[0])
				if proofs, err := guard.Verify(bg, db); err != nil || len(proofs[0].Broken) == 0 {
					t.Errorf("%s was not seen, %v", c[0], err)
				}
				change(c[1])
			}
			mustHold(t, db)
		})
	})
}

func TestPermitForm(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		g := newGroup(t, db, community.PresetRetail)
		from := now(db)
		ask := func(k guard.PermitKind, days int, promotion id.Promotion, groups ...id.Group) (id.Permit, error) {
			return s.AskPermit(asks, guard.PermitIn{Kind: k, Groups: groups, PromotionID: promotion, Reason: "双十一", From: from, To: from.Add(time.Duration(days) * 24 * time.Hour)})
		}
		for name, c := range map[string]struct {
			kind      guard.PermitKind
			days      int
			promotion id.Promotion
			group     id.Group
			want      error
		}{
			"an override of two days":       {guard.PermitOverride, 2, 1, g, fault.Invalid},
			"an override of nothing":        {guard.PermitOverride, 1, 0, g, fault.Invalid},
			"a pass of eight days":          {guard.PermitPass, 8, 0, g, fault.Invalid},
			"a pass of one promotion":       {guard.PermitPass, 7, 1, g, fault.Invalid},
			"a group that does not exist":   {guard.PermitPass, 7, 0, 12345, fault.NotFound},
			"an advance of eight days":      {guard.PermitAdvance, 8, 0, g, fault.Invalid},
			"a pass of seven days is right": {guard.PermitPass, 7, 0, g, nil},
		} {
			if _, err := ask(c.kind, c.days, c.promotion, c.group); !errors.Is(err, c.want) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		t.Run("six passes a year, none over another's silent days", func(t *testing.T) {
			for n := range 7 {
				made, err := ask(guard.PermitPass, 2, 0, g)
				if err != nil {
					t.Fatal(err)
				}
				if err := s.ApprovePermit(approves, made); n < 6 && err != nil || n == 6 && !errors.Is(err, guard.ErrPermitLimit) {
					t.Fatalf("pass %d: got %v", n+1, err)
				}
				if n == 0 {
					from = from.Add(5*24*time.Hour - time.Minute)
					over, err := ask(guard.PermitPass, 2, 0, g)
					if err != nil {
						t.Fatal(err)
					}
					if err := s.ApprovePermit(approves, over); !errors.Is(err, guard.ErrPermitLimit) {
						t.Errorf("a minute too early: got %v", err)
					}
					from = from.Add(time.Minute - 5*24*time.Hour)
				}
				from = from.Add(5 * 24 * time.Hour)
			}
		})
	})
}

// TestByHandUsesNoPermit: a pass is for ads that are asked for; what somebody
// posts over the policy's own cap is unplanned, pass or not.
func TestByHandUsesNoPermit(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		g := newGroup(t, db, community.PresetRetail)
		pass := guard.PermitIn{Kind: guard.PermitPass, Groups: []id.Group{g}, Reason: "周年庆", From: now(db), To: now(db).Add(7 * 24 * time.Hour)}
		made, err := s.AskPermit(asks, pass)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.ApprovePermit(approves, made); err != nil {
			t.Fatal(err)
		}
		for n := range 5 { // four a week is what retail allows, one a day
			posted, err := s.PostByHand(bg, g, 0, 0)
			if err != nil {
				t.Fatal(err)
			}
			slot, err := s.FindSlot(bg, posted)
			if err != nil || slot.PermitID != 0 || slot.Unplanned != (n == 4) {
				t.Errorf("ad %d: got unplanned %t by %s, %v", n+1, slot.Unplanned, slot.PermitID, err)
			}
			db.Clock.Jump(24 * time.Hour)
		}
		proofs, err := guard.Verify(bg, db)
		if err != nil || len(proofs[0].Broken) > 0 {
			t.Errorf("got %v, %v", proofs[0].Broken, err)
		}
	})
}

// TestPermitsUnderAClockSetBack: what a permit lets through lies between its
// approval and its revocation, though the clock was set back in between.
func TestPermitsUnderAClockSetBack(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		g := newGroup(t, db, community.PresetRetail)
		window := guard.Window{From: now(db).Add(time.Hour), To: now(db).Add(4 * time.Hour)}
		reserve(t, s, 1, window, g)
		given := func(p id.Promotion) id.Permit {
			made, err := s.AskPermit(asks, guard.PermitIn{Kind: guard.PermitOverride, Groups: []id.Group{g}, PromotionID: p, Reason: "门店开业", From: window.From, To: window.To})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.ApprovePermit(approves, made); err != nil {
				t.Fatal(err)
			}
			return made
		}
		made := given(2)
		db.Clock.Jump(-time.Hour)
		if a := reserve(t, s, 2, window, g)[0]; a.Outcome == guard.OutcomeAllow {
			t.Error("an override let an ad through an hour before it was approved")
		}
		db.Clock.Jump(time.Hour)
		if a := reserve(t, s, 2, window, g)[0]; a.Permit != made {
			t.Fatalf("got %s by %s %v", a.Outcome, a.Permit, a.Reasons)
		}
		db.Clock.Jump(-time.Hour)
		if err := s.RevokePermit(approves, made, guard.RevokeIn{}); err != nil {
			t.Fatal(err)
		}
		db.Clock.Jump(time.Hour)
		mustHold(t, db)
	})
}

// TestRevokedLetsNothingMore: nor does one that was revoked before its window.
func TestRevokedLetsNothingMore(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		g := newGroup(t, db, community.PresetRetail)
		window := guard.Window{From: now(db), To: now(db).Add(4 * time.Hour)}
		reserve(t, s, 1, window, g)
		made, err := s.AskPermit(asks, guard.PermitIn{Kind: guard.PermitOverride, Groups: []id.Group{g}, PromotionID: 2, Reason: "门店开业", From: window.From, To: window.To})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.ApprovePermit(approves, made); err != nil {
			t.Fatal(err)
		}
		db.Clock.Jump(2 * time.Hour)
		if err := s.RevokePermit(approves, made, guard.RevokeIn{}); err != nil {
			t.Fatal(err)
		}
		db.Clock.Jump(-time.Hour)
		if a := reserve(t, s, 2, window, g)[0]; a.Outcome == guard.OutcomeAllow {
			t.Error("a revoked override let an ad through once the clock was set back")
		}
		mustHold(t, db)
	})
}
