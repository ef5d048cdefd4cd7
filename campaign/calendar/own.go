package calendar

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// DayIn is a day a unit adds: an anniversary, a sale of its own, a day of
// mourning in its town.
type DayIn struct {
	UnitID  id.Unit `json:"unit_id"` // default the caller's unit
	Kind    Kind    `json:"kind"`    // default brand
	FromDay int     `json:"from_day"`
	ToDay   int     `json:"to_day"` // default from_day
	NameZH  string  `json:"name_zh"`
	NameEN  string  `json:"name_en"`
	Avoid   bool    `json:"avoid"`
}

// DayEdit changes a unit's own day; nil leaves a field as it is.
type DayEdit struct {
	Kind    *Kind   `json:"kind"`
	FromDay *int    `json:"from_day"`
	ToDay   *int    `json:"to_day"`
	NameZH  *string `json:"name_zh"`
	NameEN  *string `json:"name_en"`
	Avoid   *bool   `json:"avoid"`
}

// ownSpan is how many days one entry may last.
const ownSpan = 100

// Validate checks what needs no database.
func (in DayIn) Validate() error {
	in.complete()
	var c fault.Check
	c.OneOf(string(in.Kind), "kind", string(KindBrand), string(KindFestival), string(KindShopping), string(KindMourning))
	c.Required(strings.TrimSpace(in.NameZH), "name_zh")
	c.Length(in.NameZH, "name_zh", 60)
	c.Length(in.NameEN, "name_en", 120)
	c.That(inLine(in.NameZH), "name_zh", "format", "不能含控制字符或换行", "must hold no control characters or line breaks")
	c.That(inLine(in.NameEN), "name_en", "format", "不能含控制字符或换行", "must hold no control characters or line breaks")
	checkDay(&c, in.FromDay, "from_day")
	checkDay(&c, in.ToDay, "to_day")
	if err := c.Err(); err != nil {
		return err
	}
	n := daysFrom(in.FromDay, in.ToDay)
	c.That(n >= 0, "to_day", "range", "不能早于 from_day", "must not be before from_day")
	c.That(n < ownSpan, "to_day", "range", "最长 100 天；更长请分成几段", "at most 100 days; cut longer ones into parts")
	return c.Err()
}

func inLine(s string) bool { return strings.IndexFunc(s, unicode.IsControl) < 0 }

func (in *DayIn) complete() {
	if in.Kind == "" {
		in.Kind = KindBrand
	}
	if in.ToDay == 0 {
		in.ToDay = in.FromDay
	}
	in.Avoid = in.Avoid || in.Kind == KindMourning
}

// AddDay adds a day to the unit's calendar.
func (s *Service) AddDay(ctx context.Context, in DayIn) (id.CalendarDay, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	in.complete()
	var made id.CalendarDay
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		unit, err := unitOf(tx, in.UnitID)
		if err != nil {
			return err
		}
		d := ownDay{ID: id.CalendarDay(tx.Next()), UnitID: unit, Kind: in.Kind, FromDay: in.FromDay, ToDay: in.ToDay, Avoid: in.Avoid,
			NameZH: in.NameZH, NameEN: in.NameEN, Version: 1, CreatedAt: tx.Now, ChangedAt: tx.Now}
		made = d.ID
		if err := tx.Create(&d).Error; err != nil {
			return err
		}
		tx.SetResult("calendar_day", int64(made), 201)
		return database.AuditTx(tx, "calendar_day.add", made, nil, d.day())
	})
	return made, err
}

// unitOf is the unit asked for, by default the caller's.
func unitOf(tx *database.Tx, unit id.Unit) (id.Unit, error) {
	if unit == 0 {
		unit = tx.Actor.Unit
	}
	var found id.Unit
	if err := tx.Raw("SELECT id FROM units WHERE id = ?", unit).Scan(&found).Error; err != nil {
		return 0, err
	}
	if !tx.Actor.Sees(unit) || found == 0 && tx.Actor.Kind == database.ActorStaff {
		return 0, fault.NotFound.Field("unit_id", "not_found", "没有这个组织", "there is no such unit")
	}
	return unit, nil
}

// EditDay changes a unit's own day, if it still has the version.
func (s *Service) EditDay(ctx context.Context, day id.CalendarDay, version int, in DayEdit) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		was, err := findDay(tx.DB, tx.Actor, day)
		if err != nil {
			return err
		}
		if was.Version != version {
			return fault.Stale
		}
		d := DayIn{Kind: was.Kind, FromDay: was.FromDay, ToDay: was.ToDay, NameZH: was.NameZH, NameEN: was.NameEN, Avoid: was.Avoid}
		set(&d.Kind, in.Kind)
		set(&d.FromDay, in.FromDay)
		set(&d.ToDay, in.ToDay)
		set(&d.NameZH, in.NameZH)
		set(&d.NameEN, in.NameEN)
		set(&d.Avoid, in.Avoid)
		if err := d.Validate(); err != nil {
			return err
		}
		d.complete()
		res := tx.Exec("UPDATE calendar_days SET kind = ?, from_day = ?, to_day = ?, avoid = ?, name_zh = ?, name_en = ?, version = version + 1, changed_at = ? WHERE id = ?"+tx.Only("version = ?"),
			d.Kind, d.FromDay, d.ToDay, d.Avoid, d.NameZH, d.NameEN, tx.Now, day, version)
		if err := database.One(res, fault.Stale); err != nil {
			return err
		}
		return database.AuditTx(tx, "calendar_day.edit", day, was.day(), d)
	})
}

