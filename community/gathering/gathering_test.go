package gathering_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"siyu/community"
	"siyu/community/gathering"
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

// house is a group with an event tomorrow.
type house struct {
	*gathering.Service
	t      *testing.T
	people *community.Service
	group  id.Group
	event  id.Gathering
	seq    int
}

func newHouse(t *testing.T, db *database.DB, places int) *house {
	t.Helper()
	set, err := secret.New(secret.Fresh())
	h := &house{Service: &gathering.Service{DB: db, Secrets: set}, t: t, people: &community.Service{DB: db, Secrets: set}}
	h.ok(err)
	h.ok(db.Tx(bg, func(tx *database.Tx) error {
		return tx.Exec("INSERT INTO webhooks (id, unit_id, url, events, secret, status, version, created_at) VALUES (?, 0, 'https://mall.example', '*', '', 'active', 1, ?)", tx.Next(), tx.Now).Error
	}))
	h.group, err = h.people.CreateGroup(owner, community.GroupIn{Name: "茶友群"})
	h.ok(err)
	h.event, err = h.Create(owner, h.group, h.in(places))
	h.ok(err)
	return h
}

func (h *house) in(places int) gathering.In {
	start := h.DB.Clock.Now().Add(24 * time.Hour)
	return gathering.In{Title: "龙井开采", Place: "梅家坞 12 号", StartsAt: clock.MilliOf(start), EndsAt: clock.MilliOf(start.Add(2 * time.Hour)), Capacity: places}
}

func on(t *testing.T, places int, test func(h *house)) {
	t.Helper()
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db, places)
		test(h)
		h.holds()
	})
}

