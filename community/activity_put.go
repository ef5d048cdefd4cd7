package community

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
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
	ToID       id.Member    `gorm:"column:to_id"`
	Topic      string       `gorm:"column:topic"`
}

// TableName is the table's.
func (activityRow) TableName() string { return "activity_events" }

// activityLook bounds the lists of ids one statement is asked for; from 200 on
// MariaDB guesses instead of looking into the index.
const activityLook = 190

// PutActivity records up to 500 events of a group in one transaction, in any
// order of time, a result for each in order. An event that stands is not
// written again; one that cannot stand changes nothing for the others. The
// days it touches are marked to be counted.
func (s *Service) PutActivity(ctx context.Context, group id.Group, in ActivityBatch) ([]ActivityResult, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	return s.putActivity(ctx, group, in, acting{})
}

// putActivity records a valid batch, of a stream more than 500 events, in one
// transaction. Who acts is added to those known.
func (s *Service) putActivity(ctx context.Context, group id.Group, in ActivityBatch, live acting) ([]ActivityResult, error) {
	var out []ActivityResult
	err := Again(func() error {
		return s.DB.Tx(ctx, func(tx *database.Tx) error {
			var err error
			out, err = putActivityTx(tx, group, in, live)
			return err
		})
	})
	return out, err
}

func putActivityTx(tx *database.Tx, group id.Group, batch ActivityBatch, live acting) ([]ActivityResult, error) {
	g, err := lockGroup(tx, group)
	if err != nil {
		return nil, err
	}
	zone, err := g.Location()
	if err != nil {
		return nil, err
	}
	if err := closeDays(tx, group, zone, batch.CompleteDays); err != nil {
		return nil, err
	}
	events := batch.Events
	if err := live.read(tx, events); err != nil {
		return nil, err
	}
	known := make(map[string]activityRow, len(events))
	out := make([]ActivityResult, 0, len(events))
	var fresh []activityRow
	for part := range slices.Chunk(events, activityMax) {
		results, rows, err := recordActivity(tx, g, zone, part, live, known)
		if err != nil {
			return nil, err
		}
		out, fresh = append(out, results...), append(fresh, rows...)
	}
	days := slices.Clone(batch.CompleteDays)
	for _, row := range fresh {
		days = append(days, row.Day)
	}
	if len(days) == 0 {
		return out, nil
	}
	if err := MarkTx(tx, group, days); err != nil {
		return nil, err
	}
	return out, database.AuditTx(tx, "group.activity", group, nil, map[string]int{"recorded": len(fresh)})
}

// recordActivity writes those of up to 500 events that are new, in one
// statement. Mostly all are: what stands is looked up only when the insert says
// that something does. Known are those this transaction saw before.
func recordActivity(tx *database.Tx, g Group, zone *time.Location, events []ActivityIn, live acting, known map[string]activityRow) ([]ActivityResult, []activityRow, error) {
	out, fresh := sortActivity(tx, g, zone, events, live, known)
	err := insertActivity(tx, fresh)
	if database.IsDuplicate(err) {
		for _, row := range fresh {
			delete(known, row.EventID)
		}
		stand, failed := knownActivity(tx, g.ID, events)
		if failed != nil {
			return nil, nil, failed
		}
		maps.Copy(known, stand)
		out, fresh = sortActivity(tx, g, zone, events, live, known)
		err = insertActivity(tx, fresh)
	}
	return out, fresh, raced(err)
}

// sortActivity says what becomes of each event, given those that stand, to
// which it adds the fresh ones.
func sortActivity(tx *database.Tx, g Group, zone *time.Location, events []ActivityIn, live acting, known map[string]activityRow) ([]ActivityResult, []activityRow) {
	out := make([]ActivityResult, len(events))
	fresh := make([]activityRow, 0, len(events))
	for i, in := range events {
		out[i] = ActivityResult{EventID: in.EventID, Result: ActivityRefused}
		member := live[in.MemberID]
		stands, had := known[in.EventID]
		switch {
		case member == 0:
			out[i].Err = ErrMemberUnknown.With("member", in.MemberID).Field("member_id", "unknown_value", "没有这个会员，请先建档", "there is no such member; make it first")
		case in.At > tx.Now:
			out[i].Err = ErrActivityAhead.Field("at", "range", "不能晚于现在，请核对时钟与时区", "lies ahead; check the clock and the zone")
		case in.At < tx.Now.Add(-ActivityKept):
			out[i].Err = ErrActivityOld.With("days", int(ActivityKept/(24*time.Hour))).Field("at", "range", "太早，不必再报", "lies too far back; do not report it any more")
		case in.ToID != 0 && live[in.ToID] == 0:
			out[i].Err = ErrMemberUnknown.With("member", in.ToID).Field("to_member_id", "unknown_value", "没有这个会员，请先建档", "there is no such member; make it first")
		case had && (stands.MemberID != member || stands.Kind != in.Kind || stands.At != in.At || stands.ToID != live[in.ToID] || stands.Topic != in.Topic):
			out[i].Result = ActivityConflict
			out[i].Err = ErrActivityDiffers.With("event", in.EventID).Field("event_id", "duplicate", "换一个编号，或照原样重发", "give it another id, or send it as it was")
		case had:
			out[i].Result = ActivityRepeated
		default:
			out[i].Result = ActivityRecorded
			row := activityRow{g.ID, in.EventID, member, in.Kind, in.At, clock.Day(time.UnixMilli(int64(in.At)), zone), tx.Now, live[in.ToID], in.Topic}
			known[in.EventID] = row
			fresh = append(fresh, row)
		}
	}
	return out, fresh
}

