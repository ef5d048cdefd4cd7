package web

import (
	"slices"
	"strings"
	"time"

	"siyu/campaign"
	"siyu/campaign/flashsale"
	"siyu/internal/clock"
)

// sessionView is a flash sale's times of day; without sessions it is empty.
type sessionView struct {
	Times string    // 10:00–12:00、20:00–22:00
	Days  string    // 每天
	Zone  string    // 北京时间
	Until time.Time // when the open one ends; zero while none is open
	Next  time.Time // when the next one begins; zero if none does
}

// readSessions adds the campaign's sessions, and counts what is left of the
// items by the open one.
func (p *landingPage) readSessions(run campaign.Campaign) error {
	if run.Kind != flashsale.Kind().Name {
		return nil
	}
	rules, err := flashsale.Terms(run)
	if err != nil || len(rules.Sessions) == 0 {
		return err
	}
	zone, err := time.LoadLocation(rules.Zone)
	if err != nil {
		return err
	}
	times := make([]string, len(rules.Sessions))
	for i, s := range rules.Sessions {
		times[i] = s.From.String() + "–" + s.To.String()
	}
	v := sessionView{Times: strings.Join(times, choose(p.Lang, "、", ", ")), Days: weekdays(p.Lang, rules.Weekdays), Zone: zoneName(p.Lang, zone)}
	window := flashsale.Window{From: run.StartsAt, To: run.EndsAt}
	began, edge := flashsale.Since(rules, window, clock.MilliOf(p.Now))
	next := edge
	if began > 0 {
		v.Until = edge.Time().In(zone)
		if follows, later := flashsale.Open(rules, window, edge); !follows {
			next = later
		}
	}
	if next != 0 {
		v.Next = next.Time().In(zone)
	}
	p.Session = v
	for i, item := range run.Items {
		if p.Items[i].Session = item.SessionStock; began > 0 || clock.MilliOf(p.Now) < run.StartsAt {
			p.Items[i].Left = item.SessionLeft(began)
		}
	}
	return nil
}

// applySessions lets the page wait for the next session between two of them,
// or once the open one is sold out; after the last one the campaign is over.
func (p *landingPage) applySessions() {
	v := p.Session
	switch {
	case v.Times == "" || p.Early.Open:
	case p.State == "soon" && !v.Next.IsZero():
		p.StartsAt = v.Next
		if p.Early.From.IsZero() {
			p.Clock.Until = v.Next
		}
	case p.State == "sold_out" && slices.ContainsFunc(p.Items, func(i itemView) bool { return i.Rest > 0 }):
		p.State, p.Clock.Until = "session_out", v.Until
		if !v.Next.IsZero() {
			p.Clock.Until = v.Next
		}
	case p.State != "open":
	case !v.Until.IsZero():
		p.Clock.Until = v.Until
	case !v.Next.IsZero():
		p.State, p.Clock.Until = "between", v.Next
	default:
		p.State = "ended"
	}
}

// weekdays names the days a session is held, 1 being Monday.
func weekdays(lang string, days []int) string {
	if len(days) == 0 {
		return choose(lang, "每天", "every day")
	}
	zh := []string{"周一", "周二", "周三", "周四", "周五", "周六", "周日"}
	en := []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}
	names := make([]string, len(days))
	for i, d := range days {
		names[i] = choose(lang, zh[d-1], en[d-1])
	}
	return strings.Join(names, choose(lang, "、", ", "))
}
