package guard

import (
	"time"

	"siyu/internal/id"
)

// Mode is how strictly a group's policy is kept. The charter holds in all.
type Mode string

// The modes: off asks only the charter; advise lists what the policy would
// refuse and lets it pass; enforce refuses.
const (
	ModeOff     Mode = "off"
	ModeAdvise  Mode = "advise"
	ModeEnforce Mode = "enforce"
)

// Preset names a set of limits made for one sort of group.
type Preset string

// The presets.
const (
	PresetInterest Preset = "interest"
	PresetRetail   Preset = "retail"
	PresetBenefit  Preset = "benefit"
	PresetFlash    Preset = "flash"
	PresetCourse   Preset = "course"
	PresetChain    Preset = "chain"
	PresetCore     Preset = "core"
	PresetService  Preset = "service"
)

// PresetVersion is the version of the presets' numbers below. It is written on
// every slot; whoever changes a number raises it.
const PresetVersion = 3

// Unlimited is a cap that is not set.
const Unlimited = -1

// Policy is what a group's ads are held to: a preset's numbers, or a brand's
// own within Bounds.
type Policy struct {
	Preset  Preset
	Version int     // of the group's own settings; the preset's is PresetVersion
	House   int     // the version of the brand's settings for the preset; 0: none
	Unit    int     // of the nearest unit's
	OfUnit  id.Unit // that unit
	Mode    Mode
	WarmUp  time.Duration // no ads before the group's real age reaches it
	Gap     time.Duration // least time between two ads
	Day     int           // most ads in a local calendar day
	Week    int           // in an ISO week, and in any 7 × 24 h
	Month   int           // in a calendar month, and in any 30 × 24 h
	Life    int           // ever
	Quiet   Quiet
	Course  int // percent of the group\'s planned life that pass before its first ad

	Care  Care       // what rests on the group's health
	Rules []RuleMode // rules that are kept otherwise than the preset says

	// advice are rules whose inputs nothing measures in a group that
	// was never judged: listed on every receipt, never refusing.
	advice []Reason
}

const (
	hour = time.Hour
	day  = 24 * hour
)

// PresetNames are the presets, for validation and for pages.
var PresetNames = []string{
	string(PresetInterest), string(PresetRetail), string(PresetBenefit), string(PresetFlash),
	string(PresetCourse), string(PresetChain), string(PresetCore), string(PresetService),
}

// PresetPolicy is the preset's policy in the mode; an unknown preset is
// interest, the default of new groups.
func PresetPolicy(name Preset, mode Mode) Policy {
	p := Policy{Preset: name, Mode: mode, Care: cares[name]}
	switch name {
	case PresetRetail:
		p.WarmUp, p.Gap, p.Quiet = 3*day, 20*hour, Quiet{22 * 60, 8 * 60}
		p.Day, p.Week, p.Month, p.Life = 1, 4, 16, Unlimited
		p.advice = adviceRetail
	case PresetBenefit:
		p.Gap, p.Quiet = 3*hour, Quiet{21*60 + 30, 7 * 60}
		p.Day, p.Week, p.Month, p.Life = 3, 15, 60, Unlimited
		p.advice = adviceWeekly
	case PresetFlash:
		p.Gap, p.Quiet = 2*hour, Quiet{22*60 + 30, 8 * 60}
		p.Day, p.Week, p.Month, p.Life = 5, Unlimited, Unlimited, 25
	case PresetCourse:
		p.Gap, p.Quiet = 4*hour, Quiet{22*60 + 30, 8 * 60}
		p.Day, p.Week, p.Month, p.Life, p.Course = 2, 4, Unlimited, 6, 70
		p.advice = adviceCourse
	case PresetChain:
		p.Gap, p.Quiet = 2*hour, Quiet{21*60 + 30, 6*60 + 30}
		p.Day, p.Week, p.Month, p.Life = 3, 15, 60, Unlimited
		p.advice = adviceHealth
	case PresetCore:
		p.WarmUp, p.Gap, p.Quiet = 14*day, 7*day, Quiet{21*60 + 30, 9 * 60}
		p.Day, p.Week, p.Month, p.Life = 1, 1, 3, Unlimited
		p.advice = adviceCore
	case PresetService:
		p.Day, p.Week, p.Month, p.Life = 0, 0, 0, 0
	default:
		p.Preset, p.Care = PresetInterest, cares[PresetInterest]
		p.WarmUp, p.Gap, p.Quiet = 7*day, 48*hour, Quiet{22 * 60, 8*60 + 30}
		p.Day, p.Week, p.Month, p.Life = 1, 2, 6, Unlimited
		p.advice = adviceInterest
	}
	return p
}

// What each preset advises on: key moments (days before), content per ad,
// weekly interaction, health.
var (
	adviceInterest = []Reason{{RuleMoment, Unknown, 3}, {RuleContent, Unknown, 4}, {RuleWeekly, Unknown, 1}, {RuleHealth, Unknown, 0}}
	adviceRetail   = []Reason{{RuleMoment, Unknown, 3}, {RuleContent, Unknown, 2}, {RuleWeekly, Unknown, 1}, {RuleHealth, Unknown, 0}}
	adviceCore     = []Reason{{RuleMoment, Unknown, 3}, {RuleContent, Unknown, 6}, {RuleWeekly, Unknown, 1}, {RuleHealth, Unknown, 0}}
	adviceCourse   = []Reason{{RuleContent, Unknown, 5}, {RuleHealth, Unknown, 0}}
	adviceWeekly   = []Reason{{RuleWeekly, Unknown, 1}, {RuleHealth, Unknown, 0}}
	adviceHealth   = []Reason{{RuleHealth, Unknown, 0}}
)

// Bounds of what a brand may set for itself.
const (
	WarmUpDaysMax   = 30
	GapHoursMin     = 1
	GapHoursMax     = 336
	DayMax          = 6
	WeekMax         = 30
	MonthMax        = 93
	QuietMinutesMin = 7 * 60
)
