package guard

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// AdPolicyIn sets a group's policy. What is left out is the unit's number, else
// the brand's, else the preset's.
type AdPolicyIn struct {
	Preset Preset `json:"preset"`
	Mode   Mode   `json:"mode"`
	SettingsIn
}

// Validate keeps a group within the bounds every group has.
func (in AdPolicyIn) Validate() error {
	var c fault.Check
	c.OneOf(string(in.Preset), "preset", PresetNames...)
	c.OneOf(string(in.Mode), "mode", string(ModeOff), string(ModeAdvise), string(ModeEnforce))
	in.check(&c)
	return c.Err()
}

// FindAdPolicy reads a group's policy; a group nobody has asked for yet shows
// what it would begin with.
func (s *Service) FindAdPolicy(ctx context.Context, group id.Group) (AdPolicy, error) {
	now := s.now()
	known, err := s.load(s.DB.Read(ctx), question{groups: []id.Group{group}, now: now})
	if err != nil {
		return AdPolicy{}, err
	}
	k := known[group]
	if k.group.ID == 0 || !k.group.SeenBy(database.ActorOf(ctx)) {
		return AdPolicy{}, fault.NotFound
	}
	return k.laws.shown(now), nil
}

// ComingTo are the policies that were announced for a group and do not count
// yet, whoever asks: its members are to read them beside its charter.
func (s *Service) ComingTo(ctx context.Context, group id.Group) ([]Coming, error) {
	now := s.now()
	known, err := s.load(s.DB.Read(ctx), question{groups: []id.Group{group}, now: now})
	if err != nil {
		return nil, err
	}
	return comingOf(known[group].laws.turns(now)), nil
}

// SetAdPolicy replaces a group's policy when version is the one last read. What
// is stricter holds for slots reserved from now on; where anything is looser,
// the whole is announced and holds in seven days, and until then what is
// stricter in it. It takes the place of what was coming before.
func (s *Service) SetAdPolicy(ctx context.Context, group id.Group, in AdPolicyIn, version int) (AdPolicy, error) {
	if err := in.Validate(); err != nil {
		return AdPolicy{}, err
	}
	return s.setPolicy(ctx, group, version, func(own groupGuard, _ layers) groupGuard {
		own.Preset, own.Mode, own.settings = in.Preset, in.Mode, in.settings()
		return own
	})
}

// setPolicy replaces a group's policy by what ask makes of its own in force and
// those that are coming.
func (s *Service) setPolicy(ctx context.Context, group id.Group, version int, ask func(own groupGuard, coming layers) groupGuard) (AdPolicy, error) {
	if _, err := s.FindAdPolicy(ctx, group); err != nil {
		return AdPolicy{}, err
	}
	if err := s.prepare(ctx, []id.Group{group}); err != nil {
		return AdPolicy{}, err
	}
	var after AdPolicy
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		row, err := lockGuard(tx, group)
		if err != nil {
			return err
		}
		if row.Version != version {
			return fault.Stale
		}
		all, err := s.load(tx.DB, question{groups: []id.Group{group}, now: tx.Now})
		if err != nil {
			return err
		}
		was := all[group].laws
		is, versions := was.replaced(ask, tx.Now)
		if err := writeHeld(tx, is.own, version); err != nil {
			return err
		}
		if err := announce(tx, layer{GroupID: group}, 0, versions); err != nil {
			return err
		}
		after = is.shown(tx.Now)
		return database.AuditTx(tx, "group.ad_policy", group, was.shown(tx.Now), after)
	})
	return after, err
}

