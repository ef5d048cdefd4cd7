package community_test

import (
	"testing"
	"time"

	"siyu/community"
	"siyu/internal/database"
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
