package referral_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral"
)

func TestCredit(t *testing.T) {
	now := clock.MilliOf(dbtest.Start)
	first := referral.Attribution{TouchDays: 7}
	last := referral.Attribution{Wins: referral.WinsLast, TouchDays: 7}
	scan := func(touch id.Touch, before time.Duration) referral.Scan {
		return referral.Scan{Touch: touch, Code: id.Code(touch), At: now.Add(-before)}
	}
	for name, c := range map[string]struct {
		rule    referral.Attribution
		scans   []referral.Scan
		want    id.Touch
		weighed int
	}{
		"the first of three":                {first, []referral.Scan{scan(1, time.Hour), scan(2, 3*day), scan(3, day)}, 2, 3},
		"the last of three":                 {last, []referral.Scan{scan(1, time.Hour), scan(2, 3*day), scan(3, day)}, 1, 3},
		"a millisecond within the window":   {first, []referral.Scan{scan(1, time.Hour), scan(2, 7*day-time.Millisecond)}, 2, 2},
		"at the window's end it is over":    {first, []referral.Scan{scan(1, time.Hour), scan(2, 7*day)}, 1, 1},
		"nothing within the window":         {last, []referral.Scan{scan(2, 7*day), scan(3, 8*day)}, 0, 0},
		"no scans":                          {last, nil, 0, 0},
		"now is within":                     {last, []referral.Scan{scan(1, 0), scan(2, time.Millisecond)}, 1, 2},
		"a clock ahead noted the last":      {last, []referral.Scan{scan(1, 0), scan(2, -time.Minute)}, 2, 2},
		"a clock ahead is not the first":    {first, []referral.Scan{scan(1, -time.Minute), scan(2, 0)}, 2, 2},
		"of one moment the earlier noted":   {first, []referral.Scan{scan(5, day), scan(4, day)}, 4, 2},
		"of one moment the later noted":     {last, []referral.Scan{scan(4, day), scan(5, day)}, 5, 2},
		"a clock set back leaves the order": {first, []referral.Scan{scan(1, -2*day), scan(2, -3*day)}, 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			got, weighed, ok := c.rule.Credit(c.scans, now)
			if got.Touch != c.want || weighed != c.weighed || ok != (c.want != 0) {
				t.Errorf("got %d of %d, %v; want %d of %d", got.Touch, weighed, ok, c.want, c.weighed)
			}
		})
	}
}

func TestAttributionIsChecked(t *testing.T) {
	for name, c := range map[string]struct {
		in    referral.Attribution
		field string
	}{
		"the default":                {referral.Attribution{}, ""},
		"the first touch by name":    {referral.Attribution{Wins: referral.WinsFirst, TouchDays: 90, Renewal: referral.RenewalTouch}, ""},
		"the last touch":             {referral.Attribution{Wins: referral.WinsLast, TouchDays: 1, Renewal: referral.RenewalPaidOrder}, ""},
		"the last touch of no days":  {referral.Attribution{Wins: referral.WinsLast}, "rules.attribution.touch_days"},
		"longer than a scan is kept": {referral.Attribution{TouchDays: 91}, "rules.attribution.touch_days"},
		"an unknown rule":            {referral.Attribution{Wins: "best_touch"}, "rules.attribution.wins"},
		"an unknown renewal":         {referral.Attribution{Renewal: "login"}, "rules.attribution.renewal"},
	} {
		t.Run(name, func(t *testing.T) {
			rules := everyOrder()
			rules.Attribution = c.in
			f, _ := fault.As(rules.Validate())
			got := ""
			if f != nil && len(f.Fields) == 1 {
				got = f.Fields[0].Name
			}
			if got != c.field || (f == nil) != (c.field == "") {
				t.Errorf("got %v, want a fault of %q", f, c.field)
			}
		})
	}
	named, unnamed := everyOrder(), everyOrder()
	named.Attribution.Wins = referral.WinsFirst
	if _, a := named.Rules().Digest(); true {
		if _, b := unnamed.Rules().Digest(); a != b {
			t.Error("the default by name is other rules than the default")
		}
	}
}

