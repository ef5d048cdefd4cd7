package promotion

import (
	"sync"
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/task"
)

// TestPaceRule adds up what may go out in 60 seconds: the waves that began in
// them, each as far from the next as its ads take.
func TestPaceRule(t *testing.T) {
	for _, pace := range []Pace{1, 2, 3, 9, 10, 11, 19, 20, 21, 59, 60, 61, 600, 5000, 60000} {
		wave := pace.wave()
		apart := time.Duration(wave) * pace.every()
		inside := 1 + int((time.Minute-1)/apart) // a wave at the first moment and one each apart
		if most := inside * wave; most > int(pace) {
			t.Errorf("a pace of %d lets %d out in 60 seconds", pace, most)
		} else if most*2 < int(pace) {
			t.Errorf("a pace of %d lets only %d out in 60 seconds", pace, most)
		}
	}
	if got := Pace(0).wave(); got != deliverMost {
		t.Errorf("without a pace: waves of %d, want %d", got, deliverMost)
	}
}

// handed are the moments at which ads went out.
func (h *house) handed(p id.Promotion) []clock.Milli {
	h.T.Helper()
	var at []clock.Milli
	h.check(h.DB.Read(bg).Raw("SELECT handed_at FROM promotion_sends WHERE promotion_id = ? AND handed_at > 0 ORDER BY handed_at", p).Scan(&at).Error)
	return at
}

// most is the largest number of moments within 60 seconds.
func most(at []clock.Milli) (n int) {
	first := 0
	for i := range at {
		for at[i]-at[first] >= clock.Milli(time.Minute.Milliseconds()) {
			first++
		}
		n = max(n, i-first+1)
	}
	return n
}

// TestPace sends 12 ads through a channel that takes 6 a minute, with an hour
// in the middle in which no worker runs.
func TestPace(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.s.Paces = map[string]Pace{"file": 6}
		var groups []id.Group
		for range 12 {
			groups = append(groups, h.group(community.PresetRetail))
		}
		p := h.plan("file", 4*time.Hour, groups...)
		h.check(h.s.Approve(bg, p, 0))
		for range 5 {
			h.Drain(10 * time.Second)
		}
		if n := len(h.handed(p)); n == 0 || n > 6 {
			t.Fatalf("after a minute: %d ads are out", n)
		}
		db.Clock.Jump(time.Hour) // everything is due at once now
		for range 30 {
			h.Drain(10 * time.Second)
		}
		at := h.handed(p)
		if len(at) != 12 || len(h.files()) != 12 {
			t.Errorf("in the end: %d ads are out, %d files, want 12", len(at), len(h.files()))
		}
		if n := most(at); n > 6 {
			t.Errorf("%d ads in 60 seconds, want at most 6", n)
		}
		h.mustHold()
	})
}

// TestPaceTogether lets many workers ask for their turn at once: one gets it,
// and no two are sent to the same moment. Without locks two would get it.
func TestPaceTogether(t *testing.T) {
	rush := func(s *Service) (now int, waits map[time.Duration]bool) {
		var mu sync.Mutex
		var all sync.WaitGroup
		waits = map[time.Duration]bool{}
		for range 16 {
			all.Go(func() {
				wait, err := s.turn(bg, "file", 2)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err != nil:
				case wait == 0:
					now++
				default:
					waits[wait] = true
				}
			})
		}
		all.Wait()
		return now, waits
	}
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			s := &Service{DB: dbtest.Open(t, engine), Paces: map[string]Pace{"file": 20}}
			if now, waits := rush(s); now != 1 || len(waits) != 15 {
				t.Errorf("got %d at once and %d moments, want 1 and 15", now, len(waits))
			}
		})
		t.Run(engine+" without locks it breaks", func(t *testing.T) {
			s := &Service{DB: dbtest.Unlocked(t, engine), Paces: map[string]Pace{"file": 20}}
			for range 40 {
				if now, waits := rush(s); now != 1 || len(waits) != 15 {
					return
				}
				s.DB.Clock.Jump(time.Hour)
			}
			t.Fatal("the pace held in 40 rounds without any lock")
		})
	}
}

// TestPaceEndsWithTheSlot: what the pace does not let out in its slot's time
// is not sent later, and its slot is free again.
func TestPaceEndsWithTheSlot(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.s.Paces = map[string]Pace{"file": 2}
		groups := []id.Group{h.group(community.PresetRetail), h.group(community.PresetRetail), h.group(community.PresetRetail)}
		p := h.plan("file", time.Minute, groups...)
		h.check(h.s.Approve(bg, p, 0))
		h.Drain(0)
		h.Drain(time.Minute)
		h.Drain(time.Hour)
		free := 0
		for _, g := range h.sends(p) {
			if g.Slot == guard.StatusReleased {
				free++
			}
		}
		if out := len(h.handed(p)); out != 1 || free != 3 || h.status(p) != StatusDone {
			t.Errorf("got %d out, %d slots free, %s", out, free, h.status(p))
		}
		if err := task.Drain(bg, db, h.Registry); err != nil {
			t.Error(err)
		}
		h.mustHold()
	})
}

// TestPaceOutlastsTheSlot: an ad whose slot is over before its turn comes, in a
// window that lasts, is put off for that reason and not for a silence.
func TestPaceOutlastsTheSlot(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.s.Paces = map[string]Pace{"file": 2}
		groups := []id.Group{h.group(community.PresetRetail), h.group(community.PresetRetail)}
		p := h.plan("file", 4*time.Hour, groups...)
		h.check(h.s.Approve(bg, p, 0))
		h.Drain(0) // one is handed out, the other waits for its turn
		h.check(db.Tx(bg, func(tx *database.Tx) error {
			return tx.Exec("UPDATE slots SET to_at = ? WHERE promotion_id = ?", tx.Now.Add(time.Minute), p).Error
		}))
		h.Drain(2 * time.Minute)
		var late []PlannedGroup
		for _, g := range h.sends(p) {
			if g.Send == SendDeferred {
				late = append(late, g)
			}
		}
		if len(late) != 1 || late[0].Rule != guard.RuleWindow {
			t.Errorf("put off: got %+v, want one whose slot was over", late)
		}
	})
}
