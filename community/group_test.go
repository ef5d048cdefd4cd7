package community_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

func milli(t time.Time) clock.Milli { return clock.MilliOf(t) }

func p[T any](v T) *T { return &v }

func TestGroupInValidate(t *testing.T) {
	quiet := func(from, to int) *community.CharterIn {
		return &community.CharterIn{Purpose: "约定", AdsPerDay: 1, AdsPerWeek: 2, QuietFrom: from, QuietTo: to}
	}
	ads := func(day, week int) *community.CharterIn {
		return &community.CharterIn{Purpose: "约定", AdsPerDay: day, AdsPerWeek: week, QuietFrom: 1320, QuietTo: 480}
	}
	for _, tt := range []struct {
		name  string
		in    community.GroupIn
		field string
	}{
		{"a name is enough", community.GroupIn{Name: "群"}, ""},
		{"no name", community.GroupIn{Name: "\u202e "}, "name"},
		{"unknown preset", community.GroupIn{Name: "群", Preset: "spam"}, "preset"},
		{"another zone", community.GroupIn{Name: "群", Zone: "Europe/Berlin"}, ""},
		{"no such zone", community.GroupIn{Name: "群", Zone: "Asia/Nowhere"}, "zone"},
		{"the host's zone", community.GroupIn{Name: "群", Zone: "Local"}, "zone"},
		{"seven hours across midnight", community.GroupIn{Name: "群", Charter: quiet(1380, 360)}, ""},
		{"a minute less", community.GroupIn{Name: "群", Charter: quiet(1381, 360)}, "charter.quiet_to"},
		{"no quiet at all", community.GroupIn{Name: "群", Charter: quiet(0, 0)}, "charter.quiet_to"},
		{"quiet past midnight", community.GroupIn{Name: "群", Charter: quiet(1440, 480)}, "charter.quiet_from"},
		{"no ads", community.GroupIn{Name: "群", Charter: ads(0, 0)}, ""},
		{"most ads", community.GroupIn{Name: "群", Charter: ads(6, 30)}, ""},
		{"too many a day", community.GroupIn{Name: "群", Charter: ads(7, 30)}, "charter.ads_per_day"},
		{"too many a week", community.GroupIn{Name: "群", Charter: ads(6, 31)}, "charter.ads_per_week"},
		{"fewer a week than a day", community.GroupIn{Name: "群", Charter: ads(2, 1)}, "charter.ads_per_week"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, refused := fault.As(tt.in.Validate())
			if refused != (tt.field != "") {
				t.Fatalf("got %v, want a refusal of %q", f, tt.field)
			}
			if refused && f.Fields[0].Name != tt.field {
				t.Errorf("got field %s, want %s", f.Fields[0].Name, tt.field)
			}
		})
	}
}

func TestPresets(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		for preset, want := range map[community.Preset][4]int{
			community.PresetInterest: {1, 2, 1320, 510},
			community.PresetRetail:   {1, 4, 1320, 480},
			community.PresetBenefit:  {3, 15, 1290, 420},
			community.PresetFlash:    {5, 25, 1350, 480},
			community.PresetCourse:   {2, 4, 1350, 480},
			community.PresetChain:    {3, 15, 1290, 390},
			community.PresetCore:     {1, 1, 1290, 540},
			community.PresetService:  {0, 0, 1320, 480},
		} {
			g := newGroup(t, s, brand(), community.GroupIn{Name: "群", Preset: preset})
			c := charter(t, s, g)
			if got := [4]int{c.AdsPerDay, c.AdsPerWeek, c.QuietFrom, c.QuietTo}; got != want || c.Version != 1 {
				t.Errorf("%s: got version %d %v, want version 1 %v", preset, c.Version, got, want)
			}
			if err := (community.CharterIn{Purpose: c.Purpose, AdsPerDay: c.AdsPerDay, AdsPerWeek: c.AdsPerWeek, QuietFrom: c.QuietFrom, QuietTo: c.QuietTo}).Validate(); err != nil {
				t.Errorf("%s: %v", preset, err)
			}
		}
	})
}