// scan has a visitor open the page of an inviter's code, and returns what a
// form on it sends back.
func (h *house) scan(inviter, visitor id.Member) (code, page string) {
	h.t.Helper()
	l, err := h.Land(bg, h.code(inviter).Code)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.Scan(bg, l, visitor); err != nil {
		h.t.Fatal(err)
	}
	return l.Code, l.Page
}

// frozen is what an order of the member would freeze now.
func (h *house) frozen(m id.Member) referral.Frozen {
	h.t.Helper()
	f, err := referral.FrozenIn(h.DB.Read(bg), h.program, []id.Member{m}, h.now())
	if err != nil {
		h.t.Fatal(err)
	}
	return f[m]
}

// evidence is what the first reward of an order rests on.
func (h *house) evidence(order id.Order) referral.Evidence {
	h.t.Helper()
	r, err := h.FindReward(bg, h.rewards(referral.RewardFilter{Order: order})[0].ID)
	if err != nil {
		h.t.Fatal(err)
	}
	return *r.Evidence
}

func credits(a referral.Attribution, life int) referral.RulesIn {
	in := everyOrder()
	in.Attribution, in.AttributionDays = a, &life
	return in
}

// TestScansCount lets two inviters be scanned before the invitee acts on the page
// of the second.
func TestScansCount(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		for name, c := range map[string]struct {
			rule   referral.Attribution
			apart  time.Duration // from the first scan to the act
			first  bool          // the first inviter wins
			within int
		}{
			"the first scan wins":                     {referral.Attribution{TouchDays: 7}, 3 * day, true, 2},
			"the first scan is over":                  {referral.Attribution{TouchDays: 3}, 3 * day, false, 1},
			"the last scan wins":                      {referral.Attribution{Wins: referral.WinsLast, TouchDays: 7}, 3 * day, false, 2},
			"scans do not count: the page acted upon": {referral.Attribution{}, 3 * day, false, 0},
		} {
			t.Run(name, func(t *testing.T) {
				h := newHouse(t, db)
				h.people = int(db.Clock.Now().Unix()) // other people than the last case's
				h.newProgram(100_000, credits(c.rule, 30))
				anna, bob, guest := h.member(), h.member(), h.member()
				h.scan(anna, guest)
				scanned := h.now()
				db.Clock.Jump(c.apart)
				code, page := h.scan(bob, guest)
				if _, err := h.Bind(bg, referral.Bind{Code: code, Invitee: guest, Page: page}); err != nil {
					t.Fatal(err)
				}
				inviter, at := bob, h.now()
				if c.first {
					inviter, at = anna, scanned
				}
				if got := h.frozen(guest); got.Inviter != inviter || got.Version != 1 {
					t.Fatalf("bound to %s by version %d, want %s", got.Inviter, got.Version, inviter)
				}
				order := id.Order(db.IDs.Next())
				h.pay(order, guest, 10_000)
				e := h.evidence(order)
				want := referral.Evidence{Rule: referral.WinsFirst, TouchDays: c.rule.TouchDays, Weighed: c.within, TouchedAt: at}
				if c.rule.Wins != "" {
					want.Rule = c.rule.Wins
				}
				if c.within == 0 {
					want.TouchedAt = 0 // statistics are written later
				}
				got := referral.Evidence{Rule: e.Rule, TouchDays: e.TouchDays, Weighed: e.Weighed, TouchedAt: e.TouchedAt}
				if diff := cmp.Diff(want, got); diff != "" || (e.TouchID == 0) != (c.within == 0) {
					t.Errorf("evidence: %s, touch %s", diff, e.TouchID)
				}
				h.proven()
			})
		}
	})
}

