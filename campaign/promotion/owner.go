package promotion

import (
	"cmp"
	"context"
	"errors"
	"time"

	"siyu/campaign/guard"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
)

// Owner is how the file channel plays the owner of a group, for demos and
// trials; where people work it plays none.
type Owner string

// The owners: one posts at once, one in the last quarter of the slot, one
// never, one half an hour after the slot is over.
const (
	OwnerReal   Owner = ""
	OwnerPrompt Owner = "prompt"
	OwnerSlow   Owner = "slow"
	OwnerAbsent Owner = "absent"
	OwnerLate   Owner = "late"
)

// lateBy is how long after the slot the late owner posts.
const lateBy = 30 * time.Minute

// posts is when the owner posts an ad handed out now; 0 is by his own will or
// never.
func (o Owner) posts(now clock.Milli, w guard.Window) clock.Milli {
	switch o {
	case OwnerSlow:
		return now + (w.To-now)*3/4
	case OwnerLate:
		return w.To.Add(lateBy)
	}
	return 0
}

// playOwner confirms a slot as an owner would.
type playOwner struct {
	Slot id.Slot `json:"slot"`
}

func (playOwner) Kind() string { return "promotion:play_owner" }

func (s *Service) playOwner(ctx context.Context, _ task.Job, a playOwner) error {
	_, err := s.Guard.Confirm(ctx, a.Slot, 0)
	if errors.Is(err, guard.ErrSlotReleased) {
		return nil // it was taken back before
	}
	return err
}

// remind tells the owner once, halfway from the handing out to the slot's end,
// that he has not posted.
type remind struct {
	Slot id.Slot `json:"slot"`
}

func (remind) Kind() string { return "promotion:remind" }

// remindTx enqueues the reminder of an ad that was handed out now.
func remindTx(tx *database.Tx, slot guard.Slot) error {
	return task.EnqueueTx(tx, remind{slot.ID}, tx.Now+(slot.ToAt-tx.Now)/2)
}

func (s *Service) remind(ctx context.Context, _ task.Job, a remind) error {
	o, err := s.outgoing(ctx, a.Slot)
	if err != nil || o.row.Status != SendHanded || o.row.RemindedAt != 0 || o.slot.Status() != guard.StatusStarted || o.slot.ToAt <= s.now() {
		return err
	}
	if wait, err := s.turn(ctx, o.channel.Name(), 1); err != nil || wait > 0 {
		return cmp.Or(err, task.Snooze(wait))
	}
	if err := o.channel.Remind(ctx, o.send); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		return tx.Exec("UPDATE promotion_sends SET reminded_at = ? WHERE slot_id = ?"+tx.Only("reminded_at = 0"), tx.Now, a.Slot).Error
	})
}
