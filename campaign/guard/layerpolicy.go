package guard

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// The refusals of policies of the brand and its units.
var (
	ErrHousePolicy   = fault.New(fault.KindForbidden, "guard.house_policy", "只有总部同事可以改全品牌的预设", "only colleagues of the brand itself can change a preset for the whole brand")
	ErrServicePolicy = fault.New(fault.KindUnprocessable, "guard.service_policy", "售后群不发推广，没有可改的数字", "a service group takes no ads; there is nothing to set")
)

// unitLaws are what a group of one preset is held to that lies in a unit (0:
// in none) and sets nothing itself.
func (s *Service) unitLaws(q *database.Query, unit id.Unit, preset Preset) (laws, error) {
	var r ruling
	if err := layersRead("p.group_id = 0", "?", []any{unit}, &r).On(q); err != nil {
		return laws{}, fmt.Errorf("guard: policy of %s: %w", unit, err)
	}
	return laws{house: r.house, unit: r.units[unit], own: groupGuard{Mode: ModeEnforce, settings: nothingSet}, preset: preset}, nil
}

// own are the live versions of the unit's, or the brand's, own.
func (l *laws) layer(unit id.Unit) layers {
	c := l.house[l.preset]
	if unit != 0 {
		c = l.unit[l.preset]
	}
	if len(c) > 0 && c[0][0].UnitID == unit {
		return c[0]
	}
	return nil
}

// with are the laws with other live versions of the unit's own.
func (l laws) with(unit id.Unit, versions layers) laws {
	change := func(all ofPreset) ofPreset {
		c := all[l.preset]
		if len(l.layer(unit)) > 0 {
			c = c[1:]
		}
		if len(versions) > 0 {
			c = append(chain{versions}, c...)
		}
		return ofPreset{l.preset: c}
	}
	if unit == 0 {
		l.house = change(l.house)
		return l
	}
	l.unit = change(l.unit)
	return l
}

func (l *laws) layerShown(unit id.Unit, now clock.Milli) LayerPolicy {
	p, from := l.at(now)
	own := l.layer(unit)
	out := LayerPolicy{UnitID: unit, Preset: l.preset, InForce: own.at(now).Version, Rules: p.limits().Rules,
		Numbers: p.settings(from[1:], LayerUnit, LayerHouse), Coming: comingOf(l.turns(now))}
	if n := len(own); n > 0 {
		out.Version = own[n-1].Version
	}
	return out
}

// FindLayerPolicy reads what the brand (unit 0) or a unit the actor may see
// sets for its groups of a preset.
func (s *Service) FindLayerPolicy(ctx context.Context, unit id.Unit, preset Preset) (LayerPolicy, error) {
	l, err := s.seenLaws(s.DB.Read(ctx), database.ActorOf(ctx), unit, preset)
	if err != nil {
		return LayerPolicy{}, err
	}
	return l.layerShown(unit, s.now()), nil
}

func (s *Service) seenLaws(q *database.Query, actor database.Actor, unit id.Unit, preset Preset) (laws, error) {
	if PresetPolicy(preset, ModeEnforce).Preset != preset {
		return laws{}, fault.NotFound
	}
	if unit != 0 {
		var known int
		if err := q.Raw("SELECT COUNT(*) FROM units WHERE id = ?", unit).Scan(&known).Error; err != nil {
			return laws{}, fmt.Errorf("guard: policy of %s: %w", unit, err)
		}
		if known == 0 || !actor.Sees(unit) {
			return laws{}, fault.NotFound
		}
	}
	return s.unitLaws(q, unit, preset)
}

// SetLayerPolicy replaces what the brand (unit 0) or a unit sets for its groups
// of a preset, when version is the one last read (0: none yet). Like a group's
// policy, what is looser waits for seven days and what is stricter does not. A
// unit that sets nothing follows the nearest one above it that does.
func (s *Service) SetLayerPolicy(ctx context.Context, unit id.Unit, preset Preset, in SettingsIn, version int) (LayerPolicy, error) {
	if err := in.Validate(); err != nil {
		return LayerPolicy{}, err
	}
	var after LayerPolicy
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		was, err := s.seenLaws(tx.DB, tx.Actor, unit, preset)
		switch {
		case err != nil:
			return err
		case unit == 0 && tx.Actor.Kind == database.ActorStaff && tx.Actor.Units != nil:
			return ErrHousePolicy
		case preset == PresetService:
			return ErrServicePolicy
		}
		before := was.layerShown(unit, tx.Now)
		if before.Version != version {
			return fault.Stale
		}
		is, keep, versions := was.layerReplaced(unit, in.settings(), version, tx.Now)
		if err := announce(tx, layer{UnitID: unit, ForPreset: preset}, keep, versions); err != nil {
			return err
		}
		after = is.layerShown(unit, tx.Now)
		if unit == 0 {
			return database.AuditTx(tx, "guard.preset_policy", preset, before, after)
		}
		return database.AuditTx(tx, "guard.unit_policy", unit, before, after)
	})
	return after, err
}

// String is the preset's name.
func (p Preset) String() string { return string(p) }

// layerReplaced are the laws with what is asked for in the place of the unit's
// own, the version that stays in force (0: none) and those that are new.
func (l laws) layerReplaced(unit id.Unit, asked settings, version int, now clock.Milli) (is laws, keep int, made []layer) {
	one := func(set settings, notice clock.Milli) layer {
		version++
		return layer{UnitID: unit, ForPreset: l.preset, Version: version, settings: set, NoticeUntil: notice}
	}
	held := l.layer(unit).at(now)
	was, _ := l.at(now)
	asks := l.with(unit, layers{{UnitID: unit, settings: asked}})
	becomes, _ := asks.at(now)
	if !becomes.looserThan(&was) {
		made = append(made, one(asked, 0))
		return l.with(unit, made), 0, made
	}
	set := held.settings
	if unit != 0 && set == nothingSet { // until then it follows those above, but for what is stricter
		set = l.unit[l.preset].at(now).settings
	}
	var live layers
	if until := set.stricter(&was, &becomes); until != set {
		made = append(made, one(until, 0))
	} else if held.Version != 0 {
		keep, held.NoticeUntil = held.Version, 0
		live = layers{held}
	}
	made = append(made, one(asked, now.Add(noticeFor)))
	return l.with(unit, append(live, made...)), keep, made
}
