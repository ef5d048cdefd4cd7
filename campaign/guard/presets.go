package guard

// PresetShown is a preset as data: each number with the bounds a brand may
// move it in and where it comes from.
type PresetShown struct {
	Preset  Preset    `json:"preset"`
	Version int       `json:"version"`
	Numbers []Number  `json:"numbers"`
	Care    CareShown `json:"care"`
	Advice  Reasons   `json:"advice"` // rules it advises on where nothing is known of a group's health
}

// CareShown is what a preset asks of a group's health. What is enforced is so
// only where 70 % of the last 14 days are covered; factors scale the caps by
// state, in hundredths; null is none.
type CareShown struct {
	ContentPerAd    int            `json:"content_per_ad"` // 0: none
	ContentEnforced bool           `json:"content_enforced"`
	Weekly          bool           `json:"weekly_interaction"`
	WeeklyEnforced  bool           `json:"weekly_enforced"`
	Factors         map[string]int `json:"factors"`
}

func (c Care) shown() CareShown {
	out := CareShown{ContentPerAd: c.Content, ContentEnforced: c.EnforceContent, Weekly: c.Weekly, WeeklyEnforced: c.EnforceWeekly}
	if f := c.Factors; f != (factors{}) {
		out.Factors = map[string]int{"healthy": f.healthy, "warm": f.warm, "cooling": f.cooling, "quiet": f.quiet, "dead": f.dead, "unknown": f.unknown}
	}
	return out
}

// Number is one limit of a preset, named like the field of a group's policy
// that replaces it. A value of null is none; bounds of null mean that a group
// cannot set it for itself.
type Number struct {
	Name     string `json:"name"`
	Rule     Rule   `json:"rule"`
	Value    *int   `json:"value"`
	Min      *int   `json:"min"`
	Max      *int   `json:"max"`
	SourceZH string `json:"source_zh"`
	SourceEN string `json:"source_en"`
}

// Presets are all presets, the default of new groups first.
func Presets() []PresetShown {
	out := make([]PresetShown, len(PresetNames))
	for i, name := range PresetNames {
		p := PresetPolicy(Preset(name), ModeEnforce)
		out[i] = PresetShown{Preset: p.Preset, Version: PresetVersion, Numbers: p.numbers(), Care: p.Care.shown(), Advice: p.advice}
	}
	return out
}

func (p Policy) numbers() []Number {
	n := func(name string, rule Rule, value, least, most int) Number {
		src := sources[rule]
		return Number{name, rule, limit(value), &least, &most, src.zh, src.en}
	}
	life := n("ads_per_life", RuleLife, p.Life, 0, 0)
	life.Min, life.Max = nil, nil
	return []Number{
		n("warm_up_days", RuleWarmUp, int(p.WarmUp/day), 0, WarmUpDaysMax),
		n("gap_hours", RuleGap, int(p.Gap/hour), GapHoursMin, GapHoursMax),
		n("ads_per_day", RuleDay, p.Day, 0, DayMax),
		n("ads_per_week", RuleWeek, p.Week, 0, WeekMax),
		n("ads_per_month", RuleMonth, p.Month, 0, MonthMax),
		life,
		n("quiet_from", RuleQuiet, p.Quiet.From, 0, minutesOfDay-1),
		n("quiet_to", RuleQuiet, p.Quiet.To, 0, minutesOfDay-1),
	}
}

// limit is a cap as it is shown: null is none.
func limit(n int) *int {
	if n == Unlimited {
		return nil
	}
	return &n
}

type source struct{ zh, en string }

// sources say where the numbers of a rule come from, and which are our choice.
var sources = map[Rule]source{
	RuleWarmUp: {"建群三天就卖货是群变死的常见原因；具体天数是我们的取值", "selling from the third day on is a common way to lose a group; the number of days is our choice"},
	RuleGap:    {"由每周上限推出，是我们的取值", "follows from the cap per week; our choice"},
	RuleDay:    {"天天发单没有沟通的群很快死掉；不超过群约定，是我们的取值", "a group that only gets offers every day dies soon; never above the charter; our choice"},
	RuleWeek:   {"同每日上限；按自然周和任意连续 7 天各算一次", "as per day; counted by ISO week and in any 7 × 24 h"},
	RuleMonth:  {"同每日上限；按自然月和任意连续 30 天各算一次", "as per day; counted by calendar month and in any 30 × 24 h"},
	RuleLife:   {"快闪群和课程群有终点，全程只有这么多条", "flash and course groups have an end; this is all they get"},
	RuleQuiet:  {"夜里不打扰，至少 7 小时，是我们的取值", "nobody is disturbed at night, for 7 hours at least; our choice"},
}
