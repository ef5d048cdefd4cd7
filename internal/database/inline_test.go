package database

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/clock"
	"siyu/internal/id"
)

func TestInline(t *testing.T) {
	text, kept := inline("a IN ? AND b = ? AND c = ? AND d = ? AND e IN ? AND f = ?",
		[]any{[]id.Item{7, 8}, "it's ?", clock.Milli(-5), 9, []id.Item{}, []byte("x")})
	if want := "a IN (7,8) AND b = ? AND c = -5 AND d = 9 AND e IN ? AND f = ?"; text != want {
		t.Errorf("got %s\nwant %s", text, want)
	}
	if diff := cmp.Diff([]any{"it's ?", []id.Item{}, []byte("x")}, kept); diff != "" {
		t.Error(diff)
	}
}
