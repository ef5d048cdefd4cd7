package review

import (
	"cmp"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/id"
)

const dayMs = clock.Milli(24 * 60 * 60 * 1000)

// blocked counts the two on the blocklist.
func blocked(f *Facts) (int64, []id.Member) { return int64(len(f.Blocked)), f.Blocked }

// shares counts the marks of a kind that both of the two have.
func shares(kind MarkKind) func(*Facts) (int64, []id.Member) {
	return func(f *Facts) (int64, []id.Member) {
		n := int64(0)
		of := f.holders(kind)
		for _, hash := range f.marksOf(f.Invitee, kind) {
			if slices.Contains(of[hash], f.Inviter) {
				n++
			}
		}
		if n == 0 {
			return 0, nil
		}
		return n, []id.Member{f.Inviter, f.Invitee}
	}
}

// crowd counts the members on the busiest mark of a kind that one of the two
// has.
func crowd(kind MarkKind) func(*Facts) (int64, []id.Member) {
	return func(f *Facts) (int64, []id.Member) {
		var most []id.Member
		of := f.holders(kind)
		for _, m := range []id.Member{f.Inviter, f.Invitee} {
			for _, hash := range f.marksOf(m, kind) {
				if len(of[hash]) > len(most) {
					most = of[hash]
				}
			}
		}
		return int64(len(most)), most
	}
}

// circle finds the invitee above his inviter and counts the people on the way
// round, by the shortest.
func circle(f *Facts) (int64, []id.Member) {
	above := map[id.Member][]id.Member{}
	for _, v := range f.Invitations {
		above[v.Invitee] = append(above[v.Invitee], v.Inviter)
	}
	from := map[id.Member]id.Member{f.Inviter: 0} // by whom each was reached
	for line := []id.Member{f.Inviter}; len(line) > 0; {
		var next []id.Member
		for _, m := range line {
			for _, up := range above[m] {
				if _, seen := from[up]; seen {
					continue
				}
				from[up] = m
				next = append(next, up)
			}
		}
		if _, round := from[f.Invitee]; round {
			break
		}
		line = next
	}
	if _, round := from[f.Invitee]; !round {
		return 0, nil
	}
	var who []id.Member
	for m := f.Invitee; m != 0; m = from[m] {
		who = append(who, m)
	}
	return int64(len(who)), who
}

// ring counts the accounts among the inviter and his invitees that hang
// together with this invitee: each shares a person, account, device or address
// with another of them.
func ring(f *Facts) (int64, []id.Member) {
	around := map[id.Member]bool{f.Inviter: true, f.Invitee: true}
	for _, v := range f.Invitations {
		if v.Inviter == f.Inviter {
			around[v.Invitee] = true
		}
	}
	of, has := map[Mark][]id.Member{}, map[id.Member][]Mark{}
	for _, m := range f.Marks {
		if m.Kind == MarkNetwork || !around[m.Member] {
			continue
		}
		what := Mark{Kind: m.Kind, Hash: m.Hash}
		of[what] = append(of[what], m.Member)
		has[m.Member] = append(has[m.Member], what)
	}
	who := []id.Member{f.Invitee}
	seen := map[id.Member]bool{f.Invitee: true}
	for i := 0; i < len(who); i++ {
		for _, what := range has[who[i]] {
			for _, m := range of[what] {
				if !seen[m] {
					seen[m] = true
					who = append(who, m)
				}
			}
		}
	}
	if len(who) == 1 {
		return 0, nil
	}
	return int64(len(who)), who
}

// inviterDay counts the most people the inviter brought within any 24 hours
// that hold this invitation.
func inviterDay(f *Facts) (int64, []id.Member) {
	return f.busiest(func(id.Member) bool { return true })
}

// networkDay counts likewise those seen on a network of this invitee.
func networkDay(f *Facts) (int64, []id.Member) {
	near := map[id.Member]bool{}
	of := f.holders(MarkNetwork)
	for _, hash := range f.marksOf(f.Invitee, MarkNetwork) {
		for _, m := range of[hash] {
			near[m] = true
		}
	}
	return f.busiest(func(m id.Member) bool { return near[m] })
}

// busiest is the fullest 24 hours around this invitation among the inviter's
// invitations of these people.
func (f *Facts) busiest(counts func(id.Member) bool) (int64, []id.Member) {
	var list []Invitation
	for _, v := range f.Invitations {
		if v.Inviter == f.Inviter && counts(v.Invitee) && v.At > f.BoundAt-dayMs && v.At < f.BoundAt+dayMs {
			list = append(list, v)
		}
	}
	slices.SortFunc(list, func(a, b Invitation) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Invitee, b.Invitee))
	})
	var best []Invitation
	for from, to := 0, 0; from < len(list); from++ {
		for to < len(list) && list[to].At < list[from].At+dayMs {
			to++
		}
		if list[from].At <= f.BoundAt && list[to-1].At >= f.BoundAt && to-from > len(best) {
			best = list[from:to]
		}
	}
	var who []id.Member
	for _, v := range best {
		who = append(who, v.Invitee)
	}
	return int64(len(who)), who
}

// lostInvitees is the share, in basis points, of the inviter's invitees of one
// to four months ago who are gone. Few invitees say nothing.
func lostInvitees(f *Facts) (int64, []id.Member) {
	n := 0
	var lost []id.Member
	for _, v := range f.Invitations {
		if v.Inviter != f.Inviter || v.At > f.Now-lostFrom*dayMs || v.At <= f.Now-lostUntil*dayMs {
			continue
		}
		n++
		if !f.Kept[v.Invitee] {
			lost = append(lost, v.Invitee)
		}
	}
	if n < lostLeast {
		return 0, nil
	}
	return int64(len(lost)) * 10_000 / int64(n), lost
}

// marksOf is a member's marks of a kind.
func (f *Facts) marksOf(m id.Member, kind MarkKind) []string {
	var out []string
	for _, x := range f.Marks {
		if x.Member == m && x.Kind == kind {
			out = append(out, x.Hash)
		}
	}
	return out
}

// holders is who has each mark of a kind.
func (f *Facts) holders(kind MarkKind) map[string][]id.Member {
	of := map[string][]id.Member{}
	for _, x := range f.Marks {
		if x.Kind == kind {
			of[x.Hash] = append(of[x.Hash], x.Member)
		}
	}
	return of
}
