package split

import (
	"cmp"
	"slices"

	"siyu/internal/id"
)

// whole is a share of all, in basis points.
const whole = 10_000

// Sizes of sub-groups.
const (
	sizeLeast   = 20
	sizeDefault = 50  // up to here a group runs by itself
	sizeMost    = 150 // beyond it nobody knows everybody
)

// Division is who goes with whom. Ties is the weight of all bonds; Kept is the
// share of it whose two ends are in one part, Chance what a random split into
// parts of these sizes keeps on average.
type Division struct {
	Parts  [][]id.Member
	Ties   int
	Kept   int
	Chance int
}

// Divide splits people into parts of about size, never over 150, so that the
// weight of the bonds inside the parts is as great as it finds: who is bound
// most closely for their number is put together first, what that makes is laid
// into the parts, and then people change place, one alone or two for each
// other, as long as that keeps more. No single change of either kind keeps more
// in what it returns. The same people and bonds, in any order, give the same
// parts.
func Divide(people []id.Member, bonds []Bond, size int) Division {
	people = slices.Compact(slices.Sorted(slices.Values(people)))
	n := max(2, (len(people)+size-1)/size)
	even := (len(people) + n - 1) / n
	d := newDesk(len(people), n, len(people)/n*7/10, min(sizeMost, (even*13+9)/10))
	for _, b := range bonds {
		i, in := slices.BinarySearch(people, b.A)
		j, too := slices.BinarySearch(people, b.B)
		if in && too && i != j {
			d.tie(i, j, b.weight())
		}
	}
	d.lay(d.clusters())
	d.fill()
	d.refine()
	out := Division{Parts: make([][]id.Member, n)}
	for i, part := range d.of {
		out.Parts[part] = append(out.Parts[part], people[i])
	}
	slices.SortStableFunc(out.Parts, func(a, b []id.Member) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), slices.Compare(a, b))
	})
	out.Ties, out.Kept, out.Chance = d.shares()
	return out
}

// desk is a division at work: people by number, the weights between them, and
// who is in which part.
type desk struct {
	low, high int
	between   []map[int]int // of each person to those he has a bond with
	of        []int         // the part of each person; -1 before he has one
	parts     []int         // how many people each part has
	ties      [][]int       // of each person to each part
}

func newDesk(people, parts, low, high int) *desk {
	d := &desk{low: low, high: high, between: make([]map[int]int, people), of: make([]int, people), parts: make([]int, parts), ties: make([][]int, people)}
	for i := range people {
		d.between[i], d.of[i], d.ties[i] = map[int]int{}, -1, make([]int, parts)
	}
	return d
}

func (d *desk) tie(i, j, weight int) {
	d.between[i][j] += weight
	d.between[j][i] += weight
}

// put moves a person into a part.
func (d *desk) put(i, part int) {
	for j, w := range d.between[i] {
		if d.of[i] >= 0 {
			d.ties[j][d.of[i]] -= w
		}
		d.ties[j][part] += w
	}
	if d.of[i] >= 0 {
		d.parts[d.of[i]]--
	}
	d.of[i] = part
	d.parts[part]++
}

// clusters joins whoever is bound most closely for their number, as long as
// they fit into one part; the largest first.
func (d *desk) clusters() [][]int {
	heads := make([][]int, len(d.between))
	between := make([]map[int]int, len(d.between))
	for i := range heads {
		heads[i], between[i] = []int{i}, map[int]int{}
		for j, w := range d.between[i] {
			between[i][j] = w
		}
	}
	for {
		a, b := d.closest(heads, between)
		if a < 0 {
			break
		}
		heads[a] = append(heads[a], heads[b]...)
		for c, w := range between[b] {
			delete(between[c], b)
			if c != a {
				between[a][c] += w
				between[c][a] += w
			}
		}
		heads[b], between[b] = nil, nil
	}
	heads = slices.DeleteFunc(heads, func(h []int) bool { return h == nil })
	slices.SortStableFunc(heads, func(a, b []int) int { return cmp.Compare(len(b), len(a)) })
	return heads
}

// closest are the two clusters with the greatest weight between them for a pair
// of their people; of equal ones the two that begin with the lowest numbers.
func (d *desk) closest(heads [][]int, between []map[int]int) (a, b int) {
	a, b = -1, -1
	weight, pairs := 0, 1
	for i := range heads {
		for j, w := range between[i] {
			n := len(heads[i]) * len(heads[j])
			if j < i || len(heads[i])+len(heads[j]) > d.high {
				continue
			}
			if order := cmp.Compare(w*pairs, weight*n); order > 0 || order == 0 && (i == a && j < b) {
				a, b, weight, pairs = i, j, w, n
			}
		}
	}
	return a, b
}

// lay puts clusters into the parts they are bound to most, and those that fit
// nowhere one by one.
func (d *desk) lay(clusters [][]int) {
	for _, people := range clusters {
		if part := d.best(people); part >= 0 {
			for _, i := range people {
				d.put(i, part)
			}
			continue
		}
		for _, i := range people {
			d.put(i, d.best([]int{i}))
		}
	}
}

// best is the part with room for the people that they are bound to most; of
// equal ones the emptiest. -1: none has room.
func (d *desk) best(people []int) int {
	best, most := -1, 0
	for part, n := range d.parts {
		if n+len(people) > d.high {
			continue
		}
		w := 0
		for _, i := range people {
			w += d.ties[i][part]
		}
		if best < 0 || w > most || w == most && n < d.parts[best] {
			best, most = part, w
		}
	}
	return best
}

// fill brings every part to the least size, by those who lose least.
func (d *desk) fill() {
	for {
		to := slices.Index(d.parts, slices.Min(d.parts))
		if d.parts[to] >= d.low {
			return
		}
		who, gain := -1, 0
		for i, from := range d.of {
			if g := d.ties[i][to] - d.ties[i][from]; d.parts[from] > d.low && (who < 0 || g > gain) {
				who, gain = i, g
			}
		}
		d.put(who, to)
	}
}