func TestGroups(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		now := milli(s.DB.Clock.Now())
		ctx := as(north)
		g := newGroup(t, s, ctx, community.GroupIn{Name: "北店兴趣群", ExternalID: "wr1"})
		got, err := s.FindGroup(ctx, g)
		want := community.Group{
			ID: g, UnitID: north, ExternalID: "wr1", Name: "北店兴趣群", Preset: community.PresetInterest, Zone: clock.Shanghai,
			OwnerID: id.Staff(north + 1000), BornAt: now, Status: community.GroupActive, Version: 1, CreatedAt: now,
		}
		if err != nil || got != want {
			t.Fatalf("got %+v, %v, want %+v", got, err, want)
		}
		t.Run("another unit sees nothing", func(t *testing.T) {
			_, err := s.FindGroup(as(south), g)
			wantFault(t, err, fault.NotFound)
			_, err = s.UpdateGroup(as(south), g, 1, community.GroupChange{})
			wantFault(t, err, fault.NotFound)
			_, err = s.PublishCharter(as(south), g, strict)
			wantFault(t, err, fault.NotFound)
			_, err = s.PutMemberships(as(south), g, []community.MembershipIn{{MemberID: 1}})
			wantFault(t, err, fault.NotFound)
			_, err = s.ListMemberships(as(south), g, community.MembershipFilter{}, database.Page{})
			wantFault(t, err, fault.NotFound)
			_, err = s.ListCharters(as(south), g)
			wantFault(t, err, fault.NotFound)
			_, err = s.CreateGroup(as(south), community.GroupIn{Name: "群", UnitID: north})
			wantFault(t, err, community.ErrUnitUnknown)
			list, err := s.ListGroups(as(south), community.GroupFilter{}, database.Page{})
			if err != nil || len(list.Items) != 0 {
				t.Errorf("got %+v, %v", list, err)
			}
		})
		t.Run("an external id names one group", func(t *testing.T) {
			_, err := s.CreateGroup(ctx, community.GroupIn{Name: "又一个", ExternalID: "wr1"})
			wantFault(t, err, community.ErrGroupTaken)
		})
		t.Run("not born yet", func(t *testing.T) {
			_, err := s.CreateGroup(ctx, community.GroupIn{Name: "明天", BornAt: now + 1})
			wantFault(t, err, fault.Invalid)
		})
		t.Run("edits name the version read", func(t *testing.T) {
			after, err := s.UpdateGroup(ctx, g, 1, community.GroupChange{Name: p("北店老友群"), Preset: p(community.PresetCore)})
			if err != nil || after.Version != 2 || after.Name != "北店老友群" || after.Zone != clock.Shanghai {
				t.Fatalf("got %+v, %v", after, err)
			}
			_, err = s.UpdateGroup(ctx, g, 1, community.GroupChange{Name: p("晚了")})
			wantFault(t, err, fault.Stale)
		})
		t.Run("a group is dissolved for a reason, and nothing else has one", func(t *testing.T) {
			for _, in := range []community.GroupChange{
				{Status: p(community.GroupDissolved)}, {Status: p(community.GroupDissolved), Reason: p("  ")}, {Status: p(community.GroupHandover), Reason: p("群主走了")}, {Reason: p("没人了")},
			} {
				_, err := s.UpdateGroup(ctx, g, 2, in)
				wantFault(t, err, fault.Invalid)
			}
		})
		t.Run("a dissolved group is over", func(t *testing.T) {
			over := newGroup(t, s, ctx, community.GroupIn{Name: "散了"})
			if _, err := s.UpdateGroup(ctx, over, 1, community.GroupChange{Status: p(community.GroupDissolved), Reason: p("没人了")}); err != nil {
				t.Fatal(err)
			}
			if got, err := s.FindGroup(ctx, over); err != nil || got.EndReason != "没人了" {
				t.Errorf("got %+v, %v; want the reason", got, err)
			}
			_, err := s.UpdateGroup(ctx, over, 2, community.GroupChange{Status: p(community.GroupActive)})
			wantFault(t, err, community.ErrGroupClosed)
			late := born(t, s, "late")
			err = s.Join(bg, community.Join{Group: over, Member: late})
			wantFault(t, err, community.ErrGroupClosed)
		})
		t.Run("a replay finds the group that stands", func(t *testing.T) {
			key := func() context.Context {
				return database.WithKey(ctx, database.Key{Principal: "x", Route: "POST /v1/groups", Key: "k", Hash: "h"})
			}
			first := newGroup(t, s, key(), community.GroupIn{Name: "一次"})
			_, err := s.CreateGroup(key(), community.GroupIn{Name: "一次"})
			r, ok := err.(*database.Replayed)
			if !ok || r.ID != int64(first) {
				t.Errorf("got %v, want a replay of %s", err, first)
			}
		})
	})
}

