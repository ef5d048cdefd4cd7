package community_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
)

func newTag(t testing.TB, s *community.Service, name string, rule *community.TagRule) id.Tag {
	t.Helper()
	tag, err := s.CreateTag(brand(), community.TagIn{NameZH: name, NameEN: name, Rule: rule})
	if err != nil {
		t.Fatalf("CreateTag: %v", err)
	}
	return tag
}

func tag(t testing.TB, s *community.Service, to id.Tag, rows ...community.TagRow) []community.MemberResult {
	t.Helper()
	out, err := s.TagMembers(brand(), to, rows)
	if err != nil {
		t.Fatalf("TagMembers: %v", err)
	}
	return out
}

func tags(t testing.TB, s *community.Service, m id.Member) map[id.Tag]community.TagSource {
	t.Helper()
	list, err := s.MemberTags(brand(), m)
	if err != nil {
		t.Fatal(err)
	}
	out := map[id.Tag]community.TagSource{}
	for _, x := range list {
		out[x.TagID] = x.Source
	}
	return out
}

func TestTagRuleHolds(t *testing.T) {
	const dayMS = clock.Milli(24 * 3600 * 1000)
	now := 100 * dayMS
	ago := func(days int) clock.Milli { return now - clock.Milli(days)*dayMS }
	loyal := community.TagFacts{
		FirstSeen: ago(90), Joined: ago(60), Kept: 2, Groups: map[id.Group]bool{7: true},
		Paid: []community.PaidFact{{At: ago(40), Amount: 5000}, {At: ago(30), Amount: 3000}, {At: ago(1), Amount: 1000}},
	}
	for name, c := range map[string]struct {
		rule community.TagRule
		want bool
	}{
		"orders ever":                    {community.TagRule{PaidOrders: 3}, true},
		"not so many":                    {community.TagRule{PaidOrders: 4}, false},
		"orders of the last days":        {community.TagRule{PaidOrders: 2, Days: 30}, true},
		"a day less":                     {community.TagRule{PaidOrders: 2, Days: 29}, false},
		"worth":                          {community.TagRule{PaidFen: 9000}, true},
		"a fen more":                     {community.TagRule{PaidFen: 9001}, false},
		"worth of the last days":         {community.TagRule{PaidFen: 4001, Days: 30}, false},
		"seen within":                    {community.TagRule{SeenWithinDays: 90}, true},
		"seen before that":               {community.TagRule{SeenWithinDays: 89}, false},
		"seen long ago":                  {community.TagRule{SeenBeforeDays: 90}, true},
		"seen later":                     {community.TagRule{SeenBeforeDays: 91}, false},
		"in one of the groups":           {community.TagRule{Groups: []id.Group{6, 7}}, true},
		"in none":                        {community.TagRule{Groups: []id.Group{6}}, false},
		"quiet since the last order":     {community.TagRule{InactiveDays: 1}, true},
		"active too lately":              {community.TagRule{InactiveDays: 2}, false},
		"brought people":                 {community.TagRule{ReferralsKept: 2}, true},
		"too few":                        {community.TagRule{ReferralsKept: 3}, false},
		"all conditions must be met":     {community.TagRule{PaidOrders: 3, ReferralsKept: 3}, false},
		"all conditions that are so met": {community.TagRule{PaidOrders: 3, ReferralsKept: 1, Groups: []id.Group{7}}, true},
	} {
		if got := c.rule.Holds(loyal, now); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestTagsByHand(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		vip := newTag(t, s, "会员", nil)
		a, b := born(t, s, "1"), born(t, s, "2")
		byMall := mall("1")
		out := tag(t, s, vip, community.TagRow{Identity: &byMall}, community.TagRow{MemberID: b}, community.TagRow{MemberID: 5}, community.TagRow{MemberID: b, Remove: true})
		if out[0].Member != a || out[0].Result != community.RowUpdated || out[2].Result != community.RowConflict {
			t.Errorf("got %+v", out)
		}
		if tags(t, s, a)[vip] != community.TagByHand || len(tags(t, s, b)) != 0 {
			t.Errorf("got %v and %v, want the tag on the first alone", tags(t, s, a), tags(t, s, b))
		}
		_, err := s.TagMembers(as(south), vip, []community.TagRow{{MemberID: a}})
		wantFault(t, err, fault.NotFound)
		_, err = s.CreateTag(brand(), community.TagIn{NameZH: "会员", NameEN: "again"})
		wantFault(t, err, community.ErrTagTaken)
		_, err = s.CreateTag(brand(), community.TagIn{NameZH: "空", NameEN: "empty", Rule: &community.TagRule{}})
		wantFault(t, err, fault.Invalid)

		t.Run("a member has thirty at most, however they are raced for", func(t *testing.T) {
			many := make([]id.Tag, 40)
			for i := range many {
				many[i] = newTag(t, s, fmt.Sprintf("标签%d", i), nil)
			}
			var all sync.WaitGroup
			for _, x := range many {
				all.Add(1)
				go func() {
					defer all.Done()
					if _, err := s.TagMembers(brand(), x, []community.TagRow{{MemberID: b}}); err != nil && !errors.Is(err, fault.Unavailable) {
						t.Error(err)
					}
				}()
			}
			all.Wait()
			if n := len(tags(t, s, b)); n != 30 {
				t.Errorf("got %d tags, want 30", n)
			}
		})
		t.Run("a unit has a hundred at most, however they are raced for", func(t *testing.T) {
			var all sync.WaitGroup
			for i := range 64 {
				all.Add(1)
				go func() {
					defer all.Done()
					_, err := s.CreateTag(brand(), community.TagIn{NameZH: fmt.Sprintf("抢%d", i), NameEN: "raced"})
					if err != nil && !errors.Is(err, community.ErrTagsFull) && !errors.Is(err, fault.Unavailable) {
						t.Error(err)
					}
				}()
			}
			all.Wait()
			for i := range 60 { // those too unlucky in the race
				_, err = s.CreateTag(brand(), community.TagIn{NameZH: fmt.Sprintf("补%d", i), NameEN: "late"})
			}
			wantFault(t, err, community.ErrTagsFull)
			if n := count(t, s.DB, "SELECT COUNT(*) FROM tags"); n != 100 {
				t.Errorf("got %d tags, want 100", n)
			}
		})
	})
}

