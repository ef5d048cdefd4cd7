package exposure

import (
	"context"
	"fmt"

	"siyu/campaign/guard"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// ErrHouse refuses a unit's colleague the brand's own policy.
var ErrHouse = fault.New(fault.KindForbidden, "exposure.house_policy", "只有总部同事可以改全品牌的群友曝光上限；请改您所在组织的", "only colleagues of the brand itself can change how many ads a member may see; change your unit's")

// Layer says who set a number.
type Layer string

// The layers, the nearest first.
const (
	LayerUnit    Layer = "unit"
	LayerHouse   Layer = "house"
	LayerShipped Layer = "shipped" // as Siyu ships it
)

// Number is one of the policy's numbers: that holds, with who set it, what it
// is when nobody does, the bounds it may be moved in and where it comes from.
type Number struct {
	Name     string  `json:"name"`
	Value    int     `json:"value"`
	Default  int     `json:"default"`
	Min      int     `json:"min"`
	Max      int     `json:"max"`
	From     Layer   `json:"set_by"`
	UnitID   id.Unit `json:"set_by_unit_id"`
	Version  int     `json:"set_by_version"`
	SourceZH string  `json:"source_zh"`
	SourceEN string  `json:"source_en"`
}

func (p Policy) numbers() []Number {
	return []Number{
		{Name: "ceiling", Value: p.Ceiling, Default: shipped.Ceiling, Min: ceilingLeast, Max: CeilingMost,
			SourceZH: "我们的选择：平台每周让一个群收到的条数（7 条），这里按一个人所在的所有群算", SourceEN: "ours: what the platform lets one group see in a week (7), asked of all groups of a person together"},
		{Name: "window_days", Value: p.WindowDays, Default: shipped.WindowDays, Min: 1, Max: daysMost,
			SourceZH: "我们的选择：与群每周上限同长；一个人的群在不同组织，所以全品牌一个", SourceEN: "ours: as long as the caps per week of a group; one for the brand, because a person's groups lie in several units"},
		{Name: "share_bp", Value: p.ShareBP, Default: shipped.ShareBP, Min: shareLeast, Max: shareMost,
			SourceZH: "我们的选择：群里过半的人已看够，才值得放过这个群", SourceEN: "ours: a group is passed over once most of it has seen enough"},
	}
}

// values are the numbers in the order of numbers.
func (p Policy) values() [3]int { return [3]int{p.Ceiling, p.WindowDays, p.ShareBP} }

// Shown is the policy of the brand or a unit as it is shown: what holds for a
// group in it, what is coming, and the newest count, which is null until there
// was one. Version is that of the newest own, InForce that of the one that
// holds.
type Shown struct {
	UnitID   id.Unit     `json:"unit_id"`
	Version  int         `json:"version"` // 0: nothing was ever set
	InForce  int         `json:"version_in_force"`
	Mode     guard.Mode  `json:"mode"`
	ModeFrom Layer       `json:"mode_set_by"`
	Numbers  []Number    `json:"numbers"`
	SetBy    id.Staff    `json:"set_by"`
	SetAt    clock.Milli `json:"set_at"`
	Coming   []Coming    `json:"coming"`
	Counted  *Counted    `json:"counted"`
}

// Coming is a policy that was announced and does not count yet.
type Coming struct {
	EffectiveAt clock.Milli `json:"effective_at"`
	Mode        guard.Mode  `json:"mode"`
	Ceiling     int         `json:"ceiling"`
	WindowDays  int         `json:"window_days"`
	ShareBP     int         `json:"share_bp"`
}

func (l laws) shown(unit id.Unit, now clock.Milli, c Counted) Shown {
	p, near, house := l.at(now)
	own := l.own(unit)
	out := Shown{UnitID: unit, InForce: own.at(now).Version, Mode: p.Mode, ModeFrom: LayerShipped, Numbers: p.numbers(), Coming: append([]Coming{}, l.turns(now)...)}
	if n := len(own); n > 0 {
		out.Version, out.SetBy, out.SetAt = own[n-1].Version, own[n-1].SetBy, own[n-1].SetAt
	}
	for _, from := range []struct {
		layer
		name Layer
	}{{house, LayerHouse}, {near, LayerUnit}} {
		if from.Mode != "" {
			out.ModeFrom = from.name
		}
		for i, v := range from.values() {
			if v != 0 {
				out.Numbers[i].From, out.Numbers[i].UnitID, out.Numbers[i].Version = from.name, from.UnitID, from.Version
			}
		}
	}
	for i := range out.Numbers {
		if out.Numbers[i].From == "" {
			out.Numbers[i].From = LayerShipped
		}
	}
	if c.ID != 0 {
		c.Seen = parseSeen(c.Spread).list(0)
		out.Counted = &c
	}
	return out
}

// Find shows what holds for the groups of the brand (unit 0) or of a unit the
// actor may see, and the newest count of the people in them.
func (s *Service) Find(ctx context.Context, unit id.Unit) (Shown, error) {
	q := s.DB.Read(ctx)
	l, err := seenLaws(q, database.ActorOf(ctx), unit)
	if err != nil {
		return Shown{}, err
	}
	c, err := newestOf(q, unit)
	return l.shown(unit, s.now(), c), err
}

// newestOf is the newest count of the brand (unit 0) or of a unit.
func newestOf(q *database.Query, unit id.Unit) (Counted, error) {
	c, err := newest(q)
	if err != nil || unit == 0 {
		return c, err
	}
	return c.ofUnit(q, unit)
}

func seenLaws(q *database.Query, actor database.Actor, unit id.Unit) (laws, error) {
	var paths []string
	if unit != 0 {
		if err := q.Raw("SELECT path FROM units WHERE id = ?", unit).Scan(&paths).Error; err != nil {
			return laws{}, fmt.Errorf("exposure: policy of %s: %w", unit, err)
		}
		if len(paths) == 0 || !actor.Sees(unit) {
			return laws{}, fault.NotFound
		}
	}
	b, err := readBook(q)
	return b.of(append(paths, "")[0]), err
}

// Set replaces what the brand (unit 0) or a unit sets when version is the one
// last read (0: none yet). What is stricter holds from the next plan on, a
// longer window from the next count; where anything is looser, the whole is
// announced and holds in seven days, and until then what is stricter in it. A
// unit that sets nothing follows the nearest one above it that does.
func (s *Service) Set(ctx context.Context, unit id.Unit, in In, version int) (Shown, error) {
	if err := in.Validate(); err != nil {
		return Shown{}, err
	}
	var after Shown
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		was, err := seenLaws(tx.DB, tx.Actor, unit)
		switch {
		case err != nil:
			return err
		case unit == 0 && tx.Actor.Kind == database.ActorStaff && tx.Actor.Units != nil:
			return ErrHouse
		case unit == 0 && in.Mode == "":
			return fault.Invalid.Field("mode", "required", "必填", "is required")
		case unit != 0 && in.WindowDays != nil:
			return fault.Invalid.Field("window_days", "brand_only", "天数全品牌一个，请由总部同事改", "the window is one for the brand; its own colleagues set it")
		}
		before := was.shown(unit, tx.Now, Counted{})
		if before.Version != version {
			return fault.Stale
		}
		is, keep, made := was.replaced(unit, in.asked(), version, tx.Actor.Staff, tx.Now)
		if err := announce(tx, unit, keep, made); err != nil {
			return err
		}
		c, err := newestOf(tx.DB, unit)
		if err != nil {
			return err
		}
		after = is.shown(unit, tx.Now, c)
		told := is.shown(unit, tx.Now, Counted{})
		if unit == 0 {
			return database.AuditTx(tx, "exposure.policy", house{}, before, told)
		}
		return database.AuditTx(tx, "exposure.unit_policy", unit, before, told)
	})
	return after, err
}

