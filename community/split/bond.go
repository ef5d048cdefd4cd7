package split

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"siyu/community"
	"siyu/community/gathering"
	"siyu/community/request"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// TieKind is why two people belong together.
type TieKind int

// The kinds: one replied to or helped the other, both were at an offline event,
// were in a team, asked for the same, or came by the same code.
const (
	TieTalked TieKind = iota
	TieMet
	TieTeam
	TieAsked
	TieCame
	kinds
)

// weights are what each kind is worth: what people do with each other more than
// what happened to both.
var weights = [kinds]int{TieTalked: 4, TieMet: 3, TieTeam: 3, TieAsked: 2, TieCame: 2}

// rules is the version of kinds, weights and the function that divides.
const rules = 1

// Bond is what binds two people, A with the lower id.
type Bond struct {
	A, B id.Member
	Of   [kinds]bool
}

func (b Bond) weight() (sum int) {
	for kind, is := range b.Of {
		if is {
			sum += weights[kind]
		}
	}
	return sum
}

// crowdMost is how many people one fact may bind: what more share, an event of
// the whole group or the owner's own code, says nothing about who belongs
// together.
const crowdMost = 50

// book gathers bonds.
type book map[[2]id.Member]*Bond

func (k book) tie(kind TieKind, a, b id.Member) {
	if a == b {
		return
	}
	pair := [2]id.Member{min(a, b), max(a, b)}
	if k[pair] == nil {
		k[pair] = &Bond{A: pair[0], B: pair[1]}
	}
	k[pair].Of[kind] = true
}

// share ties all who have a fact in common.
func (k book) share(kind TieKind, people []id.Member) {
	people = slices.Compact(slices.Sorted(slices.Values(people)))
	if len(people) > crowdMost {
		return
	}
	for i, a := range people {
		for _, b := range people[i+1:] {
			k.tie(kind, a, b)
		}
	}
}

// bonds are them, in order.
func (k book) bonds() []Bond {
	out := make([]Bond, 0, len(k))
	for _, b := range slices.SortedFunc(maps.Values(k), func(a, b *Bond) int { return cmp.Or(cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B)) }) {
		out = append(out, *b)
	}
	return out
}

// How far back a fact binds.
const (
	talkedDays = 90
	sharedDays = 365
)

// memberChunk bounds an IN list.
const memberChunk = 150

// teams ties those of the people whose paid orders were in one team.
func (k book) teams(q *database.Query, people []id.Member, since clock.Milli) error {
	of := map[int64][]id.Member{}
	for part := range slices.Chunk(people, memberChunk) {
		facts, err := community.FactsOf(q, part, community.FactTeamPaid)
		if err != nil {
			return err
		}
		for _, f := range facts {
			if f.At >= since {
				of[f.Ref] = append(of[f.Ref], f.Member)
			}
		}
	}
	for _, team := range of {
		k.share(TieTeam, team)
	}
	return nil
}

// crowd is who is in a group now, hosts left out, and what binds them.
func crowd(q *database.Query, g community.Group, now time.Time) (people []id.Member, bonds []Bond, err error) {
	roster, err := community.RosterOf(q, g.ID)
	if err != nil {
		return nil, nil, err
	}
	k, came := book{}, map[id.Code][]id.Member{}
	for _, m := range roster {
		if m.LeftAt != 0 || m.Role.Host() {
			continue
		}
		people = append(people, m.MemberID)
		if m.CodeID != 0 {
			came[m.CodeID] = append(came[m.CodeID], m.MemberID)
		}
	}
	for _, by := range came {
		k.share(TieCame, by)
	}
	zone, err := time.LoadLocation(g.Zone)
	if err != nil {
		return nil, nil, fmt.Errorf("split: zone of %s: %w", g.ID, err)
	}
	if err := k.teams(q, people, clock.MilliOf(now.AddDate(0, 0, -sharedDays))); err != nil {
		return nil, nil, err
	}
	ties, err := community.TiesOf(q, g.ID, clock.Day(now.AddDate(0, 0, -talkedDays), zone))
	if err != nil {
		return nil, nil, err
	}
	for _, t := range ties {
		k.tie(TieTalked, t.Giver, t.Taker)
	}
	since := clock.MilliOf(now.AddDate(0, 0, -sharedDays))
	met, err := gathering.GuestsIn(q, g.ID, since)
	if err != nil {
		return nil, nil, err
	}
	for _, guests := range met {
		k.share(TieMet, guests)
	}
	asked, err := request.AskersIn(q, g.ID, since)
	if err != nil {
		return nil, nil, err
	}
	for _, askers := range asked {
		k.share(TieAsked, askers)
	}
	return people, k.bonds(), err
}
