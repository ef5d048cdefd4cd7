package database

import (
	"reflect"
	"strconv"
	"strings"
)

// inline writes the numbers among the arguments, and lists of them, into the
// text, which is a quarter of the cost of handing the driver a thousand values
// to write in. Texts stay arguments: only the driver quotes. The statements
// are ours, and none has a question mark that is not a place.
func inline(text string, args []any) (string, []any) {
	var b strings.Builder
	b.Grow(len(text) + 20*len(args))
	var kept []any
	for _, a := range args {
		before, after, _ := strings.Cut(text, "?")
		b.WriteString(before)
		text = after
		if !number(&b, reflect.ValueOf(a)) {
			b.WriteByte('?')
			kept = append(kept, a)
		}
	}
	b.WriteString(text)
	return b.String(), kept
}

// number writes an integer, or integers in brackets, and says whether it was
// one.
func number(b *strings.Builder, v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		writeInt(b, v.Int())
	case reflect.Slice:
		if kind := v.Type().Elem().Kind(); kind != reflect.Int64 && kind != reflect.Int || v.Len() == 0 {
			return false
		}
		for i := range v.Len() {
			b.WriteByte("(,"[min(i, 1)])
			writeInt(b, v.Index(i).Int())
		}
		b.WriteByte(')')
	default:
		return false
	}
	return true
}

func writeInt(b *strings.Builder, n int64) {
	var digits [20]byte
	b.Write(strconv.AppendInt(digits[:0], n, 10))
}

// AppendPlain appends a text in quotes and says so, if it is one of letters,
// digits and some signs, which no engine reads otherwise in any mode. Any other
// text it leaves to the driver, who quotes.
func AppendPlain(text []byte, s string) ([]byte, bool) {
	for i := range len(s) {
		if c := s[i]; c >= 128 || !plain[c] {
			return text, false
		}
	}
	text = append(append(text, '\''), s...)
	return append(text, '\''), true
}

var plain = func() (set [128]bool) {
	for _, c := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:;,+= " {
		set[c] = true
	}
	return set
}()
