package flashsale

import (
	"testing"
	"time"

	"siyu/internal/clock"
)

// at reads a moment; its offset tells the two passes of a repeated hour apart.
func at(t *testing.T, text string) clock.Milli {
	t.Helper()
	m, err := time.Parse("2006-01-02T15:04Z07:00", text)
	if err != nil {
		t.Fatal(err)
	}
	return clock.MilliOf(m)
}

func session(from, to Minute) Session { return Session{from, to} }

func hm(hour, minute int) Minute { return Minute(60*hour + minute) }

func TestOpen(t *testing.T) {
	const never = ""
	type row struct {
		now  string
		open bool
		next string
	}
	cases := []struct {
		name     string
		rules    Rules
		from, to string
		rows     []row
	}{
		{"without sessions the whole window", Rules{Zone: "Asia/Shanghai"}, "2026-03-02T10:00+08:00", "2026-03-04T10:00+08:00", []row{
			{"2026-03-02T09:59+08:00", false, "2026-03-02T10:00+08:00"},
			{"2026-03-02T10:00+08:00", true, "2026-03-04T10:00+08:00"},
			{"2026-03-04T10:00+08:00", false, never},
		}},
		{"Shanghai, two a day", Rules{Zone: "Asia/Shanghai", Sessions: []Session{session(hm(10, 0), hm(12, 0)), session(hm(20, 0), hm(22, 0))}},
			"2026-03-02T11:00+08:00", "2026-03-03T21:00+08:00", []row{
				{"2026-03-02T10:30+08:00", false, "2026-03-02T11:00+08:00"}, // the window cuts it
				{"2026-03-02T11:00+08:00", true, "2026-03-02T12:00+08:00"},
				{"2026-03-02T12:00+08:00", false, "2026-03-02T20:00+08:00"},
				{"2026-03-02T19:59+08:00", false, "2026-03-02T20:00+08:00"},
				{"2026-03-02T20:00+08:00", true, "2026-03-02T22:00+08:00"},
				{"2026-03-02T22:00+08:00", false, "2026-03-03T10:00+08:00"},
				{"2026-03-03T20:30+08:00", true, "2026-03-03T21:00+08:00"},
				{"2026-03-03T21:00+08:00", false, never},
			}},
		{"Shanghai, one after the other", Rules{Zone: "Asia/Shanghai", Sessions: []Session{session(hm(10, 0), hm(12, 0)), session(hm(12, 0), hm(24, 0))}},
			"2026-03-02T00:00+08:00", "2026-03-03T21:00+08:00", []row{
				{"2026-03-02T11:59+08:00", true, "2026-03-02T12:00+08:00"},
				{"2026-03-02T12:00+08:00", true, "2026-03-03T00:00+08:00"},
				{"2026-03-03T00:00+08:00", false, "2026-03-03T10:00+08:00"},
			}},
		{"Shanghai, Friday past midnight", Rules{Zone: "Asia/Shanghai", Sessions: []Session{session(hm(22, 0), hm(2, 0))}, Weekdays: []int{5}},
			"2026-03-02T00:00+08:00", "2026-03-31T00:00+08:00", []row{
				{"2026-03-02T23:00+08:00", false, "2026-03-06T22:00+08:00"}, // a Monday
				{"2026-03-06T23:00+08:00", true, "2026-03-07T02:00+08:00"},
				{"2026-03-07T01:59+08:00", true, "2026-03-07T02:00+08:00"},
				{"2026-03-07T02:00+08:00", false, "2026-03-13T22:00+08:00"},
				{"2026-03-07T22:30+08:00", false, "2026-03-13T22:00+08:00"},
				{"2026-03-28T02:00+08:00", false, never},
			}},
		{"New York in spring: what begins in the gap begins late", Rules{Zone: "America/New_York", Sessions: []Session{session(hm(2, 30), hm(3, 30))}},
			"2026-03-07T00:00-05:00", "2026-03-10T00:00-04:00", []row{
				{"2026-03-07T03:30-05:00", false, "2026-03-08T03:00-04:00"},
				{"2026-03-08T01:59-05:00", false, "2026-03-08T03:00-04:00"},
				{"2026-03-08T03:00-04:00", true, "2026-03-08T03:30-04:00"},
				{"2026-03-08T03:30-04:00", false, "2026-03-09T02:30-04:00"},
			}},
		{"New York in spring: what lies in the gap falls out", Rules{Zone: "America/New_York", Sessions: []Session{session(hm(2, 0), hm(2, 45))}, Weekdays: []int{7}},
			"2026-03-02T00:00-05:00", "2026-03-31T00:00-04:00", []row{
				{"2026-03-08T01:00-05:00", false, "2026-03-15T02:00-04:00"},
			}},
		{"New York in autumn: the repeated hour has one session", Rules{Zone: "America/New_York", Sessions: []Session{session(hm(1, 0), hm(1, 30))}},
			"2026-10-31T00:00-04:00", "2026-11-05T00:00-05:00", []row{
				{"2026-11-01T01:15-04:00", true, "2026-11-01T01:30-04:00"},
				{"2026-11-01T01:30-04:00", false, "2026-11-02T01:00-05:00"},
				{"2026-11-01T01:15-05:00", false, "2026-11-02T01:00-05:00"},
			}},
		{"New York in autumn: across the repeated hour", Rules{Zone: "America/New_York", Sessions: []Session{session(hm(0, 30), hm(1, 30)), session(hm(1, 30), hm(3, 0))}},
			"2026-10-31T00:00-04:00", "2026-11-05T00:00-05:00", []row{
				{"2026-11-01T00:45-04:00", true, "2026-11-01T01:30-04:00"},
				{"2026-11-01T01:45-04:00", true, "2026-11-01T03:00-05:00"},
				{"2026-11-01T01:15-05:00", true, "2026-11-01T03:00-05:00"},
				{"2026-11-01T03:00-05:00", false, "2026-11-02T00:30-05:00"},
			}},
		{"Lord Howe in spring: half an hour is skipped", Rules{Zone: "Australia/Lord_Howe", Sessions: []Session{session(hm(2, 0), hm(2, 30)), session(hm(2, 30), hm(3, 0))}},
			"2026-10-03T00:00+10:30", "2026-10-06T00:00+11:00", []row{
				{"2026-10-04T01:45+10:30", false, "2026-10-04T02:30+11:00"},
				{"2026-10-04T02:30+11:00", true, "2026-10-04T03:00+11:00"},
				{"2026-10-04T03:00+11:00", false, "2026-10-05T02:00+11:00"},
			}},
		{"Lord Howe in autumn: half an hour repeats", Rules{Zone: "Australia/Lord_Howe", Sessions: []Session{session(hm(1, 30), hm(2, 0)), session(hm(23, 0), hm(1, 0))}},
			"2026-04-04T00:00+11:00", "2026-04-07T00:00+10:30", []row{
				{"2026-04-05T01:45+11:00", true, "2026-04-05T02:00+10:30"},
				{"2026-04-05T01:45+10:30", true, "2026-04-05T02:00+10:30"},
				{"2026-04-05T02:00+10:30", false, "2026-04-05T23:00+10:30"},
				{"2026-04-06T00:30+10:30", true, "2026-04-06T01:00+10:30"},
			}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := Window{at(t, c.from), at(t, c.to)}
			for _, r := range c.rows {
				want := clock.Milli(0)
				if r.next != never {
					want = at(t, r.next)
				}
				if open, next := Open(c.rules, w, at(t, r.now)); open != r.open || next != want {
					t.Errorf("at %s: got %v until %s, want %v until %s", r.now, open, next.Time(), r.open, r.next)
				}
			}
		})
	}
}

