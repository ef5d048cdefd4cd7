package database

import (
	"encoding/base64"
	"encoding/binary"

	"siyu/internal/fault"
)

// Pages hold 50 rows unless asked, at most 200.
const (
	PageDefault = 50
	PageMax     = 200
)

// Page asks for a part of a list, newest first: rows with an id below Before
// (zero: from the newest), at most Limit.
type Page struct {
	Before int64
	Limit  int
}

// Fetch is how many rows to ask for: one more than the page, to learn whether
// there is a next one.
func (p Page) Fetch() int { return p.size() + 1 }

// Bound is the id below which the page begins.
func (p Page) Bound() int64 {
	if p.Before == 0 {
		return 1<<63 - 1
	}
	return p.Before
}

func (p Page) size() int {
	if p.Limit <= 0 {
		return PageDefault
	}
	return min(p.Limit, PageMax)
}

// Paged is one page of a list and the cursor of the next, "" at the end.
type Paged[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor"`
}

// Cut makes the page from the fetched rows.
func Cut[T any](p Page, rows []T, idOf func(T) int64) Paged[T] {
	out := Paged[T]{Items: rows}
	if n := p.size(); len(rows) > n {
		out.Items = rows[:n]
		out.NextCursor = cursor(idOf(rows[n-1]))
	}
	if out.Items == nil {
		out.Items = []T{}
	}
	return out
}

func cursor(before int64) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(before))
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// ParseCursor reads what a page gave as next_cursor.
func ParseCursor(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != 8 || int64(binary.BigEndian.Uint64(b)) <= 0 {
		return 0, fault.Invalid.Field("cursor", "format", "请使用上一页返回的 next_cursor", "use next_cursor of the page before")
	}
	return int64(binary.BigEndian.Uint64(b)), nil
}
