package groupbuy_test

import (
	"slices"
	"testing"

	"siyu/campaign/groupbuy"
	"siyu/internal/fault"
)

func TestRules(t *testing.T) {
	kind := (&groupbuy.Service{}).Kind()
	for _, tc := range []struct{ rules, field, code string }{
		{`{"size":1}`, "rules.size", "range"},
		{`{"size":101}`, "rules.size", "range"},
		{`{}`, "rules.size", "range"},
		{`{"size":3,"open_for_s":5}`, "rules.open_for_s", "range"},
		{`[]`, "rules", "format"},
		{`{"size":"3"}`, "rules.size", "format"},
		{`{"size":3,"min_size":1}`, "rules.min_size", "range"},
		{`{"size":3,"min_size":4}`, "rules.min_size", "range"},
		{`{"size":3,"sizes":[{"size":2}]}`, "rules.sizes", "both"},
		{`{"sizes":[]}`, "rules.sizes", "range"},
		{`{"sizes":[{"size":2},{"size":2}]}`, "rules.sizes[1].size", "repeated"},
		{`{"sizes":[{"size":2},{"size":5,"min_size":6}]}`, "rules.sizes[1].min_size", "range"},
		{`{"size":3,"late_choice_minutes":1441}`, "rules.late_choice_minutes", "range"},
		// Nothing may fill a seat with nobody.
		{`{"size":3,"robots":9}`, "rules.robots", "unknown_field"},
		{`{"size":3,"virtual":1}`, "rules.virtual", "unknown_field"},
		{`{"size":3,"virtual_members":1}`, "rules.virtual_members", "unknown_field"},
		{`{"sizes":[{"size":2,"virtual":1}]}`, "rules.sizes[0].virtual", "unknown_field"},
	} {
		_, err := kind.Rules([]byte(tc.rules))
		if !named(err, tc.field, tc.code) {
			t.Errorf("%s: got %v, want %s %s", tc.rules, err, tc.field, tc.code)
		}
	}
	for in, want := range map[string]string{
		`{"size":3}`: `{"size":3,"open_for_s":86400}`,
		`{"sizes":[{"size":5,"min_size":3},{"size":2}]}`: `{"sizes":[{"size":2},{"size":5,"min_size":3}],"open_for_s":86400}`,
	} {
		if got, err := kind.Rules([]byte(in)); err != nil || string(got) != want {
			t.Errorf("got %s, %v; want %s, with defaults written out", got, err, want)
		}
	}
}

// named says whether the error names the field with the code.
func named(err error, field, code string) bool {
	f, ok := fault.As(err)
	return ok && slices.ContainsFunc(f.Fields, func(x fault.Field) bool { return x.Name == field && x.Code == code })
}
