// Package health says how a chat group is: what its members did each day, what
// that makes of it, and what whoever asks may rely on.
//
// It owns the tables group_ads, group_days, group_health, group_standings
// and group_passes.
// A day is counted from the room's events under the group's row lock, whenever
// one of its events came late too; each day that is over is judged by pure
// functions of the days before it; the newest judgement is a group's standing.
//
// What holds always: a figure whose inputs are missing is unknown and never
// zero, and carries the share of days it rests on; counting twice is counting
// once; a day that is marked is counted again. Rates are basis points, days are
// local ones of the group's zone.
//
// The guard reads standings and notes the ads that were shown (AdShownTx); api
// and web read health. Nothing here refuses anybody anything.
package health

import (
	"strconv"

	"siyu/internal/database"
)

// Service is the room's use cases.
type Service struct {
	DB *database.DB
}

// State is how a group is.
type State string

// The states, best first. Unknown is none of them: too little is known.
const (
	StateHealthy State = "healthy"
	StateWarm    State = "warm"
	StateCooling State = "cooling"
	StateQuiet   State = "quiet"
	StateDead    State = "dead"
	StateUnknown State = "unknown"
)

// Unknown is a figure whose inputs are missing.
const Unknown = -1

// Figure is a number that may be Unknown, which JSON shows as null.
type Figure int

// MarshalJSON writes the number or null.
func (f Figure) MarshalJSON() ([]byte, error) {
	if f == Unknown {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, int64(f), 10), nil
}

// UnmarshalJSON reads the number or null.
func (f *Figure) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*f = Unknown
		return nil
	}
	n, err := strconv.Atoi(string(b))
	*f = Figure(n)
	return err
}

// whole is a share of all, in basis points.
const whole = 10_000
