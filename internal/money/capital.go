package money

import (
	"strconv"
	"strings"
)

// The digits, the places within four digits, and the fours, as bills and
// vouchers write them.
var (
	capitalDigits = []string{"零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"}
	capitalPlaces = []string{"", "拾", "佰", "仟"}
	capitalFours  = []string{"", "万", "亿", "万", "亿"}
)

// Capital is the amount in capital numerals 大写, like 壹仟零伍元贰角整: by the
// rules of bills, a zero between digits is written once, and 整 ends an amount
// without fen.
func (a Amount) Capital() string {
	n := abs(a)
	yuan, jiao, fen := n/100, n/10%10, n%10
	var b strings.Builder
	if a < 0 {
		b.WriteString("负")
	}
	switch {
	case yuan > 0:
		b.WriteString(capitalYuan(yuan) + "元")
	case n == 0:
		b.WriteString("零元")
	}
	if jiao > 0 {
		b.WriteString(capitalDigits[jiao] + "角")
	}
	switch {
	case fen == 0:
		b.WriteString("整")
	case jiao == 0 && yuan > 0:
		b.WriteString("零" + capitalDigits[fen] + "分")
	default:
		b.WriteString(capitalDigits[fen] + "分")
	}
	return b.String()
}

// capitalYuan writes a whole number above zero.
func capitalYuan(n uint64) string {
	s := strconv.FormatUint(n, 10)
	var b strings.Builder
	zero, four := false, false // a zero waits; the four in hand has a digit
	for i, d := range s {
		left := len(s) - 1 - i
		if d == '0' {
			zero = true
		} else {
			if zero {
				b.WriteString(capitalDigits[0])
				zero = false
			}
			b.WriteString(capitalDigits[d-'0'] + capitalPlaces[left%4])
			four = true
		}
		if left%4 == 0 {
			// What counts hundreds of millions in tens of thousands ends in 亿
			// even if none are over.
			if four || left == 8 && len(s) > 12 {
				b.WriteString(capitalFours[left/4])
			}
			four = false
		}
	}
	return b.String()
}
