package community

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"siyu/internal/fault"
)

// nameMax is the longest name of a person or a group, in characters.
const nameMax = 100

// CleanLine makes a name from outside fit to be shown beside other text: NFC,
// single spaces, and no mark that could hide, split or reverse what stands
// around it. The zero-width joiner stays; emoji are made with it.
func CleanLine(s string) string {
	s = norm.NFC.String(strings.ToValidUTF8(s, ""))
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\u200d':
			return r
		case unicode.IsSpace(r), unicode.In(r, unicode.Zl, unicode.Zp):
			return ' '
		case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs):
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// cleanText does the same for text of several lines.
func cleanText(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = CleanLine(line)
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

func checkName(c *fault.Check, name, field string) {
	c.Length(CleanLine(name), field, nameMax)
}

// CheckReason wants the reason that a person gives for what he ends, in one
// line.
func CheckReason(c *fault.Check, reason string) {
	reason = CleanLine(reason)
	c.Required(reason, "reason")
	c.Length(reason, "reason", reasonMax)
}
