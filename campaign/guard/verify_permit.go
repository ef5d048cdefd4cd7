package guard

import (
	"slices"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// permitted proves of slots that a permit let through that it stood, was
// approved by somebody else than asked, was for that group and moment, and was
// used as often as its kind may be.
func permitted(q *database.Query, slots []Slot, proof *database.Proof) error {
	var of []id.Permit
	for _, s := range slots {
		if s.PermitID != 0 {
			of = append(of, s.PermitID)
		}
	}
	slices.Sort(of)
	permits := map[id.Permit]Permit{}
	for part := range slices.Chunk(slices.Compact(of), 200) {
		var rows []Permit
		if err := q.Raw("SELECT "+permitColumns+" FROM guard_permits WHERE id IN ?", part).Scan(&rows).Error; err != nil {
			return err
		}
		var groups []struct {
			PermitID id.Permit
			GroupID  id.Group
		}
		if err := q.Raw("SELECT permit_id, group_id FROM guard_permit_groups WHERE permit_id IN ?", part).Scan(&groups).Error; err != nil {
			return err
		}
		for _, r := range rows {
			for _, g := range groups {
				if g.PermitID == r.ID {
					r.Groups = append(r.Groups, g.GroupID)
				}
			}
			permits[r.ID] = r
		}
	}
	live := map[[2]int64]id.Slot{}
	for _, s := range slots {
		if s.PermitID == 0 {
			continue
		}
		p := permits[s.PermitID]
		note := func(bad bool, what string) {
			if bad {
				proof.Break("%s of %s by %s %s: %s", s.ID, s.GroupID, s.PermitKind, s.PermitID, what)
			}
		}
		note(p.ID == 0 || p.Kind != s.PermitKind, "there is no such permit")
		note(p.ID != 0 && !slices.Contains(p.Groups, s.GroupID), "the permit is not for the group")
		note(p.ApprovedAt == 0 || p.ApprovedAt > s.ReservedAt || p.RevokedAt != 0 && p.RevokedAt < s.ReservedAt, "it did not stand when the slot was reserved")
		note(p.ApprovedBy != 0 && p.ApprovedBy == p.CreatedBy, "who asked approved")
		note(s.FromAt < p.From || s.ToAt > p.To, "its window lies outside the permit's")
		note(p.PromotionID != 0 && p.PromotionID != s.PromotionID, "it is another promotion's")
		key := [2]int64{int64(s.GroupID), int64(s.PermitID)}
		if s.ReleasedAt == 0 && p.Kind.once() {
			note(live[key] != 0, "it was used twice")
			live[key] = s.ID
		}
	}
	return nil
}

// early are the others that were taken in advance and counted when the slot was
// reserved.
func early(slots []Slot, s Slot) (moved []moments, first []moments) {
	loc, err := time.LoadLocation(s.Zone)
	if err != nil {
		return nil, nil // said elsewhere
	}
	week := func(t clock.Milli) clock.Milli { return clock.MilliOf(t.Time().In(loc).AddDate(0, 0, 7)) }
	for _, o := range slots {
		if o.PermitKind != PermitAdvance || o.Seq >= s.Seq || o.ReleasedSeq != 0 && o.ReleasedSeq <= s.Seq {
			continue
		}
		m := o.momentsAt(s.Seq)
		first = append(first, m)
		moved = append(moved, moments{week(m.first), week(m.first)})
	}
	return moved, first
}

// afterAdvance says what an ad taken in advance still asked of the slot: its
// week has one less, and twice the gap is kept from it.
func afterAdvance(slots []Slot, s Slot, others []moments, loc *time.Location) (wrong []string) {
	if s.Mode != ModeEnforce || s.PermitKind == PermitOverride {
		return nil
	}
	moved, first := early(slots, s)
	if len(moved) == 0 {
		return nil
	}
	own := s.momentsAt(s.Seq)
	if n := mostByDate(own, append(slices.Clone(others), moved...), loc, weekNumber); s.CapWeek != Unlimited && n+1 > s.CapWeek {
		wrong = append(wrong, "an ad taken in advance was not given back")
	}
	for _, e := range first {
		if apart := own.first - e.last; apart >= 0 && int64(apart) < 2*int64(s.GapMinutes)*minuteMilli {
			wrong = append(wrong, "less than twice the gap from an ad taken in advance")
		}
	}
	return wrong
}
