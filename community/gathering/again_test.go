package gathering_test

import (
	"testing"
	"time"

	"siyu/community/gathering"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
)

// TestLeftAfterCheckIn: whoever gave his place up after he was checked in, as an
// older version let him, has it again the next day, also where somebody else has
// it; whoever left before is not brought back.
func TestLeftAfterCheckIn(t *testing.T) {
	on(t, 2, func(h *house) {
		there, gone, stays, waits := h.member(), h.member(), h.member(), h.member()
		other, err := h.Create(owner, h.group, h.in(3))
		h.ok(err)
		sign := func(event id.Gathering, people ...id.Member) {
			t.Helper()
			for _, m := range people {
				_, err := h.SignUp(bg, event, m)
				h.ok(err)
			}
		}
		sign(h.event, there, gone, stays)
		sign(other, waits)
		h.ok(h.Leave(bg, h.event, gone)) // the line's head has his place
		h.DB.Clock.Jump(23*time.Hour + 30*time.Minute)
		code, err := h.DoorCode(owner, h.event)
		h.ok(err)
		h.ok(h.CheckIn(bg, h.event, there, code))
		code, err = h.DoorCode(owner, other)
		h.ok(err)
		h.ok(h.CheckIn(bg, other, waits, code))
		h.ok(h.DB.Tx(bg, func(tx *database.Tx) error {
			if err := tx.Exec("UPDATE gathering_seats SET status = 'left' WHERE checked_at <> 0").Error; err != nil {
				return err
			}
			return tx.Exec("UPDATE gatherings SET taken = taken - 1").Error
		}))
		sign(h.event, waits)
		proofs, err := gathering.Verify(bg, h.DB)
		h.ok(err)
		if n := len(proofs[0].Broken); n != 2 {
			t.Fatalf("%d events are broken, want both", n)
		}
		reg := task.NewRegistry()
		h.Register(reg)
		for range 2 {
			h.DB.Clock.Jump(24 * time.Hour)
			h.ok(task.Tick(bg, h.DB, reg))
		}
		h.is(there, gathering.SeatIn)
		h.is(stays, gathering.SeatIn)
		h.is(waits, gathering.SeatIn)
		h.is(gone, gathering.SeatLeft)
		g, err := h.Find(owner, h.event)
		h.ok(err)
		o, err := h.Find(owner, other)
		h.ok(err)
		if g.Capacity != 3 || g.Taken != 3 || o.Capacity != 3 || o.Taken != 1 {
			t.Errorf("places: %d of %d, want 3 of 3; %d of %d, want 1 of 3", g.Taken, g.Capacity, o.Taken, o.Capacity)
		}
	})
}
