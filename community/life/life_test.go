package life_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"siyu/community"
	"siyu/community/life"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
	"siyu/internal/task"
)

var bg = context.Background()

// staff is a group owner, or with a role that does not own alone a marketer.
func staff(n id.Staff, own bool) context.Context {
	return database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: n, Role: "group_owner", Unit: 7, Units: []id.Unit{7}, Own: own})
}

var (
	owner    = staff(9, true)
	other    = staff(8, true)
	marketer = staff(5, false)
)

// house is a brand with groups and people.
type house struct {
	*life.Service
	t      *testing.T
	people *community.Service
	reg    *task.Registry
	seq    int
}

func on(t *testing.T, test func(h *house)) {
	t.Helper()
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		set, err := secret.New(secret.Fresh())
		if err != nil {
			t.Fatal(err)
		}
		h := &house{Service: &life.Service{DB: db}, t: t, people: &community.Service{DB: db, Secrets: set}, reg: task.NewRegistry()}
		h.Register(h.reg)
		err = db.Tx(bg, func(tx *database.Tx) error {
			return tx.Exec("INSERT INTO webhooks (id, unit_id, url, events, secret, status, version, created_at) VALUES (?, 0, 'https://mall.example', '*', '', 'active', 1, ?)", tx.Next(), tx.Now).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		test(h)
		proofs, err := community.Verify(bg, db)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range proofs {
			if len(p.Broken) > 0 {
				t.Errorf("%s: %v", p.ID, p.Broken)
			}
		}
	})
}

func (h *house) group(ctx context.Context, name string) id.Group {
	h.t.Helper()
	g, err := h.people.CreateGroup(ctx, community.GroupIn{Name: name})
	h.ok(err)
	return g
}

func (h *house) member(groups ...id.Group) id.Member {
	h.t.Helper()
	h.seq++
	out, err := h.people.UpsertMembers(marketer, []community.MemberIn{{Name: "会员", Identities: []community.Identity{{Kind: community.IdentityMall, Value: fmt.Sprint("m", h.seq)}}}})
	h.ok(err)
	for _, g := range groups {
		_, err := h.people.PutMemberships(marketer, g, []community.MembershipIn{{MemberID: out[0].Member}})
		h.ok(err)
	}
	return out[0].Member
}

func (h *house) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) refused(err error, want *fault.Fault) {
	h.t.Helper()
	if !errors.Is(err, want) {
		h.t.Errorf("got %v, want %s", err, want.Code)
	}
}

func (h *house) after(d time.Duration) {
	h.t.Helper()
	h.DB.Clock.Jump(d)
	h.ok(task.Tick(bg, h.DB, h.reg))
}

func (h *house) in(d time.Duration) clock.Milli { return clock.MilliOf(h.DB.Clock.Now().Add(d)) }

func (h *house) status(g id.Group, want community.GroupStatus) community.Group {
	h.t.Helper()
	found, err := h.people.FindGroup(marketer, g)
	h.ok(err)
	if found.Status != want {
		h.t.Errorf("group is %s, want %s", found.Status, want)
	}
	return found
}

// told counts the events of a type that hold a text.
func (h *house) told(kind, text string) (n int) {
	h.t.Helper()
	var list []string
	h.ok(h.DB.Read(bg).Raw("SELECT payload FROM events WHERE type = ?", kind).Scan(&list).Error)
	for _, p := range list {
		if strings.Contains(p, text) {
			n++
		}
	}
	return n
}

func TestPlannedEnd(t *testing.T) {
	on(t, func(h *house) {
		g := h.group(owner, "快闪群")
		_, err := h.PlanEnd(owner, g, 1, life.EndIn{EndsAt: h.in(48 * time.Hour)})
		h.refused(err, fault.Invalid) // members are told why
		_, err = h.PlanEnd(owner, g, 1, life.EndIn{EndsAt: h.in(time.Hour), Reason: "活动结束"})
		h.refused(err, fault.Invalid)
		_, err = h.PlanEnd(other, g, 1, life.EndIn{EndsAt: h.in(48 * time.Hour), Reason: "活动结束"})
		h.refused(err, fault.NotFound)
		after, err := h.PlanEnd(owner, g, 1, life.EndIn{EndsAt: h.in(48 * time.Hour), Reason: "活动结束"})
		h.ok(err)
		_, err = h.PlanEnd(owner, g, 1, life.EndIn{})
		h.refused(err, fault.Stale)
		after, err = h.PlanEnd(owner, g, after.Version, life.EndIn{})
		h.ok(err)
		h.after(49 * time.Hour)
		h.status(g, community.GroupActive) // taken back
		_, err = h.PlanEnd(owner, g, after.Version, life.EndIn{EndsAt: h.in(48 * time.Hour), Reason: "活动结束"})
		h.ok(err)
		h.after(47 * time.Hour)
		h.status(g, community.GroupActive)
		h.after(2 * time.Hour)
		if got := h.status(g, community.GroupDissolved); got.EndReason != "活动结束" || h.told("group.closed", "活动结束") != 1 || h.told("group.end_planned", g.String()) != 3 {
			t.Errorf("got %+v", got)
		}
		next := h.group(owner, "又一个")
		h.refused(h.Close(owner, next, life.CloseIn{}), fault.Invalid)
		h.refused(h.Close(other, next, life.CloseIn{Reason: "没人了"}), fault.NotFound)
		for range 2 {
			h.ok(h.Close(owner, next, life.CloseIn{Reason: "没人了"}))
		}
		if h.status(next, community.GroupDissolved); h.told("group.closed", "没人了") != 1 {
			t.Error("closing twice was told twice")
		}
	})
}

