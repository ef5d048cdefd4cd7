package community_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

func TestPutMemberships(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		g := newGroup(t, s, brand(), community.GroupIn{Name: "群"})
		now := milli(s.DB.Clock.Now())
		a, b := born(t, s, "a"), born(t, s, "b")
		rows := []community.MembershipIn{{MemberID: a, Role: community.RoleOwner, JoinedAt: now - 1000}, {MemberID: b}}

		t.Run("the same batch twice is once", func(t *testing.T) {
			for _, want := range []community.RowResult{community.RowCreated, community.RowUpdated} {
				for _, r := range put(t, s, g, rows...) {
					if r.Result != want {
						t.Errorf("got %+v, want %s", r, want)
					}
				}
				s.DB.Clock.Jump(time.Minute)
			}
			if n := count(t, s.DB, "SELECT COUNT(*) FROM memberships WHERE version = 1"); n != 2 {
				t.Errorf("got %d untouched memberships, want 2", n)
			}
		})
		t.Run("what is not named stays", func(t *testing.T) {
			put(t, s, g, community.MembershipIn{MemberID: a, LeftAt: now})
			list, err := s.ListMemberships(brand(), g, community.MembershipFilter{State: community.MembershipLeft, Role: community.RoleOwner}, database.Page{})
			if err != nil || len(list.Items) != 1 || list.Items[0].JoinedAt != now-1000 || list.Items[0].Version != 2 {
				t.Errorf("got %+v, %v", list, err)
			}
		})
		t.Run("a merged member's id leads to the live one", func(t *testing.T) {
			c := born(t, s, "c")
			mustMerge(t, s, c, b)
			if r := put(t, s, g, community.MembershipIn{MemberID: c, Role: community.RoleKOL}); r[0].Member != b || r[0].Result != community.RowUpdated {
				t.Errorf("got %+v, want %s updated", r[0], b)
			}
		})
		t.Run("rows that cannot stand", func(t *testing.T) {
			foreign := upsert(t, s, as(south), person("", mall("f"))).Member
			for _, tt := range []struct {
				in   community.MembershipIn
				want *fault.Fault
			}{
				{community.MembershipIn{MemberID: 404}, community.ErrMemberUnknown},
				{community.MembershipIn{MemberID: b, JoinedAt: milli(s.DB.Clock.Now().Add(time.Second))}, community.ErrMembershipTime},
				{community.MembershipIn{MemberID: b, LeftAt: 5}, community.ErrMembershipTime},
			} {
				out, err := s.PutMemberships(brand(), g, []community.MembershipIn{tt.in})
				if err != nil {
					t.Fatal(err)
				}
				wantFault(t, out[0].Err, tt.want)
			}
			mine := newGroup(t, s, as(north), community.GroupIn{Name: "北店群"})
			out, err := s.PutMemberships(as(north), mine, []community.MembershipIn{{MemberID: foreign}})
			if err != nil {
				t.Fatal(err)
			}
			wantFault(t, out[0].Err, community.ErrMemberUnknown)
		})
	})
}

func TestFacts(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		m := born(t, s, "1")
		has := func(k community.FactKind) bool {
			t.Helper()
			got, err := community.HasFact(s.DB.Read(bg), m, k)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		if has(community.FactOrderPaid) {
			t.Error("a fact nobody told")
		}
		for range 2 {
			fact(t, s, community.Fact{Member: m, Kind: community.FactOrderPaid, Ref: int64(id.Order(5)), At: 1})
		}
		if !has(community.FactOrderPaid) || has(community.FactRewardOpen) {
			t.Error("order_paid and nothing else should be known")
		}
		if n := count(t, s.DB, "SELECT COUNT(*) FROM member_facts"); n != 1 {
			t.Errorf("got %d rows, want 1", n)
		}
	})
}

func put(t testing.TB, s *community.Service, g id.Group, rows ...community.MembershipIn) []community.MembershipResult {
	t.Helper()
	out, err := s.PutMemberships(brand(), g, rows)
	if err != nil {
		t.Fatalf("PutMemberships: %v", err)
	}
	for _, r := range out {
		if r.Err != nil {
			t.Fatalf("PutMemberships: %v", r.Err)
		}
	}
	return out
}

