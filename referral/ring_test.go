package referral_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/review"
)

// TestRingOfTwenty plays two families of twenty accounts: one whose accounts
// hang together, one of strangers. The ring is refused where it is certain,
// stopped where it is likely; the clean family is paid and never noticed.
func TestRingOfTwenty(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(1_000_000, everyOrder())
		r := h.desk()
		people := &community.Service{DB: db, Secrets: h.Secrets}

		_, ring := h.family(20, 1000)
		for i, m := range ring { // five devices, four accounts each, all of them chained by two addresses
			h.sight(r, review.Seen{Device: fmt.Sprint("phone ", i%5), Address: fmt.Sprint("人民路 ", i%2, " 号"), IP: "198.51.100.7"}, m)
		}
		for _, m := range ring[18:] { // two are known crooks
			if _, err := people.Block(asStaff(9), m, community.BlockIn{Reason: "刷单"}); err != nil {
				t.Fatal(err)
			}
		}
		_, clean := h.family(20, 2000)
		for i, m := range clean { // a street of one network, a phone each, two couples
			h.sight(r, review.Seen{Device: fmt.Sprint("own ", i), Address: fmt.Sprint("和平路 ", 10+min(i, 18), " 号"), IP: fmt.Sprintf("203.0.%d.9", i)}, m)
		}
		h.mature()

		if got := h.payable(ring); got != 0 {
			t.Errorf("the ring was paid %s", got)
		}
		if got, want := h.payable(clean), money.Amount(19*1500); got != want {
			t.Errorf("the clean family was paid %s, want %s", got, want)
		}
		count := map[review.State]int{}
		for _, state := range []review.State{review.StateOpen, review.StatePassed, review.StateRefused, review.StateMoot} {
			list, err := r.ListCases(bg, review.Filter{State: state}, database.Page{Limit: 200})
			if err != nil {
				t.Fatal(err)
			}
			count[state] = len(list.Items)
			for _, c := range list.Items {
				if (c.DecidedAt != 0) != (state != review.StateOpen) {
					t.Errorf("decided at %v though it is %s", c.DecidedAt, state)
				}
				if slices.Contains(clean, c.InviterID) {
					t.Errorf("a clean one is in review: %+v", c)
				}
			}
		}
		want := map[review.State]int{review.StateOpen: 2 * 17, review.StateRefused: 2 * 2, review.StatePassed: 0, review.StateMoot: 0}
		if diff := cmp.Diff(want, count); diff != "" {
			t.Errorf("cases: %s", diff)
		}
		list, err := r.ListCases(bg, review.Filter{State: review.StateOpen}, database.Page{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		var rules []review.Rule
		for _, reason := range list.Items[0].Reasons {
			rules = append(rules, reason.Rule)
		}
		if diff := cmp.Diff([]review.Rule{review.RuleDeviceCrowd, review.RuleAddressCrowd, review.RuleRing}, rules); diff != "" {
			t.Errorf("the rules that fired: %s", diff)
		}
		h.proven()

		t.Run("time alone pays nobody", func(t *testing.T) {
			h.mature()
			h.mature()
			if got := h.payable(ring); got != 0 {
				t.Errorf("the ring was paid %s", got)
			}
			c, err := r.FindCase(bg, list.Items[0].ID)
			if err != nil || c.AlarmedAt == 0 || c.State != review.StateOpen {
				t.Errorf("an old case: got %+v, %v", c, err)
			}
		})
	})
}

// TestWhatIsKnownOfAllHeBrought: an inviter's other invitees are looked at too.
// Those who hang together only by way of one another are a ring, and those who
// stayed are not taken for lost.
func TestWhatIsKnownOfAllHeBrought(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(1_000_000, everyOrder())
		r := h.desk()
		// fired are the rules that stopped what an order earned.
		fired := func(order id.Order) map[review.Rule]int64 {
			t.Helper()
			out := map[review.Rule]int64{}
			list, err := r.ListCases(bg, review.Filter{}, database.Page{Limit: 200})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range list.Items {
				for _, reason := range c.Reasons {
					if c.OrderID == order {
						out[reason.Rule] = reason.Observed
					}
				}
			}
			return out
		}
		_, chain := h.family(5, 1000)
		h.sight(r, review.Seen{Device: "one"}, chain[1], chain[2])
		h.sight(r, review.Seen{Address: "人民路 1 号"}, chain[2], chain[3])
		h.sight(r, review.Seen{Device: "two"}, chain[3], chain[4])
		host, stayed := h.family(12, 2000)
		for i, m := range stayed[1:] {
			h.pay(3000+id.Order(i), m, 10_000) // all bought again
		}
		h.drain()
		if diff := cmp.Diff(map[review.Rule]int64{review.RuleRing: 4}, fired(1001)); diff != "" {
			t.Errorf("a chain: %s", diff)
		}
		db.Clock.Jump(31 * day)
		last := h.member()
		h.mustBind(host, last)
		h.pay(4000, last, 10_000)
		h.drain()
		if diff := cmp.Diff(map[review.Rule]int64{}, fired(4000)); diff != "" {
			t.Errorf("of eleven who stayed: %s", diff)
		}
	})
}
