package split_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"siyu/community"
	"siyu/community/request"
	"siyu/community/split"
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
	owner = staff(9, true)
	other = staff(8, true)
)

// house is a brand with one large group.
type house struct {
	*split.Service
	t      *testing.T
	people *community.Service
	wishes *request.Service
	reg    *task.Registry
	group  id.Group
	in     []id.Member
}

func on(t *testing.T, members int, test func(h *house)) {
	t.Helper()
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		set, err := secret.New(secret.Fresh())
		if err != nil {
			t.Fatal(err)
		}
		h := &house{Service: &split.Service{DB: db}, t: t, people: &community.Service{DB: db, Secrets: set}, wishes: &request.Service{DB: db}, reg: task.NewRegistry()}
		h.Register(h.reg)
		h.ok(db.Tx(bg, func(tx *database.Tx) error {
			return tx.Exec("INSERT INTO webhooks (id, unit_id, url, events, secret, status, version, created_at) VALUES (?, 0, 'https://mall.example', '*', '', 'active', 1, ?)", tx.Next(), tx.Now).Error
		}))
		h.group, err = h.people.CreateGroup(owner, community.GroupIn{Name: "西湖茶友群"})
		h.ok(err)
		h.come(members)
		test(h)
	})
}

// come brings people into the group.
func (h *house) come(n int) {
	h.t.Helper()
	var rows []community.MemberIn
	for range n {
		rows = append(rows, community.MemberIn{Name: "会员", Identities: []community.Identity{{Kind: community.IdentityMall, Value: fmt.Sprint("m", len(h.in)+len(rows))}}})
	}
	made, err := h.people.UpsertMembers(owner, rows)
	h.ok(err)
	var in []community.MembershipIn
	for _, m := range made {
		h.in = append(h.in, m.Member)
		in = append(in, community.MembershipIn{MemberID: m.Member})
	}
	_, err = h.people.PutMemberships(owner, h.group, in)
	h.ok(err)
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

func (h *house) found(p id.Split) split.Split {
	h.t.Helper()
	found, err := h.Find(owner, p)
	h.ok(err)
	return found
}

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

// seats are a proposal's, by member.
func (h *house) seats(p id.Split) map[id.Member]split.Seat {
	h.t.Helper()
	out := map[id.Member]split.Seat{}
	list, err := h.Seats(owner, p, 0, database.Page{Limit: database.PageMax})
	h.ok(err)
	for _, s := range list.Items {
		out[s.Member] = s
	}
	return out
}

// befriend gives the group three circles: who talks, who was at one event and
// in one team, and who asked for one thing.
func (h *house) befriend() {
	h.t.Helper()
	now := clock.MilliOf(h.DB.Clock.Now())
	var said []community.ActivityIn
	for i := 0; i < 40; i += 3 {
		for j := i + 3; j < 42; j += 3 {
			said = append(said, community.ActivityIn{EventID: fmt.Sprint("e", i, "-", j), MemberID: h.in[i], Kind: community.ActivityReply, At: now, ToID: h.in[j]})
		}
	}
	_, err := h.people.PutActivity(owner, h.group, community.ActivityBatch{Events: said})
	h.ok(err)
	h.ok(h.DB.Tx(owner, func(tx *database.Tx) error {
		for i := 1; i < 42; i += 3 {
			err := tx.Exec("INSERT INTO gathering_seats (id, gathering_id, group_id, member_id, status, waited_at, checked_at, checked_by, created_at) VALUES (?, 5, ?, ?, 'in', 0, ?, 0, ?)",
				tx.Next(), h.group, h.in[i], now, now).Error
			if err != nil {
				return err
			}
			if err := community.FactTx(tx, community.Fact{Member: h.in[i], Kind: community.FactTeamPaid, Ref: 77, At: now}); err != nil {
				return err
			}
		}
		return database.AuditTx(tx, "test", h.group, nil, nil)
	}))
	asked, err := h.wishes.Ask(bg, h.in[2], request.In{GroupID: h.group, Kind: request.KindBuy, Line: "龙井还有吗"})
	h.ok(err)
	for i := 5; i < 42; i += 3 {
		h.ok(h.wishes.Want(bg, asked, h.in[i]))
	}
}

// TestPropose: circles stay together, each person is told with how many of his
// part he has what to do with, and nothing happens before the owner's word.
func TestPropose(t *testing.T) {
	on(t, 42, func(h *house) {
		h.befriend()
		_, err := h.Propose(other, h.group, split.In{})
		h.refused(err, fault.NotFound)
		_, err = h.Propose(owner, h.group, split.In{})
		h.refused(err, split.ErrSmall)
		_, err = h.Propose(owner, h.group, split.In{Size: 150})
		h.refused(err, fault.Invalid)
		p, err := h.Propose(owner, h.group, split.In{Size: 20})
		h.ok(err)
		_, err = h.Propose(owner, h.group, split.In{Size: 20})
		h.refused(err, split.ErrUnderWay)
		got := h.found(p)
		if len(got.Parts) != 3 || got.People != 42 || got.Kept != 10_000 || got.Chance > 3_500 || got.Status != split.StatusProposed || got.Version != 1 {
			t.Errorf("got %+v", got)
		}
		seats := h.seats(p)
		for i, m := range h.in {
			s := seats[m]
			if s.Part != seats[h.in[i%3]].Part || s.Elsewhere != 0 {
				t.Errorf("person %d of circle %d is in part %d: %+v", i, i%3, s.Part, s)
			}
			want := [][4]int{{13, 0, 0, 0}, {0, 13, 13, 0}, {0, 0, 0, 13}}[i%3]
			if got := [4]int{s.Talked, s.Met, s.Team, s.Asked}; got != want {
				t.Errorf("person %d: got %v, want %v", i, got, want)
			}
		}
		h.after(time.Minute)
		if h.told("notice.due", "") != 0 || h.told("group.split_proposed", p.String()) != 1 {
			t.Error("somebody was asked before it was approved, or nobody was told of the proposal")
		}
		h.refused(h.Accept(bg, p, h.in[0], 1), fault.NotFound)
		h.after(15 * 24 * time.Hour)
		if got := h.found(p); got.Status != split.StatusExpired {
			t.Errorf("after two weeks it is %s", got.Status)
		}
		h.refused(h.Approve(owner, p, 2), split.ErrOver)
		p, err = h.Propose(owner, h.group, split.In{Size: 20})
		h.ok(err)
		h.refused(h.Reject(owner, p, 1, split.EndIn{}), fault.Invalid)
		h.ok(h.Reject(owner, p, 1, split.EndIn{Reason: "先不分"}))
		if got := h.found(p); got.Status != split.StatusRejected || got.DecidedBy != 9 || h.told("group.split_ended", p.String()) != 1 {
			t.Errorf("got %+v", got)
		}
	})
}

// TestApprove: there are sub-groups only then; each is asked once, who joins
// does so himself and stays in the large group, and it ends by itself.
func TestApprove(t *testing.T) {
	on(t, 42, func(h *house) {
		h.befriend()
		p, err := h.Propose(owner, h.group, split.In{Size: 20})
		h.ok(err)
		h.refused(h.Approve(other, p, 1), fault.NotFound)
		h.refused(h.Approve(owner, p, 2), fault.Stale)
		h.ok(h.Approve(owner, p, 1))
		h.refused(h.Approve(owner, p, 2), split.ErrOver)
		seats, parts := h.seats(p), h.found(p).Parts
		sub, err := h.people.FindGroup(owner, parts[0].GroupID)
		if h.ok(err); sub.ParentID != h.group || sub.OwnerID != 9 || sub.Name != "西湖茶友群 · 小组1" {
			t.Errorf("sub-group: %+v", sub)
		}
		for range 2 {
			h.after(time.Minute)
		}
		if n := h.told("notice.due", "group_split"); n != 42 {
			t.Errorf("%d were told, want 42, once each", n)
		}
		li := h.in[0]
		i, invited, err := h.Invitation(bg, li, h.group)
		if h.ok(err); !invited || i.Into != parts[seats[li].Part-1].GroupID || i.Seat.Talked != 13 {
			t.Errorf("invitation: %+v", i)
		}
		h.refused(h.Accept(bg, p, li, 2), fault.Invalid)
		for range 2 {
			h.ok(h.Accept(bg, p, li, 1))
		}
		in, err := community.GroupsOf(h.DB.Read(bg), []id.Member{li})
		if h.ok(err); !slices.Contains(in[li], h.group) || !slices.Contains(in[li], i.Into) || len(in[li]) != 2 {
			t.Errorf("he is in %v", in[li])
		}
		if _, invited, err = h.Invitation(bg, li, h.group); err != nil || invited {
			t.Errorf("still invited: %v", err)
		}
		for _, m := range h.in[1:41] {
			h.ok(h.Decline(bg, p, m))
		}
		stranger := h.in[41]
		_, err = h.people.PutMemberships(owner, h.group, []community.MembershipIn{{MemberID: stranger, JoinedAt: 1, LeftAt: clock.MilliOf(h.DB.Clock.Now())}})
		h.ok(err)
		h.refused(h.Accept(bg, p, stranger, 1), fault.NotFound)
		h.after(time.Minute)
		got := h.found(p)
		joined, declined := 0, 0
		for _, x := range got.Parts {
			joined, declined = joined+x.Joined, declined+x.Declined
		}
		if got.Status != split.StatusDone || joined != 1 || declined != 40 || h.told("group.split_ended", p.String()) != 1 {
			t.Errorf("%d joined, %d declined: %+v", joined, declined, got)
		}
	})
}

// TestProposeByItself: the house proposes for a group of more than 150, once
// in 90 days; a group of 150 is left alone.
func TestProposeByItself(t *testing.T) {
	on(t, 150, func(h *house) {
		count := func(want int) {
			t.Helper()
			list, err := h.List(owner, h.group, database.Page{})
			if h.ok(err); len(list.Items) != want {
				t.Errorf("%d proposals, want %d", len(list.Items), want)
			}
		}
		h.after(12 * time.Hour)
		count(0)
		h.come(1)
		h.after(12 * time.Hour)
		h.after(12 * time.Hour)
		count(1)
		h.after(15 * 24 * time.Hour)
		count(1)
		h.after(80 * 24 * time.Hour)
		count(2)
	})
}

// TestOneProposal: of many at once one stands.
func TestOneProposal(t *testing.T) {
	on(t, 21, func(h *house) {
		made, done := 0, make(chan error)
		for range 8 {
			go func() {
				_, err := h.Propose(owner, h.group, split.In{Size: 20})
				done <- err
			}()
		}
		for range 8 {
			switch err := <-done; {
			case err == nil:
				made++
			case !errors.Is(err, split.ErrUnderWay):
				t.Error(err)
			}
		}
		if made != 1 {
			t.Errorf("%d were made", made)
		}
	})
}
