package httpd

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
)

type line struct {
	SKU   string `json:"sku"`
	Price int64  `json:"price_fen"`
}

type extra struct {
	Note string `json:"note"`
}

type order struct {
	extra
	Group  id.Group          `json:"group_id"`
	At     clock.Milli       `json:"at"`
	Count  int               `json:"count"`
	Gift   bool              `json:"gift"`
	Limit  *int              `json:"limit"`
	Lines  []line            `json:"lines"`
	Tags   map[string]string `json:"tags"`
	Any    any               `json:"any"`
	Hidden string            `json:"-"`
}

func TestDecode(t *testing.T) {
	group := id.Group(7).String()
	good := `{"note":"n","group_id":"` + group + `","at":"2026-03-02T10:00:00+08:00","count":2,"gift":true,"limit":null,
		"lines":[{"sku":"a\"b\\","price_fen":5}],"tags":{"k":"v"},"any":{"x":[1,{"y":null}]}}`
	t.Run("a fitting body", func(t *testing.T) {
		var got, want order
		if err := Decode([]byte(good), &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(good), &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) || got.Group != 7 || got.Note != "n" {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})

	fields := []struct{ name, body, field, code string }{
		{"unknown", `{"size":1}`, "size", "unknown"},
		{"unknown, nested", `{"lines":[{"sku":"a"},{"skU":"a"}]}`, "lines[1].skU", "unknown"},
		{"other case", `{"Count":1}`, "Count", "unknown"},
		{"hidden", `{"Hidden":"x"}`, "Hidden", "unknown"},
		{"text for a number", `{"count":"1"}`, "count", "type"},
		{"fraction", `{"count":1.5}`, "count", "type"},
		{"too large", `{"count":9223372036854775808}`, "count", "type"},
		{"null for a number", `{"count":null}`, "count", "type"},
		{"number for text", `{"note":1}`, "note", "type"},
		{"text for a flag", `{"gift":"yes"}`, "gift", "type"},
		{"object for a list", `{"lines":{}}`, "lines", "type"},
		{"list for an object", `{"lines":[[]]}`, "lines[0]", "type"},
		{"wrong kind of id", `{"group_id":"mem_0000000000007"}`, "group_id", "format"},
		{"number for an id", `{"group_id":7}`, "group_id", "type"},
		{"bad time", `{"at":"monday"}`, "at", "format"},
		{"deep in a map", `{"tags":{"k":1}}`, "tags.k", "type"},
		{"repeated", `{"count":1,"count":2}`, "count", "duplicate"},
		{"repeated, escaped", `{"count":1,"co\u0075nt":2}`, "count", "duplicate"},
		{"repeated inside anything", `{"any":[{"x":1,"x":2}]}`, "any[0].x", "duplicate"},
		{"not an object", `[]`, "$", "type"},
		{"null", `null`, "$", "type"},
	}
	for _, tc := range fields {
		t.Run(tc.name, func(t *testing.T) {
			var in order
			f, ok := fault.As(Decode([]byte(tc.body), &in))
			if !ok || f.Kind != fault.KindUnprocessable || len(f.Fields) == 0 {
				t.Fatalf("got %v", f)
			}
			if got := f.Fields[0]; got.Name != tc.field || got.Code != tc.code {
				t.Errorf("got %s %s, want %s %s", got.Name, got.Code, tc.field, tc.code)
			}
		})
	}

	wholes := []struct {
		name, body string
		want       error
	}{
		{"empty", ``, errMalformed},
		{"half", `{"count":1`, errMalformed},
		{"trailing", `{} {}`, errMalformed},
		{"not UTF-8", "{\"note\":\"\xff\"}", errMalformed},
		{"deep", strings.Repeat(`[`, 100_000), errTooDeep},
		{"deep object", strings.Repeat(`{"any":`, 33) + `1` + strings.Repeat(`}`, 33), errTooDeep},
	}
	for _, tc := range wholes {
		t.Run(tc.name, func(t *testing.T) {
			var in order
			if err := Decode([]byte(tc.body), &in); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}

	t.Run("an unknown field is told which there are", func(t *testing.T) {
		var in struct {
			Lines []line `json:"lines"`
		}
		f, _ := fault.As(Decode([]byte(`{"lines":[{"name":"a"}]}`), &in))
		if got, want := f.Fields[0].EN, "there is no such field; there are price_fen, sku"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		f, _ = fault.As(Decode([]byte(`{"force":true}`), &struct{}{}))
		if got, want := f.Fields[0].EN, "there is no such field; none is taken here"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})

	t.Run("every wrong field is named at once", func(t *testing.T) {
		var in order
		f, _ := fault.As(Decode([]byte(`{"count":"1","gift":1,"lines":[{"price_fen":"x"}]}`), &in))
		if f == nil || len(f.Fields) != 3 {
			t.Errorf("got %v", f)
		}
	})
	t.Run("as deep as allowed", func(t *testing.T) {
		var in order
		if err := Decode([]byte(`{"any":`+strings.Repeat(`[`, 31)+strings.Repeat(`]`, 31)+`}`), &in); err != nil {
			t.Error(err)
		}
	})
}

// FuzzDecode: nothing panics; what is accepted, encoding/json accepts too and
// reads the same way.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{}`, `{"count":1,"lines":[{"sku":"a"}]}`, `{"any":[{"x":1,"x":2}]}`, `{"a\`, `"`, `{"tags":{"\ud800":"x"}}`, ` [1 , 2]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var got, want order
		if Decode(b, &got) != nil {
			return
		}
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatalf("accepted what encoding/json refuses: %v", err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}
