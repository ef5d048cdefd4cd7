package gate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"siyu/community"
	"siyu/community/gate"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
	"siyu/internal/task"
)

var bg = context.Background()

// house is a group with a gate, and people.
type house struct {
	*gate.Service
	t      *testing.T
	people *community.Service
	group  id.Group
	owner  context.Context
	seq    int
}

func newHouse(t *testing.T, db *database.DB, in gate.In) *house {
	t.Helper()
	set, err := secret.New(secret.Fresh())
	if err != nil {
		t.Fatal(err)
	}
	h := &house{Service: &gate.Service{DB: db}, t: t, people: &community.Service{DB: db, Secrets: set},
		owner: database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 9, Role: "group_owner", Unit: 7, Units: []id.Unit{7}, Own: true})}
	if h.group, err = h.people.CreateGroup(h.owner, community.GroupIn{Name: "老友群"}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Set(h.owner, h.group, 0, in); err != nil {
		t.Fatal(err)
	}
	return h
}

// member is somebody new whom the mall knows, and his context.
func (h *house) member() (id.Member, context.Context) {
	h.t.Helper()
	h.seq++
	out, err := h.people.UpsertMembers(h.owner, []community.MemberIn{{Name: "会员", Identities: []community.Identity{{Kind: community.IdentityMall, Value: fmt.Sprint("m", h.seq)}}}})
	if err != nil {
		h.t.Fatal(err)
	}
	m := out[0].Member
	return m, database.WithActor(bg, database.Actor{Kind: database.ActorMember, Member: m})
}

// apply applies and returns the application as it stands.
func (h *house) apply(m id.Member, in gate.ApplyIn) gate.Application {
	h.t.Helper()
	in.Charter = 1
	a, err := h.Apply(bg, h.group, m, in)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.found(a)
}

func (h *house) found(a id.Application) gate.Application {
	h.t.Helper()
	found, err := h.FindApplication(bg, a)
	if err != nil {
		h.t.Fatal(err)
	}
	return found
}

func (h *house) is(a id.Application, want gate.Status) {
	h.t.Helper()
	if got := h.found(a); got.Status != want {
		h.t.Errorf("got %+v, want %s", got, want)
	}
}

func (h *house) refused(err error, want *fault.Fault) {
	h.t.Helper()
	if !errors.Is(err, want) {
		h.t.Errorf("got %v, want %s", err, want.Code)
	}
}

func (h *house) in() (n int) {
	h.t.Helper()
	if err := h.DB.Read(bg).Raw("SELECT COUNT(*) FROM memberships WHERE group_id = ? AND left_at = 0", h.group).Row().Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

func (h *house) tick() {
	h.t.Helper()
	h.DB.Clock.Jump(time.Minute)
	r := task.NewRegistry()
	h.Register(r)
	if err := task.Tick(bg, h.DB, r); err != nil {
		h.t.Fatal(err)
	}
}

func on(t *testing.T, in gate.In, test func(h *house)) {
	t.Helper()
	dbtest.Run(t, func(t *testing.T, db *database.DB) { test(newHouse(t, db, in)) })
}

func TestDecide(t *testing.T) {
	why := gate.Question{Key: "why", ZH: "为什么想来", Required: true}
	for name, tt := range map[string]struct {
		gate   gate.Gate
		facts  gate.Facts
		want   []string
		review bool
	}{
		"nothing asked":           {},
		"no order":                {gate.Gate{PaidWithinDays: 90}, gate.Facts{}, []string{"paid_order"}, false},
		"an order":                {gate.Gate{PaidWithinDays: 90}, gate.Facts{Paid: true}, nil, false},
		"no voucher":              {gate.Gate{VouchDays: 30}, gate.Facts{}, []string{"vouch_id"}, false},
		"another region":          {gate.Gate{Regions: []string{"杭州"}}, gate.Facts{Region: "上海"}, []string{"region"}, false},
		"the region":              {gate.Gate{Regions: []string{"杭州"}}, gate.Facts{Region: "杭州"}, nil, false},
		"no answer":               {gate.Gate{Questions: []gate.Question{why}}, gate.Facts{}, []string{"answers.why"}, false},
		"an answer not asked for": {gate.Gate{}, gate.Facts{Answers: map[string]string{"x": "y"}}, []string{"answers.x"}, false},
		"blocked":                 {gate.Gate{}, gate.Facts{Blocked: true}, []string{"member"}, false},
		"everything at once":      {gate.Gate{PaidWithinDays: 1, VouchDays: 1}, gate.Facts{}, []string{"paid_order", "vouch_id"}, false},
		"a look":                  {gate.Gate{Review: true}, gate.Facts{}, nil, true},
		"two violations":          {gate.Gate{}, gate.Facts{Violations: 2}, nil, false},
		"three violations":        {gate.Gate{}, gate.Facts{Violations: 3}, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			missing, review := gate.Decide(tt.gate, tt.facts)
			var got []string
			for _, f := range missing {
				got = append(got, f.Name)
			}
			if !slices.Equal(got, tt.want) || review != tt.review {
				t.Errorf("got %v, look %v", got, review)
			}
		})
	}
}

