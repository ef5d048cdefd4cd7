package community_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

func agree(t testing.TB, s *community.Service, m id.Member, purpose community.Purpose, granted bool) {
	t.Helper()
	err := s.SetConsents(brand(), m, []community.ConsentIn{{Purpose: purpose, Granted: &granted, TextVersion: "2026-03"}})
	if err != nil {
		t.Fatalf("SetConsents: %v", err)
	}
}

func TestConsents(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		m := born(t, s, "1")
		// All in one millisecond: the order of calls decides.
		for _, granted := range []bool{true, true, false, true, false} {
			agree(t, s, m, community.PurposeMarketing, granted)
		}
		agree(t, s, m, community.PurposeReferral, true)
		got := found(t, s, m).Consents
		if len(got) != 2 || got[0].Purpose != community.PurposeMarketing || got[0].Granted || !got[1].Granted || got[0].Source != "staff" {
			t.Errorf("got %+v, want marketing withdrawn and referral given", got)
		}
		if n := count(t, s.DB, "SELECT COUNT(*) FROM consents"); n != 5 {
			t.Errorf("got %d rows, want 5: a repeated decision is no new one", n)
		}
		yes := true
		for _, in := range [][]community.ConsentIn{
			nil,
			{{Purpose: "everything", Granted: &yes, TextVersion: "1"}},
			{{Purpose: community.PurposeReferral, TextVersion: "1"}},
			{{Purpose: community.PurposeReferral, Granted: &yes}},
			{{Purpose: community.PurposeReferral, Granted: &yes, TextVersion: "1"}, {Purpose: community.PurposeReferral, Granted: &yes, TextVersion: "2"}},
		} {
			wantFault(t, s.SetConsents(brand(), m, in), fault.Invalid)
		}
		wantFault(t, s.SetConsents(as(south), m, []community.ConsentIn{{Purpose: community.PurposeReferral, Granted: &yes, TextVersion: "1"}}), fault.NotFound)
	})
}

func TestExportAndErase(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		m := upsert(t, s, brand(), person("李秀英", mall("77"), tel("13912345678"))).Member
		old := born(t, s, "78")
		mustMerge(t, s, old, m)
		g := newGroup(t, s, brand(), community.GroupIn{Name: "群"})
		put(t, s, g, community.MembershipIn{MemberID: m})
		agree(t, s, m, community.PurposeReferral, true)
		agree(t, s, m, community.PurposeReferral, false)
		fact(t, s, community.Fact{Member: m, Kind: community.FactOrderPaid, Ref: 3, At: milli(s.DB.Clock.Now())})

		out, err := s.ExportMember(brand(), old)
		if err != nil {
			t.Fatal(err)
		}
		if out.Member.Name != "李秀英" || len(out.Member.Identities) != 3 || len(out.MergedFrom) != 1 || len(out.Consents) != 2 ||
			len(out.Memberships) != 1 || len(out.Facts) != 1 {
			t.Errorf("got %+v", out)
		}
		_, err = s.ExportMember(as(south), m)
		wantFault(t, err, fault.NotFound)
		wantFault(t, s.EraseMember(as(south), m), fault.NotFound)

		s.DB.Clock.Jump(time.Hour)
		for range 2 {
			if err := s.EraseMember(brand(), m); err != nil {
				t.Fatal(err)
			}
		}
		after := found(t, s, m)
		if after.Name == "李秀英" || len(after.Identities) != 0 || after.Status != community.MemberErased || len(after.Consents) != 1 {
			t.Errorf("after erasing: got %+v", after)
		}
		if n := count(t, s.DB, "SELECT COUNT(*) FROM members WHERE name IN ('李秀英', '会员78')"); n != 0 {
			t.Error("a name is left")
		}
		list, err := s.ListMemberships(brand(), g, community.MembershipFilter{State: community.MembershipLeft}, database.Page{})
		if err != nil || len(list.Items) != 1 {
			t.Errorf("memberships: got %+v, %v", list, err)
		}
		if r := upsert(t, s, brand(), person("新的人", mall("77"))); r.Result != community.RowCreated || r.Member == m {
			t.Errorf("the identity is free again: got %+v", r)
		}
		_, err = merge(s, brand(), m, born(t, s, "79"))
		wantFault(t, err, community.ErrMemberErased)
	})
}

// TestPersonalData reads the schema: a column about a person that the map does
// not know would be forgotten by export and erase.
func TestPersonalData(t *testing.T) {
	sql, err := os.ReadFile("../migrations/003_community.sql")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]community.Personal{}
	for _, p := range community.PersonalData() {
		known[p.Table] = p
	}
	// Columns that tell nothing about a person.
	plain := map[string]bool{"id": true, "unit_id": true, "guest": true, "status": true, "merged_into": true, "version": true, "created_at": true}
	tables := regexp.MustCompile(`(?s)CREATE TABLE IF NOT EXISTS (\w+) \((.*?)\n\)`).FindAllStringSubmatch(string(sql), -1)
	if len(tables) != 9 {
		t.Fatalf("found %d tables", len(tables))
	}
	for _, m := range tables {
		table, body := m[1], m[2]
		p, ok := known[table]
		if !ok && (table == "chat_groups" || table == "charters" || table == "member_changes") {
			continue // about groups, or about nobody in particular
		}
		if !ok {
			t.Errorf("%s is not in the map", table)
			continue
		}
		for line := range strings.Lines(body) {
			column, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			if column == "" || plain[column] || column == p.Person || slices.Contains(p.Holds, column) {
				continue
			}
			t.Errorf("%s.%s is not in the map", table, column)
		}
	}
}
