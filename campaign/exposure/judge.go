package exposure

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Verdict is what exposure says of one more ad in a group.
type Verdict struct {
	Policy  Policy // its window is that of the count
	Known   bool
	Members int
	Over    int // of them: at or over the ceiling
	Place   int // by freshness among those judged together, 0 first
}

// ShareBP is the share of the members at or over the ceiling, rounded down.
func (v Verdict) ShareBP() int { return v.Over * 10_000 / max(v.Members, 1) }

// Above says whether the share is above the bound; what is not known never is.
func (v Verdict) Above() bool {
	return v.Known && v.Over*10_000 > v.Policy.ShareBP*v.Members
}

// Refuses says whether the group is to be left out.
func (v Verdict) Refuses() bool { return v.Above() && v.Policy.Mode == guard.ModeEnforce }

// Reasons name the share and the numbers; none where there is nothing to say.
func (v Verdict) Reasons() guard.Reasons {
	switch {
	case v.Policy.Mode == guard.ModeOff, v.Policy.Mode == "", v.Known && !v.Above():
		return nil
	case !v.Known:
		return guard.Reasons{{Rule: guard.RuleExposure, Observed: guard.Unknown, Limit: int64(v.Policy.ShareBP)}}
	}
	return guard.Reasons{
		{Rule: guard.RuleExposure, Observed: int64(v.ShareBP()), Limit: int64(v.Policy.ShareBP)},
		{Rule: guard.RuleExposureCeiling, Observed: int64(v.Policy.Ceiling), Limit: int64(v.Policy.WindowDays)},
	}
}

// judgedTogether is how many groups are weighed against one another at once;
// what more overlap there is the next count sees.
const judgedTogether = 2_000

// Judge says of each group whether its members can take one more ad, as if the
// groups it does not refuse were shown one each, those whose members saw least
// first: of five groups of the same people it lets as many in as those people
// can take. Where the rule is off it says nothing.
func (s *Service) Judge(ctx context.Context, groups []id.Group) (map[id.Group]Verdict, error) {
	out := map[id.Group]Verdict{}
	q := s.DB.Read(ctx)
	b, err := readBook(q)
	now := s.now()
	if err != nil || !b.asks(guard.ModeAdvise, now) || len(groups) == 0 {
		return out, err
	}
	of, err := b.policies(q, groups, now)
	if err != nil {
		return nil, err
	}
	c, err := newest(q)
	if err != nil {
		return nil, err
	}
	if !c.stands(now) {
		for g, p := range of {
			if p.Mode != guard.ModeOff {
				out[g] = Verdict{Policy: p}
			}
		}
		return out, nil
	}
	for i, part := range slices.Collect(slices.Chunk(groups, judgedTogether)) {
		w, err := gather(q, c, part)
		if err != nil {
			return nil, err
		}
		for g, v := range w.judge(of) {
			v.Policy.WindowDays = c.WindowDays
			v.Place += i * judgedTogether
			out[g] = v
		}
	}
	return out, nil
}

// weighing is some groups with the people in them.
type weighing struct {
	groups []candidate
	people []id.Member // ascending
	total  []int       // of each of people: ads he saw or will see
}

// candidate is a group with its members, each by his place among the people,
// and what it showed each itself.
type candidate struct {
	group id.Group
	who   []int32
	own   []uint8
}