func TestTouchPromises(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(100_000, credits(referral.Attribution{TouchDays: 7}, 30))
		anna, bob := h.member(), h.member()
		act := func(guest, inviter id.Member) error {
			code, page := h.scan(inviter, guest)
			_, err := h.Bind(bg, referral.Bind{Code: code, Invitee: guest, Page: page})
			return err
		}
		t.Run("the winner is paid what his own scan promised", func(t *testing.T) {
			guest := h.member()
			h.scan(anna, guest)
			better := credits(referral.Attribution{TouchDays: 7}, 30)
			better.Rewards[0].Rate = 2000
			if _, err := h.NewVersion(bg, h.program, better); err != nil {
				t.Fatal(err)
			}
			db.Clock.Jump(time.Hour)
			if err := act(guest, bob); err != nil {
				t.Fatal(err)
			}
			if got := h.frozen(guest); got.Inviter != anna || got.Version != 1 {
				t.Errorf("got %+v, want anna's version 1", got)
			}
		})
		t.Run("the scan of the guest he was counts", func(t *testing.T) {
			guest, person := h.member(), h.member()
			h.scan(anna, guest)
			db.Clock.Jump(time.Hour)
			h.merge(guest, person)
			if err := act(person, bob); err != nil {
				t.Fatal(err)
			}
			if got := h.frozen(person).Inviter; got != anna {
				t.Errorf("got %s, want the guest's %s", got, anna)
			}
		})
		t.Run("a revoked code and one's own do not count, a rotated one does", func(t *testing.T) {
			carl, dora, guest := h.member(), h.member(), h.member()
			h.scan(guest, guest)
			h.scan(carl, guest)
			if _, err := h.RevokeCode(bg, h.code(carl).Code); err != nil {
				t.Fatal(err)
			}
			db.Clock.Jump(time.Hour)
			code, _ := h.scan(dora, guest)
			if _, err := h.RotateCode(bg, code, referral.RotateIn{}); err != nil {
				t.Fatal(err)
			}
			db.Clock.Jump(time.Hour)
			if err := act(guest, bob); err != nil {
				t.Fatal(err)
			}
			if got := h.frozen(guest).Inviter; got != dora {
				t.Errorf("got %s, want %s", got, dora)
			}
		})
		t.Run("a page older than the window binds nobody", func(t *testing.T) {
			short := credits(referral.Attribution{TouchDays: 2}, 30)
			if _, err := h.NewVersion(bg, h.program, short); err != nil {
				t.Fatal(err)
			}
			guest := h.member()
			code, page := h.scan(bob, guest)
			db.Clock.Jump(2 * day)
			_, err := h.Bind(bg, referral.Bind{Code: code, Invitee: guest, Page: page})
			refused(t, err, referral.ErrPage)
			db.Clock.Jump(-time.Millisecond)
			if _, err := h.Bind(bg, referral.Bind{Code: code, Invitee: guest, Page: page}); err != nil {
				t.Error(err)
			}
		})
		h.proven()
	})
}

func TestLastTouchTakesOver(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		last := firstOrder()
		last.Attribution = referral.Attribution{Wins: referral.WinsLast, TouchDays: 7}
		h.newProgram(100_000, last)
		anna, bob, carl, guest := h.member(), h.member(), h.member(), h.member()
		t.Run("a later inviter takes over", func(t *testing.T) {
			h.mustBind(anna, guest)
			db.Clock.Jump(time.Hour)
			h.mustBind(bob, guest)
			tree, err := h.Tree(bg, guest, database.Page{})
			if err != nil || len(tree.InvitedBy) != 2 || tree.InvitedBy[1].EndReason != "replaced" || tree.InvitedBy[0].MemberID != bob {
				t.Errorf("got %+v, %v", tree.InvitedBy, err)
			}
		})
		t.Run("a takeover closes no circle", func(t *testing.T) {
			h.mustBind(guest, carl)
			db.Clock.Jump(time.Hour)
			_, err := h.bind(carl, guest)
			refused(t, err, referral.ErrCircle)
			if got := h.frozen(guest).Inviter; got != bob {
				t.Errorf("the refused takeover left %s, want %s", got, bob)
			}
		})
		t.Run("who was promised the first touch keeps it", func(t *testing.T) {
			if _, err := h.NewVersion(bg, h.program, firstOrder()); err != nil {
				t.Fatal(err)
			}
			next := h.member()
			h.mustBind(anna, next)
			if _, err := h.NewVersion(bg, h.program, last); err != nil {
				t.Fatal(err)
			}
			db.Clock.Jump(time.Hour)
			_, err := h.bind(bob, next)
			refused(t, err, referral.ErrBound)
		})
		h.proven()
	})
}

