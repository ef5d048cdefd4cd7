package calendar_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"siyu/campaign"
	"siyu/campaign/calendar"
	"siyu/campaign/campaigntest"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

var bg = context.Background()

// TestShow looks at days with campaigns in and around them.
func TestShow(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		s := &calendar.Service{DB: db, Campaign: w.Campaign}
		now := clock.MilliOf(db.Clock.Now())
		shanghai, _ := time.LoadLocation(clock.Shanghai)
		today := clock.Day(now.Time(), shanghai)
		sale := w.Run(campaigntest.Sale{Rules: `{"sessions":[{"from":"00:00","to":"12:00"},{"from":"12:00","to":"24:00"}]}`, Hours: 48})
		draft := w.Draft(campaigntest.Sale{Hours: 1})
		sort := 5
		if err := w.Campaign.Edit(bg, draft, 1, campaign.CampaignEdit{FaceEdit: campaign.FaceEdit{Sort: &sort}}); err != nil {
			t.Fatal(err)
		}
		p, err := s.Show(bg, calendar.Ask{From: today, To: today})
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Campaigns) != 2 || p.Campaigns[0].ID != draft || p.Campaigns[0].Status != campaign.StatusDraft || p.Campaigns[1].ID != sale.ID || p.Today != today {
			t.Fatalf("got %+v, want the draft sorted up and the sale", p)
		}
		run := p.Campaigns[1]
		if run.Status != campaign.StatusRunning || run.FromDay != today || run.ToDay < today || len(run.Sessions) < 1 || len(run.Sessions) > 2 || run.Sessions[0].StartsAt != now {
			t.Errorf("got %+v", run)
		}
		before := clock.Day(now.Time().AddDate(0, 0, -2), shanghai)
		if p, err = s.Show(bg, calendar.Ask{From: before, To: before}); err != nil || len(p.Campaigns) != 0 {
			t.Errorf("two days before: %+v, %v", p.Campaigns, err)
		}
		west := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Unit: 7, Units: []id.Unit{7}})
		if p, err = s.Show(west, calendar.Ask{From: today, To: today}); err != nil || len(p.Campaigns) != 0 {
			t.Errorf("another unit sees %+v, %v", p.Campaigns, err)
		}
		p, err = s.Show(bg, calendar.Ask{From: 20260401, To: 20260430})
		if err != nil || len(p.Unknown) != 0 || p.DataVersion == "" {
			t.Fatalf("got %+v, %v", p, err)
		}
		found := false
		for _, d := range p.Days {
			found = found || d.Code == "qingming" && d.FromDay == 20260405 && d.Avoid && d.SourceYear == 2026
		}
		if !found {
			t.Errorf("no Qingming in %+v", p.Days)
		}
		if p, err = s.Show(bg, calendar.Ask{From: 20281225, To: 20290110}); err != nil || len(p.Unknown) != 1 || p.Unknown[0] != 2029 {
			t.Errorf("beyond the data: %+v, %v", p.Unknown, err)
		}
		for name, ask := range map[string]calendar.Ask{
			"from": {From: 20260230, To: 20260301}, "to": {From: 20260302, To: 20260301}, "zone": {Zone: "Mars/Base"},
		} {
			_, err := s.Show(bg, ask)
			f, ok := fault.As(err)
			if !ok || len(f.Fields) != 1 || f.Fields[0].Name != name {
				t.Errorf("%+v: got %v, want %s refused", ask, err, name)
			}
		}
		if _, err := s.Show(bg, calendar.Ask{From: 20260101, To: 20270301}); err == nil {
			t.Error("425 days at once are shown")
		}
	})
}

