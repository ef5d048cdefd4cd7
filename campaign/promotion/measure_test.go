package promotion

import (
	"testing"

	"siyu/internal/id"
)

// alike is a side of n groups of so many members, each with the same count.
func alike(n int, members, orders int64) []tally {
	out := make([]tally, n)
	for i := range out {
		out[i].members, out[i].orders[spanDay] = members, orders
	}
	return out
}

func TestMeasure(t *testing.T) {
	// Half of the groups with 0 orders, half with 2, of 100 members: the rate is
	// 1,000 per 100,000, its variance 20/19 × 20 × (1 × 2000)² ÷ 2000⁴ × 10¹⁰.
	mixed := append(alike(10, 100, 0), alike(10, 100, 2)...)
	one := func(n int64) *int64 { return &n }
	for _, c := range []struct {
		name         string
		served, held []tally
		want         Measure
	}{
		{"nothing happened", alike(20, 100, 0), alike(20, 100, 0), Measure{Low: one(0), High: one(0)}},
		{"groups of a side are all alike", alike(20, 100, 3), alike(20, 100, 1),
			Measure{ServedN: 60, HeldOutN: 20, Served: 3000, HeldOut: 1000, Difference: 2000, Low: one(2000), High: one(2000)}},
		// 2.1 × √(20/19 × 20 × 4,000,000 ÷ 1.6×10¹³ × 10¹⁰) = 2.1 × 229.4 = 481.8
		{"one side differs within", alike(20, 100, 2), mixed,
			Measure{ServedN: 40, HeldOutN: 20, Served: 2000, HeldOut: 1000, Difference: 1000, Low: one(518), High: one(1482)}},
		// 481.8 × √2 = 681.3
		{"both differ within", mixed, mixed,
			Measure{ServedN: 20, HeldOutN: 20, Served: 1000, HeldOut: 1000, Low: one(-682), High: one(682)}},
		// 2.1 × √(20/19 × (19 × 100² + 1900²) ÷ 10¹² × 10¹⁰) = 2.1 × 200
		{"large groups outweigh small ones", append(alike(19, 10, 0), alike(1, 810, 10)...), alike(20, 50, 0),
			Measure{ServedN: 10, Served: 1000, Difference: 1000, Low: one(580), High: one(1420)}},
		{"too few groups", alike(19, 100, 3), alike(20, 100, 1),
			Measure{ServedN: 57, HeldOutN: 20, Served: 3000, HeldOut: 1000, Difference: 2000}},
		{"nobody in the groups of a side", alike(20, 100, 3), alike(20, 0, 0), Measure{ServedN: 60, Served: 3000, Difference: 3000}},
		{"no groups at all", nil, nil, Measure{}},
	} {
		got := measure("", c.served, c.held, func(t tally) int64 { return t.orders[spanDay] })
		if low, high := c.want.Low, c.want.High; (low == nil) != (got.Low == nil) || low != nil && (*low != *got.Low || *high != *got.High) {
			t.Errorf("%s: the interval: got %v, want %v", c.name, shownRange(got), shownRange(c.want))
		}
		c.want.Low, c.want.High = got.Low, got.High
		if got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func shownRange(m Measure) []int64 {
	if m.Low == nil {
		return nil
	}
	return []int64{*m.Low, *m.High}
}

func TestDraw(t *testing.T) {
	groups := make([]id.Group, 10)
	for i := range groups {
		groups[i] = id.Group(1_000 + i)
	}
	for bp, want := range map[int]int{0: 0, 999: 0, 1_000: 1, 2_599: 2, 5_000: 5} {
		if got := draw(7, groups, bp); len(got) != want {
			t.Errorf("%d basis points of 10 groups: got %d, want %d", bp, len(got), want)
		}
	}
	drawn := map[id.Group]int{}
	for p := range id.Promotion(4_000) {
		held := draw(p, groups, 2_000)
		for i, g := range held {
			if drawn[g]++; i > 0 && held[i-1] >= g {
				t.Fatalf("the draw of %d is out of order: %v", p, held)
			}
		}
	}
	for _, g := range groups {
		if n := drawn[g]; n < 700 || n > 900 { // 800 ± 4 standard deviations of 25
			t.Errorf("%d was drawn %d times of 4,000, about 800 wanted", g, n)
		}
	}
	backwards := append([]id.Group{}, groups[5:]...)
	backwards = append(backwards, groups[:5]...)
	a, b := draw(7, groups, 3_000), draw(7, backwards, 3_000)
	for i := range a {
		if a[i] != b[i] {
			t.Errorf("the order in which groups are named changes the draw: %v and %v", a, b)
		}
	}
}