func (h *house) holds() {
	h.t.Helper()
	proofs, err := gathering.Verify(bg, h.DB)
	h.ok(err)
	for _, p := range proofs {
		if len(p.Broken) > 0 || p.Checked == 0 {
			h.t.Errorf("%s: %d checked, %v", p.ID, p.Checked, p.Broken)
		}
	}
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

// member is somebody new in the group.
func (h *house) member() id.Member {
	h.t.Helper()
	h.seq++
	out, err := h.people.UpsertMembers(owner, []community.MemberIn{{Name: "会员", Identities: []community.Identity{{Kind: community.IdentityMall, Value: fmt.Sprint("m", h.seq)}}}})
	h.ok(err)
	_, err = h.people.PutMemberships(owner, h.group, []community.MembershipIn{{MemberID: out[0].Member}})
	h.ok(err)
	return out[0].Member
}

func (h *house) is(m id.Member, want gathering.SeatStatus) gathering.Seat {
	h.t.Helper()
	seat, err := h.Mine(bg, h.event, m)
	h.ok(err)
	if seat.Status != want {
		h.t.Errorf("seat is %s, want %s", seat.Status, want)
	}
	return seat
}

func (h *house) sign(m id.Member, want gathering.SeatStatus) {
	h.t.Helper()
	_, err := h.SignUp(bg, h.event, m)
	h.ok(err)
	h.is(m, want)
}

// TestLine: who comes too late waits and is seated in order when somebody
// leaves; who left the group meanwhile is passed over.
func TestLine(t *testing.T) {
	on(t, 2, func(h *house) {
		a, b, gone, next, last := h.member(), h.member(), h.member(), h.member(), h.member()
		for range 2 {
			h.sign(a, gathering.SeatIn)
		}
		h.sign(b, gathering.SeatIn)
		for _, m := range []id.Member{gone, next, last} {
			h.DB.Clock.Jump(time.Second)
			h.sign(m, gathering.SeatWaiting)
		}
		h.DB.Clock.Jump(time.Second)
		_, err := h.people.PutMemberships(owner, h.group, []community.MembershipIn{{MemberID: gone, LeftAt: clock.MilliOf(h.DB.Clock.Now())}})
		h.ok(err)
		for range 2 {
			h.ok(h.Leave(bg, h.event, a))
		}
		h.is(gone, gathering.SeatLeft)
		h.is(next, gathering.SeatIn)
		h.is(last, gathering.SeatWaiting)
		h.sign(a, gathering.SeatWaiting) // behind last
		h.ok(h.Leave(bg, h.event, b))
		h.is(last, gathering.SeatIn)
		_, err = h.SignUp(bg, h.event, gone)
		h.refused(err, gathering.ErrNotIn)
		list, err := h.ListSeats(owner, h.event)
		if h.ok(err); len(list) != 3 || list[2].MemberID != a {
			t.Errorf("list: got %+v", list)
		}
		_, err = h.ListSeats(other, h.event)
		h.refused(err, fault.NotFound)
		h.refused(h.Cancel(other, h.event, gathering.CancelIn{Reason: "雨"}), fault.NotFound)
		h.ok(h.Cancel(owner, h.event, gathering.CancelIn{Reason: "雨"}))
		h.refused(h.Cancel(owner, h.event, gathering.CancelIn{Reason: "雨"}), gathering.ErrCancelled)
		_, err = h.SignUp(bg, h.event, b)
		h.refused(err, gathering.ErrCancelled)
		for _, bad := range []gathering.In{{}, {Title: "a", Place: "b", StartsAt: 2, EndsAt: 1, Capacity: 1}, h.in(0), h.in(1001)} {
			_, err = h.Create(owner, h.group, bad)
			h.refused(err, fault.Invalid)
		}
	})
}

// TestCheckIn: by the door's code or by one's own, once, in the hours, with a
// place; a code of another event, another use or of before is none.
func TestCheckIn(t *testing.T) {
	on(t, 2, func(h *house) {
		a, b, c := h.member(), h.member(), h.member()
		h.sign(a, gathering.SeatIn)
		h.sign(b, gathering.SeatIn)
		h.sign(c, gathering.SeatWaiting)
		door := func() string { d, err := h.DoorCode(owner, h.event); h.ok(err); return d }
		h.refused(h.CheckIn(bg, h.event, a, door()), gathering.ErrHours)
		old := door()
		h.DB.Clock.Jump(23*time.Hour + time.Minute)
		h.refused(h.CheckIn(bg, h.event, a, old), gathering.ErrCode)
		second, err := h.Create(owner, h.group, h.in(5))
		h.ok(err)
		foreign, err := h.DoorCode(owner, second)
		h.ok(err)
		for _, bad := range []string{"", "x.y", foreign, door() + "A"} {
			h.refused(h.CheckIn(bg, h.event, a, bad), gathering.ErrCode)
		}
		h.ok(h.CheckIn(bg, h.event, a, door()))
		first := h.is(a, gathering.SeatIn).CheckedAt
		h.DB.Clock.Jump(time.Minute)
		h.ok(h.CheckIn(bg, h.event, a, door()))
		if got := h.is(a, gathering.SeatIn).CheckedAt; got != first || first == 0 {
			t.Errorf("checked in at %d, then %d", first, got)
		}
		h.refused(h.Leave(bg, h.event, a), gathering.ErrThere)
		h.is(a, gathering.SeatIn)
		h.refused(h.CheckIn(bg, h.event, c, door()), gathering.ErrSeat)
		_, err = h.SeatCode(bg, h.event, c)
		h.refused(err, gathering.ErrSeat)
		seat, err := h.SeatCode(bg, h.event, b)
		h.ok(err)
		h.refused(h.CheckIn(bg, h.event, b, seat), gathering.ErrCode) // his own code is not the door's
		_, err = h.Scan(other, h.event, gathering.ScanIn{Seat: seat})
		h.refused(err, fault.NotFound)
		got, err := h.Scan(owner, h.event, gathering.ScanIn{Seat: seat})
		if h.ok(err); got.MemberID != b || got.CheckedBy != 9 {
			t.Errorf("scanned: got %+v", got)
		}
		h.DB.Clock.Jump(time.Hour)
		h.refused(h.Leave(bg, h.event, a), gathering.ErrBegun)
		was, err := gathering.AttendedIn(h.DB.Read(bg), h.group, 0)
		if h.ok(err); len(was) != 2 || was[a] != 1 {
			t.Errorf("attended: got %v", was)
		}
	})
}

// rush lets 64 people sign up at once for 10 places, and says how many have one.
func rush(t *testing.T, db *database.DB) int {
	t.Helper()
	h := newHouse(t, db, 10)
	people := make([]id.Member, 64)
	for i := range people {
		people[i] = h.member()
	}
	var wg sync.WaitGroup
	for _, m := range people {
		wg.Go(func() {
			if _, err := h.SignUp(bg, h.event, m); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var in int
	h.ok(db.Read(bg).Raw("SELECT COUNT(*) FROM gathering_seats WHERE status = 'in'").Row().Scan(&in))
	return in
}

func TestSixtyFourAtOnce(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		if in := rush(t, db); in != 10 {
			t.Errorf("%d people on 10 places", in)
		}
		(&house{Service: &gathering.Service{DB: db}, t: t}).holds()
	})
	t.Run("breaks without locks", func(t *testing.T) {
		if in := rush(t, dbtest.Unlocked(t, "mariadb")); in <= 10 {
			t.Errorf("%d people on 10 places: the test cannot fail", in)
		}
	})
}

// TestEdit: what was read is edited, the line moves up into new places, places
// taken stay, and those concerned are told.
func TestEdit(t *testing.T) {
	on(t, 1, func(h *house) {
		in := h.in(1)
		first, waits := h.member(), h.member()
		for _, m := range []id.Member{first, waits} {
			_, err := h.SignUp(bg, h.event, m)
			h.ok(err)
		}
		h.refused(h.Edit(other, h.event, 1, in), fault.NotFound)
		h.refused(h.Edit(owner, h.event, 2, in), fault.Stale)
		in.Capacity = 5
		h.ok(h.Edit(owner, h.event, 1, in))
		h.is(waits, gathering.SeatIn)
		if h.told("gathering.seat_given", "") != 1 || h.told("gathering.changed", "") != 0 {
			t.Error("who waited was not told, or people were told of nothing")
		}
		in.Capacity = 1
		h.refused(h.Edit(owner, h.event, 2, in), fault.Invalid)
		in.Capacity, in.Place = 5, "龙井路 1 号"
		h.ok(h.Edit(owner, h.event, 2, in))
		if h.told("gathering.changed", waits.String()) != 1 {
			t.Error("nobody was told of the other place")
		}
		h.DB.Clock.Jump(25 * time.Hour)
		h.refused(h.Edit(owner, h.event, 3, in), gathering.ErrBegun)
	})
}

// TestRemind: who has a place is reminded once a day before; moved, the event
// reminds of its new start, and the old reminder finds nothing to do.
func TestRemind(t *testing.T) {
	on(t, 250, func(h *house) {
		reg := task.NewRegistry()
		h.Register(reg)
		work := func(d time.Duration) {
			t.Helper()
			h.DB.Clock.Jump(d)
			for range 3 {
				h.ok(task.Drain(bg, h.DB, reg))
			}
		}
		in := h.in(250)
		in.StartsAt, in.EndsAt = in.StartsAt.Add(48*time.Hour), in.EndsAt.Add(48*time.Hour)
		event, err := h.Create(owner, h.group, in)
		h.ok(err)
		people := make([]id.Member, 210)
		for i := range people {
			people[i] = h.member()
			_, err := h.SignUp(bg, event, people[i])
			h.ok(err)
		}
		h.ok(h.Leave(bg, event, people[0]))
		work(47 * time.Hour)
		if n := h.told("gathering.due", ""); n != 0 {
			t.Errorf("%d events a day too early", n)
		}
		work(time.Hour + time.Minute)
		work(time.Hour)
		named := func() (n int) {
			t.Helper()
			for _, m := range people {
				n += h.told("gathering.due", m.String())
			}
			return n
		}
		if h.told("gathering.due", "") != 2 || named() != 209 || h.told("gathering.due", people[0].String()) != 0 {
			t.Errorf("%d people were named in %d events, want 209 in 2", named(), h.told("gathering.due", ""))
		}
		in.StartsAt, in.EndsAt = in.StartsAt.Add(72*time.Hour), in.EndsAt.Add(72*time.Hour)
		h.ok(h.Edit(owner, event, 1, in))
		in.StartsAt, in.EndsAt = in.StartsAt.Add(time.Hour), in.EndsAt.Add(time.Hour)
		h.ok(h.Edit(owner, event, 2, in))
		work(73 * time.Hour)
		if named() != 2*209 {
			t.Errorf("%d names after it was moved, want %d: once for the start that stands", named(), 2*209)
		}
	})
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
