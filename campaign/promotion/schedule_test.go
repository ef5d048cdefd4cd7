package promotion

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/campaign/calendar"
	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// local are windows as people write them.
func local(windows []guard.Window, loc *time.Location) string {
	var out []string
	for _, w := range windows {
		out = append(out, w.From.Time().In(loc).Format("01-02 15:04")+" to "+w.To.Time().In(loc).Format("01-02 15:04"))
	}
	return strings.Join(out, "; ")
}

func TestScheduleWindows(t *testing.T) {
	days := []calendar.Day{
		{Code: "double_eleven", FromDay: 20261111, ToDay: 20261111},
		{Code: "memorial", FromDay: 20261213, ToDay: 20261213, Avoid: true},
		{ID: 7, FromDay: 20261120, ToDay: 20261121},
	}
	morning := []Hours{{570, 660}} // 9:30 to 11:00
	for name, c := range map[string]struct {
		s    Schedule
		zone string
		now  string // in the zone
		want string
	}{
		"each day": {Schedule{FromDay: 20261102, ToDay: 20261104, Hours: morning}, "Asia/Shanghai", "2026-11-01 08:00",
			"11-02 09:30 to 11-02 11:00; 11-03 09:30 to 11-03 11:00; 11-04 09:30 to 11-04 11:00"},
		"some weekdays": {Schedule{FromDay: 20261102, ToDay: 20261115, Weekdays: []int{1, 7}, Hours: morning}, "Asia/Shanghai", "2026-11-01 08:00",
			"11-02 09:30 to 11-02 11:00; 11-08 09:30 to 11-08 11:00; 11-09 09:30 to 11-09 11:00; 11-15 09:30 to 11-15 11:00"},
		"what is over is left out, what runs is kept": {Schedule{FromDay: 20261102, ToDay: 20261103, Hours: morning}, "Asia/Shanghai", "2026-11-03 10:00",
			"11-03 09:30 to 11-03 11:00"},
		"before and after a moment": {Schedule{FromDay: 20261101, ToDay: 20261130, Hours: morning, Moments: []Moment{{Code: "double_eleven", LeadDays: 1, LagDays: 2}}},
			"Asia/Shanghai", "2026-11-01 08:00",
			"11-10 09:30 to 11-10 11:00; 11-11 09:30 to 11-11 11:00; 11-12 09:30 to 11-12 11:00; 11-13 09:30 to 11-13 11:00"},
		"near a unit's own days, which are two": {Schedule{FromDay: 20261101, ToDay: 20261130, Hours: morning, Moments: []Moment{{DayID: 7, LeadDays: 1}}},
			"Asia/Shanghai", "2026-11-01 08:00",
			"11-19 09:30 to 11-19 11:00; 11-20 09:30 to 11-20 11:00; 11-21 09:30 to 11-21 11:00"},
		"a moment's day outside the dates": {Schedule{FromDay: 20261112, ToDay: 20261130, Hours: morning, Moments: []Moment{{Code: "double_eleven", LagDays: 1}}},
			"Asia/Shanghai", "2026-11-01 08:00", "11-12 09:30 to 11-12 11:00"},
		"never on a day to avoid": {Schedule{FromDay: 20261212, ToDay: 20261214, Hours: morning}, "Asia/Shanghai", "2026-11-01 08:00",
			"12-12 09:30 to 12-12 11:00; 12-14 09:30 to 12-14 11:00"},
		"over midnight": {Schedule{FromDay: 20261102, ToDay: 20261102, Hours: []Hours{{1380, 60}}}, "Asia/Shanghai", "2026-11-01 08:00",
			"11-02 23:00 to 11-03 01:00"},
		"hours that touch are one": {Schedule{FromDay: 20261102, ToDay: 20261102, Hours: []Hours{{660, 720}, {570, 660}}}, "Asia/Shanghai", "2026-11-01 08:00",
			"11-02 09:30 to 11-02 12:00"},
		"whole days are one": {Schedule{FromDay: 20261102, ToDay: 20261103, Hours: []Hours{{0, 1440}}}, "Asia/Shanghai", "2026-11-01 08:00",
			"11-02 00:00 to 11-04 00:00"},
		"to the campaign's end": {Schedule{FromDay: 20261229, ToDay: 20270102, Hours: []Hours{{1260, 1440}}}, "Asia/Shanghai", "2026-11-01 08:00",
			"12-29 21:00 to 12-30 00:00; 12-30 21:00 to 12-31 00:00; 12-31 21:00 to 12-31 23:00"},
		"the hour that spring skips": {Schedule{FromDay: 20260328, ToDay: 20260329, Hours: []Hours{{150, 240}}}, "Europe/Berlin", "2026-03-01 08:00",
			"03-28 02:30 to 03-28 04:00; 03-29 03:30 to 03-29 04:00"},
	} {
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		at := func(s string) clock.Milli {
			m, err := time.ParseInLocation("2006-01-02 15:04", s, loc)
			if err != nil {
				t.Fatal(err)
			}
			return clock.MilliOf(m)
		}
		got, err := c.s.windows(days, loc, at(c.now), at("2026-12-31 23:00"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(c.want, local(got, loc)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for name, s := range map[string]Schedule{
		"an unknown moment": {FromDay: 20261101, ToDay: 20261130, Hours: morning, Moments: []Moment{{Code: "halloween"}}},
		"no day at all":     {FromDay: 20261101, ToDay: 20261101, Weekdays: []int{1}, Hours: morning},
		"too many":          {FromDay: 20261101, ToDay: 20261211, Hours: morning},
	} {
		if got, err := s.windows(days, time.UTC, 0, 1<<60); !errors.Is(err, fault.Invalid) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}

func TestScheduleCheck(t *testing.T) {
	good := Schedule{FromDay: 20261101, ToDay: 20261130, Hours: []Hours{{570, 660}}}
	for want, spoil := range map[string]func(*Schedule){
		"schedule.zone":        func(s *Schedule) { s.Zone = "Local" },
		"schedule.from_day":    func(s *Schedule) { s.FromDay = 20261131 },
		"schedule.to_day":      func(s *Schedule) { s.ToDay = 20270201 },
		"schedule.weekdays[0]": func(s *Schedule) { s.Weekdays = []int{8} },
		"schedule.hours":       func(s *Schedule) { s.Hours = nil },
		"schedule.hours[0]":    func(s *Schedule) { s.Hours = []Hours{{570, 570}} },
		"schedule.moments[0]":  func(s *Schedule) { s.Moments = []Moment{{}} },
	} {
		bad := good
		spoil(&bad)
		var c fault.Check
		bad.check(&c, "schedule")
		if f, _ := fault.As(c.Err()); f == nil || f.Fields[0].Name != want {
			t.Errorf("%s: got %v", want, c.Err())
		}
	}
	var c fault.Check
	if good.check(&c, "schedule"); c.Err() != nil {
		t.Error(c.Err())
	}
}

// TestGroupsLike makes a promotion by rules alone: groups by what they are, in
// windows near the brand's own day.
func TestGroupsLike(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		retail, large, other := h.group(community.PresetRetail), h.group(community.PresetRetail), h.group(community.PresetBenefit)
		h.inGroup(large, 0, h.Members(3)...)
		gone := h.group(community.PresetRetail)
		h.check(db.Tx(bg, func(tx *database.Tx) error {
			return tx.Exec("UPDATE chat_groups SET status = ? WHERE id = ?", community.GroupDissolved, gone).Error
		}))
		today := clock.Day(h.now().Time(), time.FixedZone("", 8*3600))
		day, err := h.s.Dates.AddDay(bg, calendar.DayIn{FromDay: today + 2, NameZH: "店庆"})
		h.check(err)
		in := In{CampaignID: h.offer.ID, Name: "店庆预热", TextZH: "苹果 9.9", Channel: "file",
			Schedule: &Schedule{FromDay: today, ToDay: today + 6, Hours: []Hours{{600, 660}}, Moments: []Moment{{DayID: day, LeadDays: 1}}}}
		for name, c := range map[string]struct {
			like GroupsLike
			want []id.Group
		}{
			"a preset":      {GroupsLike{Presets: []community.Preset{community.PresetRetail}}, []id.Group{retail, large}},
			"large ones":    {GroupsLike{MembersMin: 3}, []id.Group{large}},
			"all but one":   {GroupsLike{Except: []id.Group{large}}, []id.Group{retail, other}},
			"of an owner":   {GroupsLike{OwnerID: 7}, []id.Group{retail, large, other}},
			"of nobody's":   {GroupsLike{OwnerID: 8}, nil},
			"a unit's none": {GroupsLike{UnitID: 99}, nil},
		} {
			in.GroupsLike = &c.like
			h.check(in.Validate())
			p, err := h.s.Create(bg, in)
			if c.want == nil {
				if !errors.Is(err, fault.Invalid) {
					t.Errorf("%s: got %v", name, err)
				}
				continue
			}
			h.check(err)
			got, err := h.s.Find(bg, p)
			h.check(err)
			if diff := cmp.Diff(c.want, got.Groups); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			if len(got.Windows) != 2 || clock.Day(got.Windows[0].From.Time(), time.FixedZone("", 8*3600)) != today+1 {
				t.Errorf("%s: windows %+v", name, got.Windows)
			}
		}
		in.Groups = []id.Group{retail}
		in.Windows = []guard.Window{{From: 1, To: 2}}
		if f, _ := fault.As(in.Validate()); f == nil || len(f.Fields) != 2 || f.Fields[0].Name != "groups_like" || f.Fields[1].Name != "schedule" {
			t.Errorf("both ways: got %v", in.Validate())
		}
	})
}
