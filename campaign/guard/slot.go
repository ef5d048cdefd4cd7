package guard

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Slot is the right to show one ad in one group at some moment of its window.
// Seq, ConfirmedSeq and ReleasedSeq number the events of a group's slots; with
// the caps written on each slot they let Verify replay every reservation.
type Slot struct {
	ID               id.Slot      `json:"id" gorm:"column:id;primaryKey;autoIncrement:false"`
	GroupID          id.Group     `json:"group_id" gorm:"column:group_id"`
	Seq              int64        `json:"seq" gorm:"column:seq"`
	UnitID           id.Unit      `json:"unit_id" gorm:"column:unit_id"`
	CampaignID       id.Campaign  `json:"campaign_id" gorm:"column:campaign_id"`
	PromotionID      id.Promotion `json:"promotion_id" gorm:"column:promotion_id"`
	WindowNo         int          `json:"window_no" gorm:"column:window_no"`
	Freed            id.Slot      `json:"-" gorm:"column:freed"` // 0 while it holds its promotion's window, then its own id
	FromAt           clock.Milli  `json:"from_at" gorm:"column:from_at"`
	ToAt             clock.Milli  `json:"to_at" gorm:"column:to_at"`
	FirstAt          clock.Milli  `json:"-" gorm:"column:first_at"` // the moments it counts at
	LastAt           clock.Milli  `json:"-" gorm:"column:last_at"`
	ReservedAt       clock.Milli  `json:"reserved_at" gorm:"column:reserved_at"`
	StartedAt        clock.Milli  `json:"started_at" gorm:"column:started_at"`
	StartedNo        int64        `json:"-" gorm:"column:started_no"` // made then; ids never go back as clocks may
	ConfirmedAt      clock.Milli  `json:"confirmed_at" gorm:"column:confirmed_at"`
	ConfirmedSeq     int64        `json:"-" gorm:"column:confirmed_seq"`
	ReleasedAt       clock.Milli  `json:"released_at" gorm:"column:released_at"`
	ReleasedSeq      int64        `json:"-" gorm:"column:released_seq"`
	ReleaseReason    Release      `json:"release_reason" gorm:"column:release_reason"`
	Late             bool         `json:"late" gorm:"column:late"`
	Unplanned        bool         `json:"unplanned" gorm:"column:unplanned"`
	CapDay           int          `json:"cap_day" gorm:"column:cap_day"` // -1: none
	CapWeek          int          `json:"cap_week" gorm:"column:cap_week"`
	CapMonth         int          `json:"cap_month" gorm:"column:cap_month"`
	CapLife          int          `json:"cap_life" gorm:"column:cap_life"`
	GapMinutes       int          `json:"gap_minutes" gorm:"column:gap_minutes"`
	QuietFrom        int          `json:"quiet_from" gorm:"column:quiet_from"`
	QuietTo          int          `json:"quiet_to" gorm:"column:quiet_to"`
	CharterQuietFrom int          `json:"charter_quiet_from" gorm:"column:charter_quiet_from"`
	CharterQuietTo   int          `json:"charter_quiet_to" gorm:"column:charter_quiet_to"`
	Preset           Preset       `json:"preset" gorm:"column:preset"`
	Mode             Mode         `json:"mode" gorm:"column:mode"`
	PresetVersion    int          `json:"preset_version" gorm:"column:preset_version"`
	PolicyVersion    int          `json:"policy_version" gorm:"column:policy_version"` // of the group's own
	HouseVersion     int          `json:"house_version" gorm:"column:house_version"`   // of the brand's for the preset; 0: none
	PolicyUnitID     id.Unit      `json:"policy_unit_id" gorm:"column:policy_unit_id"` // the nearest unit with one for the preset
	UnitVersion      int          `json:"unit_version" gorm:"column:unit_version"`
	CharterVersion   int          `json:"charter_version" gorm:"column:charter_version"`
	CareDay          int          `json:"care_day" gorm:"column:care_day"` // the caps scaled by the group's health; -1: none
	CareWeek         int          `json:"care_week" gorm:"column:care_week"`
	CareMonth        int          `json:"care_month" gorm:"column:care_month"`
	CareGapMinutes   int          `json:"care_gap_minutes" gorm:"column:care_gap_minutes"` // since the last ad of a tired group
	Platform         Platform     `json:"platform" gorm:"column:platform"`
	Zone             string       `json:"zone" gorm:"column:zone"`
	PermitID         id.Permit    `json:"permit_id" gorm:"column:permit_id"`
	PermitKind       PermitKind   `json:"permit_kind" gorm:"column:permit_kind"`
}

