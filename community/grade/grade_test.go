package grade_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"siyu/community"
	"siyu/community/grade"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
	"siyu/internal/task"
)

var (
	bg    = context.Background()
	owner = staff(9)
	other = staff(8)
)

func staff(n id.Staff) context.Context {
	return database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: n, Role: "group_owner", Unit: 7, Units: []id.Unit{7}, Own: true})
}

func TestDecide(t *testing.T) {
	r := grade.Rules{Grades: []grade.Grade{{Key: "a"}, {Key: "b", DaysIn: 14, ActiveDays: 4}, {Key: "c", DaysIn: 60, ActiveDays: 4, Attended: 1}}}
	for want, list := range map[string][]grade.Facts{
		"a": {{}, {DaysIn: 13, ActiveDays: 30}, {DaysIn: 400, ActiveDays: 3, Replies: 99, Attended: 9}},
		"b": {{DaysIn: 14, ActiveDays: 4}, {DaysIn: 60, ActiveDays: 9}, {DaysIn: 59, ActiveDays: 9, Attended: 1}},
		"c": {{DaysIn: 60, ActiveDays: 4, Attended: 1}},
	} {
		for _, f := range list {
			if got := grade.Decide(r, f); got.Key != want {
				t.Errorf("%+v: got %s, want %s", f, got.Key, want)
			}
		}
	}
	lacks := r.Grades[2].Lacks(grade.Facts{DaysIn: 50, ActiveDays: 4})
	if lacks.ZH != "再待 10 天，再参加 1 次线下活动" || lacks.EN != "10 more days, 1 more offline event" {
		t.Errorf("lacks: got %+v", lacks)
	}
}

func TestRulesIn(t *testing.T) {
	low, high := grade.Grade{Key: "a", NameZH: "新", NameEN: "new"}, grade.Grade{Key: "b", NameZH: "老", NameEN: "old", DaysIn: 30, ActiveDays: 3}
	if err := (grade.RulesIn{Grades: []grade.Grade{low, high}}).Validate(); err != nil {
		t.Error(err)
	}
	twin, less, asks := high, high, low
	twin.Key, less.Key, less.ActiveDays, asks.DaysIn = "b", "c", 2, 1
	for name, bad := range map[string][]grade.Grade{"one alone": {low}, "a key twice": {low, high, twin}, "falls": {low, high, less}, "the lowest asks": {asks, high}, "the second asks nothing": {low, {Key: "b", NameZH: "老", NameEN: "old"}}} {
		if (grade.RulesIn{Grades: bad}).Validate() == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// house is a group whose activity is reported.
type house struct {
	*grade.Service
	t      *testing.T
	people *community.Service
	reg    *task.Registry
	group  id.Group
	seq    int
}

func on(t *testing.T, test func(h *house)) {
	t.Helper()
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		set, err := secret.New(secret.Fresh())
		h := &house{Service: &grade.Service{DB: db}, t: t, people: &community.Service{DB: db, Secrets: set}, reg: task.NewRegistry()}
		h.ok(err)
		h.Register(h.reg)
		h.group, err = h.people.CreateGroup(owner, community.GroupIn{Name: "茶友群"})
		h.ok(err)
		test(h)
	})
}

func (h *house) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) member(daysAgo int) id.Member {
	h.t.Helper()
	h.seq++
	out, err := h.people.UpsertMembers(owner, []community.MemberIn{{Name: "会员", Identities: []community.Identity{{Kind: community.IdentityMall, Value: fmt.Sprint("m", h.seq)}}}})
	h.ok(err)
	_, err = h.people.PutMemberships(owner, h.group, []community.MembershipIn{{MemberID: out[0].Member, JoinedAt: clock.MilliOf(h.DB.Clock.Now().AddDate(0, 0, -daysAgo))}})
	h.ok(err)
	return out[0].Member
}

// spoke reports that a member replied to another on each of the last n days.
func (h *house) spoke(n int, who, to id.Member) {
	h.t.Helper()
	var list []community.ActivityIn
	for back := 1; back <= n; back++ {
		h.seq++
		list = append(list, community.ActivityIn{EventID: fmt.Sprint("e", h.seq), MemberID: who, Kind: community.ActivityReply, ToID: to, At: clock.MilliOf(h.DB.Clock.Now().AddDate(0, 0, -back))})
	}
	out, err := h.people.PutActivity(owner, h.group, community.ActivityBatch{Events: list})
	h.ok(err)
	for _, r := range out {
		if r.Err != nil {
			h.t.Fatal(r.Err)
		}
	}
}

