package gathering

import (
	"fmt"
	"slices"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/internal/webhook"
)

// eventDue names those to be reminded of an event.
const eventDue webhook.Type = "gathering.due"

// remindAhead is how long before an event whoever comes is reminded of it.
const remindAhead = 24 * time.Hour

// remind is the reminder of one start of an event; that of a start that was
// moved finds another one and does nothing.
type remind struct {
	Gathering id.Gathering `json:"gathering_id"`
	StartsAt  clock.Milli  `json:"starts_at"`
}

// Kind is the task's name.
func (remind) Kind() string { return "gathering:remind" }

// Register takes the room's work.
func (s *Service) Register(r *task.Registry) {
	task.Handle(r, remindTx)
	task.Every(r, "gathering:seat_again", 24*time.Hour, s.seatAgain)
}

// remindTx asks for the event's reminder, unless less than the time ahead is
// left: who signs up for tomorrow knows it.
func (g Gathering) remindTx(tx *database.Tx) error {
	at := g.StartsAt.Add(-remindAhead)
	if at <= tx.Now {
		return nil
	}
	return task.EnqueueTx(tx, remind{g.ID, g.StartsAt}, at)
}

// remindTx tells who has a place, a part of them at a time. A seat keeps the
// start it was reminded of, so nobody is told twice of one.
func remindTx(tx *database.Tx, a remind) error {
	g, err := one(tx.DB, a.Gathering, tx.Dialect.ForUpdate)
	if err != nil || g.Status != StatusOpen || g.StartsAt != a.StartsAt || g.StartsAt <= tx.Now {
		return err
	}
	var seats []Seat
	err = tx.Raw("SELECT "+seatColumns+" FROM gathering_seats WHERE gathering_id = ? AND status = ? AND reminded_for <> ? ORDER BY waited_at, id LIMIT ?",
		g.ID, SeatIn, g.StartsAt, toldAtOnce).Scan(&seats).Error
	if err != nil || len(seats) == 0 {
		return err
	}
	ids, people := make([]int64, len(seats)), make([]id.Member, len(seats))
	for i, seat := range seats {
		ids[i], people[i] = seat.ID, seat.MemberID
	}
	live, err := community.FollowMerges(tx.DB, people)
	if err != nil {
		return err
	}
	for i, m := range people {
		people[i] = live[m]
	}
	fact := g.fact()
	fact["member_ids"] = slices.Compact(slices.Sorted(slices.Values(people)))
	if err := webhook.PublishTx(tx, eventDue, fact); err != nil {
		return err
	}
	if err := tx.Exec("UPDATE gathering_seats SET reminded_for = ? WHERE id IN ?", g.StartsAt, ids).Error; err != nil {
		return fmt.Errorf("gathering: remind of %s: %w", g.ID, err)
	}
	if len(seats) < toldAtOnce {
		return nil
	}
	return task.EnqueueTx(tx, a, tx.Now)
}
