package community

import (
	"context"
	"fmt"
	"slices"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// activityRow is one event as it lies in the table; Day is the local day of
// the group's zone when it was received.
type activityRow struct {
	GroupID    id.Group     `gorm:"column:group_id"`
	EventID    string       `gorm:"column:event_id"`
	MemberID   id.Member    `gorm:"column:member_id"`
	Kind       ActivityKind `gorm:"column:kind"`
	At         clock.Milli  `gorm:"column:at"`
	Day        int          `gorm:"column:day"`
	ReceivedAt clock.Milli  `gorm:"column:received_at"`
}

// TableName is the table's.
func (activityRow) TableName() string { return "activity_events" }

// activityLook bounds the lists of ids one statement is asked for.
const activityLook = 200

// PutActivity records up to 500 events of a group in one transaction, in any
// order of time, a result for each in order. An event that stands is not
// written again; one that cannot stand changes nothing for the others.
func (s *Service) PutActivity(ctx context.Context, group id.Group, events []ActivityIn) ([]ActivityResult, error) {
	if err := (ActivityBatch{events}).Validate(); err != nil {
		return nil, err
	}
	var out []ActivityResult
	err := Again(func() error {
		return s.DB.Tx(ctx, func(tx *database.Tx) error {
			var err error
			out, err = putActivity(tx, group, events)
			return err
		})
	})
	return out, err
}

func putActivity(tx *database.Tx, group id.Group, events []ActivityIn) ([]ActivityResult, error) {
	g, err := lockGroup(tx, group)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(g.Zone)
	if err != nil {
		return nil, fmt.Errorf("community: zone of %s: %w", group, err)
	}
	live, err := actingMembers(tx, events)
	if err != nil {
		return nil, err
	}
	known, err := knownActivity(tx, group, events)
	if err != nil {
		return nil, err
	}
	out := make([]ActivityResult, len(events))
	var fresh []activityRow
	for i, in := range events {
		out[i] = ActivityResult{EventID: in.EventID, Result: ActivityConflict}
		member := live[in.MemberID]
		stands, had := known[in.EventID]
		switch {
		case member == 0:
			out[i].Err = ErrMemberUnknown.With("member", in.MemberID)
		case in.At > tx.Now:
			out[i].Err = ErrActivityAhead
		case had && (stands.MemberID != member || stands.Kind != in.Kind || stands.At != in.At):
			out[i].Err = ErrActivityDiffers.With("event", in.EventID)
		case had:
			out[i].Result = ActivityRepeated
		default:
			out[i].Result = ActivityRecorded
			row := activityRow{group, in.EventID, member, in.Kind, in.At, clock.Day(time.UnixMilli(int64(in.At)), zone), tx.Now}
			known[in.EventID] = row
			fresh = append(fresh, row)
		}
	}
	if len(fresh) == 0 {
		return out, nil
	}
	if err := tx.Create(&fresh).Error; err != nil {
		return nil, raced(err)
	}
	return out, database.AuditTx(tx, "group.activity", group, nil, map[string]int{"recorded": len(fresh)})
}

// actingMembers maps the events' members to the live ones the actor may see.
// They are not locked: an event keeps the id it was written with.
func actingMembers(tx *database.Tx, events []ActivityIn) (map[id.Member]id.Member, error) {
	named := make([]id.Member, len(events))
	for i, in := range events {
		named[i] = in.MemberID
	}
	slices.Sort(named)
	live := map[id.Member]id.Member{}
	for part := range slices.Chunk(slices.Compact(named), activityLook) {
		var rows []struct {
			ID, Live id.Member
			UnitID   id.Unit
		}
		err := tx.Raw(`SELECT m.id, t.id AS live, t.unit_id FROM members m
			JOIN members t ON t.id = CASE WHEN m.merged_into <> 0 THEN m.merged_into ELSE m.id END
			WHERE m.id IN ? AND t.status = ?`, part, MemberActive).Scan(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("community: members of activity: %w", err)
		}
		for _, r := range rows {
			if tx.Actor.Sees(r.UnitID) {
				live[r.ID] = r.Live
			}
		}
	}
	return live, nil
}

// knownActivity are those of the events that stand, each with its live member.
func knownActivity(tx *database.Tx, group id.Group, events []ActivityIn) (map[string]activityRow, error) {
	known := make(map[string]activityRow, len(events))
	for part := range slices.Chunk(events, activityLook) {
		ids := make([]string, len(part))
		for i, in := range part {
			ids[i] = in.EventID
		}
		var rows []activityRow
		err := tx.Raw(`SELECT e.event_id, e.kind, e.at, CASE WHEN m.merged_into <> 0 THEN m.merged_into ELSE m.id END AS member_id
			FROM activity_events e JOIN members m ON m.id = e.member_id
			WHERE e.group_id = ? AND e.event_id IN ?`, group, ids).Scan(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("community: activity of %s: %w", group, err)
		}
		for _, r := range rows {
			known[r.EventID] = r
		}
	}
	return known, nil
}
