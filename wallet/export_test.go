package wallet

import (
	"strings"

	"siyu/internal/clock"
	"siyu/internal/fault"
)

func clockMilli(n int64) clock.Milli { return clock.Milli(n) }

// fieldsOf names the fields a fault complains of.
func fieldsOf(err error) string {
	f, ok := fault.As(err)
	if !ok {
		return ""
	}
	var names []string
	for _, x := range f.Fields {
		names = append(names, x.Name)
	}
	return strings.Join(names, " ")
}
