package main

import (
	"bytes"
	"slices"
	"testing"

	"siyu/internal/database"
)

// TestPrintInvariant: several proofs of one invariant are summed up, and the
// room whose proof failed is named above the rows that break it.
func TestPrintInvariant(t *testing.T) {
	var out bytes.Buffer
	first := proven{database.Proof{ID: "V5", Says: "one reward per key", Checked: 12}, "referral"}
	second := proven{database.Proof{ID: "V5", Says: "steps paid once", Checked: 3, Broken: []string{"step 7 was paid twice"}}, "campaign/invite"}
	if n := printInvariant(&out, []proven{first}, false) + printInvariant(&out, []proven{first, second}, false); n != 1 {
		t.Errorf("%d rows are broken, want 1", n)
	}
	want := `  V5   holds         12 checked  one reward per key
  V5   BROKEN        15 checked  in 2 proofs:
       holds         12 referral: one reward per key
       BROKEN         3 campaign/invite: steps paid once
       - step 7 was paid twice
`
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if !slices.IsSortedFunc([]string{"V5", "V10", "V10+", "V12", "C1"}, byNumber) {
		t.Error("the names are not in order")
	}
}
