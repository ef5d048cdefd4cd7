package health

import "siyu/community"

// Criterion is one thing a group is asked for before it is a community.
type Criterion struct {
	Name     string `json:"name"`
	Observed *int   `json:"observed"`
	Limit    int    `json:"limit"`
	Unit     Unit   `json:"unit"`
	Passed   *bool  `json:"passed"` // null while it is not known
	Coverage int    `json:"coverage"`
	Unknown  Reason `json:"unknown,omitempty"`
}

// Incubation is a group's first 90 days, criterion by criterion.
type Incubation struct {
	Day      int         `json:"day"` // of the group's life
	Passed   bool        `json:"passed"`
	Criteria []Criterion `json:"criteria"`
}

// What is asked for.
const (
	incubationDays = 90
	mostDays       = 8_000 // of the early, and of the later days
	checkinDays    = 20    // of 30, of one who persists
	checkinShare   = 500   // of the members
	onTopicShare   = 7_000
	violationShare = 100 // of the members, in 30 days
)

// incubation judges a group's first 90 days on a day of its life. The history
// holds those of them that are over, the crowd who was in it then. A younger
// group has not passed, however well it does.
func incubation(g community.Group, h History, c Crowd, day int) Incubation {
	at := Day{Size: Unknown}
	if n := len(h.Days); n > 0 {
		at = h.Days[n-1]
	}
	out := Incubation{Day: day}
	add := func(name string, value int, unit Unit, d direction, limit, coverage int, why Reason) {
		m := figure(name, value, unit, d, limit, coverage, why)
		out.Criteria = append(out.Criteria, Criterion{name, m.Value, limit, unit, m.Meets, coverage, m.Unknown})
	}
	if least, most := sizes(g.Preset); least > 0 {
		add("size", at.Size, UnitPeople, atLeast, least, whole, ReasonNoMembers)
		if most > 0 {
			add("size_most", at.Size, UnitPeople, atMost, most, whole, ReasonNoMembers)
		}
	}
	early, coverage := h.shareOf(1, earlyDays, func(i int) int { return yes(h.rate(i), healthyRate) })
	add("early_rate_days", early, UnitBP, atLeast, mostDays, coverage, ReasonNotReported)
	later, coverage := h.shareOf(ownFrom, ownTo, func(i int) int {
		if d := h.Days[i]; !d.Covered || d.Size == Unknown {
			return Unknown
		}
		return yes(h.Days[i].TopicPeople, enough(h.Days[i].Size))
	})
	why := ReasonNotReported
	if out.Day < ownFrom+1 {
		why = ReasonYoung
	}
	add("topic_days", later, UnitBP, atLeast, mostDays, coverage, why)
	p := c.pyramid()
	for _, r := range []struct {
		name string
		n    int
	}{{"managers", p.Hosts}, {"kols", p.KOLs}, {"kocs", p.KOCs}} {
		add(r.name, known(r.n, len(c.People)), UnitPeople, atLeast, 1, whole, ReasonNoMembers)
	}
	add("checkin_share", c.checkinShare(), UnitBP, atLeast, checkinShare, c.coverage(monthDays), ReasonNotReported)
	for _, n := range h.notes() {
		add(n.name, n.value, n.unit, n.d, n.limit, n.coverage, ReasonNotReported)
	}
	out.Passed = day > incubationDays
	for _, k := range out.Criteria {
		out.Passed = out.Passed && k.Passed != nil && *k.Passed
	}
	return out
}

func yes(value, limit int) int {
	switch {
	case value == Unknown:
		return Unknown
	case value >= limit:
		return 1
	}
	return 0
}

// shareOf is the share of the known days of the group's life from one to
// another, as far as they are over, for which the question is a yes; Unknown if
// fewer than half are known.
func (h History) shareOf(first, last int, ask func(i int) int) (value, coverage int) {
	n, answered := 0, 0
	for i := range h.Days {
		if age := between(h.Born, h.Days[i].Day) + 1; age >= first && age <= last {
			if a := ask(i); a != Unknown {
				n, answered = n+a, answered+1
			}
		}
	}
	coverage = answered * whole / (last - first + 1)
	if coverage < enoughKnown {
		return Unknown, coverage
	}
	return n * whole / answered, coverage
}

// checkinShare is the share of members who checked in on 20 of the last 30
// days, rounded down.
func (c Crowd) checkinShare() int {
	members := c.members()
	if c.coverage(monthDays) < enoughKnown || len(members) == 0 {
		return Unknown
	}
	from, to := c.month()
	n := 0
	for _, p := range members {
		if p.days(community.ActivityCheckin, from, to) >= checkinDays {
			n++
		}
	}
	return n * whole / len(members)
}

type noteRule struct {
	name            string
	value           int
	unit            Unit
	d               direction
	limit, coverage int
}

// notes judges what was noted about members. One incentive is proof of itself;
// that there was no violation needs days of which all was reported.
func (h History) notes() []noteRule {
	fewest, worst, said, off, complete := Unknown, Unknown, 0, 0, 0
	for month := range incubationDays / monthDays {
		incentives, violations, size, days := 0, 0, Unknown, 0
		for _, d := range h.Days {
			age := between(h.Born, d.Day)
			if age < month*monthDays || age >= (month+1)*monthDays {
				continue
			}
			incentives, violations = incentives+d.Incentives, violations+d.Violations
			said, off = said+d.Said, off+d.OffTopic
			if d.Size != Unknown {
				size = d.Size
			}
			if d.Complete {
				days++
			}
		}
		complete += days
		if fewest == Unknown || incentives < fewest {
			fewest = incentives
		}
		if size > 0 {
			worst = max(worst, (violations*whole+size-1)/size)
		}
	}
	coverage := complete * whole / incubationDays
	if coverage < enoughKnown {
		worst = Unknown
		if fewest == 0 {
			fewest = Unknown
		}
	}
	onTopic := Unknown
	if coverage >= enoughKnown && said > 0 {
		onTopic = max(0, said-off) * whole / said
	}
	return []noteRule{
		{"incentives_a_month", fewest, UnitTimes, atLeast, 1, coverage},
		{"violations_a_month", worst, UnitBP, atMost, violationShare, coverage},
		{"on_topic", onTopic, UnitBP, atLeast, onTopicShare, coverage},
	}
}
