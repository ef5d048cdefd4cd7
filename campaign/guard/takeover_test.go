package guard_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

// anyLoses lets every promotion lose up to so many slots.
func anyLoses(most int) func(*database.Tx, []id.Promotion) (map[id.Promotion]*guard.Loser, error) {
	return func(_ *database.Tx, have []id.Promotion) (map[id.Promotion]*guard.Loser, error) {
		out := map[id.Promotion]*guard.Loser{}
		for _, p := range have {
			out[p] = &guard.Loser{Rank: int(p), Most: most}
		}
		return out, nil
	}
}

func keeps(*database.Tx, []guard.Answer, []guard.Taken) error { return nil }

// TestTakeOver: what may be taken, from whom, and what stays.
func TestTakeOver(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := &guard.Service{DB: db}
		take := func(p id.Promotion, w guard.Window, most int, g id.Group) (guard.Answer, bool) {
			t.Helper()
			as, err := s.TakeOver(bg, guard.Ask{Promotion: p, Window: w, Groups: []id.Group{g}}, anyLoses(most), keeps)
			if err != nil {
				t.Fatal(err)
			}
			if len(as) == 0 {
				return guard.Answer{}, false
			}
			return as[0], true
		}
		hours := func(n int) guard.Window {
			return guard.Window{From: now(db), To: now(db).Add(time.Duration(n) * time.Hour)}
		}
		g := newGroup(t, db, community.PresetRetail) // one a day, 20 hours apart
		first := reserve(t, s, 1, hours(5), g)[0]
		if _, ok := take(2, hours(48), 1, g); ok {
			t.Error("who can wait took a slot")
		}
		if _, ok := take(2, hours(5), 0, g); ok {
			t.Error("who may lose none lost one")
		}
		a, ok := take(2, hours(5), 1, g)
		if !ok || a.Outcome != guard.OutcomeAllow {
			t.Fatalf("taken: got %+v", a)
		}
		lost, err := s.FindSlot(bg, first.SlotID)
		if err != nil || lost.ReleaseReason != guard.ReleaseTaken {
			t.Fatalf("the slot that was taken: got %+v, %v", lost, err)
		}
		if err := db.Tx(bg, func(tx *database.Tx) error { _, err := s.StartTx(tx, first.SlotID); return err }); !errors.Is(err, guard.ErrNotNow) {
			t.Errorf("its delivery: got %v", err)
		}
		var says string
		if err := db.Read(bg).Raw("SELECT outcome FROM decisions WHERE promotion_id = 1 AND rule_name = ?", guard.RuleTaken).Scan(&says).Error; err != nil || says != "preempted" {
			t.Errorf("the loser's decision: got %q, %v", says, err)
		}

		other := newGroup(t, db, community.PresetRetail)
		begun := reserve(t, s, 1, hours(5), other)[0]
		if err := db.Tx(bg, func(tx *database.Tx) error { _, err := s.StartTx(tx, begun.SlotID); return err }); err != nil {
			t.Fatal(err)
		}
		if _, ok := take(2, hours(5), 1, other); ok {
			t.Error("a slot was taken whose delivery had begun")
		}

		late, hour := newGroup(t, db, community.PresetRetail), newGroup(t, db, community.PresetRetail)
		reserve(t, s, 1, hours(2), late, hour)
		db.Clock.Jump(time.Hour)
		if _, ok := take(2, guard.Window{From: now(db), To: now(db).Add(3 * time.Hour)}, 1, hour); !ok {
			t.Error("a slot was not taken an hour before its end")
		}
		db.Clock.Jump(time.Millisecond)
		if _, ok := take(2, guard.Window{From: now(db), To: now(db).Add(3 * time.Hour)}, 1, late); ok {
			t.Error("a slot was taken less than an hour before its end")
		}

		// A cap that a second ad holds too stays a cap.
		full := newGroup(t, db, community.PresetBenefit) // three a day
		for n := range 3 {
			from := now(db).Add(time.Duration(n) * 4 * time.Hour)
			if a := reserve(t, s, id.Promotion(n+1), guard.Window{From: from, To: from.Add(time.Minute)}, full)[0]; a.SlotID != 0 && n == 0 {
				if _, err := s.Confirm(bg, a.SlotID, 0); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, ok := take(9, hours(1), 5, full); ok {
			t.Error("the gap to an ad that was shown was passed over")
		}
		mustHold(t, db)
	})
}

// race starts the delivery of slots and takes them at once, in many groups.
func race(t *testing.T, a, b *database.DB) (started, taken int, broken []string) {
	t.Helper()
	one, two := &guard.Service{DB: a}, &guard.Service{DB: b}
	var groups []id.Group
	for range 24 {
		groups = append(groups, newGroup(t, a, community.PresetRetail))
	}
	w := guard.Window{From: now(a), To: now(a).Add(5 * time.Hour)}
	slots := reserve(t, one, 1, w, groups...)
	begin := make(chan struct{})
	var work sync.WaitGroup
	var mu sync.Mutex
	for i, g := range groups {
		work.Go(func() {
			<-begin
			if err := two.DB.Tx(bg, func(tx *database.Tx) error { _, err := two.StartTx(tx, slots[i].SlotID); return err }); err == nil {
				mu.Lock()
				started++
				mu.Unlock()
			} else if !errors.Is(err, guard.ErrNotNow) {
				t.Error(err)
			}
		})
		work.Go(func() {
			<-begin
			as, err := one.TakeOver(bg, guard.Ask{Promotion: 2, Window: w, Groups: []id.Group{g}}, anyLoses(24), keeps)
			mu.Lock()
			defer mu.Unlock()
			if taken += len(as); err != nil {
				t.Error(err)
			}
		})
	}
	close(begin)
	work.Wait()
	proofs, err := guard.Verify(bg, a)
	if err != nil {
		t.Fatal(err)
	}
	return started, taken, proofs[0].Broken
}

// TestTakenOrStarted: a delivery begins and the slot stays, or it is taken and
// none begins, over two replicas; without locks both happen.
func TestTakenOrStarted(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			url := dbtest.URL(t, engine)
			a := dbtest.At(t, url)
			started, taken, broken := race(t, a, dbtest.Twin(t, a, url, 2))
			if started+taken != 24 || len(broken) > 0 {
				t.Errorf("%d began and %d were taken of 24; broken: %v", started, taken, broken)
			}
		})
		t.Run(engine+" without locks both happen", func(t *testing.T) {
			for range 20 {
				db := dbtest.Unlocked(t, engine, "slots.slots_seq")
				if started, taken, broken := race(t, db, db); started+taken > 24 && len(broken) > 0 {
					return
				}
			}
			t.Error("twenty races on an unlocked store kept them apart: the test proves nothing")
		})
	}
}
