package community_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
)

// The people who act in the tests: marketers of two stores and one who sees
// the whole brand.
const (
	north id.Unit = 101
	south id.Unit = 102
)

func as(unit id.Unit) context.Context {
	return database.WithActor(context.Background(), database.Actor{
		Kind: database.ActorStaff, Staff: id.Staff(unit + 1000), Role: "marketer", Unit: unit, Units: []id.Unit{unit},
	})
}

func brand() context.Context {
	return database.WithActor(context.Background(), database.Actor{Kind: database.ActorStaff, Staff: 9, Role: "admin", Unit: 100})
}

func keys(t testing.TB) *secret.Set {
	t.Helper()
	set, err := secret.New(secret.Fresh())
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func run(t *testing.T, test func(t *testing.T, s *community.Service)) {
	t.Helper()
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		test(t, &community.Service{DB: db, Secrets: keys(t)})
		holds(t, db)
	})
}

// holds ends each test: what the room promises is true of what it left.
func holds(t testing.TB, db *database.DB) {
	t.Helper()
	proofs, err := community.Verify(context.Background(), db)
	if err != nil {
		t.Fatalf("Verify: %v", err)
	}
	for _, p := range proofs {
		if len(p.Broken) > 0 {
			t.Errorf("%s %s: %s", p.ID, p.Says, strings.Join(p.Broken, "; "))
		}
	}
}

func mall(v string) community.Identity {
	return community.Identity{Kind: community.IdentityMall, Value: v}
}

func tel(v string) community.Identity {
	return community.Identity{Kind: community.IdentityPhone, Value: v}
}

func person(name string, identities ...community.Identity) community.MemberIn {
	return community.MemberIn{Identities: identities, Name: name}
}

// upsert sends one row and returns its result.
func upsert(t testing.TB, s *community.Service, ctx context.Context, in community.MemberIn) community.MemberResult {
	t.Helper()
	out, err := s.UpsertMembers(ctx, []community.MemberIn{in})
	if err != nil {
		t.Fatalf("UpsertMembers(%+v): %v", in, err)
	}
	return out[0]
}

// born is a new member with a mall id.
func born(t testing.TB, s *community.Service, mallID string) id.Member {
	t.Helper()
	r := upsert(t, s, brand(), person("会员"+mallID, mall(mallID)))
	if r.Result != community.RowCreated {
		t.Fatalf("member %s: got %s, want created", mallID, r.Result)
	}
	return r.Member
}

func newGroup(t testing.TB, s *community.Service, ctx context.Context, in community.GroupIn) id.Group {
	t.Helper()
	g, err := s.CreateGroup(ctx, in)
	if err != nil {
		t.Fatalf("CreateGroup(%+v): %v", in, err)
	}
	return g
}

func wantFault(t testing.TB, err error, want *fault.Fault) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %s", err, want.Code)
	}
}

// count reads one number.
func count(t testing.TB, db *database.DB, sql string, args ...any) int {
	t.Helper()
	var n int
	if err := db.Read(context.Background()).Raw(sql, args...).Scan(&n).Error; err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}
