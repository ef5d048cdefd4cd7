package referral_test

import (
	"testing"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// TestCapsOfPoints: a cap of what points cost is clamped to whole points, also
// where two rewards of one order share it.
func TestCapsOfPoints(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		points := func(rule string) referral.Promise {
			return referral.Promise{Rule: rule, To: referral.SideInviter, Mode: referral.ModeFixed, Currency: money.PTS, Qty: 100, UnitCost: 3}
		}
		rules := capped(referral.Cap{Per: referral.CapMember, Window: referral.CapEver, Cost: 700, WhenFull: referral.FullClamp})
		rules.Rewards = []referral.Promise{points("first"), points("second")}
		p := h.newProgram(100_000, rules)
		anna := h.member()
		for i, want := range [][2]money.Amount{{100, 100}, {33, 0}, {0, 0}} {
			bob := h.member()
			h.mustBind(anna, bob)
			h.pay(id.Order(i+1), bob, 20_000)
			for _, r := range h.rewards(referral.RewardFilter{Order: id.Order(i + 1)}) {
				at := map[string]int{"first": 0, "second": 1}[r.Rule]
				if note := map[bool]referral.Note{true: "member_ever_cap"}[want[at] < 100]; r.Amount != want[at] || r.Note != note {
					t.Errorf("%s of order %d: %d points %q, want %d %q", r.Rule, i+1, r.Amount, r.Note, want[at], note)
				}
			}
		}
		var cost money.Amount
		if err := db.Read(bg).Raw("SELECT cost FROM reward_counts WHERE program_id = ? AND member_id = ?", p, anna).Row().Scan(&cost); err != nil || cost != 699 {
			t.Errorf("counted a cost of %d (%v), want 699", cost, err)
		}
		h.proven()
	})
}

// TestWhatIsCappedAwayCountsNowhere: a reward that one cap lowers to nothing
// takes no place under the others, which the invitee of the same order needs.
func TestWhatIsCappedAwayCountsNowhere(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		rules := capped(
			referral.Cap{Per: referral.CapMember, Window: referral.CapEver, Cost: 1000, WhenFull: referral.FullClamp},
			referral.Cap{Per: referral.CapProgram, Window: referral.CapEver, Count: 3})
		rules.Rewards = append(rules.Rewards, referral.Promise{Rule: "welcome", To: referral.SideInvitee, Mode: referral.ModeFixed, Amount: 1000})
		h.newProgram(100_000, rules)
		anna := h.member()
		type both struct {
			inviter, invitee money.Amount
			why              referral.Note // of the invitee's
		}
		for i, want := range []both{{1000, 1000, ""}, {0, 1000, ""}, {0, 0, "program_ever_cap"}} {
			bob := h.member()
			h.mustBind(anna, bob)
			h.pay(id.Order(i+1), bob, 20_000)
			var got both
			for _, r := range h.rewards(referral.RewardFilter{Order: id.Order(i + 1)}) {
				if r.Side == referral.SideInviter {
					got.inviter = r.Amount
				} else {
					got.invitee, got.why = r.Amount, r.Note
				}
			}
			if got != want {
				t.Errorf("order %d: got %+v, want %+v", i+1, got, want)
			}
		}
		h.proven()
	})
}

// TestCostsFollowMerges: a merge brings what the other's rewards cost along, which
// may be more than the cap, and verify knows it.
func TestCostsFollowMerges(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(100_000, capped(referral.Cap{Per: referral.CapMember, Window: referral.CapEver, Cost: 2500, WhenFull: referral.FullClamp}))
		anna, old := h.member(), h.member()
		for order, want := range []struct {
			who    id.Member
			amount money.Amount
		}{{anna, 1000}, {old, 1000}, {old, 1000}} {
			if r := h.earns(want.who, id.Order(order+1)); r.Amount != want.amount {
				t.Errorf("order %d: got %+v", order+1, r)
			}
		}
		h.merge(old, anna)
		h.proven()
		if r := h.earns(anna, 9); r.Amount != 0 {
			t.Errorf("after the merge: got %+v", r)
		}
		h.proven()
	})
}
