// Package id makes and prints the identifiers of every room.
//
// An id is 63 bits: 41 of wall-clock milliseconds, 10 of node number, 12 of
// sequence. It is made by the application, never by the database, so that a
// row can be referred to before it is inserted. Ids of one node never go back;
// the order of ids is not the order of commits, so no cursor over events and
// no watermark may rest on it.
//
// Each kind of id is its own Go type, so that a member cannot be passed where
// a group is meant. Outside the process an id is written as a prefix and
// Crockford base32, like mem_01h8x3kq7m2ve; it is a name, never a secret and
// never a right.
package id

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Kind names a kind of id by its public prefix.
type Kind interface{ prefix() string }

// ID is the identifier of one thing of kind K; zero means none.
type ID[K Kind] int64

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// width is the number of base32 symbols that hold 63 bits.
const width = 13

// Prefix is the public prefix of the id's kind, without the underscore.
func (ID[K]) Prefix() string {
	var k K
	return k.prefix()
}

// String is the public form, or "" for none.
func (v ID[K]) String() string {
	if v == 0 {
		return ""
	}
	return string(v.Append(make([]byte, 0, 24)))
}

// Append appends the public form, or nothing for none.
func (v ID[K]) Append(b []byte) []byte {
	if v == 0 {
		return b
	}
	b = append(append(b, v.Prefix()...), '_')
	var text [width]byte
	n := uint64(v)
	for i := width - 1; i >= 0; i-- {
		text[i] = alphabet[n&31]
		n >>= 5
	}
	return append(b, text[:]...)
}

// AppendJSON appends the public form as JSON, and null for none.
func (v ID[K]) AppendJSON(b []byte) []byte {
	if v == 0 {
		return append(b, "null"...)
	}
	return append(v.Append(append(b, '"')), '"')
}

// MarshalJSON writes the public form, and null for none.
func (v ID[K]) MarshalJSON() ([]byte, error) { return v.AppendJSON(make([]byte, 0, 24)), nil }

// UnmarshalJSON reads the public form or null.
func (v *ID[K]) UnmarshalJSON(b []byte) error {
	// A text without escapes, which the public form never needs, is read as it
	// stands.
	if len(b) > 2 && b[0] == '"' && bytes.IndexByte(b, '\\') < 0 {
		return v.UnmarshalText(b[1 : len(b)-1])
	}
	var s *string
	if err := json.Unmarshal(b, &s); err != nil {
		return &json.UnmarshalTypeError{Value: "non-string", Type: reflect.TypeFor[string](), Field: v.Prefix() + " id"}
	}
	if s == nil || *s == "" {
		*v = 0
		return nil
	}
	return v.UnmarshalText([]byte(*s))
}

// UnmarshalText reads the public form. Only the canonical form is accepted:
// lower case, full length, the right prefix.
func (v *ID[K]) UnmarshalText(b []byte) error {
	var k K
	body, ok := strings.CutPrefix(string(b), k.prefix()+"_")
	if !ok || len(body) != width {
		return fmt.Errorf("id: want %s_ followed by %d symbols", k.prefix(), width)
	}
	var n uint64
	for i := range width {
		d := strings.IndexByte(alphabet, body[i])
		if d < 0 || n > (1<<63-1)>>5 {
			return fmt.Errorf("id: %q is not a %s id", b, k.prefix())
		}
		n = n<<5 | uint64(d)
	}
	if n == 0 {
		return fmt.Errorf("id: %q is not a %s id", b, k.prefix())
	}
	*v = ID[K](n)
	return nil
}