// TableName is the table's.
func (Slot) TableName() string { return "slots" }

const slotColumns = slotFirst + slotLater

const slotFirst = `id, group_id, seq, unit_id, campaign_id, promotion_id, window_no, freed, from_at, to_at, first_at, last_at,
	reserved_at, started_at, confirmed_at, confirmed_seq, released_at, released_seq, release_reason, late, unplanned,
	cap_day, cap_week, cap_month, cap_life, gap_minutes, quiet_from, quiet_to, charter_quiet_from, charter_quiet_to,
	preset, mode, preset_version, policy_version, charter_version, zone`

// slotLater are columns that slots were given later, with what the schema says
// of a slot that says nothing (usual).
const slotLater = `, permit_id, permit_kind, started_no,
	care_day, care_week, care_month, care_gap_minutes, platform, house_version, policy_unit_id, unit_version`

func (s *Slot) usual() bool {
	return s.PermitID == 0 && s.PermitKind == "" && s.StartedNo == 0 && s.CareDay == Unlimited && s.CareWeek == Unlimited && s.CareMonth == Unlimited &&
		s.CareGapMinutes == 0 && s.Platform == "" && s.HouseVersion == 0 && s.PolicyUnitID == 0 && s.UnitVersion == 0
}

// Status is where a slot stands.
type Status string

// The statuses.
const (
	StatusReserved  Status = "reserved"
	StatusStarted   Status = "started"
	StatusConfirmed Status = "confirmed"
	StatusReleased  Status = "released"
)

// Status says where the slot stands.
func (s Slot) Status() Status {
	switch {
	case s.ReleasedAt != 0:
		return StatusReleased
	case s.ConfirmedAt != 0:
		return StatusConfirmed
	case s.StartedAt != 0:
		return StatusStarted
	}
	return StatusReserved
}

// MarshalJSON adds the status.
func (s Slot) MarshalJSON() ([]byte, error) {
	type columns Slot
	return json.Marshal(struct {
		columns
		Status Status `json:"status"`
	}{columns(s), s.Status()})
}

// slotOf is a slot for the window, with the limits that hold for it: those of
// the policy where it is enforced, the charter's always, the tighter of both.
func slotOf(k *known, d Decision, slot id.Slot, now clock.Milli) Slot {
	p, c, w := k.policy.enforced().lifted(d.By), k.state.Charter, d.Window
	out := Slot{
		ID: slot, GroupID: k.group.ID, Seq: k.guard.LastSeq + 1, UnitID: k.group.UnitID,
		FromAt: w.From, ToAt: w.To, FirstAt: w.From, LastAt: w.To - 1, ReservedAt: now,
		CapDay: Unlimited, CapWeek: Unlimited, CapMonth: Unlimited, CapLife: Unlimited,
		Preset: p.Preset, Mode: p.Mode, PresetVersion: PresetVersion, PolicyVersion: p.Version,
		HouseVersion: p.House, PolicyUnitID: p.OfUnit, UnitVersion: p.Unit,
		CharterVersion: c.Version, Zone: k.state.Zone.String(), PermitID: d.Permit, PermitKind: d.By,
		CareDay: Unlimited, CareWeek: Unlimited, CareMonth: Unlimited, Platform: k.state.Platform,
	}
	out.care(&p, &k.state.Condition, d.By)
	if p.Mode == ModeEnforce {
		out.CapDay, out.CapWeek, out.CapMonth, out.CapLife = p.Day, p.Week, p.Month, p.Life
		out.GapMinutes = int(p.Gap.Minutes())
		out.QuietFrom, out.QuietTo = p.Quiet.From, p.Quiet.To
	}
	if c.Version > 0 {
		out.CapDay, out.CapWeek = tighter(out.CapDay, c.Day), tighter(out.CapWeek, c.Week)
		out.CharterQuietFrom, out.CharterQuietTo = c.Quiet.From, c.Quiet.To
	}
	return out
}

