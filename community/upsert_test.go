package community_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
)

func TestMemberBatchValidate(t *testing.T) {
	many := make([]community.MemberIn, 501)
	for _, tt := range []struct {
		name  string
		in    []community.MemberIn
		field string // "" means accepted
	}{
		{"a mall id", []community.MemberIn{person("王芳", mall("42"))}, ""},
		{"a mainland phone", []community.MemberIn{person("", tel("138-0013-8000"))}, ""},
		{"a foreign phone", []community.MemberIn{person("", tel("+85251234567"))}, ""},
		{"nobody", nil, "members"},
		{"too many", many, "members"},
		{"no identity", []community.MemberIn{person("王芳")}, "members[0].identities"},
		{"unknown kind", []community.MemberIn{person("", community.Identity{Kind: "qq", Value: "1"})}, "members[0].identities[0].kind"},
		{"openid without app", []community.MemberIn{person("", community.Identity{Kind: "openid", Value: "o1"})}, "members[0].identities[0].app"},
		{"mall id with app", []community.MemberIn{person("", community.Identity{Kind: "mall", App: "wx1", Value: "1"})}, "members[0].identities[0].app"},
		{"empty value", []community.MemberIn{person("", mall(""))}, "members[0].identities[0].value"},
		{"value with a newline", []community.MemberIn{person("", mall("4\n2"))}, "members[0].identities[0].value"},
		{"not a phone", []community.MemberIn{person("", tel("12345"))}, "members[0].identities[0].value"},
		{"a long name", []community.MemberIn{person(strings.Repeat("长", 101), mall("1"))}, "members[0].name"},
		{"100 characters with marks", []community.MemberIn{person(strings.Repeat("长", 100)+"\u202e", mall("1"))}, ""},
		{"two mall ids", []community.MemberIn{person("", mall("1"), mall("2"))}, "members[0].identities"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := community.MemberBatch{Members: tt.in}.Validate()
			f, refused := fault.As(err)
			if refused != (tt.field != "") {
				t.Fatalf("got %v, want a refusal of %q", err, tt.field)
			}
			if refused && f.Fields[0].Name != tt.field {
				t.Errorf("got field %s, want %s", f.Fields[0].Name, tt.field)
			}
		})
	}
}

func TestUpsertMembers(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		t.Run("the same batch twice is once", func(t *testing.T) {
			var batch []community.MemberIn
			for i := range 450 {
				batch = append(batch, person(fmt.Sprintf("会员%d", i), mall(fmt.Sprint("b", i)), tel(fmt.Sprintf("139%08d", i))))
			}
			first, err := s.UpsertMembers(brand(), batch)
			if err != nil {
				t.Fatal(err)
			}
			second, err := s.UpsertMembers(brand(), batch)
			if err != nil {
				t.Fatal(err)
			}
			for i := range batch {
				if first[i].Result != community.RowCreated || second[i].Result != community.RowUpdated || first[i].Member != second[i].Member {
					t.Fatalf("row %d: got %+v then %+v", i, first[i], second[i])
				}
			}
			if n := count(t, s.DB, "SELECT COUNT(*) FROM members WHERE version > 1"); n != 0 {
				t.Errorf("%d members got a new version without a change", n)
			}
		})
		t.Run("rows of one batch see each other", func(t *testing.T) {
			out, err := s.UpsertMembers(brand(), []community.MemberIn{
				person("张伟", mall("s1")), person("", mall("s1"), tel("13700000001")), person("张大伟", tel("+8613700000001")),
			})
			if err != nil {
				t.Fatal(err)
			}
			if out[0].Result != community.RowCreated || out[1].Member != out[0].Member || out[2].Member != out[0].Member {
				t.Fatalf("got %+v, want one member", out)
			}
			if m := found(t, s, out[0].Member); m.Name != "张大伟" || m.Guest || len(m.Identities) != 2 {
				t.Errorf("got %+v", m)
			}
		})
		t.Run("names are cleaned", func(t *testing.T) {
			r := upsert(t, s, brand(), person(" e\u0301va\u202e\x00 \t 李\u2066 ", mall("n1")))
			if got := found(t, s, r.Member).Name; got != "éva 李" {
				t.Errorf("got %q", got)
			}
		})
		t.Run("a phone is kept as a hash and never read back", func(t *testing.T) {
			r := upsert(t, s, brand(), person("", tel("13812345678")))
			if n := count(t, s.DB, "SELECT COUNT(*) FROM identities WHERE value LIKE '%13812345678%'"); n != 0 {
				t.Error("the number is in the table")
			}
			if got := found(t, s, r.Member).Identities[0]; got.Value != "" {
				t.Errorf("got %q shown", got.Value)
			}
			if m, err := s.Resolve(s.DB.Read(brand()), "phone", "", "138-1234-5678"); err != nil || m != r.Member {
				t.Errorf("Resolve: got %v, %v, want %v", m, err, r.Member)
			}
		})
		t.Run("identities of two members are a conflict", func(t *testing.T) {
			a, b := born(t, s, "c1"), upsert(t, s, brand(), person("", tel("13600000001"))).Member
			out, err := s.UpsertMembers(brand(), []community.MemberIn{
				person("谁", mall("c1"), tel("13600000001")), person("改名", mall("c1")),
			})
			if err != nil {
				t.Fatal(err)
			}
			wantFault(t, out[0].Err, community.ErrIdentityConflict)
			for _, m := range []id.Member{a, b} {
				if !strings.Contains(out[0].Err.Text("en"), m.String()) {
					t.Errorf("%q does not name %s", out[0].Err.Text("en"), m)
				}
			}
			if out[1].Result != community.RowUpdated || found(t, s, a).Name != "改名" {
				t.Errorf("the row beside the conflict did not stand: %+v", out[1])
			}
		})
		t.Run("a phone that changed hands joins nobody", func(t *testing.T) {
			upsert(t, s, brand(), person("", mall("h1"), tel("13500000001")))
			r := upsert(t, s, brand(), person("", mall("h2"), tel("13500000001")))
			wantFault(t, r.Err, community.ErrIdentityTaken)
		})
		t.Run("another unit's member is not touched", func(t *testing.T) {
			mine := upsert(t, s, as(north), person("北店", mall("u1")))
			r := upsert(t, s, as(south), person("南店", mall("u1")))
			wantFault(t, r.Err, community.ErrMemberElsewhere)
			if got := found(t, s, mine.Member); got.Name != "北店" || got.UnitID != north {
				t.Errorf("got %+v", got)
			}
			in := person("", mall("u2"))
			in.UnitID = north
			wantFault(t, upsert(t, s, as(south), in).Err, community.ErrUnitUnknown)
		})
	})
}

