package api

import (
	"bytes"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/httpd"
	"siyu/internal/id"
)

// activityLine is one line as it comes in: an event, or a complete day.
type activityLine struct {
	GroupID     id.Group               `json:"group_id"`
	CompleteDay int                    `json:"complete_day"`
	EventID     string                 `json:"event_id"`
	MemberID    id.Member              `json:"member_id"`
	Kind        community.ActivityKind `json:"kind"`
	At          clock.Milli            `json:"at"`
	ToID        id.Member              `json:"to_member_id"`
}

// decode reads a line. A stream has up to 50,000, nearly all of one plain form;
// whatever is not of that form is read as any other body is.
func (l *activityLine) decode(text []byte) error {
	if l.plain(text) {
		return nil
	}
	*l = activityLine{}
	return httpd.Decode(text, l)
}

// plain reads an event whose names and values are texts of printable ASCII
// without escapes, each name once. Where it says no, it has read nothing that
// counts and httpd.Decode has the word.
func (l *activityLine) plain(text []byte) bool {
	rest, ok := bytes.CutPrefix(bytes.TrimRight(text, " \r"), []byte("{"))
	if !ok {
		return false
	}
	for seen := 0; ; {
		var name, value []byte
		if name, rest, ok = plainText(rest); !ok {
			return false
		}
		if rest, ok = bytes.CutPrefix(rest, []byte(":")); !ok {
			return false
		}
		if value, rest, ok = plainText(bytes.TrimLeft(rest, " ")); !ok {
			return false
		}
		field, ok := l.set(string(name), value)
		if !ok || seen&field != 0 {
			return false
		}
		seen |= field
		if len(rest) == 0 {
			return false
		}
		end := rest[0]
		if rest = rest[1:]; end == '}' {
			return len(rest) == 0
		}
		if end != ',' {
			return false
		}
		rest = bytes.TrimLeft(rest, " ")
	}
}

// set takes one field and says which it was.
func (l *activityLine) set(name string, value []byte) (field int, ok bool) {
	switch name {
	case "group_id":
		return 1, l.GroupID.UnmarshalText(value) == nil
	case "event_id":
		l.EventID = string(value)
		return 2, true
	case "member_id":
		return 4, l.MemberID.UnmarshalText(value) == nil
	case "kind":
		l.Kind = community.ActivityKind(value)
		return 8, true
	case "at":
		t, err := time.Parse(time.RFC3339, string(value))
		l.At = clock.MilliOf(t)
		return 16, err == nil
	case "to_member_id":
		return 32, l.ToID.UnmarshalText(value) == nil
	}
	return 0, false
}

// plainText cuts a quoted text off the front.
func plainText(b []byte) (text, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		return nil, b, false
	}
	for i := 1; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return b[1:i], b[i+1:], true
		case c < ' ' || c > '~' || c == '\\':
			return nil, b, false
		}
	}
	return nil, b, false
}
