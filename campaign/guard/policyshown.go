package guard

import (
	"siyu/internal/clock"
	"siyu/internal/id"
)

// Limits are the numbers of a policy as they are shown. A cap of null is none;
// quiet hours are minutes of the local day.
type Limits struct {
	Preset      Preset        `json:"preset"`
	Mode        Mode          `json:"mode"`
	WarmUpDays  int           `json:"warm_up_days"`
	GapHours    int           `json:"gap_hours"`
	AdsPerDay   *int          `json:"ads_per_day"`
	AdsPerWeek  *int          `json:"ads_per_week"`
	AdsPerMonth *int          `json:"ads_per_month"`
	AdsPerLife  *int          `json:"ads_per_life"`
	QuietFrom   int           `json:"quiet_from"`
	QuietTo     int           `json:"quiet_to"`
	Rules       map[Rule]Mode `json:"rules"` // kept otherwise than the preset says
}

func (p *Policy) limits() Limits {
	out := Limits{Preset: p.Preset, Mode: p.Mode, WarmUpDays: int(p.WarmUp / day), GapHours: int(p.Gap / hour),
		AdsPerDay: limit(p.Day), AdsPerWeek: limit(p.Week), AdsPerMonth: limit(p.Month), AdsPerLife: limit(p.Life),
		QuietFrom: p.Quiet.From, QuietTo: p.Quiet.To, Rules: map[Rule]Mode{}}
	for _, m := range p.Rules {
		if _, nearer := out.Rules[m.Rule]; !nearer {
			out.Rules[m.Rule] = m.Mode
		}
	}
	return out
}

// Coming is a policy that was announced and does not count yet.
type Coming struct {
	EffectiveAt clock.Milli `json:"effective_at"`
	Limits
}

// Layer says who set a number.
type Layer string

// The layers, the nearest first.
const (
	LayerGroup  Layer = "group"
	LayerUnit   Layer = "unit"
	LayerHouse  Layer = "house"  // the brand's own of the preset
	LayerPreset Layer = "preset" // as Siyu ships it
)

// Setting is a number that holds, with what the preset ships, the bounds it may
// be moved in, and who set it.
type Setting struct {
	Number
	Default *int    `json:"default"`
	From    Layer   `json:"set_by"`
	UnitID  id.Unit `json:"set_by_unit_id"`
	Version int     `json:"set_by_version"`
}

// settings are the policy's numbers, each from the nearest layer that sets it.
func (p *Policy) settings(from []layer, names ...Layer) []Setting {
	shipped := PresetPolicy(p.Preset, p.Mode)
	defaults, numbers := shipped.numbers(), p.numbers()
	out := make([]Setting, len(numbers))
	for i, n := range numbers {
		out[i] = Setting{Number: n, Default: defaults[i].Value, From: LayerPreset, Version: PresetVersion}
		for k, l := range from {
			if v, ok := l.named()[n.Name]; ok && v != unset {
				out[i].From, out[i].UnitID, out[i].Version = names[k], l.UnitID, l.Version
				break
			}
		}
	}
	return out
}

// AdPolicy is a group's policy as it is shown: the numbers that hold, and those
// that are coming. Version is that of the group's newest own, InForce that of
// the one that holds.
type AdPolicy struct {
	GroupID id.Group `json:"group_id"`
	Limits
	ObserveUntil clock.Milli `json:"observe_until"`
	Version      int         `json:"version"`
	InForce      int         `json:"version_in_force"`
	Numbers      []Setting   `json:"numbers"`
	Coming       []Coming    `json:"coming"`
}

func (l *laws) shown(now clock.Milli) AdPolicy {
	p, from := l.at(now)
	return AdPolicy{GroupID: l.own.GroupID, Limits: p.limits(), ObserveUntil: l.own.ObserveUntil, Version: l.own.Version, InForce: p.Version,
		Numbers: p.settings(from[:], LayerGroup, LayerUnit, LayerHouse), Coming: comingOf(l.turns(now))}
}

func comingOf(turns []Turn) []Coming {
	out := make([]Coming, len(turns))
	for i, t := range turns {
		out[i] = Coming{t.From, t.Policy.limits()}
	}
	return out
}

// LayerPolicy is what the brand (no unit) or a unit sets of a preset's policy.
// Numbers and rules are those that hold for a group that sets none itself.
type LayerPolicy struct {
	UnitID  id.Unit       `json:"unit_id"`
	Preset  Preset        `json:"preset"`
	Version int           `json:"version"` // of the newest; 0: nothing was ever set
	InForce int           `json:"version_in_force"`
	Numbers []Setting     `json:"numbers"`
	Rules   map[Rule]Mode `json:"rules"`
	Coming  []Coming      `json:"coming"`
}