func found(t testing.TB, s *community.Service, m id.Member) community.Member {
	t.Helper()
	got, err := s.FindMember(brand(), m)
	if err != nil {
		t.Fatalf("FindMember(%s): %v", m, err)
	}
	return got
}

func TestFindMember(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		m := upsert(t, s, as(north), person("北店", mall("1"))).Member
		_, err := s.FindMember(as(south), m)
		wantFault(t, err, fault.NotFound)
		_, err = s.FindMember(as(south), m+1)
		wantFault(t, err, fault.NotFound)
		list, err := s.ListMembers(as(south), community.MemberFilter{}, database.Page{})
		if err != nil || len(list.Items) != 0 {
			t.Errorf("another unit's list: got %+v, %v", list, err)
		}
		list, err = s.ListMembers(as(north), community.MemberFilter{Identity: mall("1")}, database.Page{})
		if err != nil || len(list.Items) != 1 {
			t.Errorf("by identity: got %+v, %v", list, err)
		}
		list, err = s.ListMembers(as(north), community.MemberFilter{Identity: mall("none")}, database.Page{})
		if err != nil || len(list.Items) != 0 {
			t.Errorf("by unknown identity: got %+v, %v", list, err)
		}
	})
}

func TestGuest(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		ctx := context.Background()
		guest, err := s.NewGuest(ctx)
		if err != nil {
			t.Fatal(err)
		}
		strong := func() bool {
			t.Helper()
			got, err := community.StrongIn(s.DB.Read(ctx), []id.Member{guest})
			if err != nil {
				t.Fatal(err)
			}
			return got[guest]
		}
		if strong() || !found(t, s, guest).Guest {
			t.Error("a new guest counts as known")
		}
		self := community.Identity{Kind: community.IdentityGuest, Value: guest.String()}
		r := upsert(t, s, brand(), person("访客", self, mall("g1")))
		if r.Member != guest || !strong() || found(t, s, guest).Guest {
			t.Errorf("the guest did not become the member: %+v", r)
		}
		stranger := community.Identity{Kind: community.IdentityGuest, Value: (guest + 1).String()}
		wantFault(t, upsert(t, s, brand(), person("", stranger)).Err, community.ErrGuestUnknown)
	})
}

// crowd upserts one identity from many goroutines and says how many members
// came of it.
func crowd(t testing.TB, s *community.Service) int {
	t.Helper()
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if _, err := s.UpsertMembers(brand(), []community.MemberIn{person("同一人", mall("hot"), tel("13900000000"))}); err != nil {
				t.Errorf("UpsertMembers: %v", err)
			}
		})
	}
	all.Wait()
	return count(t, s.DB, "SELECT COUNT(*) FROM members")
}

func TestUpsertMembersTogether(t *testing.T) {
	run(t, func(t *testing.T, s *community.Service) {
		if n := crowd(t, s); n != 1 {
			t.Errorf("64 upserts of one person made %d members, want 1", n)
		}
	})
	for _, engine := range dbtest.Engines {
		t.Run(engine+" without the unique key it breaks", func(t *testing.T) {
			for range 20 {
				db := dbtest.Unlocked(t, engine, "identities.identities_value")
				if crowd(t, &community.Service{DB: db, Secrets: keys(t)}) > 1 {
					return
				}
			}
			t.Error("nothing held the limit and it still stood")
		})
	}
}

func TestPhoneKeyRotation(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		old := secret.Fresh()
		both := secret.Fresh()
		for i := range both {
			both[i].ID = "k2"
		}
		service := func(keys []secret.Key) *community.Service {
			set, err := secret.New(keys)
			if err != nil {
				t.Fatal(err)
			}
			return &community.Service{DB: db, Secrets: set}
		}
		m := upsert(t, service(old), brand(), person("", tel("13900000009"))).Member
		rotating := service(append(both, old...))
		if got, err := rotating.Resolve(db.Read(brand()), "phone", "", "13900000009"); err != nil || got != m {
			t.Fatalf("while rotating: got %v, %v, want %v", got, err, m)
		}
		if r := upsert(t, rotating, brand(), person("", tel("13900000009"))); r.Member != m {
			t.Fatalf("while rotating: got %+v", r)
		}
		if got, err := service(both[:4]).Resolve(db.Read(brand()), "phone", "", "13900000009"); err != nil || got != m {
			t.Errorf("after rotating: got %v, %v, want %v", got, err, m)
		}
		holds(t, db)
	})
}