func set[T any](to *T, v *T) {
	if v != nil {
		*to = *v
	}
}

// RemoveDay takes a unit's own day away.
func (s *Service) RemoveDay(ctx context.Context, day id.CalendarDay) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		was, err := findDay(tx.DB, tx.Actor, day)
		if err != nil {
			return err
		}
		if err := database.One(tx.Exec("DELETE FROM calendar_days WHERE id = ?", day), fault.NotFound); err != nil {
			return err
		}
		return database.AuditTx(tx, "calendar_day.remove", day, was.day(), nil)
	})
}

// FindDay is a day that one of the caller's units added, or one above them:
// both are his to keep, the first alone are his to change.
func (s *Service) FindDay(ctx context.Context, day id.CalendarDay) (Day, error) {
	q, a := s.DB.Read(ctx), database.ActorOf(ctx)
	d, err := findDay(q, database.Actor{}, day)
	if err != nil || a.Sees(d.UnitID) {
		return d.day(), err
	}
	over, err := above(q, a.Unit)
	if err == nil && !slices.Contains(over, d.UnitID) {
		err = fault.NotFound
	}
	if err != nil {
		return Day{}, err
	}
	return d.day(), nil
}

// ListDays are the own days of the caller's units, newest first.
func (s *Service) ListDays(ctx context.Context, page database.Page) (database.Paged[Day], error) {
	cond, args := database.ActorOf(ctx).Within("unit_id")
	var rows []ownDay
	err := s.DB.Read(ctx).Raw("SELECT * FROM calendar_days WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?",
		append(append([]any{page.Bound()}, args...), page.Fetch())...).Scan(&rows).Error
	return database.Cut(page, shown(rows), func(d Day) int64 { return int64(d.ID) }), err
}

// ownDay is a row of calendar_days.
type ownDay struct {
	ID        id.CalendarDay
	UnitID    id.Unit
	Kind      Kind
	FromDay   int
	ToDay     int
	Avoid     bool
	NameZH    string `gorm:"column:name_zh"`
	NameEN    string `gorm:"column:name_en"`
	Version   int
	CreatedAt clock.Milli `gorm:"autoCreateTime:false"`
	ChangedAt clock.Milli
}

// TableName is calendar_days.
func (ownDay) TableName() string { return "calendar_days" }

func (o ownDay) day() Day {
	return Day{ID: o.ID, UnitID: o.UnitID, Kind: o.Kind, FromDay: o.FromDay, ToDay: o.ToDay, NameZH: o.NameZH, NameEN: o.NameEN,
		Avoid: o.Avoid, Version: o.Version, CreatedAt: o.CreatedAt, ChangedAt: o.ChangedAt}
}

func shown(rows []ownDay) []Day {
	out := make([]Day, len(rows))
	for i, o := range rows {
		out[i] = o.day()
	}
	return out
}

func findDay(q *database.Query, a database.Actor, day id.CalendarDay) (ownDay, error) {
	var d ownDay
	if err := q.Raw("SELECT * FROM calendar_days WHERE id = ?", day).Scan(&d).Error; err != nil {
		return d, err
	}
	if d.ID == 0 || !a.Sees(d.UnitID) {
		return ownDay{}, fault.NotFound
	}
	return d, nil
}

// ownMax bounds the own days of one view.
const ownMax = 500

// ownDays are those that touch the stretch, of the caller's units and of those
// above them: the brand's anniversary is every store's.
func (s *Service) ownDays(ctx context.Context, from, to int) ([]Day, error) {
	q, a := s.DB.Read(ctx), database.ActorOf(ctx)
	cond, args := "", []any{from - 10000, to, from}
	if a.Kind == database.ActorStaff && a.Units != nil {
		over, err := above(q, a.Unit)
		if err != nil {
			return nil, err
		}
		cond, args = " AND (unit_id IN ? OR unit_id IN ?)", append(args, a.Units, over)
	}
	var rows []ownDay
	err := q.Raw("SELECT * FROM calendar_days WHERE from_day >= ? AND from_day <= ? AND to_day >= ?"+cond+" ORDER BY from_day, id LIMIT ?",
		append(args, ownMax)...).Scan(&rows).Error
	return shown(rows), err
}
