package guard

import (
	"context"
	"fmt"
	"slices"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// verifyGroups is how many groups one snapshot replays.
const verifyGroups = 100

// Verify proves V8: it replays every slot against the caps written on it. It
// counts on its own, by calendar dates and plain loops, and shares nothing
// with Decide but the table.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	proof := database.Proof{ID: "V8", Says: "every slot was within the caps written on it when reserved; late and unplanned ones carry their record; no delivery outside its window, in quiet hours or in a silence"}
	for after := id.Group(0); ; {
		var groups []id.Group
		err := db.Snapshot(ctx, func(q *database.Query) error {
			err := q.Raw("SELECT group_id FROM group_guards WHERE group_id > ? ORDER BY group_id LIMIT ?", after, verifyGroups).Scan(&groups).Error
			if err != nil || len(groups) == 0 {
				return err
			}
			return replayGroups(q, groups, &proof)
		})
		if err != nil {
			return nil, fmt.Errorf("guard: verify: %w", err)
		}
		if len(groups) == 0 {
			return []database.Proof{proof}, nil
		}
		after = groups[len(groups)-1]
	}
}

func replayGroups(q *database.Query, groups []id.Group, proof *database.Proof) error {
	var slots []Slot
	if err := q.Raw("SELECT "+slotColumns+" FROM slots WHERE group_id IN ? ORDER BY group_id, seq", groups).Scan(&slots).Error; err != nil {
		return err
	}
	record, err := recorded(q, slots)
	if err != nil {
		return err
	}
	if err := permitted(q, slots, proof); err != nil {
		return err
	}
	if err := lawful(q, groups, slots, proof); err != nil {
		return err
	}
	if err := notInSilence(q, groups, slots, proof); err != nil {
		return err
	}
	for from := 0; from < len(slots); {
		to := from
		for to < len(slots) && slots[to].GroupID == slots[from].GroupID {
			to++
		}
		replay(slots[from:to], record, proof)
		from = to
	}
	return nil
}

// notInSilence finds deliveries that began in a silence which was known by then.
func notInSilence(q *database.Query, groups []id.Group, slots []Slot, proof *database.Proof) error {
	var all []struct {
		Scope           Scope
		Unit            id.Unit
		GroupID         id.Group
		CampaignID      id.Campaign
		FromAt, UntilAt clock.Milli
		Called          int64
	}
	err := q.Raw(`SELECT s.scope, COALESCE(u.unit_id, 0) AS unit, s.group_id, s.campaign_id, s.from_at, s.until_at, s.id AS called
		FROM guard_silences s LEFT JOIN guard_silence_units u ON u.silence_id = s.id AND s.scope = 'unit'
		WHERE s.group_id = 0 OR s.group_id IN ?`, groups).Scan(&all).Error
	if err != nil {
		return err
	}
	for _, x := range slots {
		for _, s := range all {
			h := hush{s.Scope, s.Unit, s.GroupID, s.CampaignID, Window{}}
			if x.StartedAt >= s.FromAt && x.StartedAt < s.UntilAt && id.MilliOf(x.StartedNo)-id.MilliOf(s.Called) >= hushed.Milliseconds() && h.of(x.UnitID, x.GroupID, x.CampaignID) {
				proof.Break("%s of %s: its delivery began in a silence", x.ID, x.GroupID)
			}
		}
	}
	return nil
}

// recorded are those of the late and unplanned slots that have their record.
func recorded(q *database.Query, slots []Slot) (map[id.Slot]bool, error) {
	var of []id.Group
	for _, s := range slots {
		if s.Late || s.Unplanned {
			of = append(of, s.GroupID)
		}
	}
	slices.Sort(of)
	record := map[id.Slot]bool{}
	// Found by group: an index by slot would be paid for by every reservation.
	for part := range slices.Chunk(slices.Compact(of), 100) {
		var kept []id.Slot
		err := q.Raw("SELECT slot_id FROM decisions WHERE group_id IN ? AND outcome IN ?", part, []Outcome{OutcomeLate, OutcomeUnplanned}).Scan(&kept).Error
		if err != nil {
			return nil, err
		}
		for _, s := range kept {
			record[s] = true
		}
	}
	return record, nil
}

