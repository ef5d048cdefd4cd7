package calendar

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"siyu/campaign"
	"siyu/internal/clock"
)

// eventsMax bounds one file; what lies further ahead is left off.
const eventsMax = 5000

// ical writes the calendar as RFC 5545 says. The same calendar is the same
// file, byte by byte: stamps are those of the last change, not of the reading.
func ical(p Page, lang string) []byte {
	var f file
	f.line("BEGIN", "VCALENDAR")
	f.line("VERSION", "2.0")
	f.line("PRODID", "-//Siyu//Calendar//ZH")
	f.line("CALSCALE", "GREGORIAN")
	f.line("X-WR-CALNAME", escape(in(lang, "活动日历", "Campaign calendar")))
	f.line("REFRESH-INTERVAL;VALUE=DURATION", "PT1H")
	for _, d := range p.Days {
		f.day(d, p.DataVersion, lang)
	}
	for _, r := range p.Campaigns {
		f.run(r, lang)
	}
	f.line("END", "VCALENDAR")
	return []byte(f.b.String())
}

func in(lang, zh, en string) string {
	if lang == "en" {
		return en
	}
	return zh
}

// file is an iCalendar file while it is written.
type file struct {
	b      strings.Builder
	events int
}

// begin opens an event, unless the file is full.
func (f *file) begin(uid string, stamp clock.Milli) bool {
	if f.events == eventsMax {
		return false
	}
	f.events++
	f.line("BEGIN", "VEVENT")
	f.line("UID", uid+"@siyu")
	f.line("DTSTAMP", moment(stamp))
	return true
}

// day is an all-day event; its end is the day after, as the format has it.
func (f *file) day(d Day, version, lang string) {
	uid, stamp := d.ID.String(), d.ChangedAt
	if d.Code != "" {
		made, _ := time.Parse(time.DateOnly, version)
		uid, stamp = fmt.Sprintf("%s-%d", d.Code, d.SourceYear), clock.MilliOf(made)
	}
	if !f.begin(uid, stamp) {
		return
	}
	f.line("SEQUENCE", fmt.Sprint(max(d.Version-1, 0)))
	f.line("DTSTART;VALUE=DATE", fmt.Sprintf("%08d", d.FromDay))
	f.line("DTEND;VALUE=DATE", fmt.Sprintf("%08d", next(d.ToDay)))
	f.line("SUMMARY", escape(d.Name(lang)))
	if d.Avoid {
		f.line("DESCRIPTION", escape(in(lang, "这一天不宜做喜庆促销", "Avoid cheerful promotion on this day")))
	}
	f.line("TRANSP", "TRANSPARENT")
	f.line("END", "VEVENT")
}

// run is a campaign's window, and each session it has.
func (f *file) run(r campaign.Run, lang string) {
	f.window(r, r.ID.String(), campaign.Session{StartsAt: r.StartsAt, EndsAt: r.EndsAt}, r.Name, lang)
	for _, s := range r.Sessions {
		name := r.Name + in(lang, "（场次）", " (session)")
		f.window(r, fmt.Sprintf("%s-%d", r.ID, int64(s.StartsAt)), s, name, lang)
	}
}

func (f *file) window(r campaign.Run, uid string, s campaign.Session, name, lang string) {
	if !f.begin(uid, r.CreatedAt) {
		return
	}
	f.line("SEQUENCE", fmt.Sprint(r.Version))
	f.line("DTSTART", moment(s.StartsAt))
	f.line("DTEND", moment(s.EndsAt))
	f.line("SUMMARY", escape(name))
	f.line("DESCRIPTION", escape(kindName(lang, r.Kind)+" · "+statusName(lang, r.Status)))
	switch r.Status {
	case campaign.StatusDraft:
		f.line("STATUS", "TENTATIVE")
	case campaign.StatusCancelled:
		f.line("STATUS", "CANCELLED")
	default:
		f.line("STATUS", "CONFIRMED")
	}
	f.line("TRANSP", "TRANSPARENT")
	f.line("END", "VEVENT")
}

// foldAt is how many octets a line may have, its line break apart.
const foldAt = 75

// line writes one property, folded between characters.
func (f *file) line(name, value string) {
	room := foldAt
	for _, r := range name + ":" + value {
		n := utf8.RuneLen(r)
		if n > room {
			f.b.WriteString("\r\n ")
			room = foldAt - 1
		}
		f.b.WriteRune(r)
		room -= n
	}
	f.b.WriteString("\r\n")
}

// escape makes a TEXT value of what somebody typed. Control characters, which
// the format cannot carry, and bytes that are no text are dropped.
func escape(s string) string {
	var b strings.Builder
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\r\n", "\n")
	for _, r := range s {
		switch {
		case r == '\n' || r == '\r':
			b.WriteString(`\n`)
		case r == '\\' || r == ';' || r == ',':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsControl(r) && r != '\t':
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func moment(m clock.Milli) string { return m.Time().Format("20060102T150405Z") }

var kindNames = map[string][2]string{
	"group_buy": {"拼团", "Group buy"}, "flash_sale": {"限时抢购", "Flash sale"}, "referral": {"邀请", "Referral"},
}

func kindName(lang, kind string) string {
	if n, ok := kindNames[kind]; ok {
		return in(lang, n[0], n[1])
	}
	return kind
}

var statusNames = map[campaign.Status][2]string{
	campaign.StatusDraft: {"草稿", "draft"}, campaign.StatusScheduled: {"待开始", "scheduled"}, campaign.StatusRunning: {"进行中", "running"},
	campaign.StatusPaused: {"已暂停", "paused"}, campaign.StatusEnded: {"已结束", "ended"}, campaign.StatusCancelled: {"已取消", "cancelled"},
}

func statusName(lang string, s campaign.Status) string {
	n, ok := statusNames[s]
	if !ok {
		return string(s)
	}
	return in(lang, n[0], n[1])
}