func TestTagsByRule(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		r := task.NewRegistry()
		s.Register(r)
		drain := func(jump time.Duration) {
			t.Helper()
			s.DB.Clock.Jump(jump)
			if err := task.Tick(context.Background(), s.DB, r); err != nil {
				t.Fatal(err)
			}
			if err := task.Drain(context.Background(), s.DB, r); err != nil {
				t.Fatal(err)
			}
		}
		buyer, byHand, nobody := born(t, s, "1"), born(t, s, "2"), born(t, s, "3")
		for i := range 210 { // more than one step of the walk
			if i == 209 {
				last := born(t, s, "last")
				fact(t, s, community.Fact{Member: last, Kind: community.FactOrderPaid, Ref: 9, At: milli(s.DB.Clock.Now()), Amount: 100})
				continue
			}
			born(t, s, fmt.Sprintf("x%d", i))
		}
		fact(t, s, community.Fact{Member: buyer, Kind: community.FactOrderPaid, Ref: 1, At: milli(s.DB.Clock.Now()), Amount: 500})
		lately := newTag(t, s, "近期购买", &community.TagRule{PaidFen: 100, Days: 30})
		tag(t, s, lately, community.TagRow{MemberID: byHand})
		drain(time.Second)
		if tags(t, s, buyer)[lately] != community.TagByRule || tags(t, s, byHand)[lately] != community.TagByHand || len(tags(t, s, nobody)) != 0 {
			t.Errorf("got %v, %v, %v", tags(t, s, buyer), tags(t, s, byHand), tags(t, s, nobody))
		}
		if n := count(t, s.DB, "SELECT COUNT(*) FROM member_tags"); n != 3 {
			t.Errorf("got %d rows, want 3: the walk reaches its last step", n)
		}
		drain(31 * 24 * time.Hour)
		if len(tags(t, s, buyer)) != 0 || tags(t, s, byHand)[lately] != community.TagByHand {
			t.Errorf("a month later: got %v and %v, want the one by hand alone", tags(t, s, buyer), tags(t, s, byHand))
		}
	})
}

func TestMarksFollowTheMember(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		vip, other := newTag(t, s, "会员", nil), newTag(t, s, "另一个", nil)
		from, into := born(t, s, "1"), born(t, s, "2")
		tag(t, s, vip, community.TagRow{MemberID: from}, community.TagRow{MemberID: into})
		tag(t, s, other, community.TagRow{MemberID: from})
		now := milli(s.DB.Clock.Now())
		for m, until := range map[id.Member]clock.Milli{from: 0, into: now.Add(time.Hour)} {
			if _, err := s.Block(brand(), m, community.BlockIn{Reason: "恶意退单", UntilAt: until}); err != nil {
				t.Fatal(err)
			}
		}
		_, err := s.Block(brand(), into, community.BlockIn{Reason: "过去", UntilAt: now})
		wantFault(t, err, fault.Invalid)
		_, err = s.Block(as(south), into, community.BlockIn{Reason: "别店"})
		wantFault(t, err, fault.NotFound)
		mustMerge(t, s, from, into)
		out, err := s.ExportMember(brand(), into)
		if err != nil || len(out.Tags) != 2 || len(out.Blocks) != 1 || out.Blocks[0].UntilAt != 0 {
			t.Errorf("got %+v and %+v, %v; want both tags and the block without an end", out.Tags, out.Blocks, err)
		}
		list, err := s.ListBlocks(brand(), database.Page{})
		if err != nil || len(list.Items) != 1 || list.Items[0].MemberID != into {
			t.Errorf("got %+v, %v", list, err)
		}
		if err := s.EraseMember(brand(), into); err != nil {
			t.Fatal(err)
		}
		if n := count(t, s.DB, "SELECT (SELECT COUNT(*) FROM member_tags) + (SELECT COUNT(*) FROM member_blocks)"); n != 0 {
			t.Errorf("%d rows are left of an erased member", n)
		}
		again := born(t, s, "3")
		if _, err := s.Block(brand(), again, community.BlockIn{Reason: "恶意退单"}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.Unblock(brand(), again); err != nil {
				t.Fatal(err)
			}
		}
	})
}