// TestHandover: both confirm, each for himself; the new owner sees the group
// and the old one no longer does.
func TestHandover(t *testing.T) {
	on(t, func(h *house) {
		g := h.group(owner, "老友群")
		_, err := h.StartHandover(owner, g, life.HandoverIn{ToID: 9})
		h.refused(err, life.ErrOwner)
		_, err = h.StartHandover(other, g, life.HandoverIn{ToID: 8})
		h.refused(err, fault.NotFound)
		x, err := h.StartHandover(marketer, g, life.HandoverIn{ToID: 8, Reason: "换班"})
		h.ok(err)
		_, err = h.StartHandover(owner, g, life.HandoverIn{ToID: 7})
		h.refused(err, life.ErrUnderWay)
		h.refused(h.ConfirmHandover(marketer, x), life.ErrNotYours) // the owner is there
		h.refused(h.ConfirmHandover(staff(6, true), x), fault.NotFound)
		_, err = h.FindHandover(other, x) // whom it is for sees it before the group is his
		h.ok(err)
		h.ok(h.ConfirmHandover(other, x))
		h.refused(h.ConfirmHandover(other, x), life.ErrNotYours) // not for both
		if got := h.status(g, community.GroupActive); got.OwnerID != 9 {
			t.Errorf("owner is %s before he gave it", got.OwnerID)
		}
		h.ok(h.ConfirmHandover(owner, x))
		if got := h.status(g, community.GroupActive); got.OwnerID != 8 {
			t.Errorf("owner is %s", got.OwnerID)
		}
		_, err = h.people.FindGroup(owner, g)
		h.refused(err, fault.NotFound)
		list, err := h.ListHandovers(other, g, database.Page{})
		if h.ok(err); len(list.Items) != 1 || list.Items[0].Status != life.StatusDone || list.Items[0].GivenBy != 9 {
			t.Errorf("past: got %+v", list.Items)
		}
		h.refused(h.CancelHandover(other, x), life.ErrOver)
		// An owner who left: a colleague above gives, not the one who takes.
		waits := community.GroupHandover
		_, err = h.people.UpdateGroup(marketer, g, h.status(g, community.GroupActive).Version, community.GroupChange{Status: &waits})
		h.ok(err)
		x, err = h.StartHandover(marketer, g, life.HandoverIn{ToID: 9})
		h.ok(err)
		h.ok(h.CancelHandover(owner, x))
		x, err = h.StartHandover(marketer, g, life.HandoverIn{ToID: 9})
		h.ok(err)
		h.ok(h.ConfirmHandover(owner, x))
		if got := h.status(g, community.GroupActive); got.OwnerID != 9 || h.told("group.handed_over", g.String()) != 2 {
			t.Errorf("got %+v", got)
		}
	})
}

