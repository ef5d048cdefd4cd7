package gathering

import (
	"context"
	"fmt"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// eventChanged names whom to tell of another time or place.
const eventChanged webhook.Type = "gathering.changed"

// Edit changes the version of an event that the caller has read, before it
// begins. With more places the line moves up; never are there fewer than were
// taken. Of another time or place all who come or wait are told, and of another
// time they are reminded anew.
func (s *Service) Edit(ctx context.Context, gathering id.Gathering, version int, in In) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		before, err := lockSeen(tx, gathering)
		switch {
		case err != nil:
			return err
		case before.Version != version:
			return fault.Stale
		case before.Status == StatusCancelled:
			return ErrCancelled
		case before.StartsAt <= tx.Now:
			return ErrBegun
		case in.StartsAt <= tx.Now:
			return startsAhead
		case in.Capacity < before.Taken:
			return fault.Invalid.Field("capacity", "range", fmt.Sprintf("已有 %d 人报名，不能更少", before.Taken), fmt.Sprintf("%d people have a place", before.Taken))
		}
		after := before
		after.Title, after.Place, after.StartsAt, after.EndsAt, after.Capacity = community.CleanLine(in.Title), community.CleanLine(in.Place), in.StartsAt, in.EndsAt, in.Capacity
		after.Version++
		err = database.One(tx.Exec("UPDATE gatherings SET title = ?, place = ?, starts_at = ?, ends_at = ?, capacity = ?, version = ? WHERE id = ?"+tx.Only("version = ?"),
			after.Title, after.Place, after.StartsAt, after.EndsAt, after.Capacity, after.Version, after.ID, version), fault.Stale)
		if err != nil {
			return err
		}
		for waits := true; waits && after.Taken < after.Capacity; {
			if waits, err = after.nextTx(tx); err != nil {
				return err
			}
		}
		if after.StartsAt != before.StartsAt {
			if err := after.remindTx(tx); err != nil {
				return err
			}
		}
		if after.StartsAt != before.StartsAt || after.EndsAt != before.EndsAt || after.Place != before.Place {
			if err := after.tellTx(tx, eventChanged); err != nil {
				return err
			}
		}
		return database.AuditTx(tx, "gathering.edit", after.ID, before, after)
	})
}

var startsAhead = fault.Invalid.Field("starts_at", "range", "须在现在之后", "must lie ahead")

// tellTx tells of the event, naming whoever has a place or waits for one, 200
// at a time.
func (g Gathering) tellTx(tx *database.Tx, event webhook.Type) error {
	var people []id.Member
	err := tx.Raw("SELECT member_id FROM gathering_seats WHERE gathering_id = ? AND status <> ? ORDER BY id LIMIT 2000", g.ID, SeatLeft).Scan(&people).Error
	if err != nil {
		return fmt.Errorf("gathering: people of %s: %w", g.ID, err)
	}
	for from := 0; from == 0 || from < len(people); from += toldAtOnce {
		fact := g.fact()
		fact["member_ids"] = people[from:min(from+toldAtOnce, len(people))]
		if err := webhook.PublishTx(tx, event, fact); err != nil {
			return err
		}
	}
	return nil
}