func (h *house) night() {
	h.t.Helper()
	h.DB.Clock.Jump(24 * time.Hour)
	h.ok(task.Tick(bg, h.DB, h.reg))
}

func (h *house) is(m id.Member, want string) grade.Standing {
	h.t.Helper()
	got, err := h.Of(owner, h.group, m)
	h.ok(err)
	if got.Grade.Key != want {
		h.t.Errorf("got %s by %+v, want %s", got.Grade.Key, got.Facts, want)
	}
	return got
}

func (h *house) moves() (n int) {
	h.t.Helper()
	h.ok(h.DB.Read(bg).Raw("SELECT COUNT(*) FROM grade_moves").Row().Scan(&n))
	return n
}

// TestNights: nobody is judged while too little is known; then everybody once
// a night, up and down, with the reason; money is no fact.
func TestNights(t *testing.T) {
	on(t, func(h *house) {
		core, buyer, young := h.member(90), h.member(90), h.member(1)
		h.ok(h.DB.Tx(bg, func(tx *database.Tx) error {
			return community.FactTx(tx, community.Fact{Member: buyer, Kind: community.FactOrderPaid, Ref: 3, At: tx.Now, Amount: 99_999_00})
		}))
		h.night()
		if _, err := h.Of(owner, h.group, core); !errors.Is(err, fault.NotFound) {
			t.Errorf("judged by nothing: %v", err)
		}
		h.spoke(20, core, young)
		h.spoke(6, young, core)
		h.night()
		got := h.is(core, "core")
		if got.Facts != (grade.Facts{DaysIn: 92, ActiveDays: 20, Replies: 6}) || !strings.Contains(got.Why.ZH, "活跃 20 天") || got.Next != nil {
			t.Errorf("got %+v", got)
		}
		h.is(buyer, "newcomer")
		if got := h.is(young, "newcomer"); got.Next == nil || got.Next.Grade.Key != "regular" || got.Next.Lacks.ZH != "再待 11 天" {
			t.Errorf("next: got %+v", got.Next)
		}
		h.ok(task.Tick(bg, h.DB, h.reg)) // the same night
		if n := h.moves(); n != 3 {
			t.Errorf("%d moves, want 3", n)
		}
		for range 28 {
			h.DB.Clock.Jump(24 * time.Hour)
			h.spoke(1, young, core) // the group goes on without him
		}
		h.night()
		got = h.is(core, "newcomer")
		if len(got.Moves) != 2 || got.Moves[0].Before != "core" || got.Moves[1].Before != "" {
			t.Errorf("moves: got %+v", got.Moves)
		}
		if _, err := h.Of(other, h.group, core); !errors.Is(err, fault.NotFound) {
			t.Errorf("a stranger sees it: %v", err)
		}
		list, err := h.List(owner, h.group, database.Page{})
		if h.ok(err); len(list.Items) != 3 {
			t.Errorf("list: got %+v", list)
		}
	})
}

// TestMergedAndNewRules: who took somebody in has his days and replies; rules
// count from the night after they were set.
func TestMergedAndNewRules(t *testing.T) {
	on(t, func(h *house) {
		a, b, c := h.member(90), h.member(2), h.member(30)
		h.spoke(16, a, c)
		h.spoke(6, c, a)
		h.ok(h.DB.Tx(bg, func(tx *database.Tx) error { _, err := community.MergeTx(tx, a, b); return err }))
		h.night()
		if got := h.is(b, "core"); got.Facts.DaysIn != 91 || got.Facts.Replies != 6 {
			t.Errorf("got %+v", got.Facts)
		}
		h.is(a, "core") // the same person
		in := grade.RulesIn{Grades: []grade.Grade{{Key: "a", NameZH: "茶友", NameEN: "friend"}, {Key: "b", NameZH: "茶人", NameEN: "master", ActiveDays: 10, Attended: 1}}}
		admin := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 1, Role: "admin"})
		r, err := h.SetRules(admin, 0, in)
		if h.ok(err); r.Version != 1 {
			t.Errorf("got %+v", r)
		}
		if _, err := h.SetRules(admin, 0, in); !errors.Is(err, fault.Stale) {
			t.Errorf("got %v", err)
		}
		h.night()
		if got := h.is(b, "a"); got.Grade.NameZH != "茶友" || got.Next.Lacks.ZH != "再参加 1 次线下活动" || got.Moves[0].Rules != 1 {
			t.Errorf("got %+v", got)
		}
	})
}
