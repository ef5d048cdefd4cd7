// Package guard answers one question for every ad of every campaign, marketer
// and channel: may this group receive it now? It keeps chat groups from
// decaying into ad dumps.
//
// Decide is the answer, a pure function of policy, state and the window asked
// for. Around it the Service reserves slots (rows locked in one ordered
// statement, decided in memory, inserted), and confirms or releases them. A
// slot counts at every moment of its window until it is confirmed, then at
// that moment alone; released slots do not count. What the group's charter
// promises its members is the ceiling in every mode; only ads confirmed late
// or posted by hand can exceed it, and those carry their record.
//
// Tables: group_guards, slots, decisions. Invariant: V8. campaign/promotion
// reserves and confirms; api shows, confirms and reports.
package guard

import (
	"fmt"
	"time"

	"siyu/internal/clock"
	_ "time/tzdata" // quiet hours need IANA zones on machines that have none
)

// WindowMax is the longest window of one slot.
const WindowMax = 24 * time.Hour

// Window is a span of moments, From included and To not.
type Window struct {
	From clock.Milli `json:"from_at"`
	To   clock.Milli `json:"to_at"`
}

// Quiet are a group's quiet hours as minutes of its local day. From = To means
// none; From > To runs over midnight.
type Quiet struct {
	From int `json:"from_minute"`
	To   int `json:"to_minute"`
}

// Holds says whether the minute of the day is quiet.
func (q Quiet) Holds(minute int) bool {
	if q.From <= q.To {
		return q.From <= minute && minute < q.To
	}
	return minute >= q.From || minute < q.To
}

// Minutes is how long the quiet hours last.
func (q Quiet) Minutes() int { return (q.To - q.From + minutesOfDay) % minutesOfDay }

const minutesOfDay = 24 * 60

func hhmm(minute int64) string { return fmt.Sprintf("%d:%02d", minute/60, minute%60) }
