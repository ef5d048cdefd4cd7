package gate_test

import (
	"testing"
	"time"

	"siyu/community"
	"siyu/community/gate"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/secret"
	"siyu/internal/webhook"
)

const days = 24 * time.Hour

// left puts somebody into the group and has him leave it again.
func (h *house) left(m id.Member, joined, left clock.Milli) {
	h.t.Helper()
	if _, err := h.people.PutMemberships(h.owner, h.group, []community.MembershipIn{{MemberID: m, JoinedAt: joined, LeftAt: left}}); err != nil {
		h.t.Fatal(err)
	}
}

// TestViolationsRunOut: the third violation counts up to the last moment of its
// 180 days.
func TestViolationsRunOut(t *testing.T) {
	on(t, gate.In{}, func(h *house) {
		now := clock.MilliOf(h.DB.Clock.Now())
		for _, tt := range []struct {
			ago  time.Duration
			want gate.Status
		}{{180 * days, gate.StatusReview}, {180*days + time.Millisecond, gate.StatusAdmitted}} {
			m, _ := h.member()
			h.left(m, now.Add(-200*days), now)
			for _, at := range []clock.Milli{now, now.Add(-time.Hour), now.Add(-tt.ago)} {
				if _, err := h.Note(h.owner, h.group, gate.ViolationIn{MemberID: m, Rule: gate.RuleAd, At: at}); err != nil {
					h.t.Fatal(err)
				}
			}
			if a := h.apply(m, gate.ApplyIn{}); a.Status != tt.want {
				h.t.Errorf("the third %s ago: got %s, want %s", tt.ago, a.Status, tt.want)
			}
		}
	})
}

// TestVouchEdges: who has been in for exactly as long as asked vouches, who left
// does not; a voucher and the month's number run out after 30 days to the moment.
func TestVouchEdges(t *testing.T) {
	on(t, gate.In{VouchDays: 30, VouchMonth: 1}, func(h *house) {
		old, _ := h.member()
		gone, _ := h.member()
		now := clock.MilliOf(h.DB.Clock.Now())
		_, err := h.people.PutMemberships(h.owner, h.group, []community.MembershipIn{{MemberID: old, JoinedAt: now.Add(-30*days + time.Millisecond)}})
		if err != nil {
			h.t.Fatal(err)
		}
		h.left(gone, now.Add(-60*days), now)
		_, err = h.Vouch(bg, h.group, gone)
		h.refused(err, gate.ErrNotIn)
		_, err = h.Vouch(bg, h.group, old)
		h.refused(err, gate.ErrTooNew)
		h.DB.Clock.Jump(time.Millisecond)
		v, err := h.Vouch(bg, h.group, old)
		if err != nil {
			h.t.Fatalf("in for exactly 30 days: %v", err)
		}
		h.DB.Clock.Jump(30*days - time.Millisecond)
		_, err = h.Vouch(bg, h.group, old)
		h.refused(err, gate.ErrVouches)
		h.DB.Clock.Jump(time.Millisecond)
		m, _ := h.member()
		_, err = h.Apply(bg, h.group, m, gate.ApplyIn{Charter: 1, Vouch: v})
		h.refused(err, gate.ErrRefused)
		if v, err = h.Vouch(bg, h.group, old); err != nil {
			h.t.Fatalf("30 days later: %v", err)
		}
		h.DB.Clock.Jump(30*days - time.Millisecond)
		if a := h.apply(m, gate.ApplyIn{Vouch: v}); a.Status != gate.StatusAdmitted {
			h.t.Errorf("by a voucher in its last moment: got %+v", a)
		}
	})
}

