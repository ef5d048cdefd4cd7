package guard

import (
	"context"
	"fmt"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
)

// observeFor is how long an imported group is only observed before its owner
// is shown what would have been refused.
const observeFor = 14 * day

// preset marks a number that the group has not set for itself.
const presets = -1

// groupGuard is the row that a group's reservations queue on: its policy and
// the last sequence number of its slots' events.
type groupGuard struct {
	GroupID      id.Group    `gorm:"column:group_id;primaryKey;autoIncrement:false"`
	Preset       Preset      `gorm:"column:preset"` // "" follows the group
	Mode         Mode        `gorm:"column:mode"`
	WarmUpDays   int         `gorm:"column:warm_up_days"`
	GapHours     int         `gorm:"column:gap_hours"`
	AdsPerDay    int         `gorm:"column:ads_per_day"`
	AdsPerWeek   int         `gorm:"column:ads_per_week"`
	AdsPerMonth  int         `gorm:"column:ads_per_month"`
	QuietFrom    int         `gorm:"column:quiet_from"`
	QuietTo      int         `gorm:"column:quiet_to"`
	ObserveUntil clock.Milli `gorm:"column:observe_until"`
	LastSeq      int64       `gorm:"column:last_seq"`
	Version      int         `gorm:"column:version"`
	CreatedAt    clock.Milli `gorm:"column:created_at;autoCreateTime:false"`
	Rules        string      `gorm:"column:rules"`
}

// TableName is the table's.
func (groupGuard) TableName() string { return "group_guards" }

const guardColumns = `group_id, preset, mode, warm_up_days, gap_hours, ads_per_day, ads_per_week, ads_per_month,
	quiet_from, quiet_to, observe_until, last_seq, version, created_at, rules`

// newGuard is a group's row before anybody set anything: the group's own
// preset, enforced; a group that lived before Siyu knew it is only observed.
func newGuard(g community.Group, now clock.Milli) groupGuard {
	row := groupGuard{
		GroupID: g.ID, Mode: ModeEnforce,
		WarmUpDays: presets, GapHours: presets, AdsPerDay: presets, AdsPerWeek: presets, AdsPerMonth: presets,
		QuietFrom: presets, QuietTo: presets, Version: 1, CreatedAt: now,
	}
	if g.Imported {
		row.Mode, row.ObserveUntil = ModeAdvise, now.Add(observeFor)
	}
	return row
}

// policy is the preset with the group's own numbers laid over it.
func (g groupGuard) policy() Policy {
	p := PresetPolicy(g.Preset, g.Mode)
	p.Version = g.Version
	if g.Rules != "" {
		p.Rules = decodeRules(g.Rules)
	}
	own := func(n int, into *int) {
		if n != presets {
			*into = n
		}
	}
	own(g.AdsPerDay, &p.Day)
	own(g.AdsPerWeek, &p.Week)
	own(g.AdsPerMonth, &p.Month)
	if g.WarmUpDays != presets {
		p.WarmUp = time.Duration(g.WarmUpDays) * day
	}
	if g.GapHours != presets {
		p.Gap = time.Duration(g.GapHours) * hour
	}
	if g.QuietFrom != presets {
		p.Quiet = Quiet{g.QuietFrom, g.QuietTo}
	}
	return p
}

// AdPolicy is a group's policy as it is shown: the numbers that hold. A cap of
// null is none; quiet hours are minutes of the local day.
type AdPolicy struct {
	GroupID      id.Group      `json:"group_id"`
	Preset       Preset        `json:"preset"`
	Mode         Mode          `json:"mode"`
	WarmUpDays   int           `json:"warm_up_days"`
	GapHours     int           `json:"gap_hours"`
	AdsPerDay    *int          `json:"ads_per_day"`
	AdsPerWeek   *int          `json:"ads_per_week"`
	AdsPerMonth  *int          `json:"ads_per_month"`
	AdsPerLife   *int          `json:"ads_per_life"`
	QuietFrom    int           `json:"quiet_from"`
	QuietTo      int           `json:"quiet_to"`
	ObserveUntil clock.Milli   `json:"observe_until"`
	Rules        map[Rule]Mode `json:"rules"` // kept otherwise than the preset says
	Version      int           `json:"version"`
}

