package split

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"siyu/internal/id"
)

// people are n members.
func people(n int) []id.Member {
	out := make([]id.Member, n)
	for i := range out {
		out[i] = id.Member(100 + i)
	}
	return out
}

func bond(a, b int, of ...TieKind) Bond {
	out := Bond{A: id.Member(100 + min(a, b)), B: id.Member(100 + max(a, b))}
	for _, kind := range of {
		out.Of[kind] = true
	}
	return out
}

// inside is the weight of the bonds whose ends are in one part.
func inside(parts [][]id.Member, bonds []Bond) (sum int) {
	of := map[id.Member]int{}
	for i, part := range parts {
		for _, m := range part {
			of[m] = i
		}
	}
	for _, b := range bonds {
		if of[b.A] == of[b.B] {
			sum += b.weight()
		}
	}
	return sum
}

func TestDivide(t *testing.T) {
	clique := func(from, to int, of TieKind) (out []Bond) {
		for i := from; i < to; i++ {
			for j := i + 1; j < to; j++ {
				out = append(out, bond(i, j, of))
			}
		}
		return out
	}
	for _, x := range []struct {
		name         string
		people, size int
		bonds        []Bond
		sizes        []int
		kept         int
	}{
		{"nobody has a bond", 151, 50, nil, []int{38, 38, 38, 37}, 0},
		{"two circles of fifty", 100, 50, slices.Concat(clique(0, 50, TieTalked), clique(50, 100, TieMet)), []int{50, 50}, whole},
		{"circles of unequal size", 100, 50, slices.Concat(clique(0, 42, TieTalked), clique(42, 100, TieTalked)), []int{58, 42}, whole},
		{"a stronger bond wins over two weak ones", 4, 2, []Bond{bond(0, 1, TieTalked, TieMet), bond(1, 2, TieAsked), bond(1, 3, TieCame)}, []int{3, 1}, 9 * whole / 11},
		{"who is bound to strangers only", 40, 20, []Bond{{A: 1, B: 2}, bond(0, 999, TieTalked)}, []int{20, 20}, 0},
		{"one circle too large for a part is cut", 200, 100, clique(0, 200, TieCame), []int{130, 70}, (130*129 + 70*69) * whole / (200 * 199)},
	} {
		t.Run(x.name, func(t *testing.T) {
			d := Divide(people(x.people), x.bonds, x.size)
			var sizes []int
			for _, part := range d.Parts {
				sizes = append(sizes, len(part))
			}
			if !slices.Equal(sizes, x.sizes) || d.Kept != x.kept {
				t.Errorf("got sizes %v with %d kept, want %v with %d", sizes, d.Kept, x.sizes, x.kept)
			}
		})
	}
}

// TestDivideHolds: everybody has one place, no part is over 150 nor far from
// the others, the order of what is given changes nothing, no single change
// would keep more, and lots keep what Chance says.
func TestDivideHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, size := rapid.IntRange(21, 90).Draw(t, "people"), rapid.IntRange(20, 40).Draw(t, "size")
		var bonds []Bond
		for range rapid.IntRange(0, 300).Draw(t, "bonds") {
			a, b := rapid.IntRange(0, n-1).Draw(t, "a"), rapid.IntRange(0, n-1).Draw(t, "b")
			if a != b {
				bonds = append(bonds, bond(a, b, TieKind(rapid.IntRange(0, int(kinds)-1).Draw(t, "kind"))))
			}
		}
		d := Divide(people(n), bonds, size)
		placed := slices.Sorted(slices.Values(slices.Concat(d.Parts...)))
		if !slices.Equal(placed, people(n)) {
			t.Fatalf("placed %v", placed)
		}
		least, most := n/len(d.Parts)*7/10, min(sizeMost, ((n+len(d.Parts)-1)/len(d.Parts)*13+9)/10)
		for _, part := range d.Parts {
			if len(part) < least || len(part) > most {
				t.Fatalf("a part of %d, of %d to %d", len(part), least, most)
			}
		}
		mixed, order := slices.Clone(bonds), people(n)
		rand.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		slices.Reverse(order)
		if again := Divide(order, mixed, size); fmt.Sprint(again) != fmt.Sprint(d) {
			t.Fatalf("another order gives %v, not %v", again, d)
		}
		kept := inside(d.Parts, bonds)
		if d.Ties > 0 && d.Kept != kept*whole/d.Ties {
			t.Fatalf("says %d kept, counted %d of %d", d.Kept, kept, d.Ties)
		}
		for a, part := range d.Parts {
			for i := range part {
				for b := range d.Parts {
					if a == b {
						continue
					}
					if len(part) > least && len(d.Parts[b]) < most {
						if better(d.Parts, a, i, b, -1, bonds) > kept {
							t.Fatal("one person in another part keeps more")
						}
					}
					for j := range d.Parts[b] {
						if a < b && better(d.Parts, a, i, b, j, bonds) > kept {
							t.Fatal("two people in each other's place keep more")
						}
					}
				}
			}
		}
	})
}

// better is what is kept once a person of part a goes to part b, for another of
// it or, with j below 0, alone.
func better(parts [][]id.Member, a, i, b, j int, bonds []Bond) int {
	changed := make([][]id.Member, len(parts))
	for k := range parts {
		changed[k] = slices.Clone(parts[k])
	}
	if j >= 0 {
		changed[a][i], changed[b][j] = changed[b][j], changed[a][i]
	} else {
		changed[b] = append(changed[b], changed[a][i])
		changed[a] = slices.Delete(changed[a], i, i+1)
	}
	return inside(changed, bonds)
}

// TestDivideKeepsTies: circles of friends that chance would tear apart stay
// together, and Chance is what a thousand drawn splits keep.
func TestDivideKeepsTies(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const n = 400
	circle := make([]int, n)
	for i := range circle {
		circle[i] = r.IntN(10)
	}
	var bonds []Bond
	for i := range n {
		for j := i + 1; j < n; j++ {
			if circle[i] == circle[j] && r.IntN(100) < 15 || circle[i] != circle[j] && r.IntN(1000) < 4 {
				bonds = append(bonds, bond(i, j, TieKind(r.IntN(int(kinds)))))
			}
		}
	}
	d := Divide(people(n), bonds, sizeDefault)
	all, drawn := people(n), 0
	const draws = 1000
	for range draws {
		r.Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
		parts, at := make([][]id.Member, len(d.Parts)), 0
		for k, part := range d.Parts {
			parts[k] = all[at : at+len(part)]
			at += len(part)
		}
		drawn += inside(parts, bonds)
	}
	lot := drawn * whole / draws / d.Ties
	planted := make([][]id.Member, 10)
	for i, c := range circle {
		planted[c] = append(planted[c], id.Member(100+i))
	}
	t.Logf("%d people, %d bonds, %d parts: kept %d of 10,000, by lot %d (Chance %d), the circles as drawn %d",
		n, len(bonds), len(d.Parts), d.Kept, lot, d.Chance, inside(planted, bonds)*whole/d.Ties)
	if max(lot, d.Chance)-min(lot, d.Chance) > 50 {
		t.Errorf("lots keep %d, Chance says %d", lot, d.Chance)
	}
	if d.Kept < 3*d.Chance {
		t.Errorf("keeps %d, by chance %d", d.Kept, d.Chance)
	}
}