// TestFeeGoesBack: of an application that ends without a place the fee is asked
// back if it was paid, and nothing if it was not.
func TestFeeGoesBack(t *testing.T) {
	on(t, gate.In{Fee: 990, Review: true}, func(h *house) {
		set, err := secret.New(secret.Fresh())
		if err != nil {
			h.t.Fatal(err)
		}
		if _, err := (&webhook.Service{DB: h.DB, Secrets: set}).Create(h.owner, webhook.In{URL: "https://mall.example/hook", Events: []string{"*"}}); err != nil {
			h.t.Fatal(err)
		}
		asked := func(want int) {
			h.t.Helper()
			var n int
			if err := h.DB.Read(bg).Raw("SELECT COUNT(*) FROM events WHERE type = 'application.fee_return'").Row().Scan(&n); err != nil || n != want {
				h.t.Errorf("the fee was asked back %d times, %v; want %d", n, err, want)
			}
		}
		m, his := h.member()
		a := h.apply(m, gate.ApplyIn{})
		if err := h.Withdraw(his, a.ID); err != nil {
			h.t.Fatal(err)
		}
		asked(0)
		a = h.apply(m, gate.ApplyIn{})
		if err := h.PayFee(database.WithActor(bg, database.Actor{}), a.ID, gate.FeeIn{PaymentNo: "p1", Amount: 990}); err != nil {
			h.t.Fatal(err)
		}
		h.is(a.ID, gate.StatusReview)
		if err := h.DecideApplication(h.owner, a.ID, gate.DecideIn{Reason: "人满了"}); err != nil {
			h.t.Fatal(err)
		}
		asked(1)
	})
}

// TestLineIsKept: a place that came free is the head of the line's, not his who
// applies before the line was looked at.
func TestLineIsKept(t *testing.T) {
	on(t, gate.In{Capacity: 1}, func(h *house) {
		t := h.t
		first, _ := h.member()
		h.apply(first, gate.ApplyIn{})
		head, _ := h.member()
		waits := h.apply(head, gate.ApplyIn{})
		leaves := func(m id.Member) {
			t.Helper()
			h.DB.Clock.Jump(time.Second)
			if _, err := h.people.PutMemberships(h.owner, h.group, []community.MembershipIn{{MemberID: m, LeftAt: clock.MilliOf(h.DB.Clock.Now())}}); err != nil {
				t.Fatal(err)
			}
		}
		leaves(first)
		late, _ := h.member()
		behind := h.apply(late, gate.ApplyIn{})
		if behind.Status != gate.StatusWaiting || behind.Ahead != 1 {
			t.Fatalf("who came after the place was free: got %+v, want him behind the line's head", behind)
		}
		h.tick()
		h.is(waits.ID, gate.StatusAdmitted)
		h.is(behind.ID, gate.StatusWaiting)
		leaves(head)
		h.tick()
		h.is(behind.ID, gate.StatusAdmitted)
		if h.in() != 1 {
			t.Errorf("%d in one place", h.in())
		}
		more, _ := h.member()
		stands := h.apply(more, gate.ApplyIn{})
		h.is(stands.ID, gate.StatusWaiting)
		if _, err := h.Set(h.owner, h.group, 1, gate.In{}); err != nil { // any number
			t.Fatal(err)
		}
		open, _ := h.member()
		if a := h.apply(open, gate.ApplyIn{}); a.Status != gate.StatusAdmitted {
			t.Errorf("a group that takes everybody, though one waits: got %+v", a)
		}
		h.tick()
		h.is(stands.ID, gate.StatusAdmitted)
	})
}

