package health

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/community"
	"siyu/internal/id"
	"siyu/internal/money"
)

// brought are n people one member brought, of whom some stayed and some spoke.
func brought(by id.Member, n, kept, spoke int) []Invitee {
	out := make([]Invitee, n)
	for i := range out {
		out[i] = Invitee{by, i < kept, i < spoke}
	}
	return out
}

func TestInviters(t *testing.T) {
	c := crowdOf()
	c.Invitees = append(append(brought(1, 2, 1, 2), brought(2, 4, 3, 0)...), append(brought(3, 4, 4, 1), brought(0, 5, 5, 5)...)...)
	want := []Inviter{{Member: 3, Invited: 4, Kept: 4, Spoke: 1}, {Member: 2, Invited: 4, Kept: 3}, {Member: 1, Invited: 2, Kept: 1, Spoke: 2}}
	if d := cmp.Diff(want, c.inviters()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if kept, spoke := c.invitedKept(), c.invitedSpoke(); kept != 13*whole/15 || spoke != 8*whole/15 {
		t.Errorf("of all: %d kept, %d spoke", kept, spoke)
	}
	silent := c.cover(18) // of 37
	if got := silent.inviters(); got[0].Spoke != Unknown || got[0].Kept != 4 || silent.invitedSpoke() != Unknown || silent.whySilent() != ReasonNotReported {
		t.Errorf("who spoke is not known: got %+v", got)
	}
	if got := crowdOf(); len(got.inviters()) != 0 || got.invitedKept() != Unknown || got.invitedSpoke() != Unknown || got.whySilent() != ReasonNobody {
		t.Error("nobody was brought, and nothing is 0")
	}
}

// TestLowInviters: the tenth of ten or more who keep least, all of them if they
// keep alike and are no more than a tenth, and none where they are.
func TestLowInviters(t *testing.T) {
	for _, c := range []struct {
		name string
		kept []int // of ten, by inviter
		more []Invitee
		low  int
	}{
		{"one of ten", []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 9}, nil, 1},
		{"nine have no tenth", []int{1, 2, 3, 4, 5, 6, 7, 8, 9}, nil, 0},
		{"two alike are more than a tenth of ten", []int{1, 1, 3, 4, 5, 6, 7, 8, 9, 9}, nil, 0},
		{"two of twenty", []int{1, 1, 3, 4, 5, 6, 7, 8, 9, 9, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9}, nil, 2},
		{"who brought two is not compared", []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 9}, brought(99, 2, 0, 0), 1},
		{"nor does he make a tenth", []int{1, 2, 3, 4, 5, 6, 7, 8, 9}, brought(99, 2, 0, 0), 0},
		{"all keep all", []int{9, 9, 9, 9, 9, 9, 9, 9, 9, 9}, nil, 0},
	} {
		crowd := crowdOf()
		crowd.Invitees = c.more
		for i, kept := range c.kept {
			crowd.Invitees = append(crowd.Invitees, brought(id.Member(i+1), 10, kept, 0)...)
		}
		low := 0
		for _, x := range crowd.inviters() {
			if x.Low {
				if low++; x.Kept != 1 {
					t.Errorf("%s: %+v is low", c.name, x)
				}
			}
		}
		if low != c.low {
			t.Errorf("%s: %d are low, want %d", c.name, low, c.low)
		}
	}
}

func TestSales(t *testing.T) {
	sold := func(m id.Member, role community.Role, fen money.Amount, orders int) Person {
		p := person(m, role, community.ActivityReply, 1)
		p.Referred, p.ReferredOrders = fen, orders
		return p
	}
	for _, c := range []struct {
		name   string
		people []Person
		want   Sales
	}{
		{"four tenths are not too much", []Person{sold(1, "koc", 4_000, 2), sold(2, "member", 3_500, 2), sold(3, "member", 2_500, 1)}, Sales{Top: 1, Share: 4_000, Orders: 5}},
		{"a fen more is", []Person{sold(1, "koc", 4_001, 2), sold(2, "member", 3_499, 2), sold(3, "member", 2_500, 1)}, Sales{Top: 1, Share: 4_001, Orders: 5, High: true}},
		{"four orders are too few to say", []Person{sold(1, "koc", 4_000, 2), sold(2, "member", 3_500, 2)}, Sales{Share: Unknown, Orders: 4}},
		{"what a host sells is his work", []Person{sold(1, "owner", 9_000, 9), sold(2, "member", 500, 3), sold(3, "member", 500, 3)}, Sales{Top: 2, Share: 5_000, Orders: 6, High: true}},
		{"nobody brought anybody", []Person{sold(1, "koc", 0, 0)}, Sales{Share: Unknown}},
	} {
		if d := cmp.Diff(c.want, crowdOf(c.people...).sales()); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}
