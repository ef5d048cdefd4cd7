// Package money holds amounts in fen and rates in basis points.
//
// There is no float and no rounding: a share is floored, and what a split
// leaves over is handed out one fen at a time in the stated order, so that the
// parts always sum to the whole.
package money

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// Amount is a sum in fen (1/100 yuan) or in points; it may be negative.
type Amount int64

// Bps is a rate in basis points: 10,000 is the whole.
type Bps int64

// Whole is the rate of all of it.
const Whole Bps = 10_000

// Currencies of accounts and transfers.
const (
	CNY = "CNY"
	PTS = "PTS"
)

// Rate is the floored share of a at rate r, towards zero for a negative a.
func (a Amount) Rate(r Bps) Amount { return a.Share(Amount(r), Amount(Whole)) }

// Share is a × part ÷ whole, floored towards zero, without overflow. A zero
// whole gives zero.
func (a Amount) Share(part, whole Amount) Amount {
	if whole == 0 {
		return 0
	}
	neg := (a < 0) != (part < 0) != (whole < 0)
	hi, lo := bits.Mul64(abs(a), abs(part))
	w := abs(whole)
	if hi >= w {
		panic("money: share larger than an amount can hold")
	}
	q, _ := bits.Div64(hi, lo, w)
	if q > math.MaxInt64 {
		panic("money: share larger than an amount can hold")
	}
	if neg {
		return -Amount(q)
	}
	return Amount(q)
}

func abs(a Amount) uint64 {
	if a < 0 {
		return uint64(-a)
	}
	return uint64(a)
}

// Times is the price of n pieces. It panics on a sum no amount can hold, which
// the limits on prices and quantities rule out.
func (a Amount) Times(n int) Amount {
	hi, lo := bits.Mul64(abs(a), abs(Amount(n)))
	if hi != 0 || lo > math.MaxInt64 {
		panic("money: product larger than an amount can hold")
	}
	return a * Amount(n)
}

// Split divides a by weights of nought or more: each part is floored, and the
// fen left over go to the first parts of any weight in order, one each. When
// no part has weight they count alike.
func (a Amount) Split(weights ...Amount) []Amount {
	var total Amount
	for _, w := range weights {
		total += w
	}
	if total == 0 {
		weights, total = slices.Repeat([]Amount{1}, len(weights)), Amount(len(weights))
	}
	parts := make([]Amount, len(weights))
	left := a
	for i, w := range weights {
		parts[i] = a.Share(w, total)
		left -= parts[i]
	}
	for i := 0; left != 0 && len(parts) > 0; i = (i + 1) % len(parts) {
		if weights[i] == 0 {
			continue
		}
		step := Amount(1)
		if left < 0 {
			step = -1
		}
		parts[i] += step
		left -= step
	}
	return parts
}

// String is the amount in yuan with two decimals, like -12.05.
func (a Amount) String() string {
	sign := ""
	n := abs(a)
	if a < 0 {
		sign = "-"
	}
	return fmt.Sprintf("%s%d.%02d", sign, n/100, n%100)
}

// Parse reads yuan with at most two decimals.
func Parse(s string) (Amount, error) {
	body, neg := strings.CutPrefix(s, "-")
	yuan, fen, dot := strings.Cut(body, ".")
	if yuan == "" || dot && fen == "" || len(fen) > 2 || strings.ContainsAny(body, "+-") {
		return 0, fmt.Errorf("money: %q is not an amount like 12.05", s)
	}
	for len(fen) < 2 {
		fen += "0"
	}
	n, err := strconv.ParseInt(yuan+fen, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("money: %q is not an amount like 12.05", s)
	}
	if neg {
		n = -n
	}
	return Amount(n), nil
}
