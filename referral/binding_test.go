package referral_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/referral"
)

func TestBind(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(1000, firstOrder())
		anna, bob, carl := h.member(), h.member(), h.member()
		first := h.mustBind(anna, bob)

		t.Run("the first touch wins", func(t *testing.T) {
			if again := h.mustBind(anna, bob); again != first {
				t.Errorf("the same inviter again: got %s, want %s", again, first)
			}
			_, err := h.bind(carl, bob)
			refused(t, err, referral.ErrBound)
		})
		t.Run("nobody invites himself", func(t *testing.T) {
			_, err := h.bind(anna, anna)
			refused(t, err, referral.ErrSelf)
		})
		t.Run("invitations do not run in a circle", func(t *testing.T) {
			h.mustBind(bob, carl)
			_, err := h.bind(carl, anna)
			refused(t, err, referral.ErrCircle)
		})
		t.Run("a buyer is not new", func(t *testing.T) {
			buyer := h.member()
			h.tx(func(tx *database.Tx) error {
				return community.FactTx(tx, community.Fact{Member: buyer, Kind: community.FactOrderPaid, Ref: 1, At: tx.Now})
			})
			_, err := h.bind(anna, buyer)
			refused(t, err, referral.ErrNotNew)
		})
		t.Run("the version is the one the page showed", func(t *testing.T) {
			landing, err := h.Land(bg, h.code(anna).Code)
			if err != nil {
				t.Fatal(err)
			}
			better := firstOrder()
			better.Rewards[1].Amount = 900
			if n, err := h.NewVersion(bg, h.program, better); err != nil || n != 2 {
				t.Fatalf("new version: %d, %v", n, err)
			}
			if n, err := h.NewVersion(bg, h.program, better); err != nil || n != 2 {
				t.Errorf("the same rules again: got %d, %v; want 2", n, err)
			}
			seen, fresh := h.member(), h.member()
			if _, err := h.Bind(bg, referral.Bind{Code: landing.Code, Invitee: seen, Page: landing.Page}); err != nil {
				t.Fatal(err)
			}
			h.mustBind(anna, fresh)
			frozen, err := referral.FrozenIn(db.Read(bg), h.program, []id.Member{seen, fresh, anna}, h.now())
			if err != nil || len(frozen) != 2 || frozen[seen].Version != 1 || frozen[fresh].Version != 2 || frozen[seen].Inviter != anna {
				t.Errorf("frozen: got %+v, %v", frozen, err)
			}
		})
		t.Run("a page of another code or too old is refused", func(t *testing.T) {
			landing, err := h.Land(bg, h.code(anna).Code)
			if err != nil {
				t.Fatal(err)
			}
			_, err = h.Bind(bg, referral.Bind{Code: h.code(carl).Code, Invitee: h.member(), Page: landing.Page})
			refused(t, err, referral.ErrPage)
			_, err = h.Bind(bg, referral.Bind{Code: landing.Code, Invitee: h.member(), Page: "A" + landing.Page[1:]})
			refused(t, err, referral.ErrPage)
			db.Clock.Jump(7 * 24 * time.Hour)
			_, err = h.Bind(bg, referral.Bind{Code: landing.Code, Invitee: h.member(), Page: landing.Page})
			refused(t, err, referral.ErrPage)
		})
		t.Run("a lapsed binding is renewed with anybody", func(t *testing.T) {
			db.Clock.Jump(30 * 24 * time.Hour)
			frozen, err := referral.FrozenIn(db.Read(bg), h.program, []id.Member{bob}, h.now())
			if err != nil || len(frozen) != 0 {
				t.Errorf("a lapsed binding was frozen: %+v, %v", frozen, err)
			}
			if next := h.mustBind(carl, bob); next == first {
				t.Error("the lapsed binding stands")
			}
		})
		t.Run("the tree is one step each way", func(t *testing.T) {
			tree, err := h.Tree(bg, bob, database.Page{})
			if err != nil {
				t.Fatal(err)
			}
			if len(tree.InvitedBy) != 2 || tree.InvitedBy[0].MemberID != carl || tree.InvitedBy[1].State != "ended" || len(tree.Invited.Items) != 1 {
				t.Errorf("got %+v", tree)
			}
		})
		h.proven()
	})
}

// TestTwoInvitersRace lets many inviters bind one invitee at once: one wins,
// and without its unique key more than one does.
func TestTwoInvitersRace(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(0, everyOrder())
		for range 5 {
			if won := h.race(8); won != 1 {
				t.Fatalf("%d inviters won", won)
			}
		}
		h.proven()
	})
	for _, engine := range dbtest.Engines {
		t.Run(engine+"/breaks without its key", func(t *testing.T) {
			h := newHouse(t, dbtest.Unlocked(t, engine, "bindings.bindings_live"))
			h.newProgram(0, everyOrder())
			for range 20 {
				if h.race(8) > 1 {
					return
				}
			}
			t.Error("one inviter won every time without locks: the test cannot fail")
		})
	}
}