func (g groupGuard) shown() AdPolicy {
	p := g.policy()
	out := AdPolicy{
		GroupID: g.GroupID, Preset: p.Preset, Mode: p.Mode, WarmUpDays: int(p.WarmUp / day), GapHours: int(p.Gap / hour),
		AdsPerDay: limit(p.Day), AdsPerWeek: limit(p.Week), AdsPerMonth: limit(p.Month), AdsPerLife: limit(p.Life),
		QuietFrom: p.Quiet.From, QuietTo: p.Quiet.To, ObserveUntil: g.ObserveUntil, Version: g.Version, Rules: map[Rule]Mode{},
	}
	for _, m := range p.Rules {
		out.Rules[m.Rule] = m.Mode
	}
	return out
}

// AdPolicyIn sets a group's policy. What is left out is the preset's number.
type AdPolicyIn struct {
	Preset      Preset `json:"preset"`
	Mode        Mode   `json:"mode"`
	WarmUpDays  *int   `json:"warm_up_days"`
	GapHours    *int   `json:"gap_hours"`
	AdsPerDay   *int   `json:"ads_per_day"`
	AdsPerWeek  *int   `json:"ads_per_week"`
	AdsPerMonth *int   `json:"ads_per_month"`
	QuietFrom   *int   `json:"quiet_from"`
	QuietTo     *int   `json:"quiet_to"`

	Rules map[Rule]Mode `json:"rules"` // rules to keep otherwise than the preset says
}

// Validate keeps a brand within the bounds every group has.
func (in AdPolicyIn) Validate() error {
	var c fault.Check
	c.OneOf(string(in.Preset), "preset", PresetNames...)
	c.OneOf(string(in.Mode), "mode", string(ModeOff), string(ModeAdvise), string(ModeEnforce))
	within := func(n *int, name string, lo, hi int64) {
		if n != nil {
			c.Range(int64(*n), name, lo, hi)
		}
	}
	within(in.WarmUpDays, "warm_up_days", 0, WarmUpDaysMax)
	within(in.GapHours, "gap_hours", GapHoursMin, GapHoursMax)
	within(in.AdsPerDay, "ads_per_day", 0, DayMax)
	within(in.AdsPerWeek, "ads_per_week", 0, WeekMax)
	within(in.AdsPerMonth, "ads_per_month", 0, MonthMax)
	within(in.QuietFrom, "quiet_from", 0, minutesOfDay-1)
	within(in.QuietTo, "quiet_to", 0, minutesOfDay-1)
	c.That((in.QuietFrom == nil) == (in.QuietTo == nil), "quiet_to", "required", "quiet_from 与 quiet_to 须一起填写", "give quiet_from and quiet_to together")
	if in.QuietFrom != nil && in.QuietTo != nil {
		c.That(Quiet{*in.QuietFrom, *in.QuietTo}.Minutes() >= QuietMinutesMin, "quiet_to", "range", "免打扰时间至少 7 小时", "quiet hours must last 7 hours or more")
	}
	checkRules(&c, in.Rules)
	return c.Err()
}

// FindAdPolicy reads a group's policy; a group nobody has asked for yet shows
// what it would begin with.
func (s *Service) FindAdPolicy(ctx context.Context, group id.Group) (AdPolicy, error) {
	known, err := s.load(s.DB.Read(ctx), question{groups: []id.Group{group}, now: s.now()})
	if err != nil {
		return AdPolicy{}, err
	}
	k := known[group]
	if k.group.ID == 0 || !k.group.SeenBy(database.ActorOf(ctx)) {
		return AdPolicy{}, fault.NotFound
	}
	return k.guard.shown(), nil
}