// judge weighs the groups, the freshest first, each with what those before it
// will have shown.
// Of a group whose unit has the rule off it says nothing: it goes in.
func (w *weighing) judge(of map[id.Group]Policy) map[id.Group]Verdict {
	over := func(c candidate) (n int) {
		ceiling := of[c.group].Ceiling
		for i, who := range c.who {
			if t := w.total[who]; t >= ceiling && across(t, int(c.own[i])) {
				n++
			}
		}
		return n
	}
	before := make(map[id.Group]int, len(w.groups))
	for _, c := range w.groups {
		before[c.group] = over(c) * 10_000 / max(len(c.who), 1)
	}
	slices.SortFunc(w.groups, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(before[a.group], before[b.group]), cmp.Compare(a.group, b.group))
	})
	out := make(map[id.Group]Verdict, len(w.groups))
	for place, c := range w.groups {
		v := Verdict{Policy: of[c.group], Known: len(c.who) > 0, Members: len(c.who), Over: over(c), Place: place}
		if v.Policy.Mode != guard.ModeOff {
			out[c.group] = v
		}
		if v.Refuses() {
			continue
		}
		for i, who := range c.who {
			w.total[who]++
			c.own[i]++
		}
	}
	return out
}

// gather reads who is in the groups, what each saw by the count, and what was
// reserved in these groups since.
func gather(q *database.Query, c Counted, groups []id.Group) (*weighing, error) {
	type stay struct {
		who    id.Member
		joined clock.Milli
	}
	of := make(map[id.Group][]stay, len(groups))
	ads, fresh := map[id.Group][]ad{}, map[id.Group][]ad{}
	w := &weighing{}
	for part := range slices.Chunk(groups, groupsAtOnce) {
		err := community.Guests(q, part, c.AsOf, func(s community.Stay) {
			if s.LeftAt != 0 {
				return
			}
			of[s.GroupID] = append(of[s.GroupID], stay{s.MemberID, s.JoinedAt})
			w.people = append(w.people, s.MemberID)
		})
		if err != nil {
			return nil, err
		}
		err = guard.CountedSince(q, part, c.From, func(x guard.Counted) {
			ads[x.GroupID] = append(ads[x.GroupID], ad{x.First, x.Last})
			if x.ReservedAt > c.AsOf {
				fresh[x.GroupID] = append(fresh[x.GroupID], ad{x.First, x.Last})
			}
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(w.people)
	w.people = slices.Compact(w.people)
	var err error
	if w.total, err = totals(q, c, w.people); err != nil {
		return nil, err
	}
	for _, g := range groups {
		x := candidate{g, make([]int32, len(of[g])), make([]uint8, len(of[g]))}
		for i, s := range of[g] {
			who, _ := slices.BinarySearch(w.people, s.who)
			in := community.Stay{JoinedAt: s.joined}
			x.who[i], x.own[i] = int32(who), uint8(min(seenBy(ads[g], in), 250))
			w.total[who] += seenBy(fresh[g], in)
		}
		w.groups = append(w.groups, x)
	}
	return w, nil
}

// totals reads what each of the people saw by the count.
func totals(q *database.Query, c Counted, people []id.Member) ([]int, error) {
	out := make([]int, len(people))
	var heads []blockRow
	err := q.Raw("SELECT first_id, last_id FROM exposure_members WHERE count_id = ? ORDER BY first_id", c.ID).Scan(&heads).Error
	if err != nil {
		return nil, fmt.Errorf("exposure: members: %w", err)
	}
	heads = slices.DeleteFunc(heads, func(h blockRow) bool {
		i, _ := slices.BinarySearch(people, h.FirstID)
		return i == len(people) || people[i] > h.LastID
	})
	for part := range slices.Chunk(heads, rowsAtOnce) {
		first := make([]id.Member, len(part))
		for i, h := range part {
			first[i] = h.FirstID
		}
		var rows []blockRow
		err := q.Raw("SELECT first_id, last_id, member_n, seen FROM exposure_members WHERE count_id = ? AND first_id IN ?", c.ID, first).Scan(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("exposure: members: %w", err)
		}
		for _, r := range rows {
			b := block{r.FirstID, r.LastID, r.N, r.Seen}
			at, _ := slices.BinarySearch(people, r.FirstID)
			err := b.each(func(m id.Member, n int) {
				for at < len(people) && people[at] < m {
					at++
				}
				if at < len(people) && people[at] == m {
					out[at] = n
				}
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}