// announce writes new versions. What was coming is coming no more; keep is the
// version that stays in force, which a clock that is set back does not undo.
func announce(tx *database.Tx, unit id.Unit, keep int, made layers) error {
	table, is, of := "exposure_policies", " WHERE live = 1", []any{}
	if unit != 0 {
		table, is, of = "exposure_unit_policies", " WHERE unit_id = ? AND live = 1", []any{unit}
	}
	err := tx.Exec("UPDATE "+table+" SET live = 0"+is+" AND version <> ?", append(of, keep)...).Error
	if err == nil && keep != 0 {
		err = tx.Exec("UPDATE "+table+" SET notice_until = 0"+is+" AND version = ?", append(of, keep)...).Error
	}
	for _, l := range made {
		if err != nil {
			break
		}
		if unit == 0 {
			err = tx.Exec("INSERT INTO exposure_policies (version, live, mode, ceiling, window_days, share_bp, set_by, set_at, notice_until) VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?)",
				l.Version, l.Mode, l.Ceiling, l.WindowDays, l.ShareBP, l.SetBy, l.SetAt, l.NoticeUntil).Error
		} else {
			err = tx.Exec("INSERT INTO exposure_unit_policies (unit_id, version, live, mode, ceiling, share_bp, set_by, set_at, notice_until) VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?)",
				unit, l.Version, l.Mode, l.Ceiling, l.ShareBP, l.SetBy, l.SetAt, l.NoticeUntil).Error
		}
	}
	if database.IsDuplicate(err) { // somebody else set it meanwhile
		return fault.Stale
	}
	if err != nil {
		return fmt.Errorf("exposure: policy: %w", err)
	}
	return nil
}

// house is what the brand's policy is of, for the audit.
type house struct{}

// String is its name.
func (house) String() string { return "house" }
