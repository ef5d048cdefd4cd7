package community_test

import (
	"testing"
	"time"

	"siyu/community"
	"siyu/internal/fault"
	"siyu/internal/id"
)

var strict = community.CharterIn{Purpose: "少打扰", AdsPerDay: 0, AdsPerWeek: 1, QuietFrom: 1260, QuietTo: 540}

// charter is the one in force now.
func charter(t testing.TB, s *community.Service, g id.Group) community.Charter {
	t.Helper()
	c, err := community.CharterOf(s.DB.Read(bg), g, milli(s.DB.Clock.Now()))
	if err != nil {
		t.Fatalf("CharterOf: %v", err)
	}
	return c
}

func publish(t testing.TB, s *community.Service, g id.Group, in community.CharterIn) community.Charter {
	t.Helper()
	c, err := s.PublishCharter(brand(), g, in)
	if err != nil {
		t.Fatalf("PublishCharter(%+v): %v", in, err)
	}
	return c
}

func TestLooserCharter(t *testing.T) {
	base := community.CharterIn{Purpose: "约定", AdsPerDay: 1, AdsPerWeek: 2, QuietFrom: 1320, QuietTo: 480} // 22:00–08:00
	with := func(change func(*community.CharterIn)) community.CharterIn {
		c := base
		change(&c)
		return c
	}
	for _, tt := range []struct {
		name   string
		in     community.CharterIn
		looser bool
	}{
		{"other words", with(func(c *community.CharterIn) { c.Purpose = "新的约定" }), false},
		{"other rules", with(func(c *community.CharterIn) { c.Audience, c.Benefits, c.Rules = "谁", "什么", "不发广告" }), false},
		{"fewer ads a week", with(func(c *community.CharterIn) { c.AdsPerWeek = 1 }), false},
		{"no ads", with(func(c *community.CharterIn) { c.AdsPerDay, c.AdsPerWeek = 0, 0 }), false},
		{"longer quiet", with(func(c *community.CharterIn) { c.QuietFrom, c.QuietTo = 1260, 540 }), false},
		{"quiet nearly all day", with(func(c *community.CharterIn) { c.QuietFrom, c.QuietTo = 600, 540 }), false},
		{"more ads a day", with(func(c *community.CharterIn) { c.AdsPerDay = 2 }), true},
		{"more ads a week", with(func(c *community.CharterIn) { c.AdsPerWeek = 3 }), true},
		{"more a day and fewer a week", with(func(c *community.CharterIn) { c.AdsPerDay, c.AdsPerWeek = 2, 2 }), true},
		{"shorter quiet", with(func(c *community.CharterIn) { c.QuietTo = 479 }), true},
		{"quiet as long but later", with(func(c *community.CharterIn) { c.QuietFrom, c.QuietTo = 1380, 540 }), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run(t, func(t *testing.T, s *community.Service) {
				g := newGroup(t, s, brand(), community.GroupIn{Name: "群", Charter: &base})
				c := publish(t, s, g, tt.in)
				want := time.Duration(0)
				if tt.looser {
					want = 7 * 24 * time.Hour
				}
				if got := c.EffectiveAt.Time().Sub(c.AnnouncedAt.Time()); got != want {
					t.Errorf("counts after %s, want %s", got, want)
				}
			})
		})
	}
}

func TestPublishCharter(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		g := newGroup(t, s, brand(), community.GroupIn{Name: "群", Preset: community.PresetInterest})
		loose := community.CharterIn{Purpose: "多一点", AdsPerDay: 2, AdsPerWeek: 6, QuietFrom: 1320, QuietTo: 480}
		publish(t, s, g, loose)
		s.DB.Clock.Jump(7*24*time.Hour - time.Millisecond)
		if got := charter(t, s, g).Version; got != 1 {
			t.Errorf("a millisecond before the end of the notice: got version %d, want 1", got)
		}
		s.DB.Clock.Jump(time.Millisecond)
		if got := charter(t, s, g); got.Version != 2 || got.AdsPerWeek != 6 {
			t.Errorf("after the notice: got %+v, want version 2", got)
		}
		publish(t, s, g, strict)
		if got := charter(t, s, g).Version; got != 3 {
			t.Errorf("a stricter one: got version %d, want 3 at once", got)
		}

		// A looser charter that is taken back before it counts never counts.
		publish(t, s, g, loose)
		s.DB.Clock.Jump(24 * time.Hour)
		publish(t, s, g, strict)
		s.DB.Clock.Jump(30 * 24 * time.Hour)
		if got := charter(t, s, g).Version; got != 5 {
			t.Errorf("taken back: got version %d, want 5", got)
		}
		list, err := s.ListCharters(brand(), g)
		if err != nil || list.InForce.Version != 5 || len(list.Versions) != 5 || list.Versions[0].Version != 5 {
			t.Errorf("got %+v, %v", list, err)
		}
		if c, err := s.FindCharter(brand(), g, 2); err != nil || c.Purpose != "多一点" {
			t.Errorf("got %+v, %v", c, err)
		}
		_, err = s.FindCharter(brand(), g, 6)
		wantFault(t, err, fault.NotFound)
	})
}

func TestCharterEnd(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		g := newGroup(t, s, brand(), community.GroupIn{Name: "三天快闪", Preset: community.PresetFlash})
		if got := charter(t, s, g).AdsPerDay; got != 5 {
			t.Errorf("got %d ads a day, want 5", got)
		}
		s.DB.Clock.Jump(14 * 24 * time.Hour)
		if got := charter(t, s, g); got.AdsPerDay != 0 || got.AdsPerWeek != 0 {
			t.Errorf("after its end: got %+v, want no ad", got)
		}
		_, err := s.PublishCharter(brand(), g, community.CharterIn{Purpose: "再来", AdsPerDay: 5, AdsPerWeek: 25, QuietFrom: 1350, QuietTo: 480,
			EndsAt: milli(s.DB.Clock.Now().Add(15 * 24 * time.Hour))})
		wantFault(t, err, fault.Invalid)
		c := publish(t, s, g, community.CharterIn{Purpose: "再来", AdsPerDay: 5, AdsPerWeek: 25, QuietFrom: 1350, QuietTo: 480,
			EndsAt: milli(s.DB.Clock.Now().Add(10 * 24 * time.Hour))})
		if c.EffectiveAt == c.AnnouncedAt {
			t.Error("a later end counts at once")
		}
		once := community.CharterIn{Purpose: "两小时快闪", AdsPerDay: 1, AdsPerWeek: 1, QuietFrom: 1350, QuietTo: 480, EndsAt: milli(s.DB.Clock.Now().Add(-time.Hour))}
		_, err = s.PublishCharter(brand(), newGroup(t, s, brand(), community.GroupIn{Name: "买菜群"}), once)
		wantFault(t, err, fault.Invalid) // a year mistyped would stop all ads, and for a week at least
		once.EndsAt = charter(t, s, g).EndsAt
		if once.EndsAt == 0 || once.EndsAt > milli(s.DB.Clock.Now()) {
			t.Fatalf("the group ends at %s", once.EndsAt)
		}
		publish(t, s, g, once) // the end that it has had may stand in another version
	})
}
