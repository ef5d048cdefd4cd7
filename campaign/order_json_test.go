package campaign

import (
	"encoding/json"
	"reflect"
	"testing"
	"testing/quick"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/clock"
	"siyu/internal/id"
)

// TestOrderJSON fills orders with values of every kind, so that a field added
// to Order and not to AppendJSON is noticed.
func TestOrderJSON(t *testing.T) {
	same := func(o Order) bool {
		o.Status = OrderPaid
		want, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(o.AppendJSON(nil))); diff != "" {
			t.Errorf("encoding/json against AppendJSON:\n%s", diff)
			return false
		}
		return true
	}
	whole := Order{}
	fill(reflect.ValueOf(&whole).Elem())
	if !same(Order{}) || !same(whole) {
		return
	}
	check := func(member, at int64, qty int) bool {
		return same(Order{MemberID: id.Member(member & (1<<63 - 1)), DeadlineAt: clock.Milli(at % 253402300799999), Qty: qty, Version: qty})
	}
	if err := quick.Check(check, nil); err != nil {
		t.Error(err)
	}
}

// fill sets every number to seven and gives every list one such element.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	}
}