// TestMerger: members are asked, none is moved; the group closes when nobody
// is left to ask.
func TestMerger(t *testing.T) {
	on(t, func(h *house) {
		a, b := h.group(owner, "小群"), h.group(owner, "大群")
		comes, stays, both, host := h.member(a), h.member(a), h.member(a, b), h.member()
		_, err := h.people.PutMemberships(marketer, a, []community.MembershipIn{{MemberID: host, Role: community.RoleAdmin}})
		h.ok(err)
		in := life.MergerIn{IntoID: b, Reason: "人太少，合到一起", ByAt: h.in(7 * 24 * time.Hour)}
		_, err = h.StartMerger(other, a, in)
		h.refused(err, fault.NotFound)
		_, err = h.StartMerger(owner, b, in)
		h.refused(err, life.ErrSelf)
		_, err = h.StartMerger(owner, a, life.MergerIn{IntoID: b, Reason: "x", ByAt: h.in(time.Hour)})
		h.refused(err, fault.Invalid)
		m, err := h.StartMerger(owner, a, in)
		h.ok(err)
		_, err = h.StartMerger(owner, a, in)
		h.refused(err, life.ErrUnderWay)
		_, err = h.StartMerger(owner, b, life.MergerIn{IntoID: a, Reason: "x", ByAt: in.ByAt})
		h.refused(err, life.ErrSelf) // no circle
		is := func(want life.Progress) {
			t.Helper()
			got, err := h.FindMerger(owner, m)
			if h.ok(err); got.Progress != want {
				t.Errorf("progress: got %+v, want %+v", got.Progress, want)
			}
		}
		is(life.Progress{Open: 2})
		h.after(time.Minute)
		h.after(time.Minute)
		is(life.Progress{Invited: 2, Open: 2})
		if n := h.told("notice.due", "大群"); n != 2 {
			t.Errorf("%d were told, want 2", n)
		}
		members := func() int {
			t.Helper()
			list, err := h.people.ListMemberships(owner, b, community.MembershipFilter{}, database.Page{})
			h.ok(err)
			return len(list.Items)
		}
		if members() != 1 {
			t.Error("somebody was moved")
		}
		if _, invited, err := h.Invitation(bg, comes, b); err != nil || !invited {
			t.Errorf("invitation: %v, %v", invited, err)
		}
		if _, invited, _ := h.Invitation(bg, both, b); invited {
			t.Error("who is in both was invited")
		}
		h.refused(h.Accept(bg, m, h.member(), 1), fault.NotFound) // a stranger
		h.refused(h.Accept(bg, m, comes, 2), fault.Invalid)       // a charter he was not shown
		h.ok(h.Accept(bg, m, comes, 1))
		is(life.Progress{Invited: 2, Joined: 1, Open: 1})
		late := h.member(a) // comes in meanwhile, is asked too
		h.after(time.Minute)
		is(life.Progress{Invited: 3, Joined: 1, Open: 2})
		for range 2 {
			h.ok(h.Decline(bg, m, stays))
		}
		h.ok(h.people.Join(bg, community.Join{Group: b, Member: late})) // by another way
		is(life.Progress{Invited: 3, Joined: 2, Declined: 1})
		h.status(a, community.GroupActive)
		h.after(time.Minute)
		if got := h.status(a, community.GroupDissolved); got.EndReason != in.Reason || h.told("group.merged", `"joined":2`) != 1 {
			t.Errorf("got %+v", got)
		}
		if members() != 3 {
			t.Errorf("%d in the other group, want 3", members())
		}
		copied, err := h.InvitedOf(bg, []id.Member{stays})
		if h.ok(err); len(copied) != 1 || copied[0].MergerID != m || copied[0].DeclinedAt == 0 {
			t.Errorf("his copy: got %+v", copied)
		}
		h.refused(h.Decline(bg, m, stays), life.ErrOver)
		h.refused(h.CancelMerger(owner, m), community.ErrGroupClosed)
	})
}

func TestMergerEnds(t *testing.T) {
	on(t, func(h *house) {
		start := func(a, b id.Group) id.Merger {
			m, err := h.StartMerger(owner, a, life.MergerIn{IntoID: b, Reason: "合并", ByAt: h.in(48 * time.Hour)})
			h.ok(err)
			return m
		}
		is := func(m id.Merger, want life.Status) {
			t.Helper()
			got, err := h.FindMerger(owner, m)
			if h.ok(err); got.Status != want {
				t.Errorf("got %s, want %s", got.Status, want)
			}
		}
		a, b := h.group(owner, "甲"), h.group(owner, "乙")
		one := h.member(a)
		m := start(a, b)
		h.refused(h.CancelMerger(other, m), fault.NotFound)
		h.ok(h.CancelMerger(owner, m))
		h.refused(h.Accept(bg, m, one, 1), life.ErrOver)
		m = start(a, b) // once more, and nobody answers
		h.after(49 * time.Hour)
		is(m, life.StatusDone)
		h.status(a, community.GroupDissolved)
		// Nobody told yet who is in it: that is not nobody.
		unknown := h.group(owner, "丁")
		m = start(unknown, b)
		h.after(time.Minute)
		h.after(time.Minute)
		is(m, life.StatusOpen)
		h.status(unknown, community.GroupActive)
		h.after(48 * time.Hour)
		is(m, life.StatusDone)
		h.status(unknown, community.GroupDissolved)
		c := h.group(owner, "丙")
		h.member(c)
		m = start(c, b)
		h.ok(h.Close(owner, b, life.CloseIn{Reason: "散了"}))
		h.after(time.Minute)
		is(m, life.StatusCancelled)
		h.status(c, community.GroupActive)
	})
}
