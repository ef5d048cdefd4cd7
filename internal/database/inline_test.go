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

// TestAppendPlain: a text goes into the statement only where no engine could
// read it as anything else.
func TestAppendPlain(t *testing.T) {
	for s, want := range map[string]string{
		"": "''", "G8:-1:3;G9:-1:2": "'G8:-1:3;G9:-1:2'", "Asia/Shanghai": "'Asia/Shanghai'", "r1-7": "'r1-7'",
		"it's": "", `a\`: "", "a?": "", "@a": "", "a\x00": "", "群": "", "%": "", "a\n": "", "`": "", `"`: "",
	} {
		got, plain := AppendPlain([]byte("x"), s)
		if plain != (want != "") || string(got) != "x"+want {
			t.Errorf("%q: got %s, %v", s, got, plain)
		}
	}
}