// replaced are the laws with what is asked for in the place of the group's own,
// and the versions that this makes.
func (l laws) replaced(ask func(own groupGuard, coming layers) groupGuard, now clock.Milli) (laws, []layer) {
	held := l.own.at(l.coming, now)
	asked, newest := ask(held, l.coming), l.own.Version
	with := func(g groupGuard) Policy {
		l.own, l.coming = g, nil
		p, _ := l.at(now)
		return p
	}
	version := func(g groupGuard, notice clock.Milli) layer {
		newest++
		return layer{GroupID: g.GroupID, Version: newest, Preset: g.Preset, Mode: g.Mode, settings: g.settings, NoticeUntil: notice}
	}
	was, becomes := with(held), with(asked)
	var made []layer
	if !becomes.looserThan(&was) {
		made = append(made, version(asked, 0))
		asked.HeldVersion = newest
		held = asked
		l.coming = nil
	} else {
		until := held
		until.settings = held.stricter(&was, &becomes)
		if becomes.Mode.rank() > was.Mode.rank() {
			until.Mode = becomes.Mode
		}
		if until != held {
			made = append(made, version(until, 0))
			until.HeldVersion = newest
		} else {
			until.HeldVersion = held.held()
		}
		held = until
		made = append(made, version(asked, now.Add(noticeFor)))
		l.coming = layers{made[len(made)-1]}
	}
	held.Version = newest
	l.own = held
	return l, made
}

// writeHeld writes a group's policy in force.
func writeHeld(tx *database.Tx, g groupGuard, version int) error {
	return database.One(tx.Exec(`UPDATE group_guards SET preset = ?, mode = ?, warm_up_days = ?, gap_hours = ?, ads_per_day = ?, ads_per_week = ?,
		ads_per_month = ?, quiet_from = ?, quiet_to = ?, rules = ?, observe_until = ?, version = ?, held_version = ? WHERE group_id = ?`+tx.Only("version = ?"),
		g.Preset, g.Mode, g.WarmUpDays, g.GapHours, g.AdsPerDay, g.AdsPerWeek, g.AdsPerMonth, g.QuietFrom, g.QuietTo, g.Rules, g.ObserveUntil,
		g.Version, g.HeldVersion, g.GroupID, version), fault.Stale)
}

// announce writes new versions of one layer, in place of those that were
// announced and not in force yet. keep is the version that stays in force; it
// is 0 if there is none, or if it stands in the group's own row.
func announce(tx *database.Tx, of layer, keep int, versions []layer) error {
	const layerIs = " WHERE group_id = ? AND unit_id = ? AND for_preset = ? AND live = 1 AND version "
	err := tx.Exec("UPDATE ad_policies SET live = 0"+layerIs+"<> ?", of.GroupID, of.UnitID, of.ForPreset, keep).Error
	if err == nil && keep != 0 {
		// A clock that is set back does not undo what came into force.
		err = tx.Exec("UPDATE ad_policies SET notice_until = 0"+layerIs+"= ?", of.GroupID, of.UnitID, of.ForPreset, keep).Error
	}
	if err != nil {
		return fmt.Errorf("guard: policy: %w", err)
	}
	return writeLayers(tx, versions)
}

// writeLayers inserts versions. A group's version in force stands in the
// group's own row, so of a group only versions still to come are live here.
func writeLayers(tx *database.Tx, versions []layer) error {
	in := insertInto("ad_policies", `group_id, unit_id, for_preset, version, live, preset, mode, warm_up_days, gap_hours, ads_per_day,
		ads_per_week, ads_per_month, quiet_from, quiet_to, rules, announced_at, notice_until, set_by`, len(versions))
	for _, l := range versions {
		in.row().nums(int64(l.GroupID), int64(l.UnitID)).words(string(l.ForPreset)).nums(int64(l.Version), flag(l.GroupID == 0 || l.NoticeUntil != 0)).
			words(string(l.Preset), string(l.Mode)).
			nums(int64(l.WarmUpDays), int64(l.GapHours), int64(l.AdsPerDay), int64(l.AdsPerWeek), int64(l.AdsPerMonth), int64(l.QuietFrom), int64(l.QuietTo)).
			words(l.Rules).nums(int64(tx.Now), int64(l.NoticeUntil), int64(tx.Actor.Staff)).end()
	}
	err := in.write(tx)
	if database.IsDuplicate(err) { // somebody else set it meanwhile
		return fault.Stale
	}
	return err
}
