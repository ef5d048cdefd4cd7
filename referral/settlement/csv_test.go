package settlement

import (
	"bytes"
	"encoding/csv"
	"testing"
)

// Cells are quoted as encoding/csv quotes them.
func TestCells(t *testing.T) {
	for _, s := range []string{"", "a", `\.`, " a", "a ", "\u3000a", "\ta", `a"b`, "a,b", "a\nb", "a\r\nb", "王", `"`, ","} {
		var want bytes.Buffer
		w := csv.NewWriter(&want)
		if err := w.Write([]string{"x", s}); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		if got := "x," + string(appendCell(nil, s)) + "\n"; got != want.String() {
			t.Errorf("%q: got %q, want %q", s, got, want.String())
		}
	}
}