// SetAdPolicy replaces a group's policy when version is the one last read. It
// holds for slots reserved from now on; those that stand keep theirs.
func (s *Service) SetAdPolicy(ctx context.Context, group id.Group, in AdPolicyIn, version int) (AdPolicy, error) {
	if err := in.Validate(); err != nil {
		return AdPolicy{}, err
	}
	before, err := s.FindAdPolicy(ctx, group)
	if err != nil {
		return AdPolicy{}, err
	}
	if err := s.prepare(ctx, []id.Group{group}); err != nil {
		return AdPolicy{}, err
	}
	var after groupGuard
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		row, err := lockGuard(tx, group)
		if err != nil {
			return err
		}
		after = in.over(row)
		err = database.One(tx.Exec(`UPDATE group_guards SET preset = ?, mode = ?, warm_up_days = ?, gap_hours = ?,
			ads_per_day = ?, ads_per_week = ?, ads_per_month = ?, quiet_from = ?, quiet_to = ?, rules = ?, version = ?
			WHERE group_id = ?`+tx.Only("version = ?"), after.Preset, after.Mode, after.WarmUpDays, after.GapHours,
			after.AdsPerDay, after.AdsPerWeek, after.AdsPerMonth, after.QuietFrom, after.QuietTo, after.Rules, version+1, group, version), fault.Stale)
		if err != nil {
			return err
		}
		after.Version = version + 1
		return database.AuditTx(tx, "group.ad_policy", group, before, after.shown())
	})
	return after.shown(), err
}

func (in AdPolicyIn) over(g groupGuard) groupGuard {
	or := func(n *int) int {
		if n == nil {
			return presets
		}
		return *n
	}
	g.Preset, g.Mode, g.Rules = in.Preset, in.Mode, encodeRules(in.Rules)
	g.WarmUpDays, g.GapHours = or(in.WarmUpDays), or(in.GapHours)
	g.AdsPerDay, g.AdsPerWeek, g.AdsPerMonth = or(in.AdsPerDay), or(in.AdsPerWeek), or(in.AdsPerMonth)
	g.QuietFrom, g.QuietTo = or(in.QuietFrom), or(in.QuietTo)
	return g
}

// lockGuard locks one group's row.
func lockGuard(tx *database.Tx, group id.Group) (groupGuard, error) {
	var row groupGuard
	err := tx.Raw("SELECT "+guardColumns+" FROM group_guards WHERE group_id = ?"+tx.Dialect.ForUpdate, group).Scan(&row).Error
	if err != nil {
		return row, fmt.Errorf("guard: lock %s: %w", group, err)
	}
	if row.GroupID == 0 {
		return row, fault.NotFound
	}
	return row, nil
}

// prepare adds the rows of groups that have none, in a transaction of its own,
// so that a reservation finds every row it locks.
func (s *Service) prepare(ctx context.Context, groups []id.Group) error {
	var found loaded
	q := question{groups: groups}
	for _, r := range append(q.reads(&found), guardsRead(q.keys(), "", &found)) {
		if err := r.On(s.DB.Read(ctx)); err != nil {
			return fmt.Errorf("guard: prepare: %w", err)
		}
	}
	missing := make([]community.Group, 0, len(groups))
	for _, g := range groups {
		if _, own := found.guards[g]; !own && found.groups[g].ID != 0 {
			missing = append(missing, found.groups[g])
		}
	}
	if len(missing) == 0 {
		return nil
	}
	// Not under the caller's key or name: these rows belong to nobody's call.
	err := s.DB.Tx(bare{ctx}, func(tx *database.Tx) error {
		rows := make([]groupGuard, len(missing))
		for i, g := range missing {
			rows[i] = newGuard(g, tx.Now)
		}
		parts, until := observed(rows)
		for _, groups := range parts {
			if err := task.EnqueueTx(tx, tellObserved{groups}, until); err != nil {
				return err
			}
		}
		return writeGuards(tx, rows)
	})
	if !database.IsDuplicate(err) {
		return err
	}
	// Somebody else was adding some of them: now they are there to be seen.
	return s.prepare(ctx, groups)
}
