package promotion

import "math/big"

// per is what rates are counted by: so many members. It is a hundredth of one
// in a thousand.
const per = 100_000

// groupsEnough is how many groups each side must have before an interval is
// given: with fewer, how groups differ among themselves is not known.
const groupsEnough = 20

// Measure is one thing counted on both sides, in full and per 100,000 members
// (a hundredth of one per 1,000). Low and High are where the difference lies
// about nineteen times out of twenty if it were measured again; null where
// there are too few groups. That they leave out 0 says that the two go
// together, which is not yet that one caused the other.
type Measure struct {
	Name       string `json:"name"`
	ServedN    int64  `json:"served_n"`
	HeldOutN   int64  `json:"held_out_n"`
	Served     int64  `json:"served_per_100k"`
	HeldOut    int64  `json:"held_out_per_100k"`
	Difference int64  `json:"difference_per_100k"`
	Low        *int64 `json:"low_per_100k"`
	High       *int64 `json:"high_per_100k"`
}

// measures compare the two sides.
func measures(served, held []tally) []Measure {
	return []Measure{
		measure("orders_24h", served, held, func(t tally) int64 { return t.orders[spanDay] }),
		measure("orders_7d", served, held, func(t tally) int64 { return t.orders[spanWeek] }),
		measure("left_24h", served, held, func(t tally) int64 { return t.left[spanDay] }),
		measure("left_7d", served, held, func(t tally) int64 { return t.left[spanWeek] }),
	}
}

func measure(name string, served, held []tally, count func(tally) int64) Measure {
	a, b := sumOf(served, count), sumOf(held, count)
	m := Measure{Name: name, ServedN: a.count, HeldOutN: b.count, Served: a.rate(), HeldOut: b.rate()}
	m.Difference = m.Served - m.HeldOut
	if min(len(served), len(held)) < groupsEnough || a.members == 0 || b.members == 0 {
		return m
	}
	half := reach(new(big.Rat).Add(a.variance(), b.variance()))
	low, high := m.Difference-half, m.Difference+half
	m.Low, m.High = &low, &high
	return m
}

// total is one count over all groups of a side. Squares is the sum over groups
// of (count × all members − all counts × members)², which is how far the
// groups' rates lie apart, weighed by their sizes.
type total struct {
	groups, members, count int64
	squares                *big.Int
}

func sumOf(groups []tally, count func(tally) int64) total {
	t := total{groups: int64(len(groups)), squares: new(big.Int)}
	for _, g := range groups {
		t.members, t.count = t.members+g.members, t.count+count(g)
	}
	for _, g := range groups {
		off := big.NewInt(count(g)*t.members - t.count*g.members)
		t.squares.Add(t.squares, off.Mul(off, off))
	}
	return t
}

func (t total) rate() int64 { return t.count * per / max(t.members, 1) }

// variance is that of the rate, whole groups being what was drawn: members of
// one group are alike, so counting them one by one would promise too much. It
// is the usual one of a ratio, n ÷ (n−1) × squares ÷ members⁴.
func (t total) variance() *big.Rat {
	above := new(big.Int).Mul(t.squares, big.NewInt(t.groups*per))
	below := new(big.Int).Exp(big.NewInt(t.members), big.NewInt(4), nil)
	return new(big.Rat).SetFrac(above.Mul(above, big.NewInt(per)), below.Mul(below, big.NewInt(t.groups-1)))
}

// reach is 2.1 standard errors, rounded up: Student's factor for the fewest
// groups that are enough, so that more of them are on the safe side.
func reach(variance *big.Rat) int64 {
	r := new(big.Rat).Mul(variance, big.NewRat(441, 100))
	whole := new(big.Int).Quo(r.Num(), r.Denom())
	root := new(big.Int).Sqrt(whole)
	if exact := new(big.Rat).SetInt(new(big.Int).Mul(root, root)); exact.Cmp(r) < 0 {
		root.Add(root, big.NewInt(1))
	}
	return root.Int64()
}
