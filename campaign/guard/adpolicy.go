package guard

import (
	"fmt"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// observeFor is how long an imported group is only observed before its owner
// is shown what would have been refused.
const observeFor = 14 * day

// groupGuard is the row that a group's reservations queue on: its policy in
// force and the last sequence number of its slots' events.
type groupGuard struct {
	GroupID id.Group
	Preset  Preset // "" follows the group
	Mode    Mode
	settings
	ObserveUntil clock.Milli
	LastSeq      int64
	Version      int // of the newest policy, which may be coming still
	HeldVersion  int // of the one on the row; 0: Version
	CreatedAt    clock.Milli
}

const guardColumns = `group_id, preset, mode, warm_up_days, gap_hours, ads_per_day, ads_per_week, ads_per_month,
	quiet_from, quiet_to, observe_until, last_seq, version, created_at, rules, held_version`

// newGuard is a group's row before anybody set anything: the group's own
// preset, enforced; a group that lived before Siyu knew it is only observed.
func newGuard(g community.Group, now clock.Milli) groupGuard {
	row := groupGuard{
		GroupID: g.ID, Mode: ModeEnforce, settings: nothingSet, Version: 1, CreatedAt: now,
	}
	if g.Imported {
		row.Mode, row.ObserveUntil = ModeAdvise, now.Add(observeFor)
	}
	return row
}

// held is the version of the policy on the row.
func (g groupGuard) held() int {
	if g.HeldVersion != 0 {
		return g.HeldVersion
	}
	return g.Version
}

// at is the row with what is coming in force, once its notice is over.
func (g groupGuard) at(coming layers, t clock.Milli) groupGuard {
	if l := coming.at(t); l.Version != 0 {
		g.Preset, g.Mode, g.settings, g.HeldVersion = l.Preset, l.Mode, l.settings, l.Version
	}
	return g
}

// lockGuard locks one group's row.
func lockGuard(tx *database.Tx, group id.Group) (groupGuard, error) {
	rows, err := lockGuards(tx, []id.Group{group})
	if err != nil {
		return groupGuard{}, err
	}
	row, ok := rows[group]
	if !ok {
		return row, fault.NotFound
	}
	return row, nil
}

// lockGuards locks the groups' rows, so that no reservation is half way.
func lockGuards(tx *database.Tx, groups []id.Group) (map[id.Group]groupGuard, error) {
	found := loaded{guards: map[id.Group]groupGuard{}}
	if err := tx.Queries(guardsRead(database.Keys[id.Group]{List: groups}, tx.Dialect.ForUpdate, &found)); err != nil {
		return nil, fmt.Errorf("guard: lock: %w", err)
	}
	return found.guards, nil
}
