package sheet

import "testing"

// TestInert: what a spreadsheet would run is kept from running, in both widths;
// what it would not is left alone.
func TestInert(t *testing.T) {
	for _, s := range []string{"=1+1", "+86", "-2", "@SUM(A1)", "|calc", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠SUM(A1)"} {
		if got := Inert(s); got != "'"+s {
			t.Errorf("%q became %q, which a spreadsheet may run", s, got)
		}
	}
	for _, s := range []string{"", "红富士 5斤", "a=1", "5-3", "（首单）", "'=1", "，", "１+1"} {
		if got := Inert(s); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
}