// care writes down what the group's health asked of the slot, where it refuses.
func (s *Slot) care(p *Policy, c *Condition, by PermitKind) {
	if by == PermitOverride {
		return
	}
	if p.refuses(RuleHealth, c.Coverage >= covered) {
		q := p.quota(c, s.FromAt)
		s.CareDay, s.CareWeek, s.CareMonth = q.day, q.week, q.month
	}
	if p.refuses(RuleFatigue, true) {
		s.CareGapMinutes = int(p.tired(c).Minutes())
	}
}

func tighter(a, b int) int {
	if a == Unlimited {
		return b
	}
	return min(a, b)
}

// FindSlot reads a slot the actor may see.
func (s *Service) FindSlot(ctx context.Context, slot id.Slot) (Slot, error) {
	return findSlot(s.DB.Read(ctx), database.ActorOf(ctx), slot)
}

func findSlot(q *database.Query, actor database.Actor, slot id.Slot) (Slot, error) {
	var row Slot
	cond, args := seenBy(actor)
	if err := q.Raw("SELECT "+slotColumns+" FROM slots WHERE id = ?"+cond, append([]any{slot}, args...)...).Scan(&row).Error; err != nil {
		return row, fmt.Errorf("guard: slot %s: %w", slot, err)
	}
	if row.ID == 0 {
		return Slot{}, fault.NotFound
	}
	return row, nil
}

// SlotsIn reads slots by id, whoever asks.
func SlotsIn(q *database.Query, slots []id.Slot) (map[id.Slot]Slot, error) {
	out := make(map[id.Slot]Slot, len(slots))
	for part := range slices.Chunk(slots, 1000) {
		var rows []Slot
		if err := q.Raw("SELECT "+slotColumns+" FROM slots WHERE id IN ?", part).Scan(&rows).Error; err != nil {
			return nil, fmt.Errorf("guard: slots: %w", err)
		}
		for _, r := range rows {
			out[r.ID] = r
		}
	}
	return out, nil
}

// SlotFilter narrows a list of slots; zero fields do not.
type SlotFilter struct {
	Group     id.Group
	Promotion id.Promotion
	Campaign  id.Campaign
}

// ListSlots lists slots, newest first.
func (s *Service) ListSlots(ctx context.Context, f SlotFilter, page database.Page) (database.Paged[Slot], error) {
	cond, args := f.narrow(seenBy(database.ActorOf(ctx)))
	args = append(append([]any{page.Bound()}, args...), page.Fetch())
	var rows []Slot
	err := s.DB.Read(ctx).Raw("SELECT "+slotColumns+" FROM slots WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?", args...).Scan(&rows).Error
	if err != nil {
		return database.Paged[Slot]{}, fmt.Errorf("guard: slots: %w", err)
	}
	return database.Cut(page, rows, func(r Slot) int64 { return int64(r.ID) }), nil
}

// seenBy keeps slots and decisions to the actor's units and, of a group owner,
// to his own groups. A group that moved takes them along, and where they were
// made they stay in sight.
func seenBy(actor database.Actor) (cond string, args []any) {
	if in, units := actor.Within("unit_id"); in != "" {
		cond = " AND (1 = 1" + in + " OR group_id IN (SELECT id FROM chat_groups WHERE 1 = 1" + in + "))"
		args = append(units, units...)
	}
	own, owner := community.OwnGroups(actor, "group_id")
	return cond + own, append(args, owner...)
}

func (f SlotFilter) narrow(cond string, args []any) (string, []any) {
	if f.Group != 0 {
		cond, args = cond+" AND group_id = ?", append(args, f.Group)
	}
	if f.Promotion != 0 {
		cond, args = cond+" AND promotion_id = ?", append(args, f.Promotion)
	}
	if f.Campaign != 0 {
		cond, args = cond+" AND campaign_id = ?", append(args, f.Campaign)
	}
	return cond, args
}