var bg = context.Background()

func TestPutGroups(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		born := milli(s.DB.Clock.Now().Add(-700 * 24 * time.Hour))
		var batch []community.GroupIn
		for i := range 200 {
			batch = append(batch, community.GroupIn{ExternalID: fmt.Sprint("wr", i), Name: fmt.Sprint("门店群", i), Preset: community.PresetRetail, BornAt: born})
		}
		for round, want := range []community.RowResult{community.RowCreated, community.RowUpdated} {
			out, err := s.PutGroups(as(north), batch)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range out {
				if r.Result != want || r.Err != nil {
					t.Fatalf("round %d row %d: got %+v, want %s", round, i, r, want)
				}
			}
		}
		if n := count(t, s.DB, "SELECT COUNT(*) FROM chat_groups WHERE imported = 1 AND version = 1"); n != 200 {
			t.Errorf("%d imported groups at version 1, want 200", n)
		}
		if n := count(t, s.DB, "SELECT COUNT(*) FROM charters"); n != 200 {
			t.Errorf("%d charters, want 200", n)
		}

		t.Run("a row's refusal leaves nothing behind", func(t *testing.T) {
			forever := &community.CharterIn{Purpose: "快闪", AdsPerDay: 5, AdsPerWeek: 25, QuietFrom: 1320, QuietTo: 480}
			out, err := s.PutGroups(as(north), []community.GroupIn{
				{ExternalID: "new", Name: "快闪", Preset: community.PresetFlash, Charter: forever},
				{ExternalID: "wr0", Name: "改名"},
				{ExternalID: "wr1", Name: "也改", Preset: community.PresetFlash, Charter: forever},
			})
			if err != nil {
				t.Fatal(err)
			}
			if out[0].Result != community.RowConflict || out[1].Result != community.RowUpdated || out[2].Result != community.RowConflict {
				t.Fatalf("got %+v", out)
			}
			if n := count(t, s.DB, "SELECT COUNT(*) FROM chat_groups WHERE external_id = 'new' OR name = '也改'"); n != 0 {
				t.Error("a refused row wrote something")
			}
		})
		t.Run("another unit's group is taken", func(t *testing.T) {
			out, err := s.PutGroups(as(south), []community.GroupIn{{ExternalID: "wr0", Name: "抢"}})
			if err != nil {
				t.Fatal(err)
			}
			wantFault(t, out[0].Err, community.ErrGroupTaken)
		})
		t.Run("a charter is published once", func(t *testing.T) {
			row := batch[5]
			row.Charter = &strict
			for range 2 {
				if _, err := s.PutGroups(as(north), []community.GroupIn{row}); err != nil {
					t.Fatal(err)
				}
			}
			if n := count(t, s.DB, "SELECT MAX(c.version) FROM charters c JOIN chat_groups g ON g.id = c.group_id WHERE g.external_id = 'wr5'"); n != 2 {
				t.Errorf("got version %d, want 2", n)
			}
		})
		t.Run("many at once make each group once", func(t *testing.T) {
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					rows := []community.GroupIn{{ExternalID: "z", Name: "z"}, {ExternalID: "y", Name: "y"}}
					if _, err := s.PutGroups(as(north), rows); err != nil {
						t.Errorf("PutGroups: %v", err)
					}
				})
			}
			all.Wait()
			if n := count(t, s.DB, "SELECT COUNT(*) FROM chat_groups WHERE external_id IN ('y', 'z')"); n != 2 {
				t.Errorf("got %d groups, want 2", n)
			}
		})
	})
}
