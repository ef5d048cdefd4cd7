package health

import (
	"fmt"
	"slices"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Person is somebody who is in a group now, with what he did there.
type Person struct {
	ID       id.Member
	Role     community.Role
	Joined   int  // the local day
	Gated    bool // he came by a page that showed the charter, or by somebody's code
	Days     map[int]map[community.ActivityKind]int
	Partners int // distinct members he replied to or helped, or who did so to him, in 30 days
	Helped   int // those he did
	community.Dealings
}

// Crowd is who is in a group now. Days of which nothing was reported are in
// Covered as false.
type Crowd struct {
	Today   int // not over yet: windows end the day before
	Zone    *time.Location
	People  []Person
	Covered map[int]bool
	// Came are the days on which those who joined in the last 30 days did, gone
	// again or not, and how many of them were Gated.
	Came, CameGated int
	// Invitees were brought in between 37 and 7 days ago.
	Invitees []Invitee
}

const (
	monthDays = 30
	crowdDays = 112 // as far back as a measure of silence looks
)

// crowd reads who is in a group now.
func crowd(q *database.Query, g community.Group, today int, zone *time.Location) (Crowd, error) {
	c := Crowd{Today: today, Zone: zone, Covered: map[int]bool{}}
	stays, err := community.RosterOf(q, g.ID)
	if err != nil {
		return c, err
	}
	var members []id.Member
	var brought []arrival
	for _, s := range stays {
		joined := clock.Day(s.JoinedAt.Time(), zone)
		gated := s.CharterVersion != 0 || s.CodeID != 0
		if !s.Role.Host() && joined >= plus(today, -monthDays) {
			c.Came++
			if gated {
				c.CameGated++
			}
		}
		if (s.CodeID != 0 || s.InviterID != 0) && joined >= plus(today, -monthDays-inviteDays) && joined < plus(today, -inviteDays) {
			kept := s.LeftAt == 0 || s.LeftAt >= s.JoinedAt.Add(inviteDays*24*time.Hour)
			brought = append(brought, arrival{s.InviterID, s.MemberID, joined, kept})
		}
		if s.LeftAt == 0 {
			members = append(members, s.MemberID)
			c.People = append(c.People, Person{ID: s.MemberID, Role: s.Role, Joined: joined, Gated: gated, Days: map[int]map[community.ActivityKind]int{}})
		}
	}
	at := make(map[id.Member]int, len(c.People))
	for i, p := range c.People {
		at[p.ID] = i
	}
	if err := c.deeds(q, g.ID, at, brought); err != nil {
		return c, err
	}
	if err := c.ties(q, g.ID, at); err != nil {
		return c, err
	}
	since := clock.MilliOf(noon(plus(today, -monthDays)))
	dealings, err := community.DealingsOf(q, members, since)
	for i := range c.People {
		c.People[i].Dealings = dealings[c.People[i].ID]
	}
	return c, err
}

func (c *Crowd) deeds(q *database.Query, group id.Group, at map[id.Member]int, brought []arrival) error {
	days := make([]int, crowdDays)
	for i := range days {
		days[i] = plus(c.Today, i-crowdDays)
	}
	var covered []int
	err := q.Raw("SELECT day FROM group_days WHERE group_id = ? AND day >= ? AND covered = 1", group, days[0]).Scan(&covered).Error
	if err != nil {
		return fmt.Errorf("health: covered days of %s: %w", group, err)
	}
	for _, d := range covered {
		c.Covered[d] = true
	}
	tallies, err := community.Tallies(q, group, days)
	if err != nil {
		return err
	}
	for _, t := range tallies {
		if i, in := at[t.Member]; in {
			did := c.People[i].Days
			if did[t.Day] == nil {
				did[t.Day] = map[community.ActivityKind]int{}
			}
			did[t.Day][t.Kind] += t.N
		}
	}
	return c.invitees(q, brought, tallies)
}

func (c *Crowd) ties(q *database.Query, group id.Group, at map[id.Member]int) error {
	ties, err := community.TiesOf(q, group, plus(c.Today, -monthDays))
	if err != nil {
		return err
	}
	with := map[int]map[id.Member]bool{}
	note := func(i int, other id.Member) {
		if with[i] == nil {
			with[i] = map[id.Member]bool{}
		}
		with[i][other] = true
	}
	for _, t := range ties {
		giver, in := at[t.Giver]
		if in {
			c.People[giver].Helped++
			note(giver, t.Taker)
		}
		if taker, in := at[t.Taker]; in {
			note(taker, t.Giver)
		}
	}
	for i, others := range with {
		c.People[i].Partners = len(others)
	}
	return nil
}

// members are those who are no hosts.
func (c Crowd) members() []Person {
	return slices.DeleteFunc(slices.Clone(c.People), func(p Person) bool { return p.Role.Host() })
}

// coverage is the share of the last n days, today left out, that are covered.
func (c Crowd) coverage(n int) int {
	covered := 0
	for back := range n {
		if c.Covered[plus(c.Today, -1-back)] {
			covered++
		}
	}
	return covered * whole / n
}

// active counts the days from one to another on which he did something.
func (p Person) active(from, to int) int {
	n := 0
	for d, did := range p.Days {
		if d >= from && d <= to && talked(did) {
			n++
		}
	}
	return n
}

func talked(did map[community.ActivityKind]int) bool {
	for kind, n := range did {
		if kind.Counts() && n > 0 {
			return true
		}
	}
	return false
}

// sum adds up what a count makes of each kind of each day.
func (p Person) sum(from, to int, count func(kind community.ActivityKind, n int) int) int {
	sum := 0
	for d, did := range p.Days {
		if d < from || d > to {
			continue
		}
		for kind, n := range did {
			sum += count(kind, n)
		}
	}
	return sum
}

// points weighs what he did, three of a kind a day at most.
func (p Person) points(from, to int) int {
	return p.sum(from, to, func(kind community.ActivityKind, n int) int { return min(n, perKind) * kind.Points() })
}

// of counts events of a kind.
func (p Person) of(which community.ActivityKind, from, to int) int {
	return p.sum(from, to, func(kind community.ActivityKind, n int) int {
		if kind == which {
			return n
		}
		return 0
	})
}

// days counts the days with an event of a kind.
func (p Person) days(which community.ActivityKind, from, to int) int {
	n := 0
	for d, did := range p.Days {
		if d >= from && d <= to && did[which] > 0 {
			n++
		}
	}
	return n
}

// month is the last 30 days that are over.
func (c Crowd) month() (from, to int) { return plus(c.Today, -monthDays), plus(c.Today, -1) }