// race counts how many of n inviters bound the same invitee.
func (h *house) race(n int) (won int) {
	h.t.Helper()
	invitee := h.member()
	codes := make([]string, n)
	for i := range codes {
		codes[i] = h.code(h.member()).Code
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	start := make(chan struct{})
	for _, code := range codes {
		all.Go(func() {
			<-start
			_, err := h.Bind(bg, referral.Bind{Code: code, Invitee: invitee})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case !errors.Is(err, referral.ErrBound):
				h.t.Errorf("bind: %v", err)
			}
		})
	}
	close(start)
	all.Wait()
	return won
}

// TestCircleRace lets three people invite each other at once: the last edge of
// the circle is always refused, and is not without the locks on the trees.
func TestCircleRace(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(0, firstOrder())
		for range 5 {
			if bound := h.ring(); bound != 2 {
				t.Fatalf("%d of 3 edges of a circle were bound, want 2", bound)
			}
		}
		h.proven()
	})
	for _, engine := range dbtest.Engines {
		t.Run(engine+"/breaks without its locks", func(t *testing.T) {
			h := newHouse(t, dbtest.Unlocked(t, engine))
			h.newProgram(0, firstOrder())
			for range 30 {
				if h.ring() > 2 {
					return
				}
			}
			t.Error("no circle without locks: the test cannot fail")
		})
	}
}

// TestTakeoverRace is the same with three people whom somebody brought already
// and who may be taken over: they hang in one tree, and the last edge closes
// the circle below its top.
func TestTakeoverRace(t *testing.T) {
	rules := firstOrder()
	rules.Attribution = referral.Attribution{Wins: referral.WinsLast, TouchDays: 1}
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(0, rules)
		top := h.member()
		for range 5 {
			if bound := h.ring(top); bound != 2 {
				t.Fatalf("%d of 3 edges of a circle were bound, want 2", bound)
			}
		}
		h.proven()
	})
	for _, engine := range dbtest.Engines {
		t.Run(engine+"/breaks without its locks", func(t *testing.T) {
			h := newHouse(t, dbtest.Unlocked(t, engine))
			h.newProgram(0, rules)
			top := h.member()
			for range 30 {
				if h.ring(top) > 2 {
					return
				}
			}
			t.Error("no circle without locks: the test cannot fail")
		})
	}
}

// ring counts the edges of a circle of three that could be bound at once; they
// may have been brought before.
func (h *house) ring(by ...id.Member) (bound int) {
	h.t.Helper()
	people := []id.Member{h.member(), h.member(), h.member()}
	for _, m := range by {
		for _, p := range people {
			h.mustBind(m, p)
		}
	}
	codes := make([]string, len(people))
	for i, p := range people {
		codes[i] = h.code(p).Code
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	start := make(chan struct{})
	for i, code := range codes {
		all.Go(func() {
			<-start
			_, err := h.Bind(bg, referral.Bind{Code: code, Invitee: people[(i+1)%len(people)]})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				bound++
			case !errors.Is(err, referral.ErrCircle):
				h.t.Errorf("bind: %v", err)
			}
		})
	}
	close(start)
	all.Wait()
	return bound
}

func TestMerge(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(100_000, firstOrder())
		inviterOf := func(m id.Member) id.Member {
			t.Helper()
			frozen, err := referral.FrozenIn(db.Read(bg), h.program, []id.Member{m}, h.now())
			if err != nil {
				t.Fatal(err)
			}
			return frozen[m].Inviter
		}
		t.Run("the older binding stays", func(t *testing.T) {
			anna, bob, guest, person := h.member(), h.member(), h.member(), h.member()
			h.mustBind(anna, guest)
			db.Clock.Jump(time.Hour)
			h.mustBind(bob, person)
			h.merge(guest, person)
			if got := inviterOf(person); got != anna {
				t.Errorf("inviter: got %s, want the older one's %s", got, anna)
			}
			if got := inviterOf(guest); got != anna {
				t.Errorf("the merged id: got %s, want %s", got, anna)
			}
		})
		t.Run("an invitation to oneself ends", func(t *testing.T) {
			anna, guest := h.member(), h.member()
			h.mustBind(anna, guest)
			h.merge(guest, anna)
			if got := inviterOf(anna); got != 0 {
				t.Errorf("inviter: got %s, want none", got)
			}
		})
		t.Run("a circle loses its newest invitation", func(t *testing.T) {
			anna, bob, other := h.member(), h.member(), h.member()
			h.mustBind(anna, bob)
			db.Clock.Jump(time.Hour)
			h.mustBind(bob, other)
			h.merge(other, anna)
			if up, down := inviterOf(anna), inviterOf(bob); up != 0 || down != anna {
				t.Errorf("inviters: anna's %s, bob's %s; want none and %s", up, down, anna)
			}
		})
		t.Run("both codes of a place go on working", func(t *testing.T) {
			anna, guest := h.member(), h.member()
			codes := []referral.Code{h.code(anna), h.code(guest)}
			h.merge(guest, anna)
			for _, c := range codes {
				if l, err := h.Land(bg, c.Code); err != nil || l.InviterID != anna {
					t.Errorf("%s: got %s, %v; want %s", c.Code, l.InviterID, err, anna)
				}
			}
		})
		h.proven()
	})
}
