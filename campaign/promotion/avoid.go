package promotion

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"siyu/campaign/calendar"
	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
)

// ErrOpenDay refuses to take ads back for a day on which they are in place.
var ErrOpenDay = fault.New(fault.KindConflict, "promotion.day_open", "这一天没有设为不宜促销", "the day is not one to avoid")

// dayBack takes back the ads on a day to avoid in a unit and below, by default
// the one that added the day; with slots those alone, which are asked for again
// from Until on, else it looks for them.
type dayBack struct {
	Day   id.CalendarDay `json:"day"`
	Unit  id.Unit        `json:"unit,omitempty"`
	Until clock.Milli    `json:"until,omitempty"`
	Slots []id.Slot      `json:"slots,omitempty"`
}

func (dayBack) Kind() string { return "promotion:day_back" }

// OnDay counts the ads that have a slot on a day which a unit avoids, in the
// unit and all below it, and were not shown. Of a day that a unit above the
// caller's added they are those of his own and below.
func (s *Service) OnDay(ctx context.Context, day id.CalendarDay) (n int, err error) {
	d, err := s.Dates.FindDay(ctx, day)
	if err != nil || !d.Avoid {
		return 0, err
	}
	err = s.onDay(ctx, d, keptBy(ctx, d), func(found map[clock.Milli][]id.Slot) error {
		for _, slots := range found {
			n += len(slots)
		}
		return nil
	})
	return n, err
}

// keptBy is the unit in and below which the caller counts and takes back.
func keptBy(ctx context.Context, d calendar.Day) id.Unit {
	if a := database.ActorOf(ctx); !a.Sees(d.UnitID) {
		return a.Unit
	}
	return d.UnitID
}

// RecallDay has all of these taken back, at their channels' pace. What has some
// of its window left after the day is asked for again then.
func (s *Service) RecallDay(ctx context.Context, day id.CalendarDay) error {
	d, err := s.Dates.FindDay(ctx, day)
	switch {
	case err != nil:
		return err
	case !d.Avoid:
		return ErrOpenDay
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		if err := task.EnqueueTx(tx, dayBack{Day: day, Unit: keptBy(ctx, d)}, tx.Now); err != nil {
			return err
		}
		return database.AuditTx(tx, "calendar_day.recall", day, nil, map[string]any{"from_day": d.FromDay, "to_day": d.ToDay, "unit_id": keptBy(ctx, d)})
	})
}

func (s *Service) dayBack(ctx context.Context, _ task.Job, a dayBack) error {
	d, err := s.Dates.FindDay(ctx, a.Day)
	if err != nil || !d.Avoid {
		return ignoreMissing(err)
	}
	if len(a.Slots) > 0 {
		if a.Until <= s.now() {
			return nil
		}
		return s.withdrawAll(ctx, a.Slots, putBack{guard.ReleaseCancelled, a.Until, guard.RuleMourning})
	}
	return s.onDay(ctx, d, cmp.Or(a.Unit, d.UnitID), func(found map[clock.Milli][]id.Slot) error {
		return s.DB.Tx(ctx, func(tx *database.Tx) error {
			for _, until := range slices.Sorted(maps.Keys(found)) {
				for part := range slices.Chunk(found[until], deliverMost) {
					if err := task.EnqueueTx(tx, dayBack{a.Day, a.Unit, until, part}, tx.Now); err != nil {
						return err
					}
				}
			}
			return nil
		})
	})
}

// onDay hands over the slots in a unit and below that lie on a day, by when the
// day is over in their group's zone, some at a time.
func (s *Service) onDay(ctx context.Context, d calendar.Day, unit id.Unit, each func(map[clock.Milli][]id.Slot) error) error {
	q := s.DB.Read(ctx)
	units, err := calendar.UnitsOf(q, unit)
	if err != nil {
		return err
	}
	return eachWaiting(q, func(slots []id.Slot, rows map[id.Slot]guard.Slot) error {
		groups, err := community.GroupsIn(q, groupsIn(rows))
		if err != nil {
			return err
		}
		found := map[clock.Milli][]id.Slot{}
		for _, slot := range slots {
			x := rows[slot]
			zone, err := groups[x.GroupID].Location()
			if err != nil {
				return err
			}
			from, until := dayIn(d.FromDay, 0, zone), dayIn(d.ToDay, 1, zone)
			if units[x.UnitID] && x.ReleasedAt == 0 && x.ConfirmedAt == 0 && x.FromAt < until && x.ToAt > from && until > s.now() {
				found[until] = append(found[until], slot)
			}
		}
		return each(found)
	})
}

func groupsIn(rows map[id.Slot]guard.Slot) []id.Group {
	seen := map[id.Group]bool{}
	for _, x := range rows {
		seen[x.GroupID] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// dayIn is the beginning of a local day, or of one so many days later.
func dayIn(day, later int, zone *time.Location) clock.Milli {
	noon := time.Date(day/10000, time.Month(day/100%100), day%100+later, 12, 0, 0, 0, zone)
	return clock.MilliOf(clock.StartOfDay(noon, zone))
}