// replay walks one group's slots in the order they were reserved.
func replay(slots []Slot, record map[id.Slot]bool, proof *database.Proof) {
	for i, s := range slots {
		proof.Checked++
		loc, err := time.LoadLocation(s.Zone)
		if err != nil {
			proof.Break("%s: zone %s is unknown", s.ID, s.Zone)
			continue
		}
		if i > 0 && slots[i-1].Seq == s.Seq {
			proof.Break("%s and %s of %s share sequence %d", slots[i-1].ID, s.ID, s.GroupID, s.Seq)
		}
		if !s.Unplanned {
			others := othersAt(slots, s)
			for _, wrong := range append(recount(s, others, loc), afterAdvance(slots, s, others, loc)...) {
				proof.Break("%s of %s: %s", s.ID, s.GroupID, wrong)
			}
		}
		for _, wrong := range history(s, record[s.ID]) {
			proof.Break("%s of %s: %s", s.ID, s.GroupID, wrong)
		}
	}
}

// moments are the first and the last at which a slot may show.
type moments struct{ first, last clock.Milli }

// momentsAt is what the slot counted as right after the event seq.
func (s Slot) momentsAt(seq int64) moments {
	if s.ConfirmedSeq != 0 && s.ConfirmedSeq <= seq {
		return moments{s.ConfirmedAt, s.ConfirmedAt}
	}
	return moments{s.FromAt, s.ToAt - 1}
}

// othersAt is what counted when the slot was reserved.
func othersAt(slots []Slot, s Slot) []moments {
	var others []moments
	for _, o := range slots {
		if o.ID == s.ID || o.Seq > s.Seq || o.ReleasedSeq != 0 && o.ReleasedSeq <= s.Seq {
			continue
		}
		others = append(others, o.momentsAt(s.Seq))
	}
	return others
}

// recount counts a slot's reservation again and says what it broke.
func recount(s Slot, others []moments, loc *time.Location) []string {
	var wrong []string
	own := s.momentsAt(s.Seq)
	over := func(what string, n, limit int) {
		if limit != Unlimited && n+1 > limit {
			wrong = append(wrong, fmt.Sprintf("%d in a %s, %d allowed", n+1, what, limit))
		}
	}
	over("local day", mostByDate(own, others, loc, dayNumber), s.CapDay)
	over("ISO week", mostByDate(own, others, loc, weekNumber), s.CapWeek)
	over("span of 7 × 24 h", mostWithin(own, others, 7*day), s.CapWeek)
	over("calendar month", mostByDate(own, others, loc, monthNumber), s.CapMonth)
	over("span of 30 × 24 h", mostWithin(own, others, 30*day), s.CapMonth)
	over("life", len(others), s.CapLife)
	over("local day by health", mostByDate(own, others, loc, dayNumber), s.CareDay)
	over("ISO week by health", mostByDate(own, others, loc, weekNumber), s.CareWeek)
	over("span of 7 × 24 h by health", mostWithin(own, others, 7*day), s.CareWeek)
	over("calendar month by health", mostByDate(own, others, loc, monthNumber), s.CareMonth)
	over("span of 30 × 24 h by health", mostWithin(own, others, 30*day), s.CareMonth)
	if platformBroken(s, own, others, loc) {
		wrong = append(wrong, "more than the platform's "+string(s.Platform))
	}
	for _, o := range others {
		if o.last <= own.first && int64(own.first-o.last) < int64(s.CareGapMinutes)*minuteMilli {
			wrong = append(wrong, fmt.Sprintf("%d minutes after another in a tired group, %d kept", int64(own.first-o.last)/minuteMilli, s.CareGapMinutes))
			break
		}
	}
	for _, o := range others {
		apart := max(o.first-own.last, own.first-o.last, 0)
		if int64(apart) < int64(s.GapMinutes)*minuteMilli {
			wrong = append(wrong, fmt.Sprintf("%d minutes from another, %d kept", int64(apart)/minuteMilli, s.GapMinutes))
			break
		}
	}
	if s.ToAt-s.FromAt > clock.Milli(WindowMax.Milliseconds()) || s.ToAt <= s.FromAt {
		wrong = append(wrong, "its window is not one of up to 24 h")
	}
	for t := own.first; t <= own.last; t = t.Add(time.Minute) {
		local := t.Time().In(loc)
		minute := local.Hour()*60 + local.Minute()
		if s.quiet(minute) {
			return append(wrong, "its window holds the quiet "+hhmm(int64(minute)))
		}
	}
	return wrong
}