func TestApply(t *testing.T) {
	on(t, gate.In{Review: true, Fee: 990, Questions: []gate.Question{{Key: "why", ZH: "为什么想来", Required: true}}}, func(h *house) {
		t := h.t
		m, me := h.member()
		why := map[string]string{"why": "喜欢喝茶"}
		t.Run("what is missing is said and kept nowhere", func(t *testing.T) {
			_, err := h.Apply(bg, h.group, m, gate.ApplyIn{Charter: 1})
			f, ok := fault.As(err)
			if !ok || f.Code != gate.ErrRefused.Code || len(f.Fields) != 1 || f.Fields[0].Name != "answers.why" {
				t.Errorf("got %v", err)
			}
			if _, had, err := h.Mine(bg, h.group, m); had || err != nil {
				t.Errorf("kept: %v, %v", had, err)
			}
		})
		t.Run("a charter to come, a guest and another group are refused", func(t *testing.T) {
			_, err := h.Apply(bg, h.group, m, gate.ApplyIn{Charter: 2, Answers: why})
			h.refused(err, gate.ErrCharter)
			guest, err := h.people.NewGuest(bg)
			if err != nil {
				t.Fatal(err)
			}
			_, err = h.Apply(bg, h.group, guest, gate.ApplyIn{Charter: 1, Answers: why})
			h.refused(err, gate.ErrIdentity)
			_, err = h.Apply(bg, 404, m, gate.ApplyIn{Charter: 1})
			h.refused(err, fault.NotFound)
			h.refused(h.people.Join(bg, community.Join{Group: h.group, Member: m}), community.ErrGroupGated)
		})
		a := h.apply(m, gate.ApplyIn{Answers: why})
		t.Run("fee, then a look, then in", func(t *testing.T) {
			h.is(a.ID, gate.StatusFee)
			_, err := h.Apply(bg, h.group, m, gate.ApplyIn{Charter: 1, Answers: why})
			h.refused(err, gate.ErrOpen)
			h.refused(h.PayFee(bg, a.ID, gate.FeeIn{PaymentNo: "p1", Amount: 989}), gate.ErrFee)
			h.refused(h.PayFee(bg, a.ID, gate.FeeIn{PaymentNo: "p1", Amount: 991}), gate.ErrFee)
			for range 2 {
				if err := h.PayFee(bg, a.ID, gate.FeeIn{PaymentNo: "p1", Amount: 990}); err != nil {
					t.Fatal(err)
				}
			}
			h.is(a.ID, gate.StatusReview)
			if err := h.DecideApplication(h.owner, a.ID, gate.DecideIn{Admit: true}); err != nil {
				t.Fatal(err)
			}
			h.is(a.ID, gate.StatusAdmitted)
			h.refused(h.DecideApplication(h.owner, a.ID, gate.DecideIn{Reason: "晚了"}), gate.ErrState)
			h.refused(h.Withdraw(me, a.ID), gate.ErrState)
			_, err = h.Apply(bg, h.group, m, gate.ApplyIn{Charter: 1, Answers: why})
			h.refused(err, gate.ErrIn)
		})
		t.Run("a payment's number counts once", func(t *testing.T) {
			other, _ := h.member()
			b := h.apply(other, gate.ApplyIn{Answers: why})
			h.refused(h.PayFee(bg, b.ID, gate.FeeIn{PaymentNo: "p1", Amount: 990}), gate.ErrFee)
			h.refused(h.Withdraw(me, b.ID), fault.NotFound)
		})
		t.Run("refused, and again", func(t *testing.T) {
			other, own := h.member()
			b := h.apply(other, gate.ApplyIn{Answers: why})
			if err := h.PayFee(bg, b.ID, gate.FeeIn{PaymentNo: "p2", Amount: 990}); err != nil {
				t.Fatal(err)
			}
			if err := h.DecideApplication(h.owner, b.ID, gate.DecideIn{Reason: "只收老客"}); err != nil {
				t.Fatal(err)
			}
			if got := h.found(b.ID); got.Status != gate.StatusRefused || got.Reason != "只收老客" || got.DecidedAt == 0 {
				t.Errorf("got %+v", got)
			}
			c := h.apply(other, gate.ApplyIn{Answers: why})
			if err := h.Withdraw(own, c.ID); err != nil {
				t.Fatal(err)
			}
			h.is(c.ID, gate.StatusWithdrawn)
		})
		t.Run("a new charter is agreed to by who is in", func(t *testing.T) {
			h.DB.Clock.Jump(time.Minute)
			next, err := h.people.PublishCharter(h.owner, h.group, community.CharterIn{Purpose: "少一点", AdsPerDay: 0, AdsPerWeek: 0, QuietFrom: 1320, QuietTo: 510})
			if err != nil {
				t.Fatal(err)
			}
			h.refused(h.Agree(bg, h.group, m, 1), gate.ErrCharter)
			if err := h.Agree(bg, h.group, m, next.Version); err != nil {
				t.Fatal(err)
			}
			out, _ := h.member()
			h.refused(h.Agree(bg, h.group, out, next.Version), gate.ErrNotIn)
		})
	})
}