func TestRenewal(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		begin := func(r referral.Renewal, rules referral.RulesIn) (inviter, guest id.Member, binding id.Binding) {
			t.Helper()
			rules.Attribution, rules.AttributionDays = referral.Attribution{Renewal: r}, new(int)
			*rules.AttributionDays = 10
			h.newProgram(100_000, rules)
			inviter, guest = h.member(), h.member()
			return inviter, guest, h.mustBind(inviter, guest)
		}
		stands := func(guest id.Member, b id.Binding) bool { return h.frozen(guest).Binding == b }

		t.Run("a further scan gives the whole life again", func(t *testing.T) {
			anna, guest, b := begin(referral.RenewalTouch, everyOrder())
			db.Clock.Jump(10*day - time.Millisecond)
			h.scan(h.member(), guest) // another's is none
			h.scan(anna, guest)
			db.Clock.Jump(10*day - time.Millisecond)
			if !stands(guest, b) {
				t.Error("it was not lengthened")
			}
			db.Clock.Jump(time.Millisecond)
			if stands(guest, b) {
				t.Error("it stands past its second life")
			}
			h.scan(anna, guest)
			if stands(guest, b) {
				t.Error("a scan revived what had run out")
			}
		})
		t.Run("so does a paid order", func(t *testing.T) {
			anna, guest, b := begin(referral.RenewalPaidOrder, everyOrder())
			db.Clock.Jump(9 * day)
			h.scan(anna, guest) // is not what lengthens this one
			order := id.Order(db.IDs.Next())
			h.pay(order, guest, 10_000)
			if e := h.evidence(order); e.RenewedAt != h.now() || e.LastsUntil != h.now().Add(10*day) {
				t.Errorf("evidence: renewed %d, lasts until %d", e.RenewedAt, e.LastsUntil)
			}
			db.Clock.Jump(10*day - time.Millisecond)
			if !stands(guest, b) {
				t.Error("it was not lengthened")
			}
			db.Clock.Jump(time.Millisecond)
			if stands(guest, b) {
				t.Error("it stands past its second life")
			}
		})
		t.Run("nothing lengthens one that promised no more", func(t *testing.T) {
			anna, guest, b := begin(referral.RenewalNone, everyOrder())
			db.Clock.Jump(9 * day)
			h.scan(anna, guest)
			h.pay(id.Order(db.IDs.Next()), guest, 10_000)
			db.Clock.Jump(day)
			if stands(guest, b) {
				t.Error("it was lengthened")
			}
		})
		t.Run("what ran out ends at its own moment", func(t *testing.T) {
			_, guest, _ := begin(referral.RenewalNone, everyOrder())
			until := h.now().Add(10 * day)
			db.Clock.Jump(30 * day)
			for range 2 {
				if err := h.EndLapsed(bg); err != nil {
					t.Fatal(err)
				}
			}
			tree, err := h.Tree(bg, guest, database.Page{})
			if err != nil || len(tree.InvitedBy) != 1 || tree.InvitedBy[0].EndedAt != until || tree.InvitedBy[0].EndReason != "lapsed" {
				t.Errorf("got %+v, %v; want one that ended at %d", tree.InvitedBy, err, until)
			}
		})
		h.proven()
	})
}
