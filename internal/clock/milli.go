package clock

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"
)

// Milli is a moment as the database keeps it: epoch milliseconds UTC, zero
// meaning none. JSON shows RFC 3339 with milliseconds, and null for none.
type Milli int64

// MilliOf turns a time into a Milli; the zero time becomes none.
func MilliOf(t time.Time) Milli {
	if t.IsZero() {
		return 0
	}
	return Milli(t.UnixMilli())
}

// Time is the moment in UTC; none becomes the zero time.
func (m Milli) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(m)).UTC()
}

// Add moves the moment by d.
func (m Milli) Add(d time.Duration) Milli { return m + Milli(d.Milliseconds()) }

// Value stores the milliseconds.
func (m Milli) Value() (driver.Value, error) { return int64(m), nil }

const layout = "2006-01-02T15:04:05.000Z07:00"

// String is RFC 3339 in UTC, or "" for none.
func (m Milli) String() string {
	if m == 0 {
		return ""
	}
	return m.Time().Format(layout)
}

// Append appends RFC 3339 in UTC, or nothing for none.
func (m Milli) Append(b []byte) []byte {
	if m == 0 {
		return b
	}
	return m.Time().AppendFormat(b, layout)
}

// AppendJSON appends RFC 3339 as JSON, or null.
func (m Milli) AppendJSON(b []byte) []byte {
	if m == 0 {
		return append(b, "null"...)
	}
	return append(m.Time().AppendFormat(append(b, '"'), layout), '"')
}

// MarshalJSON writes RFC 3339 or null.
func (m Milli) MarshalJSON() ([]byte, error) { return m.AppendJSON(make([]byte, 0, 32)), nil }

// UnmarshalJSON reads RFC 3339 or null.
func (m *Milli) UnmarshalJSON(b []byte) error {
	var s *string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("a time is RFC 3339 text like 2026-11-22T10:00:00+08:00")
	}
	if s == nil {
		*m = 0
		return nil
	}
	t, err := time.Parse(time.RFC3339, *s)
	if err != nil {
		return fmt.Errorf("a time is RFC 3339 text like 2026-11-22T10:00:00+08:00")
	}
	// Nought stands for no time at all.
	if *m = MilliOf(t); *m == 0 && !t.IsZero() {
		return fmt.Errorf("a time is not the beginning of 1970; leave it out, or give null, for none")
	}
	return nil
}