func TestVouch(t *testing.T) {
	on(t, gate.In{VouchDays: 30, VouchMonth: 2}, func(h *house) {
		t := h.t
		old, _ := h.member()
		fresh, _ := h.member()
		now := clock.MilliOf(h.DB.Clock.Now())
		_, err := h.people.PutMemberships(h.owner, h.group, []community.MembershipIn{{MemberID: old, JoinedAt: now.Add(-40 * 24 * time.Hour)}, {MemberID: fresh}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.Vouch(bg, h.group, fresh)
		h.refused(err, gate.ErrTooNew)
		m, _ := h.member()
		_, err = h.Vouch(bg, h.group, m)
		h.refused(err, gate.ErrNotIn)

		v, err := h.Vouch(bg, h.group, old)
		if err != nil {
			t.Fatal(err)
		}
		if a := h.apply(m, gate.ApplyIn{Vouch: v}); a.Status != gate.StatusAdmitted {
			t.Errorf("got %+v", a)
		}
		in, err := community.RosterOf(h.DB.Read(bg), h.group)
		if err != nil || len(in) != 3 || in[2].MemberID != m || in[2].InviterID != old || in[1].InviterID != 0 {
			t.Errorf("got %+v, %v; want that %s was brought by %s", in, err, m, old)
		}
		second, _ := h.member()
		_, err = h.Apply(bg, h.group, second, gate.ApplyIn{Charter: 1, Vouch: v})
		h.refused(err, gate.ErrRefused)
		late, err := h.Vouch(bg, h.group, old)
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.Vouch(bg, h.group, old)
		h.refused(err, gate.ErrVouches)
		h.DB.Clock.Jump(31 * 24 * time.Hour)
		_, err = h.Apply(bg, h.group, second, gate.ApplyIn{Charter: 1, Vouch: late})
		h.refused(err, gate.ErrRefused)
		if _, err := h.Vouch(bg, h.group, old); err != nil {
			t.Errorf("a month later: %v", err)
		}
	})
}

func TestViolations(t *testing.T) {
	on(t, gate.In{}, func(h *house) {
		t := h.t
		m, _ := h.member()
		if a := h.apply(m, gate.ApplyIn{}); a.Status != gate.StatusAdmitted {
			t.Fatalf("got %+v", a)
		}
		never, _ := h.member()
		_, err := h.Note(h.owner, h.group, gate.ViolationIn{MemberID: never, Rule: gate.RuleAd})
		h.refused(err, fault.Invalid)
		for range 3 {
			if _, err := h.Note(h.owner, h.group, gate.ViolationIn{MemberID: m, Rule: gate.RuleAd}); err != nil {
				t.Fatal(err)
			}
		}
		list, err := h.ListViolations(h.owner, h.group, database.Page{})
		if err != nil || len(list.Items) != 3 || list.Items[0].Rule != gate.RuleAd || list.Items[0].StaffID != 9 {
			t.Errorf("got %+v, %v", list, err)
		}
		now := clock.MilliOf(h.DB.Clock.Now())
		if _, err := h.people.PutMemberships(h.owner, h.group, []community.MembershipIn{{MemberID: m, JoinedAt: now, LeftAt: now}}); err != nil {
			t.Fatal(err)
		}
		if a := h.apply(m, gate.ApplyIn{}); a.Status != gate.StatusReview {
			t.Errorf("three violations: got %+v, want a look", a)
		}
	})
}

func TestLine(t *testing.T) {
	on(t, gate.In{Capacity: 2}, func(h *house) {
		t := h.t
		var people []id.Member
		var list []gate.Application
		for range 5 {
			m, _ := h.member()
			people = append(people, m)
			list = append(list, h.apply(m, gate.ApplyIn{}))
			h.DB.Clock.Jump(time.Second)
		}
		for i, want := range []int{0, 0, 0, 1, 2} {
			if a := h.found(list[i].ID); a.Ahead != want || (a.Status == gate.StatusAdmitted) != (i < 2) {
				t.Errorf("%d: got %+v, want %d ahead", i, a, want)
			}
		}
		h.tick()
		if h.in() != 2 {
			t.Errorf("%d in a full group", h.in())
		}
		// One leaves and three are reported whom nobody asked the gate about.
		now := clock.MilliOf(h.DB.Clock.Now())
		if _, err := h.people.PutMemberships(h.owner, h.group, []community.MembershipIn{{MemberID: people[0], LeftAt: now}}); err != nil {
			t.Fatal(err)
		}
		h.tick()
		h.is(list[2].ID, gate.StatusAdmitted)
		h.is(list[3].ID, gate.StatusWaiting)
		if err := h.people.EraseMember(bg, people[3]); err != nil {
			t.Fatal(err)
		}
		if _, err := h.people.PutMemberships(h.owner, h.group, []community.MembershipIn{{MemberID: people[1], LeftAt: clock.MilliOf(h.DB.Clock.Now())}}); err != nil {
			t.Fatal(err)
		}
		h.tick()
		h.is(list[3].ID, gate.StatusWithdrawn)
		h.is(list[4].ID, gate.StatusAdmitted)
		extra, _ := h.member()
		put, err := h.people.PutMemberships(h.owner, h.group, []community.MembershipIn{{MemberID: extra}})
		if err != nil || put[0].Err != nil || h.in() != 3 {
			t.Errorf("what is reported is never refused: %+v, %v, %d in", put, err, h.in())
		}
	})
}

// rush lets 64 people apply at once for 10 places.
func rush(t *testing.T, db *database.DB) int {
	t.Helper()
	h := newHouse(t, db, gate.In{Capacity: 10})
	people := make([]id.Member, 64)
	for i := range people {
		people[i], _ = h.member()
	}
	var all sync.WaitGroup
	for _, m := range people {
		all.Go(func() {
			if _, err := h.Apply(bg, h.group, m, gate.ApplyIn{Charter: 1}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	return h.in()
}

func TestCapacityUnderRace(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		if in := rush(t, db); in != 10 {
			t.Errorf("%d people in 10 places", in)
		}
		var waiting int
		if err := db.Read(bg).Raw("SELECT COUNT(*) FROM applications WHERE status = 'waiting'").Row().Scan(&waiting); err != nil || waiting != 54 {
			t.Errorf("%d wait, want 54 (%v)", waiting, err)
		}
	})
	t.Run("breaks without locks", func(t *testing.T) {
		if in := rush(t, dbtest.Unlocked(t, "mariadb")); in <= 10 {
			t.Errorf("%d people in 10 places: the test cannot fail", in)
		}
	})
}
