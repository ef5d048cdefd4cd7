// Package flashsale is the kind flash_sale: items at a campaign price within a
// window, first come first served, with limits per member. The window may be
// narrowed to sessions, times of day on some days of the week; whether one is
// open is a pure function of rules, window and moment. It holds nothing but
// stock, so the kind is only its rules. Called by main, which registers it,
// and by web, which shows the sessions; owns no table.
package flashsale

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/fault"
)

// Kind is the kind as main registers it.
func Kind() campaign.Kind {
	return campaign.Kind{Name: "flash_sale", Rules: complete, Hours: hours, WaitPayS: waitPay, Claimable: true}
}

// Rules are a flash sale's terms. Without sessions it runs its whole window.
type Rules struct {
	Zone     string    `json:"zone,omitempty"` // of the sessions; by default the campaign's
	Sessions []Session `json:"sessions,omitempty"`
	Weekdays []int     `json:"weekdays,omitempty"` // 1 is Monday, 7 Sunday; none is every day

	// WaitPayWithinS is how long an order from the waiting line may wait for
	// its payment.
	WaitPayWithinS int `json:"wait_pay_within_s"`
}

// waitPayDefault is a quarter of an hour.
const waitPayDefault = 900

// Session is a time of day, from the local minute From up to To. One that ends
// no later than it begins runs past midnight and belongs to the day it begins.
type Session struct {
	From Minute `json:"from"`
	To   Minute `json:"to"`
}

// UnmarshalJSON reads a session; a time left out is refused like one that is
// none.
func (s *Session) UnmarshalJSON(raw []byte) error {
	in := struct {
		From Minute `json:"from"`
		To   Minute `json:"to"`
	}{-1, -1}
	if err := strict(raw, &in); err != nil {
		return err
	}
	*s = Session(in)
	return nil
}

// strict reads JSON that may have no other fields.
func strict(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// Minute is a minute of the local day, written "10:00"; 24:00 is its end.
type Minute int

const minutesADay = 24 * 60

// String is the minute as a clock shows it.
func (m Minute) String() string { return fmt.Sprintf("%02d:%02d", int(m)/60, int(m)%60) }

// MarshalText writes the minute as text.
func (m Minute) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads "hh:mm"; what is no time of day becomes a minute that
// the rules refuse by name.
func (m *Minute) UnmarshalText(text []byte) error {
	*m = -1
	if len(text) != 5 || text[2] != ':' {
		return nil
	}
	hour, badHour := strconv.ParseUint(string(text[:2]), 10, 8)
	minute, badMinute := strconv.ParseUint(string(text[3:]), 10, 8)
	if badHour == nil && badMinute == nil && minute < 60 && hour*60+minute <= minutesADay {
		*m = Minute(hour*60 + minute)
	}
	return nil
}

// end is the session's last minute, counted from the midnight before it began.
func (s Session) end() Minute {
	if s.To <= s.From {
		return s.To + minutesADay
	}
	return s.To
}

// sessionsMax is how many sessions a day may have.
const sessionsMax = 24

// complete checks the rules and returns them in order.
func complete(raw json.RawMessage) (json.RawMessage, error) {
	r := Rules{WaitPayWithinS: waitPayDefault}
	if len(raw) > 0 {
		if err := strict(raw, &r); err != nil {
			return nil, fault.Invalid.Field("rules", "format", "应为 {zone, sessions: [{from, to}], weekdays, wait_pay_within_s} 的对象，没有其他字段",
				"must be an object of zone, sessions of from and to, weekdays and wait_pay_within_s, with no other field")
		}
	}
	var check fault.Check
	r.checkSessions(&check)
	r.checkWeekdays(&check)
	if r.Zone != "" {
		_, err := time.LoadLocation(r.Zone)
		check.That(err == nil, "rules.zone", "unknown_value", "请用 IANA 时区，如 Asia/Shanghai", "use an IANA zone like Asia/Shanghai")
		check.That(len(r.Sessions) > 0, "rules.zone", "no_sessions", "没有场次时无需时区", "means nothing without sessions")
	}
	check.Range(int64(r.WaitPayWithinS), "rules.wait_pay_within_s", 60, 86400)
	if err := check.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(r.Sessions, func(a, b Session) int { return int(a.From - b.From) })
	slices.Sort(r.Weekdays)
	return json.Marshal(r)
}

// checkSessions refuses sessions that are no times of day, are empty, or
// overlap another, also past midnight.
func (r Rules) checkSessions(check *fault.Check) {
	check.That(len(r.Sessions) <= sessionsMax, "rules.sessions", "range",
		fmt.Sprintf("每天最多 %d 场", sessionsMax), fmt.Sprintf("at most %d a day", sessionsMax))
	for i, s := range r.Sessions {
		at := fmt.Sprintf("rules.sessions[%d]", i)
		if s.From < 0 || s.From == minutesADay || s.To < 0 {
			check.That(false, at, "format", "时间应写作 10:00，结束最晚 24:00", "write times like 10:00; the end is at latest 24:00")
			return
		}
		check.That(s.From != s.To, at, "empty", "开始与结束相同", "begins and ends at the same time")
	}
	list := slices.Clone(r.Sessions)
	slices.SortFunc(list, func(a, b Session) int { return int(a.From - b.From) })
	for i, s := range list {
		next := list[(i+1)%len(list)].From
		if i == len(list)-1 {
			next += minutesADay
		}
		check.That(s.end() <= next, "rules.sessions", "overlap",
			fmt.Sprintf("%s 到 %s 的场次与下一场重叠", s.From, s.To), fmt.Sprintf("the one from %s to %s overlaps the next", s.From, s.To))
	}
}

func (r Rules) checkWeekdays(check *fault.Check) {
	check.That(len(r.Weekdays) == 0 || len(r.Sessions) > 0, "rules.weekdays", "no_sessions", "请同时填写场次", "say the sessions too")
	seen := map[int]bool{}
	for _, d := range r.Weekdays {
		check.That(1 <= d && d <= 7, "rules.weekdays", "range", "应为 1（周一）到 7（周日）", "must be from 1, Monday, to 7, Sunday")
		check.That(!seen[d], "rules.weekdays", "twice", "有重复", "names a day twice")
		seen[d] = true
	}
}

// Terms reads the rules of a flash sale.
func Terms(c campaign.Campaign) (Rules, error) {
	r := Rules{WaitPayWithinS: waitPayDefault} // sales of before there were lines
	if err := json.Unmarshal([]byte(c.RulesText), &r); err != nil {
		return r, err
	}
	if r.Zone == "" {
		r.Zone = c.Zone
	}
	return r, nil
}

func waitPay(c campaign.Campaign) (int, error) {
	r, err := Terms(c)
	return r.WaitPayWithinS, err
}

// hours are the campaign's sessions as campaign asks for them.
func hours(c campaign.Campaign) (campaign.Hours, error) {
	r, err := Terms(c)
	if err != nil || len(r.Sessions) == 0 {
		return nil, err
	}
	window := Window{c.StartsAt, c.EndsAt}
	return func(now clock.Milli) (began, next clock.Milli) { return Since(r, window, now) }, nil
}