func TestJoinPutsOnce(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		g := newGroup(t, s, brand(), community.GroupIn{Name: "群"})
		m := born(t, s, "1")
		publish(t, s, g, strict)
		join := func(code id.Code) community.Membership {
			t.Helper()
			if err := s.Join(bg, community.Join{Group: g, Member: m, Code: code}); err != nil {
				t.Fatalf("Join: %v", err)
			}
			list, err := s.ListMemberships(brand(), g, community.MembershipFilter{State: community.MembershipLive}, database.Page{})
			if err != nil || len(list.Items) != 1 {
				t.Fatalf("got %+v, %v", list, err)
			}
			return list.Items[0]
		}
		first := join(7)
		if first.CharterVersion != 2 || first.CodeID != 7 {
			t.Errorf("got %+v, want the charter shown and the code", first)
		}
		s.DB.Clock.Jump(time.Hour)
		if again := join(8); again != first {
			t.Errorf("joining twice changed %+v to %+v", first, again)
		}
		put(t, s, g, community.MembershipIn{MemberID: m, LeftAt: milli(s.DB.Clock.Now())})
		if back := join(9); back.CodeID != 9 || back.JoinedAt != milli(s.DB.Clock.Now()) {
			t.Errorf("coming back: got %+v", back)
		}
	})
}

// TestJoin acts on a page that showed an older charter than the one in force.
func TestJoin(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		g := newGroup(t, s, brand(), community.GroupIn{Name: "群"})
		m := born(t, s, "1")
		publish(t, s, g, strict)
		for range 2 {
			if err := s.Join(bg, community.Join{Group: g, Member: m, Code: 7, Charter: 1}); err != nil {
				t.Fatal(err)
			}
			s.DB.Clock.Jump(time.Minute)
		}
		list, err := s.ListMemberships(brand(), g, community.MembershipFilter{State: community.MembershipLive}, database.Page{})
		if err != nil || len(list.Items) != 1 || list.Items[0].CharterVersion != 1 {
			t.Errorf("memberships %+v, %v: want one under the charter shown", list.Items, err)
		}
		consents, err := community.Consents(s.DB.Read(bg), m)
		if err != nil || len(consents) != 1 || consents[0].Purpose != community.PurposeGroupOps || !consents[0].Granted ||
			consents[0].TextVersion != community.CharterText(g, 1) || consents[0].Source != "page" {
			t.Errorf("consents %+v, %v: want group_ops under charter 1 by the page", consents, err)
		}
		if n := count(t, s.DB, "SELECT COUNT(*) FROM consents"); n != 1 {
			t.Errorf("acting twice wrote %d consents, want 1", n)
		}
		gone := newGroup(t, s, brand(), community.GroupIn{Name: "散了的群"})
		if _, err := s.UpdateGroup(brand(), gone, 1, community.GroupChange{Status: p(community.GroupDissolved), Reason: p("没人了")}); err != nil {
			t.Fatal(err)
		}
		if err := s.Join(bg, community.Join{Group: gone, Member: m}); !errors.Is(err, community.ErrGroupClosed) {
			t.Errorf("joining a dissolved group: %v", err)
		}
	})
}

// rush joins one person to one group from many goroutines and says how many
// memberships came of it.
func rush(t testing.TB, s *community.Service) int {
	t.Helper()
	g := newGroup(t, s, brand(), community.GroupIn{Name: "群"})
	m := born(t, s, "1")
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			if err := s.Join(bg, community.Join{Group: g, Member: m, Code: 1}); err != nil {
				t.Errorf("Join: %v", err)
			}
		})
	}
	all.Wait()
	return count(t, s.DB, "SELECT COUNT(*) FROM memberships")
}

func TestJoinTogether(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		if n := rush(t, s); n != 1 {
			t.Errorf("32 joins of one person made %d memberships, want 1", n)
		}
	})
	for _, engine := range dbtest.Engines {
		t.Run(engine+" without the unique key it breaks", func(t *testing.T) {
			s := &community.Service{DB: dbtest.Unlocked(t, engine, "memberships.memberships_pair"), Secrets: keys(t)}
			if n := rush(t, s); n == 1 {
				t.Error("nothing held the limit and it still stood")
			}
		})
	}
}
