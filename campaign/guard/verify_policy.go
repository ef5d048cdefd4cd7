package guard

import (
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
)

// policyVersion names one version of one layer.
type policyVersion struct {
	group   id.Group
	unit    id.Unit
	preset  Preset
	version int
}

// lawful finds slots that name a version which nobody announced, or were given
// more than the versions they name allow. It compares no clocks: which version
// was in force is what the slot says.
func lawful(q *database.Query, groups []id.Group, slots []Slot, proof *database.Proof) error {
	rows, err := q.Raw("SELECT "+layerColumns+" FROM ad_policies p WHERE p.group_id = 0 OR p.group_id IN ?", groups).Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	known := map[policyVersion]layer{}
	for rows.Next() {
		var l layer
		if err := l.scan(rows); err != nil {
			return err
		}
		known[policyVersion{l.GroupID, l.UnitID, l.ForPreset, l.Version}] = l
	}
	for _, s := range slots {
		for _, wrong := range s.unlawful(known) {
			proof.Break("%s of %s: %s", s.ID, s.GroupID, wrong)
		}
	}
	return rows.Err()
}

func (s Slot) unlawful(known map[policyVersion]layer) (wrong []string) {
	p := PresetPolicy(s.Preset, s.Mode)
	if s.HouseVersion != 0 {
		l, found := known[policyVersion{preset: s.Preset, version: s.HouseVersion}]
		if !found {
			return []string{fmt.Sprintf("version %d of the brand's policy for %s was never announced", s.HouseVersion, s.Preset)}
		}
		l.over(&p)
	}
	if s.UnitVersion != 0 {
		l, found := known[policyVersion{unit: s.PolicyUnitID, preset: s.Preset, version: s.UnitVersion}]
		if !found {
			return []string{fmt.Sprintf("version %d of the policy of %s for %s was never announced", s.UnitVersion, s.PolicyUnitID, s.Preset)}
		}
		l.over(&p)
	}
	if s.PolicyVersion > 1 {
		l, found := known[policyVersion{group: s.GroupID, version: s.PolicyVersion}]
		if !found {
			return nil // set before versions were kept
		}
		l.over(&p)
	}
	if s.Mode != ModeEnforce || s.PermitKind != "" || s.PresetVersion != PresetVersion {
		return nil
	}
	p = p.enforced()
	if above(s.CapDay, p.Day) || above(s.CapWeek, p.Week) || above(s.CapMonth, p.Month) || above(s.CapLife, p.Life) ||
		s.GapMinutes < int(p.Gap.Minutes()) || !(Quiet{s.QuietFrom, s.QuietTo}).covers(p.Quiet) {
		wrong = append(wrong, "it was given more than the policies it names allow")
	}
	return wrong
}
