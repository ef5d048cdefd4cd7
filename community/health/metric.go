package health

import (
	"siyu/community"
	"siyu/internal/clock"
)

// Metric is one figure of a group with what it is held to. Value is null when
// Unknown says why.
type Metric struct {
	Name     string `json:"name"`
	Value    *int   `json:"value"`
	Unit     Unit   `json:"unit"`
	Limit    *int   `json:"limit"`    // null: it is held to nothing
	Meets    *bool  `json:"meets"`    // null: unknown, or held to nothing
	Coverage int    `json:"coverage"` // basis points of what it rests on
	Unknown  Reason `json:"unknown,omitempty"`
}

// Unit is what a metric counts.
type Unit string

// The units. Basis points: 10,000 is all.
const (
	UnitBP     Unit = "basis_points"
	UnitPeople Unit = "people"
	UnitDays   Unit = "days"
	UnitTimes  Unit = "times"
)

// Reason is why a figure is unknown.
type Reason string

// The reasons.
const (
	ReasonNotReported Reason = "not_reported" // fewer than half of its days are covered
	ReasonNoMembers   Reason = "no_members"   // nobody was ever reported to be in the group
	ReasonNoAds       Reason = "no_ads"       // no ad to look at
	ReasonNobody      Reason = "nobody"       // nobody it could be a share of
	ReasonYoung       Reason = "young"        // the group is not old enough
	ReasonFew         Reason = "too_few"      // too few orders for a share of them
)

// direction says how a figure is held to its limit.
type direction int

const (
	atLeast direction = iota
	atMost
)

// figure is a metric held to a limit.
func figure(name string, value int, unit Unit, d direction, limit, coverage int, why Reason) Metric {
	m := Metric{Name: name, Unit: unit, Limit: &limit, Coverage: coverage}
	if value == Unknown {
		m.Unknown = why
		return m
	}
	meets := value >= limit
	if d == atMost {
		meets = value <= limit
	}
	m.Value, m.Meets = &value, &meets
	return m
}

// share is a metric held to nothing.
func share(name string, value, coverage int, why Reason) Metric {
	m := figure(name, value, UnitBP, atLeast, 0, coverage, why)
	m.Limit, m.Meets = nil, nil
	return m
}

// Floors of size by preset; a core group has a roof too.
const (
	floorLarge = 200
	floorCore  = 30
	roofCore   = 150
)

// sizes are the least and the most members of a preset's groups; 0 is no limit.
func sizes(p community.Preset) (least, most int) {
	switch p {
	case community.PresetInterest, community.PresetRetail:
		return floorLarge, 0
	case community.PresetCore:
		return floorCore, roofCore
	}
	return 0, 0
}

func fits(p community.Preset, size int) bool {
	least, most := sizes(p)
	return size >= least && (most == 0 || size <= most)
}

// Limits of metrics that no state rests on.
const (
	sizeDays   = 9_000 // of 90
	adsShare   = 2_500 // one ad to four pieces of content
	tiredLimit = 3_000
	gateShare  = 8_000
)