// platformBroken counts against the platform's own cap, a fifth of which is
// kept for service notices.
func platformBroken(s Slot, own moments, others []moments, loc *time.Location) bool {
	switch s.Platform {
	case PlatformDay:
		return mostByDate(own, others, loc, dayNumber) > 0
	case PlatformWeek:
		return mostByDate(own, others, loc, weekNumber)+1 > 5
	case PlatformMonth:
		for _, t := range []clock.Milli{own.first, own.last} { // a window touches two months at most
			local := t.Time().In(loc)
			days := time.Date(local.Year(), local.Month()+1, 0, 12, 0, 0, 0, loc).Day()
			if mostByDate(moments{t, t}, others, loc, monthNumber)+1 > days*4/5 {
				return true
			}
		}
	}
	return false
}

func (s Slot) quiet(minute int) bool {
	policy, charter := Quiet{s.QuietFrom, s.QuietTo}, Quiet{s.CharterQuietFrom, s.CharterQuietTo}
	return policy.From != policy.To && policy.Holds(minute) || charter.From != charter.To && charter.Holds(minute)
}

func dayNumber(t time.Time) int { return clock.Day(t, t.Location()) }
func weekNumber(t time.Time) int {
	y, w := t.ISOWeek()
	return y*100 + w
}
func monthNumber(t time.Time) int { return t.Year()*100 + int(t.Month()) }

// mostByDate is the most others in any of the periods that own touches. Window
// bounds are walked hour by hour: no day is shorter.
func mostByDate(own moments, others []moments, loc *time.Location, number func(time.Time) int) int {
	of := func(t clock.Milli) int { return number(t.Time().In(loc)) }
	most := 0
	for t := own.first; ; t = min(t.Add(time.Hour), own.last) {
		n := 0
		for _, o := range others {
			if of(o.first) <= of(t) && of(t) <= of(o.last) {
				n++
			}
		}
		most = max(most, n)
		if t == own.last {
			return most
		}
	}
}

// mostWithin is the most others that can lie in one span of the length with a
// moment of own.
func mostWithin(own moments, others []moments, length time.Duration) int {
	most := 0
	for _, begin := range append([]moments{own}, others...) {
		from := begin.last // the latest beginning that still holds it
		to := from.Add(length)
		if from > own.last || to <= own.first {
			continue
		}
		n := 0
		for _, o := range others {
			if o.first < to && o.last >= from {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// history says what is wrong with what happened to a slot after it was
// reserved.
func history(s Slot, recorded bool) []string {
	var wrong []string
	note := func(bad bool, what string) {
		if bad {
			wrong = append(wrong, what)
		}
	}
	outside := s.ConfirmedAt != 0 && (s.ConfirmedAt < s.FromAt || s.ConfirmedAt >= s.ToAt)
	note(outside != s.Late, "shown outside its window and not marked late, or the reverse")
	note((s.Late || s.Unplanned) && !recorded, "late or unplanned without its record")
	note(s.StartedAt != 0 && (s.StartedAt < s.FromAt || s.StartedAt >= s.ToAt), "its delivery started outside its window")
	note(s.ConfirmedAt != 0 && s.ReleasedAt != 0, "confirmed and released")
	note(s.StartedAt != 0 && s.ReleaseReason == ReleaseTaken, "taken by another promotion, and its delivery began")
	note((s.ConfirmedAt != 0) != (s.ConfirmedSeq != 0) || (s.ReleasedAt != 0) != (s.ReleasedSeq != 0), "an event without its sequence")
	counts := s.momentsAt(max(s.Seq, s.ConfirmedSeq))
	note(s.ReleasedAt == 0 && (s.FirstAt != counts.first || s.LastAt != counts.last), "it counts at other moments than it should")
	return wrong
}