// TestOwnDays adds, changes and takes away a day, which the file never loses.
func TestOwnDays(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		s := &calendar.Service{DB: db, Campaign: w.Campaign}
		for _, u := range []struct {
			id, parent id.Unit
			path       string
		}{{1, 0, id.Unit(1).String() + "/"}, {2, 1, id.Unit(1).String() + "/" + id.Unit(2).String() + "/"}, {3, 1, id.Unit(1).String() + "/" + id.Unit(3).String() + "/"}} {
			if err := db.Tx(bg, func(tx *database.Tx) error {
				return tx.Exec("INSERT INTO units (id, parent_id, kind, name, path, version, created_at) VALUES (?, ?, 'x', ?, ?, 1, 0)", u.id, u.parent, u.path, u.path).Error
			}); err != nil {
				t.Fatal(err)
			}
		}
		as := func(unit id.Unit, sees ...id.Unit) context.Context {
			return database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 9, Unit: unit, Units: sees})
		}
		brand, east, west := as(1), as(2, 2), as(3, 3)
		day, err := s.AddDay(brand, calendar.DayIn{FromDay: 20261016, NameZH: "店庆"})
		if err != nil {
			t.Fatal(err)
		}
		local, err := s.AddDay(east, calendar.DayIn{FromDay: 20261016, ToDay: 20261018, NameZH: "东区茶节", Kind: calendar.KindMourning})
		if err != nil {
			t.Fatal(err)
		}
		names := func(ctx context.Context) string {
			t.Helper()
			p, err := s.Show(ctx, calendar.Ask{From: 20261016, To: 20261016})
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, d := range p.Days {
				out = append(out, d.NameZH)
			}
			return strings.Join(out, " ")
		}
		for who, ctx := range map[string]context.Context{"店庆 东区茶节": east, "店庆": west} {
			if got := names(ctx); got != who {
				t.Errorf("sees %q, want %q", got, who)
			}
		}
		if d, err := s.FindDay(brand, local); err != nil || !d.Avoid {
			t.Errorf("a day of mourning is %+v, %v", d, err)
		}
		name, to := "周年店庆", 20261020
		if err := s.EditDay(east, day, 1, calendar.DayEdit{NameZH: &name}); err == nil || err.Error() != fault.NotFound.Error() {
			t.Errorf("a region edits the brand's: %v", err)
		}
		if err := s.EditDay(brand, day, 1, calendar.DayEdit{NameZH: &name, ToDay: &to}); err != nil {
			t.Fatal(err)
		}
		if err := s.EditDay(brand, day, 1, calendar.DayEdit{NameZH: &name}); err == nil || err.Error() != fault.Stale.Error() {
			t.Errorf("an old version: %v", err)
		}
		if d, _ := s.FindDay(brand, day); d.NameZH != name || d.ToDay != to || d.Version != 2 {
			t.Errorf("got %+v", d)
		}
		for _, bad := range []calendar.DayIn{
			{FromDay: 20261301, NameZH: "x"}, {FromDay: 20261001}, {FromDay: 20261001, NameZH: "a\nb"}, {FromDay: 20261001, ToDay: 20260930, NameZH: "x"},
			{FromDay: 20261001, NameZH: strings.Repeat("长", 61)}, {FromDay: 20260101, ToDay: 20261001, NameZH: "x"}, {FromDay: 20261001, NameZH: "x", Kind: "party"},
		} {
			if _, err := s.AddDay(brand, bad); err == nil {
				t.Errorf("%+v is taken", bad)
			}
		}
		if err := s.RemoveDay(brand, day); err != nil {
			t.Fatal(err)
		}
		if got := names(west); got != "" {
			t.Errorf("still sees %q", got)
		}
		var audited int
		if err := db.Read(bg).Raw("SELECT COUNT(*) FROM audit WHERE action IN ('calendar_day.add', 'calendar_day.edit', 'calendar_day.remove')").Scan(&audited).Error; err != nil || audited != 4 {
			t.Errorf("%d audited, %v, want 4", audited, err)
		}
	})
}

// TestFeed reads a feed by its token until it is revoked.
func TestFeed(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := campaigntest.New(t, db)
		s := &calendar.Service{DB: db, Campaign: w.Campaign}
		ctx := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 9})
		if err := db.Tx(bg, func(tx *database.Tx) error {
			return tx.Exec("INSERT INTO units (id, parent_id, kind, name, path, version, created_at) VALUES (5, 4, 'store', 'x', ?, 1, 0)", id.Unit(4).String()+"/"+id.Unit(5).String()+"/").Error
		}); err != nil {
			t.Fatal(err)
		}
		w.Run(campaigntest.Sale{}) // of no unit
		feed, token, err := s.AddFeed(ctx, calendar.FeedIn{UnitID: 5, Name: "手机", Lang: "en"})
		if err != nil {
			t.Fatal(err)
		}
		file, err := s.Read(bg, token)
		if err != nil || !strings.HasPrefix(string(file), "BEGIN:VCALENDAR\r\n") || !strings.Contains(string(file), "Campaign calendar") {
			t.Fatalf("got %q, %v", file, err)
		}
		if strings.Contains(string(file), "周一秒杀") {
			t.Error("a store's feed shows what is not the store's")
		}
		if again, _ := s.Read(bg, token); string(again) != string(file) {
			t.Error("read again it is another file")
		}
		var kept int
		if err := db.Read(bg).Raw("SELECT COUNT(*) FROM calendar_feeds WHERE hash = ?", token).Scan(&kept).Error; err != nil || kept != 0 {
			t.Error("the token itself is kept")
		}
		for _, wrong := range []string{"", "x", token[:len(token)-1], token + "a", strings.ToUpper(token)} {
			if _, err := s.Read(bg, wrong); err == nil || err.Error() != calendar.ErrFeed.Error() {
				t.Errorf("%q: got %v", wrong, err)
			}
		}
		for range 2 {
			if err := s.RevokeFeed(ctx, feed); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Read(bg, token); err == nil || err.Error() != calendar.ErrFeed.Error() {
			t.Errorf("a revoked feed: got %v", err)
		}
	})
}
