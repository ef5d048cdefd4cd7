package sheet

import "strings"

// wide are the full-width forms of = + - @, which a spreadsheet set to Chinese
// or Japanese reads like the narrow ones.
var wide = [...]string{"＝", "＋", "－", "＠"}

// Risky says that a spreadsheet may take the text for a formula, and run it,
// when somebody opens the file it stands in. Amounts are not asked about: -5
// must stay a number.
func Risky(s string) bool {
	if s == "" {
		return false
	}
	switch s[0] {
	case '=', '+', '-', '@', '|', '\t', '\r', '\n':
		return true
	case wide[0][0]:
		for _, w := range wide {
			if strings.HasPrefix(s, w) {
				return true
			}
		}
	}
	return false
}

// Inert puts an apostrophe before a risky text, as a spreadsheet does itself
// to keep a cell as it is written.
func Inert(s string) string {
	if Risky(s) {
		return "'" + s
	}
	return s
}
