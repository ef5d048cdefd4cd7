package calendar

import (
	"strings"
	"testing"
	"unicode/utf8"

	"siyu/campaign"
	"siyu/internal/id"
)

// property is one line of a file as a reader sees it.
type property struct{ name, params, value string }

// read is a strict reader of the format: line breaks, folding, names, nesting.
// It knows nothing of how the file was written.
func read(t testing.TB, file string) (events [][]property) {
	t.Helper()
	if !strings.HasSuffix(file, "\r\n") || strings.Count(file, "\n") != strings.Count(file, "\r\n") || strings.Count(file, "\r") != strings.Count(file, "\r\n") {
		t.Fatalf("line breaks are not all CRLF: %q", file)
	}
	for _, line := range strings.Split(strings.TrimSuffix(file, "\r\n"), "\r\n") {
		if len(line) > 75 || line == "" || !utf8.ValidString(line) {
			t.Fatalf("a line of %d octets: %q", len(line), line)
		}
	}
	var open []string
	for _, line := range strings.Split(strings.TrimSuffix(strings.ReplaceAll(file, "\r\n ", ""), "\r\n"), "\r\n") {
		head, value, ok := strings.Cut(line, ":")
		name, params, _ := strings.Cut(head, ";")
		if !ok || name == "" || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") != "" {
			t.Fatalf("no property: %q", line)
		}
		if i := strings.IndexFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }); i >= 0 {
			t.Fatalf("a control character in %q", line)
		}
		switch name {
		case "BEGIN":
			open = append(open, value)
			if value == "VEVENT" {
				events = append(events, nil)
			}
		case "END":
			if len(open) == 0 || open[len(open)-1] != value {
				t.Fatalf("%s ends within %v", value, open)
			}
			open = open[:len(open)-1]
		default:
			if len(open) == 2 {
				events[len(events)-1] = append(events[len(events)-1], property{name, params, value})
			}
		}
	}
	if len(open) != 0 || !strings.HasPrefix(file, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:") {
		t.Fatalf("no whole calendar: %q", file)
	}
	return events
}

// text undoes the escaping of a TEXT value.
func text(t testing.TB, value string) string {
	t.Helper()
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		switch {
		case value[i] == ';' || value[i] == ',':
			t.Fatalf("%q is not escaped", value)
		case value[i] != '\\':
			b.WriteByte(value[i])
		case i+1 == len(value):
			t.Fatalf("%q ends in its escape", value)
		default:
			i++
			switch value[i] {
			case 'n', 'N':
				b.WriteByte('\n')
			case '\\', ';', ',':
				b.WriteByte(value[i])
			default:
				t.Fatalf("%q has an unknown escape", value)
			}
		}
	}
	return b.String()
}

func one(t testing.TB, event []property, name string) property {
	t.Helper()
	var found []property
	for _, p := range event {
		if p.name == name {
			found = append(found, p)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d of %s in %v", len(found), name, event)
	}
	return found[0]
}

func TestICal(t *testing.T) {
	page := Page{DataVersion: "2026-11-26", Days: []Day{
		{Code: "qingming", SourceYear: 2026, Kind: KindMourning, FromDay: 20260405, ToDay: 20260405, NameZH: "清明节", NameEN: "Qingming", Avoid: true},
		{ID: 7, FromDay: 20261231, ToDay: 20261231, NameZH: "店庆", Version: 3, ChangedAt: 1_700_000_000_000},
	}, Campaigns: []campaign.Run{
		{ID: 9, Kind: "flash_sale", Name: "茶, 酒; 反\\斜\n换行", Status: campaign.StatusCancelled, StartsAt: 1_782_000_000_000, EndsAt: 1_782_090_000_000, Version: 4,
			Sessions: []campaign.Session{{StartsAt: 1_782_000_000_000, EndsAt: 1_782_003_600_000}}},
		{ID: 10, Kind: "group_buy", Name: "拼", Status: campaign.StatusDraft, StartsAt: 1, EndsAt: 2},
	}}
	file := string(ical(page, "zh-CN"))
	events := read(t, file)
	if len(events) != 5 {
		t.Fatalf("%d events, want 5", len(events))
	}
	uids := map[string]bool{}
	for _, e := range events {
		uids[one(t, e, "UID").value] = true
		one(t, e, "DTSTAMP")
		one(t, e, "DTSTART")
		one(t, e, "DTEND")
	}
	if len(uids) != 5 {
		t.Errorf("uids %v are not each its own", uids)
	}
	if s, e := one(t, events[0], "DTSTART"), one(t, events[0], "DTEND"); s != (property{"DTSTART", "VALUE=DATE", "20260405"}) || e.value != "20260406" {
		t.Errorf("a day is %v to %v", s, e)
	}
	if got := one(t, events[1], "DTEND").value; got != "20270101" {
		t.Errorf("the last day of the year ends %s", got)
	}
	if got := text(t, one(t, events[2], "SUMMARY").value); got != "茶, 酒; 反\\斜\n换行" {
		t.Errorf("the name came back as %q", got)
	}
	if a, b, c := one(t, events[2], "STATUS").value, one(t, events[4], "STATUS").value, one(t, events[2], "DTSTART").value; a != "CANCELLED" || b != "TENTATIVE" || c != "20260621T000000Z" {
		t.Errorf("states %s and %s, start %s", a, b, c)
	}
	if again := string(ical(page, "zh-CN")); again != file {
		t.Error("the same calendar is another file")
	}
	page.Days = nil
	page.Campaigns = make([]campaign.Run, eventsMax+10)
	for i := range page.Campaigns {
		page.Campaigns[i] = campaign.Run{ID: id.Campaign(i + 1), Name: "活动"}
	}
	if got := len(read(t, string(ical(page, "en")))); got != eventsMax {
		t.Errorf("%d events, at most %d", got, eventsMax)
	}
}

// FuzzICal writes any name into the file and reads it back.
func FuzzICal(f *testing.F) {
	for _, s := range []string{"", "拼团", "a,b;c\\d", "\r\nBEGIN:VEVENT", "\n", "\r", strings.Repeat("长", 100), strings.Repeat("é", 37), "\x00\x1b\x7f", "\xff\xfe", "x\ty", "\u2028\u202e", strings.Repeat("😀", 40)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		events := read(t, string(ical(Page{DataVersion: "2026-11-26", Campaigns: []campaign.Run{{ID: 1, Name: name}}}, "zh-CN")))
		if len(events) != 1 {
			t.Fatalf("%d events", len(events))
		}
		if got, want := text(t, one(t, events[0], "SUMMARY").value), plain(name); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

// plain is what of a text the format can carry.
func plain(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(s, ""))
	return strings.Map(func(r rune) rune {
		if (r < ' ' && r != '\t' && r != '\n') || r >= 0x7f && r <= 0x9f {
			return -1
		}
		return r
	}, s)
}
