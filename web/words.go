package web

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"siyu/internal/money"
)

// Langs are the languages of the pages; the first is the default.
const (
	langZH = "zh-CN"
	langEN = "en"
)

// nameMax bounds a name on a page; what is longer is cut with an ellipsis.
const nameMax = 60

// textMax bounds a charter's purpose, which has at most as many.
const textMax = 1000

// clean makes a text somebody else wrote safe to show in a line: control
// characters and the invisible ones that turn or hide what stands beside them
// are dropped, and it is cut at nameMax. Escaping is the templates' work.
func clean(s string) string { return cut(visible(s), nameMax) }

// cleanLong is clean for a text of a few sentences.
func cleanLong(s string) string { return cut(visible(s), textMax) }

func visible(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r), turns(r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, s))
}

func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// turns says that a rune is invisible and changes the direction or the joining
// of its neighbours.
func turns(r rune) bool {
	switch {
	case r == 0x061c, r == 0x200b, r == 0x200e, r == 0x200f, r == 0x2060, r == 0xfeff,
		0x202a <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069, r == 0x2028, r == 0x2029:
		return true
	}
	return false
}

// masked is what a member's name is on any page: its first character and a
// star, 王*. A name nobody knows stays empty.
func masked(name string) string {
	f := first(clean(name))
	if f == "" {
		return ""
	}
	return f + "*"
}

// first is the first visible character of a name.
func first(name string) string {
	for _, r := range name {
		if unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.IsMark(r) {
			return string(r)
		}
	}
	return ""
}

// moment is a time of day as people of the language write it; the year only
// when it is not the year of now.
func moment(lang string, now, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	now = now.In(at.Location())
	if lang == langEN {
		if at.Year() != now.Year() {
			return at.Format("Jan 2, 2006, 15:04")
		}
		return at.Format("Jan 2, 15:04")
	}
	if at.Year() != now.Year() {
		return at.Format("2006年1月2日 15:04")
	}
	return at.Format("1月2日 15:04")
}

// span is a length of time in its largest whole units.
func span(lang string, d time.Duration) string {
	units := []struct {
		size   time.Duration
		zh, en string
	}{
		{24 * time.Hour, "天", "day"}, {time.Hour, "小时", "hour"}, {time.Minute, "分钟", "minute"}, {time.Second, "秒", "second"},
	}
	var parts []string
	for _, u := range units {
		n := int(d / u.size)
		if n == 0 || len(parts) == 2 {
			continue
		}
		d -= time.Duration(n) * u.size
		switch {
		case lang != langEN:
			parts = append(parts, fmt.Sprintf("%d %s", n, u.zh))
		case n == 1:
			parts = append(parts, "1 "+u.en)
		default:
			parts = append(parts, fmt.Sprintf("%d %ss", n, u.en))
		}
	}
	if len(parts) == 0 {
		return choose(lang, "不到 1 秒", "under a second")
	}
	return strings.Join(parts, " ")
}

// yuan is the whole part of an amount, with thousands apart.
func yuan(a money.Amount) string {
	whole, _, _ := strings.Cut(a.String(), ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return sign + whole
}

// cny is an amount as tables and sentences show it: ¥12,834,500.00.
func cny(a money.Amount) string {
	sum := grouped(a).String()
	if rest, negative := strings.CutPrefix(sum, "-"); negative {
		return "-¥" + rest
	}
	return "¥" + sum
}

// grouped is an amount whose text, in yuan, has its thousands apart and both
// decimals. As a number it stays what it was: points are written by %d.
type grouped money.Amount

func (g grouped) String() string {
	a := money.Amount(g)
	_, rest, _ := strings.Cut(a.String(), ".")
	return yuan(a) + "." + rest
}

// fen is the rest of an amount, "" when it is whole yuan.
func fen(a money.Amount) string {
	_, rest, _ := strings.Cut(a.String(), ".")
	if rest == "00" {
		return ""
	}
	return "." + rest
}

// rate is basis points as people read them, like 5% or 2.5%.
func rate(b money.Bps) string { return hundredth(b) + "%" }

// hundredth is a hundredth of a whole number, without needless digits.
func hundredth(b money.Bps) string {
	s := fmt.Sprintf("%d.%02d", b/100, b%100)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}

// hourOf is a minute of the day, like 22:00.
func hourOf(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

// pictureOf is a product's picture when it may be shown: an https address, the
// only kind the page's policy loads.
func pictureOf(address string) string {
	if strings.HasPrefix(address, "https://") {
		return address
	}
	return ""
}
