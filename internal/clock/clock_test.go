package clock

import (
	"encoding/json"
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	monday := time.Date(2026, 3, 2, 10, 0, 0, 999_999_999, time.FixedZone("", 8*3600))
	t.Run("stands still until it is jumped", func(t *testing.T) {
		c := At(monday)
		if a, b := c.Now(), c.Now(); a != b || a.Nanosecond() != 999_000_000 || a.Location() != time.UTC {
			t.Errorf("got %v and %v, want one moment in UTC to the millisecond", a, b)
		}
		before := c.Now()
		c.Jump(36 * time.Hour)
		if d := c.Now().Sub(before); d != 36*time.Hour {
			t.Errorf("jumped by %v", d)
		}
	})
	t.Run("runs from a moment on", func(t *testing.T) {
		c := From(monday)
		if d := c.Now().Sub(monday); d < -time.Second || d > time.Minute {
			t.Errorf("%v after its start", d)
		}
		c.Jump(time.Hour)
		if d := c.Now().Sub(monday); d < time.Hour-time.Second || d > time.Hour+time.Minute {
			t.Errorf("%v after its start, want an hour", d)
		}
	})
	t.Run("runs with wall time", func(t *testing.T) {
		if d := time.Since(Wall().Now()); d.Abs() > time.Minute {
			t.Errorf("%v off", d)
		}
	})
}

func TestPace(t *testing.T) {
	start := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	wall := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	c := &Clock{offset: start.Sub(wall), factor: 1440, since: wall}
	if got := c.running(wall.Add(time.Minute)).Sub(start); got != 24*time.Hour {
		t.Errorf("after a minute at a day per minute: %v", got)
	}
	if got := (&Clock{}).running(wall); got != wall {
		t.Errorf("a clock without a factor shows %v at %v", got, wall)
	}
	c = Fast(start, 1_000_000)
	first := c.Now()
	for !c.Now().After(first.Add(time.Second)) { // a microsecond of wall time
	}
	before := c.Now()
	c.Pace(1)
	slow := c.Now()
	if d := slow.Sub(before); d < 0 || d > 7*24*time.Hour {
		t.Errorf("slowing down moved the clock by %v", d)
	}
	if d := c.Now().Sub(slow); d > time.Minute {
		t.Errorf("at the pace of the wall %v went by", d)
	}
	c.Jump(time.Hour)
	if d := c.Now().Sub(slow); d < time.Hour || d > time.Hour+time.Minute {
		t.Errorf("a jump moved it by %v", d)
	}
	still := At(start)
	still.Pace(1440)
	if !still.Now().Equal(start) {
		t.Errorf("a clock that stood still shows %v", still.Now())
	}
}

func TestMilli(t *testing.T) {
	m := MilliOf(time.Date(2026, 11, 22, 10, 0, 0, 0, time.FixedZone("", 8*3600)))
	b, err := json.Marshal(map[string]Milli{"at": m, "none": 0})
	if want := `{"at":"2026-11-22T02:00:00.000Z","none":null}`; err != nil || string(b) != want {
		t.Errorf("got %s (%v), want %s", b, err, want)
	}
	for text, want := range map[string]Milli{
		`"2026-11-22T10:00:00+08:00"`:   m,
		`"2026-11-22T02:00:00.0019Z"`:   m + 1,
		`null`:                          0,
		`"2026-11-22T02:00:00.000Z"`:    m,
		`"2026-11-21T21:00:00.5-05:00"`: m + 500,
		`"1969-12-31T23:59:59.999Z"`:    -1,
		`"2024-02-29T00:00:00Z"`:        MilliOf(time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)),
		`"2016-12-31T23:59:59.999999Z"`: MilliOf(time.Date(2016, 12, 31, 23, 59, 59, 999e6, time.UTC)),
	} {
		var got Milli
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s: got %d (%v), want %d", text, got, err, want)
		}
	}
	for _, text := range []string{`1764000000000`, `"2026-11-22"`, `"2026-11-22 10:00"`, `"2025-02-29T00:00:00Z"`, `""`, `{}`} {
		var got Milli
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s was read as %v", text, got)
		}
	}
	if MilliOf(time.Time{}) != 0 || !Milli(0).Time().IsZero() || Milli(0).String() != "" {
		t.Error("none is not none")
	}
	if got := m.Add(90 * time.Second).Time().Sub(m.Time()); got != 90*time.Second {
		t.Errorf("Add: got %v", got)
	}
}

func TestStartOfDay(t *testing.T) {
	for _, c := range []struct{ zone, at, want string }{
		{Shanghai, "2026-03-02T15:59:59.999Z", "2026-03-02T00:00:00+08:00"},
		{Shanghai, "2026-03-02T16:00:00Z", "2026-03-03T00:00:00+08:00"},
		{"America/New_York", "2026-03-08T12:00:00Z", "2026-03-08T00:00:00-05:00"},    // 23 hours long
		{"Africa/Cairo", "2024-04-26T10:00:00Z", "2024-04-26T01:00:00+03:00"},        // 00:00 is skipped
		{"America/Havana", "2024-11-03T12:00:00Z", "2024-11-03T00:00:00-04:00"},      // 00:00 comes twice
		{"America/Havana", "2024-11-03T05:30:00Z", "2024-11-03T00:00:00-04:00"},      // and this is in the second
		{"Australia/Lord_Howe", "2026-10-04T05:00:00Z", "2026-10-04T00:00:00+10:30"}, // half an hour
		{"UTC", "2024-02-29T23:00:00Z", "2024-02-29T00:00:00Z"},
	} {
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		got := StartOfDay(at, loc)
		if got.Format(time.RFC3339) != c.want {
			t.Errorf("%s %s: got %s, want %s", c.zone, c.at, got.Format(time.RFC3339), c.want)
		}
		if Day(got, loc) != Day(at, loc) || Day(got.Add(-time.Millisecond), loc) == Day(at, loc) {
			t.Errorf("%s %s: %s is not the day's first moment", c.zone, c.at, got)
		}
	}
}

// The beginning of 1970 is stored as no time at all, so it must not be taken
// for one that was given.
func TestMilliOfNoTime(t *testing.T) {
	for text, want := range map[string]string{
		`null`: "null", `"0001-01-01T00:00:00Z"`: "null", `"1970-01-01T00:00:00.001Z"`: `"1970-01-01T00:00:00.001Z"`,
		`"1970-01-01T00:00:00Z"`: "", `"1970-01-01T08:00:00+08:00"`: "", `"1970"`: "",
	} {
		var m Milli
		err := json.Unmarshal([]byte(text), &m)
		if got, _ := json.Marshal(m); (err != nil) != (want == "") || want != "" && string(got) != want {
			t.Errorf("%s: got %s, %v", text, got, err)
		}
	}
}
