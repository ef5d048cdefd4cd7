package gathering_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"siyu/community/gathering"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// list is an event's list as it should be: who has a place, who waits in
// which order, who was checked in.
type list struct {
	places    int
	in, line  []id.Member
	left      map[id.Member]bool
	checkedIn map[id.Member]bool
}

// seats moves the head of the line up while there is room.
func (l *list) seats() {
	for len(l.line) > 0 && len(l.in) < l.places {
		l.in, l.line = append(l.in, l.line[0]), l.line[1:]
	}
}

func (l *list) sign(m id.Member) error {
	if !slices.Contains(l.in, m) && !slices.Contains(l.line, m) {
		delete(l.left, m)
		l.line = append(l.line, m)
		l.seats()
	}
	return nil
}

func (l *list) leave(m id.Member) error {
	in, waits := slices.Index(l.in, m), slices.Index(l.line, m)
	switch {
	case l.checkedIn[m]:
		return gathering.ErrThere
	case in >= 0:
		l.in = slices.Delete(l.in, in, in+1)
	case waits >= 0:
		l.line = slices.Delete(l.line, waits, waits+1)
	case l.left[m]:
		return nil
	default:
		return gathering.ErrSeat
	}
	l.left[m] = true
	l.seats()
	return nil
}

func (l *list) check(m id.Member) error {
	if !slices.Contains(l.in, m) {
		return gathering.ErrSeat
	}
	l.checkedIn[m] = true
	return nil
}

func (l *list) edit(places int) error {
	if places < len(l.in) {
		return fault.Invalid
	}
	l.places = places
	l.seats()
	return nil
}

// TestListMachine lets six people sign up, leave and check in at the door in any
// order within the last hour before an event whose places come and go, and
// compares each answer and each seat with the list as it should be.
func TestListMachine(t *testing.T) {
	on(t, 2, func(h *house) {
		people := make([]id.Member, 6)
		for i := range people {
			people[i] = h.member()
		}
		seed := rand.Uint64()
		h.t.Logf("seed %d", seed)
		draw := rand.New(rand.NewPCG(seed, 0))
		for range 20 {
			in := h.in(2)
			in.StartsAt, in.EndsAt = in.StartsAt.Add(-23*time.Hour-30*time.Minute), in.EndsAt.Add(-23*time.Hour-30*time.Minute)
			var err error
			h.event, err = h.Create(owner, h.group, in)
			h.ok(err)
			l := &list{places: 2, left: map[id.Member]bool{}, checkedIn: map[id.Member]bool{}}
			version := 1
			for range 60 {
				h.DB.Clock.Jump(time.Millisecond) // the line is in the order of moments
				m := people[draw.IntN(len(people))]
				var got, want error
				var did string
				switch draw.IntN(8) {
				case 0, 1, 2:
					did = "sign up"
					_, got = h.SignUp(bg, h.event, m)
					want = l.sign(m)
				case 3, 4:
					did = "leave"
					got, want = h.Leave(bg, h.event, m), l.leave(m)
				case 5, 6:
					did = "check in"
					door, err := h.DoorCode(owner, h.event)
					h.ok(err)
					got, want = h.CheckIn(bg, h.event, m, door), l.check(m)
				default:
					did = "edit"
					in.Capacity = 1 + draw.IntN(5)
					if got, want = h.Edit(owner, h.event, version, in), l.edit(in.Capacity); got == nil {
						version++
					}
				}
				if !errors.Is(got, want) {
					h.t.Fatalf("%s of %s: got %v, want %v", did, m, got, want)
				}
				h.agrees(l, people)
			}
		}
	})
}

// agrees compares the seats of all with the list.
func (h *house) agrees(l *list, people []id.Member) {
	h.t.Helper()
	for _, m := range people {
		want := gathering.SeatStatus("")
		switch {
		case slices.Contains(l.in, m):
			want = gathering.SeatIn
		case slices.Contains(l.line, m):
			want = gathering.SeatWaiting
		case l.left[m]:
			want = gathering.SeatLeft
		}
		seat, err := h.Mine(bg, h.event, m)
		if want == "" {
			h.refused(err, gathering.ErrSeat)
			continue
		}
		if h.ok(err); seat.Status != want || (seat.CheckedAt != 0) != l.checkedIn[m] {
			h.t.Fatalf("%s is %s, checked in %t; want %s, %t", m, seat.Status, seat.CheckedAt != 0, want, l.checkedIn[m])
		}
	}
}
