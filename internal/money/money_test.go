package money

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestShare(t *testing.T) {
	for _, c := range []struct{ a, part, whole, want Amount }{
		{100, 1, 3, 33}, {-100, 1, 3, -33}, {100, -1, 3, -33}, {100, 1, -3, -33}, {-100, -1, -3, -33}, {-100, -1, 3, 33},
		{5, 1, 0, 0}, {0, 9, 4, 0}, {99, 99, 99, 99},
		{math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64}, // no overflow on the way
		{math.MinInt64, 1, 2, math.MinInt64 / 2},
	} {
		if got := c.a.Share(c.part, c.whole); got != c.want {
			t.Errorf("%d × %d ÷ %d: got %d, want %d", c.a, c.part, c.whole, got, c.want)
		}
	}
	if got := Amount(9_999).Rate(150); got != 149 {
		t.Errorf("1.5%% of 99.99: got %d, want 149", got)
	}
}

// Against arithmetic without bounds: right, or a panic where no amount fits.
func TestShareAgainstBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, part := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "part")
		whole := rapid.Int64().Filter(func(n int64) bool { return n != 0 }).Draw(t, "whole")
		want := new(big.Int).Mul(big.NewInt(a), big.NewInt(part))
		want.Quo(want, big.NewInt(whole))
		got, ok := tried(func() Amount { return Amount(a).Share(Amount(part), Amount(whole)) })
		switch {
		case ok && want.Cmp(big.NewInt(int64(got))) != 0:
			t.Fatalf("got %d, want %s", got, want)
		case !ok && want.IsInt64() && want.Int64() != math.MinInt64:
			t.Fatalf("panicked, want %s", want)
		}
	})
}

func TestTimesAgainstBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, n := rapid.Int64().Draw(t, "a"), rapid.Int().Draw(t, "n")
		want := new(big.Int).Mul(big.NewInt(a), big.NewInt(int64(n)))
		got, ok := tried(func() Amount { return Amount(a).Times(n) })
		switch {
		case ok && want.Cmp(big.NewInt(int64(got))) != 0:
			t.Fatalf("got %d, want %s", got, want)
		case !ok && want.IsInt64() && want.Int64() != math.MinInt64:
			t.Fatalf("panicked, want %s", want)
		}
	})
}

// tried is the result, or false if it panicked.
func tried(f func() Amount) (got Amount, ok bool) {
	defer func() { ok = recover() == nil }()
	return f(), true
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		a       Amount
		weights []Amount
		want    []Amount
	}{
		{100, []Amount{1, 1, 1}, []Amount{34, 33, 33}},
		{-100, []Amount{1, 1, 1}, []Amount{-34, -33, -33}},
		{101, []Amount{0, 1, 1}, []Amount{0, 51, 50}}, // no weight, no fen
		{5, []Amount{0, 0}, []Amount{3, 2}},
		{math.MaxInt64, []Amount{0, 0}, []Amount{math.MaxInt64/2 + 1, math.MaxInt64 / 2}}, // and at once
		{7, []Amount{9}, []Amount{7}},
		{0, []Amount{1, 2}, []Amount{0, 0}},
	} {
		got := c.a.Split(c.weights...)
		for i := range c.want {
			if len(got) != len(c.want) || got[i] != c.want[i] {
				t.Errorf("%d by %v: got %v, want %v", c.a, c.weights, got, c.want)
				break
			}
		}
	}
	if got := Amount(5).Split(); len(got) != 0 {
		t.Errorf("by nothing: got %v", got)
	}
}

func TestSplitProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Amount(rapid.Int64Range(-1e15, 1e15).Draw(t, "a"))
		var weights []Amount
		var total Amount
		for _, w := range rapid.SliceOfN(rapid.Int64Range(0, 1e12), 1, 40).Draw(t, "weights") {
			weights = append(weights, Amount(w))
			total += Amount(w)
		}
		var sum Amount
		for i, p := range a.Split(weights...) {
			sum += p
			exact := a.Share(weights[i], total)
			if total != 0 && (abs(p-exact) > 1 || weights[i] == 0 && p != 0) {
				t.Fatalf("part %d is %d, its floored share %d", i, p, exact)
			}
			if p != 0 && (p < 0) != (a < 0) {
				t.Fatalf("part %d is %d of %d", i, p, a)
			}
		}
		if sum != a {
			t.Fatalf("parts sum to %d, want %d", sum, a)
		}
	})
}

func TestText(t *testing.T) {
	for a, want := range map[Amount]string{
		0: "0.00", 5: "0.05", -5: "-0.05", 1205: "12.05", -1200: "-12.00",
		math.MaxInt64: "92233720368547758.07", math.MinInt64: "-92233720368547758.08",
	} {
		if got := a.String(); got != want {
			t.Errorf("%d: got %q, want %q", int64(a), got, want)
		}
	}
	for text, want := range map[string]Amount{"12": 1200, "12.5": 1250, "12.05": 1205, "-0.5": -50, "007": 700, "-0": 0} {
		if got, err := Parse(text); err != nil || got != want {
			t.Errorf("%q: got %d (%v), want %d", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "-", ".", ".5", "12.", "12.345", "1.2.3", "+1", "--1", "1-", "1e3", "1,000", "1_000", " 1", "1 ", "0x10", "１", "Inf", "NaN", "92233720368547758.08",
	} {
		if got, err := Parse(text); err == nil {
			t.Errorf("%q was read as %d", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"0", "12.05", "-12.5", "92233720368547758.07", "1.", "1e9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := Parse(s)
		if err != nil {
			return
		}
		if back, err := Parse(a.String()); err != nil || back != a {
			t.Errorf("%q reads as %s, which reads as %d (%v)", s, a, back, err)
		}
	})
}