// metrics are all figures of a group on the i-th day of its history.
func metrics(g community.Group, h History, i int, c Crowd) []Metric {
	j := h.judge(i)
	week, fortnight, month := h.coverage(i, 7), h.coverage(i, 14), c.coverage(monthDays)
	size := ReasonNotReported
	if j.Size == Unknown {
		size = ReasonNoMembers
	}
	list := []Metric{
		figure("dar", int(j.DAR), UnitBP, atLeast, healthyRate, week, size),
		figure("topic_days", h.topicDays(i), UnitDays, atLeast, topicDays, week, size),
		figure("weekly_interaction", int(j.Week), UnitTimes, atLeast, 1, week, size),
		figure("host_share", int(j.HostShare), UnitBP, atMost, hostShare, fortnight, ReasonNotReported),
		figure("ads_to_content", adsToContent(j), UnitBP, atMost, adsShare, week, ReasonNotReported),
		figure("fatigue", int(j.Fatigue), UnitBP, atMost, tiredLimit, j.FatigueKnown, ReasonNoAds),
		figure("early_fall", int(j.Fall), UnitBP, atMost, fallAlarm-1, week, ReasonNoAds),
	}
	if least, _ := sizes(g.Preset); least > 0 {
		value, known := h.sizeDays(i, g.Preset)
		list = append(list, figure("size_days", value, UnitBP, atLeast, sizeDays, known, ReasonNoMembers))
	}
	head, core := c.head(), c.core()
	return append(list,
		figure("monologue", c.hostPart(), UnitBP, atMost, monologue, month, ReasonNotReported),
		figure("head_cr1", int(head.CR1), UnitBP, atMost, headCR1, month, ReasonNotReported),
		figure("head_hhi", int(head.HHI), UnitBP, atMost, headHHI, month, ReasonNotReported),
		figure("head_sales", int(c.sales().Share), UnitBP, atMost, headCR1, whole, ReasonFew),
		figure("head_loo", int(head.LOO), UnitBP, atLeast, headLOO, month, ReasonNotReported),
		figure("pyramid", known(c.pyramid().Index, len(c.People)), UnitBP, atLeast, whole, whole, ReasonNoMembers),
		share("ice_broken", c.iceBroken(), month, ReasonNotReported),
		core.metric(month),
		figure("entry_gate", part(c.CameGated, c.Came), UnitBP, atLeast, gateShare, whole, ReasonNobody),
		share("invited_kept", c.invitedKept(), whole, ReasonNobody),
		share("invited_spoke", c.invitedSpoke(), c.coverage(invitedCovered), c.whySilent()),
	)
}

func known(value, of int) int {
	if of == 0 {
		return Unknown
	}
	return value
}

func part(n, of int) int {
	if of == 0 {
		return Unknown
	}
	return n * whole / of
}

// adsToContent is a week's ads to its content, rounded up.
func adsToContent(j Judgement) int {
	if j.Content == Unknown {
		return Unknown
	}
	of := max(1, int(j.Content))
	return (j.Ads*whole + of - 1) / of
}

func (h History) topicDays(i int) int {
	if !h.known(i, 7) || h.Days[i].Size == Unknown {
		return Unknown
	}
	n := 0
	for _, d := range h.last(i, 7) {
		if d.topical() {
			n++
		}
	}
	return n
}

// sizeDays is the share of the last 90 days with a size that fits the preset,
// and the share of which the size is known.
func (h History) sizeDays(i int, p community.Preset) (value, coverage int) {
	fit, all, window := 0, 0, h.last(i, ownTo)
	for _, d := range window {
		if d.Size != Unknown {
			if all++; fits(p, d.Size) {
				fit++
			}
		}
	}
	return part(fit, all), part(all, len(window))
}

// metric holds the core's silence to half more than is usual for it.
func (c Core) metric(coverage int) Metric {
	if c.Baseline == Unknown {
		m := share("core_silence", int(c.Silent), coverage, ReasonNotReported)
		if c.Members == 0 && c.Silent == Unknown {
			m.Unknown = ReasonNobody
		}
		return m
	}
	m := figure("core_silence", int(c.Silent), UnitBP, atMost, int(c.Baseline)*3/2, coverage, ReasonNotReported)
	if m.Value != nil {
		meets := !c.Alarm
		m.Meets = &meets
	}
	return m
}

// Tier is what a group of a size needs.
type Tier string

// The tiers: up to 50 run by themselves, up to 150 need rules and activities,
// larger ones are better off in parts.
const (
	TierSelf  Tier = "self_running"
	TierRules Tier = "rules_and_activities"
	TierSplit Tier = "sub_groups"
)

func tierOf(size int) Tier {
	switch {
	case size == Unknown:
		return ""
	case size <= 50:
		return TierSelf
	case size <= 150:
		return TierRules
	}
	return TierSplit
}

// today is the local day of the group, and its zone is the clock's.
func (s *Service) today(g community.Group) (int, error) {
	zone, err := g.Location()
	if err != nil {
		return 0, err
	}
	return clock.Day(s.DB.Clock.Now(), zone), nil
}