// TestOpenIsSteady walks a year by the quarter of an hour: the answer changes exactly
// when the last one said it would.
func TestOpenIsSteady(t *testing.T) {
	for _, zone := range []string{"Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"} {
		r := Rules{Zone: zone, Sessions: []Session{session(hm(1, 15), hm(2, 15)), session(hm(12, 0), hm(13, 0)), session(hm(23, 0), hm(0, 30))}, Weekdays: []int{3, 6, 7}}
		w := Window{at(t, "2026-01-01T00:00Z"), at(t, "2027-01-01T00:00Z")}
		var open bool
		var next clock.Milli
		for now := w.From; now < w.To; now += clock.Milli(15 * minuteMilli) {
			nowOpen, nowNext := Open(r, w, now)
			switch {
			case now == w.From || now == next:
			case nowOpen != open || nowNext != next:
				t.Fatalf("%s at %s: %v until %s, but was %v until %s", zone, now.Time(), nowOpen, nowNext.Time(), open, next.Time())
			}
			open, next = nowOpen, nowNext
		}
	}
}

func TestRules(t *testing.T) {
	for _, good := range []struct{ in, want string }{
		{``, `{"wait_pay_within_s":900}`},
		{`{"wait_pay_within_s":60}`, `{"wait_pay_within_s":60}`},
		{`{"sessions":[{"from":"20:00","to":"22:00"},{"from":"10:00","to":"12:00"}],"weekdays":[7,1]}`,
			`{"sessions":[{"from":"10:00","to":"12:00"},{"from":"20:00","to":"22:00"}],"weekdays":[1,7],"wait_pay_within_s":900}`},
		{`{"zone":"Asia/Shanghai","sessions":[{"from":"22:00","to":"02:00"},{"from":"02:00","to":"03:00"}]}`,
			`{"zone":"Asia/Shanghai","sessions":[{"from":"02:00","to":"03:00"},{"from":"22:00","to":"02:00"}],"wait_pay_within_s":900}`},
		{`{"sessions":[{"from":"00:00","to":"24:00"}],"weekdays":[6]}`, `{"sessions":[{"from":"00:00","to":"24:00"}],"weekdays":[6],"wait_pay_within_s":900}`},
	} {
		if got, err := complete([]byte(good.in)); err != nil || string(got) != good.want {
			t.Errorf("%s: got %s, %v, want %s", good.in, got, err, good.want)
		}
	}
	many := `{"sessions":[`
	for m := range 25 {
		if m > 0 {
			many += ","
		}
		many += `{"from":"` + hm(0, 2*m).String() + `","to":"` + hm(0, 2*m+1).String() + `"}`
	}
	for _, bad := range []string{
		`[]`, `{"size":2}`, `{"wait_pay_within_s":59}`, `{"sessions":[{"from":"10:00"}]}`, `{"sessions":[{"from":"10:00","to":"12:00","of":1}]}`,
		`{"sessions":[{"from":"10","to":"12:00"}]}`, `{"sessions":[{"from":"+1:00","to":"12:00"}]}`, `{"sessions":[{"from":"24:00","to":"01:00"}]}`,
		`{"sessions":[{"from":"10:00","to":"24:01"}]}`, `{"sessions":[{"from":"10:60","to":"12:00"}]}`,
		`{"sessions":[{"from":"10:00","to":"10:00"}]}`,
		`{"sessions":[{"from":"10:00","to":"12:00"},{"from":"11:59","to":"13:00"}]}`,
		`{"sessions":[{"from":"10:00","to":"12:00"},{"from":"10:00","to":"12:00"}]}`,
		`{"sessions":[{"from":"22:00","to":"02:00"},{"from":"01:00","to":"03:00"}]}`,
		`{"sessions":[{"from":"10:00","to":"12:00"}],"weekdays":[0]}`, `{"sessions":[{"from":"10:00","to":"12:00"}],"weekdays":[1,1]}`,
		`{"weekdays":[1]}`, `{"zone":"Asia/Shanghai"}`, `{"zone":"Mars","sessions":[{"from":"10:00","to":"12:00"}]}`, many + `]}`,
	} {
		if got, err := complete([]byte(bad)); err == nil {
			t.Errorf("%s is accepted as %s", bad, got)
		}
	}
}