// insertActivity writes rows in one statement. Numbers, kinds, which are ours,
// and plain names of events stand in its text: the driver would quote four
// thousand values.
func insertActivity(tx *database.Tx, rows []activityRow) error {
	if len(rows) == 0 {
		return nil
	}
	text := make([]byte, 0, 100*len(rows)+120)
	text = append(text, "INSERT INTO activity_events (group_id, event_id, member_id, kind, at, day, received_at, to_id, topic) VALUES "...)
	var args []any
	for i, r := range rows {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(strconv.AppendInt(append(text, '('), int64(r.GroupID), 10), ',')
		var plain bool
		if text, plain = database.AppendPlain(text, r.EventID); !plain {
			text, args = append(text, '?'), append(args, r.EventID)
		}
		text = append(strconv.AppendInt(append(text, ','), int64(r.MemberID), 10), ",'"...)
		text = append(append(text, r.Kind...), "',"...)
		text = append(strconv.AppendInt(text, int64(r.At), 10), ',')
		text = append(strconv.AppendInt(text, int64(r.Day), 10), ',')
		text = append(strconv.AppendInt(text, int64(r.ReceivedAt), 10), ',')
		text = strconv.AppendInt(text, int64(r.ToID), 10)
		if r.Topic == "" {
			text = append(text, ",'')"...)
			continue
		}
		text, args = append(text, ",?)"...), append(args, r.Topic)
	}
	return tx.Exec(string(text), args...).Error
}

// closeDays notes days of which all was reported. A day that is not over, or
// whose events are gone, cannot be.
func closeDays(tx *database.Tx, group id.Group, zone *time.Location, days []int) error {
	today, oldest := clock.Day(tx.Now.Time(), zone), clock.Day(tx.Now.Add(-ActivityKept).Time(), zone)
	known, err := CompleteDays(tx.DB, group, days)
	if err != nil {
		return err
	}
	for i, d := range days {
		if d >= today || d <= oldest || !isDay(d) {
			return fault.Invalid.Field(fmt.Sprintf("complete_days[%d]", i), "range",
				"应为已结束的本地日期（yyyymmdd）", "must be a local day that is over, yyyymmdd")
		}
		if known[d] {
			continue
		}
		known[d] = true
		err := tx.Exec("INSERT INTO activity_reports (group_id, day, received_at) VALUES (?, ?, ?)", group, d, tx.Now).Error
		if err != nil {
			return fmt.Errorf("community: report of %s: %w", group, err)
		}
	}
	return nil
}

func isDay(d int) bool {
	return clock.Day(time.Date(d/10000, time.Month(d/100%100), d%100, 12, 0, 0, 0, time.UTC), time.UTC) == d
}

// acting are members whom events name, each with the live one the actor may
// see. They are not locked: an event keeps the id it was written with, whatever
// becomes of its member, so a stream asks for each once.
type acting map[id.Member]id.Member

// read adds who is named and not known yet.
func (live acting) read(tx *database.Tx, events []ActivityIn) error {
	var named []id.Member
	asked := map[id.Member]bool{0: true}
	ask := func(m id.Member) {
		if live[m] == 0 && !asked[m] {
			asked[m], named = true, append(named, m)
		}
	}
	for _, in := range events {
		ask(in.MemberID)
		ask(in.ToID)
	}
	slices.Sort(named)
	for part := range slices.Chunk(named, activityLook) {
		var rows []struct {
			ID, Live id.Member
			UnitID   id.Unit
		}
		err := tx.Raw(`SELECT m.id, t.id AS live, t.unit_id FROM members m
			JOIN members t ON t.id = CASE WHEN m.merged_into <> 0 THEN m.merged_into ELSE m.id END
			WHERE m.id IN ? AND t.status = ?`, part, MemberActive).Scan(&rows).Error
		if err != nil {
			return fmt.Errorf("community: members of activity: %w", err)
		}
		for _, r := range rows {
			if tx.Actor.Sees(r.UnitID) {
				live[r.ID] = r.Live
			}
		}
	}
	return nil
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
		err := tx.Raw(`SELECT e.event_id, e.kind, e.at, e.topic, CASE WHEN m.merged_into <> 0 THEN m.merged_into ELSE m.id END AS member_id,
				CASE WHEN t.merged_into <> 0 THEN t.merged_into ELSE e.to_id END AS to_id
			FROM activity_events e JOIN members m ON m.id = e.member_id LEFT JOIN members t ON t.id = e.to_id
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