// TestClosedGroupsApplications: what is open to a group that closes is over
// within a minute, and what was paid goes back; who is let in, or pays, in that
// minute is not in either.
func TestClosedGroupsApplications(t *testing.T) {
	on(t, gate.In{Fee: 990, Review: true, Capacity: 1}, func(h *house) {
		t := h.t
		set, err := secret.New(secret.Fresh())
		if err == nil {
			_, err = (&webhook.Service{DB: h.DB, Secrets: set}).Create(h.owner, webhook.In{URL: "https://mall.example/hook", Events: []string{"*"}})
		}
		if err != nil {
			t.Fatal(err)
		}
		pay := func(a gate.Application) {
			t.Helper()
			if err := h.PayFee(database.WithActor(bg, database.Actor{}), a.ID, gate.FeeIn{PaymentNo: a.ID.String(), Amount: 990}); err != nil {
				t.Fatal(err)
			}
		}
		admit := func(a gate.Application) {
			t.Helper()
			if err := h.DecideApplication(h.owner, a.ID, gate.DecideIn{Admit: true}); err != nil {
				t.Fatal(err)
			}
		}
		list := make([]gate.Application, 6)
		people := make([]id.Member, len(list))
		for i := range list {
			people[i], _ = h.member()
			list[i] = h.apply(people[i], gate.ApplyIn{})
		}
		in, waits, looked, due, late, erased := list[0], list[1], list[2], list[3], list[4], list[5]
		for _, a := range []gate.Application{in, waits, looked, erased} {
			pay(a)
		}
		admit(in)
		admit(waits)
		h.is(waits.ID, gate.StatusWaiting)
		status, reason := community.GroupDissolved, "没人了"
		g, err := h.people.FindGroup(bg, h.group)
		if err == nil {
			_, err = h.people.UpdateGroup(bg, h.group, g.Version, community.GroupChange{Status: &status, Reason: &reason})
		}
		if err == nil {
			err = h.people.EraseMember(bg, people[5])
		}
		if err != nil {
			t.Fatal(err)
		}
		admit(looked)
		h.is(looked.ID, gate.StatusRefused)
		pay(late)
		h.is(late.ID, gate.StatusRefused)
		for range 2 {
			h.tick()
		}
		h.is(in.ID, gate.StatusAdmitted)
		h.is(waits.ID, gate.StatusRefused)
		h.is(due.ID, gate.StatusRefused)
		h.is(erased.ID, gate.StatusWithdrawn)
		var back int
		if err := h.DB.Read(bg).Raw("SELECT COUNT(*) FROM events WHERE type = 'application.fee_return'").Row().Scan(&back); err != nil || back != 4 {
			t.Errorf("%d fees went back, %v; want those of the four who paid and are not in", back, err)
		}
	})
}

// TestLineInOrder: a line is in the order in which people came to it, not in that
// of their applications: who was looked at first stands before who applied first.
func TestLineInOrder(t *testing.T) {
	on(t, gate.In{Capacity: 1, Review: true}, func(h *house) {
		var list []gate.Application
		var people []id.Member
		for range 3 {
			m, _ := h.member()
			people, list = append(people, m), append(list, h.apply(m, gate.ApplyIn{}))
		}
		for _, i := range []int{0, 2, 1} {
			h.DB.Clock.Jump(time.Second)
			if err := h.DecideApplication(h.owner, list[i].ID, gate.DecideIn{Admit: true}); err != nil {
				h.t.Fatal(err)
			}
		}
		if first, second := h.found(list[2].ID).Ahead, h.found(list[1].ID).Ahead; first != 0 || second != 1 {
			h.t.Errorf("%d and %d wait before them, want 0 and 1", first, second)
		}
		h.left(people[0], clock.MilliOf(h.DB.Clock.Now()), clock.MilliOf(h.DB.Clock.Now()))
		h.tick()
		h.is(list[2].ID, gate.StatusAdmitted)
		h.is(list[1].ID, gate.StatusWaiting)
	})
}

// TestOldCharter: who was shown a charter that has been replaced meanwhile reads
// the one in force first.
func TestOldCharter(t *testing.T) {
	on(t, gate.In{}, func(h *house) {
		m, _ := h.member()
		h.DB.Clock.Jump(time.Minute)
		next, err := h.people.PublishCharter(h.owner, h.group, community.CharterIn{Purpose: "少一点", QuietFrom: 1320, QuietTo: 510})
		if err != nil {
			h.t.Fatal(err)
		}
		_, err = h.Apply(bg, h.group, m, gate.ApplyIn{Charter: next.Version - 1})
		h.refused(err, gate.ErrCharter)
		if _, err = h.Apply(bg, h.group, m, gate.ApplyIn{Charter: next.Version}); err != nil {
			h.t.Errorf("the one in force: %v", err)
		}
	})
}
