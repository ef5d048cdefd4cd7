package groupbuy

import (
	"testing"

	"siyu/internal/clock"
)

func TestOutcome(t *testing.T) {
	for _, tc := range []struct {
		name      string
		min, live int
		paid      int
		now       clock.Milli
		want      Status
		why       string
	}{
		{"filling", 0, 3, 2, 5, StatusOpen, ""},
		{"enough, but not yet its deadline", 3, 4, 3, 9, StatusOpen, ""},
		{"all paid", 0, 5, 5, 5, StatusFormed, ""},
		{"all paid, past its deadline", 0, 5, 5, 99, StatusFormed, ""},
		{"one short of all", 0, 5, 4, 10, StatusFailed, EndTooFew},
		{"enough at its deadline", 3, 5, 3, 10, StatusFormed, ""},
		{"too few at its deadline", 3, 5, 2, 10, StatusFailed, EndTooFew},
		{"nobody left", 3, 0, 0, 5, StatusFailed, EndEmpty},
	} {
		team := Team{Size: 5, MinSize: tc.min, LiveSeats: tc.live, DeadlineAt: 10}
		if got, why := team.outcome(tc.paid, tc.now); got != tc.want || why != tc.why {
			t.Errorf("%s: got %s %s, want %s %s", tc.name, got, why, tc.want, tc.why)
		}
	}
}
