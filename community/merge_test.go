package community_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

func merge(s *community.Service, ctx context.Context, from, into id.Member) (rows int, err error) {
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		if rows, err = community.MergeTx(tx, from, into); err != nil {
			return err
		}
		return database.AuditTx(tx, "member.merge", into, from, nil)
	})
	return rows, err
}

func mustMerge(t testing.TB, s *community.Service, from, into id.Member) {
	t.Helper()
	if rows, err := merge(s, brand(), from, into); err != nil || rows < 3 {
		t.Fatalf("merge %s into %s: %d rows, %v", from, into, rows, err)
	}
}

func fact(t testing.TB, s *community.Service, f community.Fact) {
	t.Helper()
	if err := s.DB.Tx(context.Background(), func(tx *database.Tx) error { return community.FactTx(tx, f) }); err != nil {
		t.Fatalf("FactTx(%+v): %v", f, err)
	}
}

func TestMergeTx(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		from, into := born(t, s, "from"), born(t, s, "into")
		both := newGroup(t, s, brand(), community.GroupIn{Name: "两人都在"})
		only := newGroup(t, s, brand(), community.GroupIn{Name: "只有一人"})
		now := s.DB.Clock.Now()
		put(t, s, both, community.MembershipIn{MemberID: from, Role: community.RoleKOC, JoinedAt: milli(now.Add(-48 * time.Hour))},
			community.MembershipIn{MemberID: into, JoinedAt: milli(now.Add(-24 * time.Hour)), LeftAt: milli(now)})
		put(t, s, only, community.MembershipIn{MemberID: from})
		fact(t, s, community.Fact{Member: from, Kind: community.FactOrderPaid, Ref: 1, At: 5})
		fact(t, s, community.Fact{Member: into, Kind: community.FactOrderPaid, Ref: 1, At: 6})
		fact(t, s, community.Fact{Member: from, Kind: community.FactReferralKept, Ref: 2, At: 7})
		agree(t, s, into, community.PurposeMarketing, true)
		s.DB.Clock.Jump(time.Hour)
		agree(t, s, from, community.PurposeMarketing, false)

		mustMerge(t, s, from, into)

		m := found(t, s, from)
		if m.ID != into || len(m.Identities) != 2 || m.Name != "会员into" {
			t.Errorf("the old id finds %+v", m)
		}
		if len(m.Consents) != 1 || m.Consents[0].Granted {
			t.Errorf("consents: got %+v, want the later withdrawal", m.Consents)
		}
		list, err := s.ListMemberships(brand(), both, community.MembershipFilter{}, database.Page{})
		if err != nil || len(list.Items) != 1 {
			t.Fatalf("memberships: got %+v, %v", list, err)
		}
		if got := list.Items[0]; got.MemberID != into || got.Role != community.RoleKOC || got.LeftAt != 0 || got.JoinedAt != milli(now.Add(-48*time.Hour)) {
			t.Errorf("got %+v, want the earlier join, the higher role, still in", got)
		}
		groups, err := community.GroupsOf(s.DB.Read(brand()), []id.Member{into, from})
		if err != nil || len(groups[into]) != 2 || len(groups[from]) != 0 {
			t.Errorf("groups: got %v, %v", groups, err)
		}
		if has, err := community.HasFact(s.DB.Read(brand()), into, community.FactReferralKept); err != nil || !has {
			t.Errorf("fact: got %v, %v", has, err)
		}
		if n := count(t, s.DB, "SELECT COUNT(*) FROM member_facts WHERE member_id = ?", into); n != 2 {
			t.Errorf("facts: got %d, want 2", n)
		}

		t.Run("refusals", func(t *testing.T) {
			_, err := merge(s, brand(), into, into)
			wantFault(t, err, community.ErrMergeSelf)
			_, err = merge(s, brand(), from, into)
			wantFault(t, err, community.ErrMergedAlready)
			_, err = merge(s, brand(), into, from)
			wantFault(t, err, community.ErrMergedAlready)
			_, err = merge(s, brand(), into, 404)
			wantFault(t, err, fault.NotFound)
		})
		t.Run("chains stay one step long", func(t *testing.T) {
			last := born(t, s, "last")
			mustMerge(t, s, into, last)
			got, err := community.FollowMerges(s.DB.Read(brand()), []id.Member{from, into, last, 404})
			want := map[id.Member]id.Member{from: last, into: last, last: last}
			if err != nil || !maps.Equal(got, want) {
				t.Errorf("got %v, %v, want %v", got, err, want)
			}
		})
		t.Run("the mall's next batch finds the live one", func(t *testing.T) {
			r := upsert(t, s, brand(), person("", mall("from")))
			if r.Result != community.RowUpdated || r.Member == from {
				t.Errorf("got %+v", r)
			}
		})
	})
}

func TestVerifyNamesWhatIsBroken(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		a, b := born(t, s, "a"), born(t, s, "b")
		mustMerge(t, s, a, b)
		breakIt := func(sql string, args ...any) {
			t.Helper()
			if err := s.DB.Tx(context.Background(), func(tx *database.Tx) error { return tx.Exec(sql, args...).Error }); err != nil {
				t.Fatal(err)
			}
		}
		breakIt("UPDATE members SET merged_into = id WHERE id = ?", a)
		proofs, err := community.Verify(context.Background(), s.DB)
		if err != nil {
			t.Fatal(err)
		}
		if p := proofs[0]; p.ID != "C1" || len(p.Broken) != 1 || p.Checked != 2 {
			t.Errorf("got %+v, want one breach of C1 in two rows", p)
		}
		breakIt("UPDATE members SET merged_into = ? WHERE id = ?", b, a)
		breakIt("INSERT INTO member_tags (member_id, tag_id, source, day) VALUES (?, 1, 'manual', 20260302)", a)
		breakIt("INSERT INTO member_blocks (member_id, reason, until_at, staff_id, created_at) VALUES (?, '', 0, 0, 1)", a)
		if proofs, err = community.Verify(context.Background(), s.DB); err != nil || len(proofs[0].Broken) != 2 {
			t.Errorf("got %+v, %v, want a tag and a block that a merge left behind", proofs, err)
		}
		breakIt("DELETE FROM member_tags WHERE member_id = ?", a)
		breakIt("DELETE FROM member_blocks WHERE member_id = ?", a)
	})
}
