package health

import (
	"cmp"
	"slices"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Invitee is somebody who was brought into a group a week to a month ago.
// Spoke says that he did something within a week.
type Invitee struct {
	Inviter     id.Member // the live one; 0 where it was not noted
	Kept, Spoke bool
}

// Inviter is how those whom one member brought into a group took to it.
type Inviter struct {
	Member  id.Member `json:"member_id"`
	Invited int       `json:"invited"`
	Kept    int       `json:"kept"`  // those still there after a week
	Spoke   Figure    `json:"spoke"` // those who did something within a week
	Low     bool      `json:"low"`   // a tenth of the inviters or fewer keep as few
}

const (
	inviteDays     = 7  // in which an invitee stays, and speaks
	invitersShown  = 20 // who brought most
	invitersLeast  = 10 // fewer of them have no tenth
	invitedLeast   = 3  // who brought fewer is not compared
	invitedCovered = monthDays + inviteDays
)

// inviters are those who brought somebody, the ones who brought most first.
func (c Crowd) inviters() []Inviter {
	at := map[id.Member]*Inviter{}
	known := c.spokenKnown()
	for _, x := range c.Invitees {
		if x.Inviter == 0 {
			continue
		}
		one := at[x.Inviter]
		if one == nil {
			one = &Inviter{Member: x.Inviter}
			at[x.Inviter] = one
		}
		one.Invited++
		if x.Kept {
			one.Kept++
		}
		if x.Spoke {
			one.Spoke++
		}
	}
	out := []Inviter{}
	for _, one := range at {
		if !known {
			one.Spoke = Unknown
		}
		out = append(out, *one)
	}
	slices.SortFunc(out, func(a, b Inviter) int {
		return cmp.Or(cmp.Compare(b.Invited, a.Invited), cmp.Compare(b.Kept, a.Kept), cmp.Compare(a.Member, b.Member))
	})
	markLow(out)
	return out[:min(len(out), invitersShown)]
}

// markLow marks the tenth of those who brought enough whose invitees stay least.
func markLow(list []Inviter) {
	var share []int
	for _, x := range list {
		if x.Invited >= invitedLeast {
			share = append(share, x.Kept*whole/x.Invited)
		}
	}
	if len(share) < invitersLeast {
		return
	}
	slices.Sort(share)
	for i, x := range list {
		if x.Invited >= invitedLeast {
			upto, _ := slices.BinarySearch(share, x.Kept*whole/x.Invited+1)
			list[i].Low = upto*10 <= len(share)
		}
	}
}

// spokenKnown says whether enough is reported of the days on which invitees
// could have spoken.
func (c Crowd) spokenKnown() bool { return c.coverage(invitedCovered) >= enoughKnown }

// invitedKept is the share of those who were brought in a week to a month ago
// and were still there after a week.
func (c Crowd) invitedKept() int {
	return c.ofInvitees(func(x Invitee) bool { return x.Kept })
}

// invitedSpoke is the share of the same who did something within a week.
func (c Crowd) invitedSpoke() int {
	if !c.spokenKnown() {
		return Unknown
	}
	return c.ofInvitees(func(x Invitee) bool { return x.Spoke })
}

// whySilent is why it is unknown who spoke.
func (c Crowd) whySilent() Reason {
	if len(c.Invitees) == 0 {
		return ReasonNobody
	}
	return ReasonNotReported
}

func (c Crowd) ofInvitees(is func(Invitee) bool) int {
	n := 0
	for _, x := range c.Invitees {
		if is(x) {
			n++
		}
	}
	return part(n, len(c.Invitees))
}

// arrival is one who was brought in, before it is known what he did.
type arrival struct {
	inviter, member id.Member
	day             int
	kept            bool
}

// invitees says what became of those who were brought in.
func (c *Crowd) invitees(q *database.Query, list []arrival, tallies []community.Tally) error {
	spoke := map[id.Member][]int{}
	for _, t := range tallies {
		if t.Kind.Counts() {
			spoke[t.Member] = append(spoke[t.Member], t.Day)
		}
	}
	var named []id.Member
	for _, a := range list {
		if a.inviter != 0 {
			named = append(named, a.inviter)
		}
	}
	slices.Sort(named)
	live := map[id.Member]id.Member{}
	for part := range slices.Chunk(slices.Compact(named), lookAtOnce) {
		found, err := community.FollowMerges(q, part)
		if err != nil {
			return err
		}
		for from, into := range found {
			live[from] = into
		}
	}
	for _, a := range list {
		until := plus(a.day, inviteDays)
		said := slices.ContainsFunc(spoke[a.member], func(d int) bool { return d >= a.day && d <= until })
		c.Invitees = append(c.Invitees, Invitee{live[a.inviter], a.kept, said})
	}
	return nil
}

// lookAtOnce bounds the ids one statement is asked for.
const lookAtOnce = 150
