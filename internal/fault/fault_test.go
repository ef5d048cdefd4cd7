package fault

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

var errSoldOut = New(KindConflict, "test.sold_out", "仅剩 {left} 件", "only {left} left")

func TestFault(t *testing.T) {
	cause := errors.New("disk on fire")
	f := errSoldOut.With("left", 3).After(time.Second).Field("qty", "range", "太多", "too many").Wrap(cause)
	if got := f.Text("en"); got != "only 3 left" {
		t.Errorf("English: %q", got)
	}
	if got := f.Text("zh"); got != "仅剩 3 件" {
		t.Errorf("Chinese: %q", got)
	}
	if !errors.Is(f, errSoldOut) || !errors.Is(f, cause) || errors.Is(f, NotFound) {
		t.Error("a copy is not told by its code and cause")
	}
	got, ok := As(fmt.Errorf("claim: %w", f))
	if !ok || got != f || got.RetryAfter != time.Second {
		t.Errorf("As: got %v, %v", got, ok)
	}
	if _, ok := As(cause); ok {
		t.Error("an internal error passes for a fault")
	}
	if want := "test.sold_out: only 3 left; qty: too many: disk on fire"; f.Error() != want {
		t.Errorf("for the log: got %q, want %q", f.Error(), want)
	}
	if errSoldOut.Params != nil || errSoldOut.Fields != nil || errSoldOut.RetryAfter != 0 || errSoldOut.Unwrap() != nil {
		t.Errorf("the declared fault was changed: %+v", errSoldOut)
	}
	if en := (Field{ZH: "甲", EN: "a"}); en.Text("en") != "a" || en.Text("zh") != "甲" {
		t.Error("a field does not speak both languages")
	}
}

// mood is a state with a name in each language.
type mood string

func (m mood) Words() (zh, en string) { return map[mood]string{"low": "低落"}[m], string(m) }

// TestWorded: a sentence names a state in its own language, the params keep
// the value.
func TestWorded(t *testing.T) {
	f := New(KindConflict, "test.mood", "现在{mood}", "it is {mood}").With("mood", mood("low"))
	if zh, en := f.Text("zh"), f.Text("en"); zh != "现在低落" || en != "it is low" || f.Params["mood"] != mood("low") {
		t.Errorf("got %q, %q, %v", zh, en, f.Params)
	}
}

func TestCheck(t *testing.T) {
	var good Check
	good.Required("x", "name")
	good.Length("私域私域", "name", 4)
	good.Range(5, "n", 5, 5)
	good.OneOf("a", "kind", "a", "b")
	if err := good.Err(); err != nil {
		t.Errorf("got %v", err)
	}
	var bad Check
	bad.Required("", "name")
	bad.Length("私域私域", "title", 3)
	bad.Range(6, "n", 1, 5)
	bad.OneOf("c", "kind", "a", "b")
	f, ok := As(bad.Err())
	if !ok || !errors.Is(f, Invalid) || len(f.Fields) != 4 {
		t.Fatalf("got %v, want all four fields at once", f)
	}
	for i, want := range []string{"required", "too_long", "range", "unknown_value"} {
		if f.Fields[i].Code != want {
			t.Errorf("field %d: got %s, want %s", i, f.Fields[i].Code, want)
		}
	}
	if len(Invalid.Fields) != 0 {
		t.Error("the shared fault was changed")
	}
}
