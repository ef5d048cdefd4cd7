package health

import (
	"slices"

	"siyu/community"
	"siyu/internal/id"
)

// Head says how much of a group hangs on its most active member, over 30 days.
type Head struct {
	Top  id.Member `json:"top"`
	CR1  Figure    `json:"cr1"` // his share of all points
	HHI  Figure    `json:"hhi"` // the sum of the squares of all shares
	LOO  Figure    `json:"loo"` // what is left of the active rate without him
	High bool      `json:"high"`
}

// The limits beyond which a group hangs on one.
const (
	headCR1 = 4_000
	headHHI = 2_500
	headLOO = 5_000
)

// head is Unknown in all figures where too little is known or nobody spoke.
func (c Crowd) head() Head {
	none := Head{CR1: Unknown, HHI: Unknown, LOO: Unknown}
	from, to := c.month()
	if c.coverage(monthDays) < enoughKnown {
		return none
	}
	all, squares, days, most, of := 0, 0, 0, 0, Person{}
	for _, p := range c.members() {
		n := p.points(from, to)
		all, squares, days = all+n, squares+n*n, days+p.active(from, to)
		if n > most {
			most, of = n, p
		}
	}
	if all == 0 {
		return none
	}
	left := days - of.active(from, to)
	return Head{
		Top: of.ID, CR1: Figure(most * whole / all), HHI: Figure(squares * whole / (all * all)), LOO: Figure(left * whole / days),
		High: most*whole > all*headCR1 || squares*whole > all*all*headHHI || left*whole < days*headLOO,
	}
}

// iceBroken is the share of members with two or more partners to talk to.
func (c Crowd) iceBroken() int {
	members := c.members()
	if c.coverage(monthDays) < enoughKnown || len(members) == 0 {
		return Unknown
	}
	n := 0
	for _, p := range members {
		if p.Partners >= 2 {
			n++
		}
	}
	return n * whole / len(members)
}

// monologue is a host's share of all that is done above which he talks alone.
const monologue = 7_000

// hostPart is the hosts' share of all points of 30 days, rounded up.
func (c Crowd) hostPart() int {
	from, to := c.month()
	host, all := 0, 0
	for _, p := range c.People {
		n := p.points(from, to)
		if all += n; p.Role.Host() {
			host += n
		}
	}
	if c.coverage(monthDays) < enoughKnown || all == 0 {
		return Unknown
	}
	return (host*whole + all - 1) / all
}

// Pyramid is how many people of each sort a group has.
type Pyramid struct {
	Hosts int `json:"hosts"`
	KOLs  int `json:"kols"`
	KOCs  int `json:"kocs"`
	Rest  int `json:"rest"`
	Index int `json:"index"` // whole less a quarter for each rule that is broken
}

func (c Crowd) pyramid() Pyramid {
	var p Pyramid
	for _, one := range c.People {
		switch one.Role {
		case community.RoleOwner, community.RoleAdmin:
			p.Hosts++
		case community.RoleKOL:
			p.KOLs++
		case community.RoleKOC:
			p.KOCs++
		default:
			p.Rest++
		}
	}
	size := p.KOLs + p.KOCs + p.Rest
	p.Index = whole
	for _, holds := range []bool{
		p.Hosts >= 1 && p.KOLs >= 1 && p.KOCs >= 1 && p.Rest >= 1,
		p.KOLs <= p.KOCs,
		p.KOCs*5 <= size,
		p.Hosts <= 3 || p.Hosts*50 <= size,
	} {
		if !holds {
			p.Index -= whole / 4
		}
	}
	return p
}

// Core is the silence of those who were always there: members of half a year
// and the fifth who buy most.
type Core struct {
	Members  int    `json:"members"`
	Silent   Figure `json:"silent"`   // share without an event for 21 days
	Baseline Figure `json:"baseline"` // the median of the same on each seventh day of 13 weeks before
	Alarm    bool   `json:"alarm"`
}

const (
	coreAge   = 180
	coreQuiet = 21
	coreWeeks = 13
)

func (c Crowd) core() Core {
	core := c.corePeople()
	out := Core{Members: len(core), Silent: Figure(c.silentOn(core, plus(c.Today, -1))), Baseline: Unknown}
	var before []int
	for week := range coreWeeks {
		if n := c.silentOn(core, plus(c.Today, -1-7*(week+1))); n != Unknown {
			before = append(before, n)
		}
	}
	if len(before) < 2 {
		return out
	}
	out.Baseline = Figure(median(before))
	out.Alarm = out.Silent > out.Baseline && out.Silent*2 >= out.Baseline*3
	return out
}

func (c Crowd) corePeople() []Person {
	members := c.members()
	buyers := slices.DeleteFunc(slices.Clone(members), func(p Person) bool { return p.Bought <= 0 })
	slices.SortStableFunc(buyers, func(a, b Person) int { return int(min(1, max(-1, b.Bought-a.Bought))) })
	top := map[id.Member]bool{}
	for _, p := range buyers[:(len(buyers)+4)/5] {
		top[p.ID] = true
	}
	return slices.DeleteFunc(members, func(p Person) bool { return !top[p.ID] && between(p.Joined, c.Today) < coreAge })
}

// silentOn is the share of the core without an event in the 21 days up to one,
// if half of these are covered.
func (c Crowd) silentOn(core []Person, day int) int {
	from, covered := plus(day, 1-coreQuiet), 0
	for d := from; d <= day; d = plus(d, 1) {
		if c.Covered[d] {
			covered++
		}
	}
	if covered*whole < coreQuiet*enoughKnown || len(core) == 0 {
		return Unknown
	}
	silent := 0
	for _, p := range core {
		if p.active(from, day) == 0 {
			silent++
		}
	}
	return silent * whole / len(core)
}
