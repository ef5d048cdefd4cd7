package promoter_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral/promoter"
)

var bg = context.Background()

func TestNext(t *testing.T) {
	may := map[promoter.Status]map[promoter.Act]promoter.Status{
		promoter.None:     {promoter.Apply: promoter.Applied},
		promoter.Applied:  {promoter.Approve: promoter.Approved, promoter.Refuse: promoter.Refused},
		promoter.Refused:  {promoter.Apply: promoter.Applied, promoter.Approve: promoter.Approved},
		promoter.Approved: {promoter.Freeze: promoter.Frozen},
		promoter.Frozen:   {promoter.Thaw: promoter.Approved},
		promoter.Merged:   {},
	}
	acts := []promoter.Act{promoter.Apply, promoter.Approve, promoter.Refuse, promoter.Freeze, promoter.Thaw, promoter.Merge}
	for from, to := range may {
		for _, act := range acts {
			want, allowed := to[act]
			if got, ok := promoter.Next(from, act); ok != allowed || ok && got != want {
				t.Errorf("%s after %q: got %q, %v; want %q, %v", act, from, got, ok, want, allowed)
			}
		}
	}
}

type house struct {
	*promoter.Service
	t *testing.T
}

func (h house) apply(m id.Member, unit id.Unit) id.Promoter {
	h.t.Helper()
	var made id.Promoter
	err := h.DB.Tx(bg, func(tx *database.Tx) error {
		var err error
		made, err = promoter.ApplyTx(tx, m, unit)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return made
}

// staff is a member of staff who sees these units.
func staff(who id.Staff, units ...id.Unit) context.Context {
	return database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: who, Units: units})
}

func TestLife(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := house{&promoter.Service{DB: db}, t}
		east := staff(7, 1)
		p := h.apply(100, 1)
		steps := []struct {
			act    promoter.Act
			reason string
			want   error
			status promoter.Status
		}{
			{promoter.Freeze, "太早", promoter.ErrState, promoter.Applied},
			{promoter.Refuse, "", promoter.ErrReason, promoter.Applied},
			{promoter.Refuse, "资料不全", nil, promoter.Refused},
			{promoter.Approve, "", nil, promoter.Approved},
			{promoter.Approve, "", promoter.ErrState, promoter.Approved},
			{promoter.Freeze, "", promoter.ErrReason, promoter.Approved},
			{promoter.Freeze, "刷单", nil, promoter.Frozen},
			{promoter.Thaw, "已核实", nil, promoter.Approved},
		}
		done := 1 // he applied
		for _, s := range steps {
			err := h.Decide(east, p, s.act, s.reason)
			if !errors.Is(err, s.want) {
				t.Fatalf("%s: got %v, want %v", s.act, err, s.want)
			}
			if s.want == nil {
				done++
			}
			got, err := h.FindPromoter(east, p)
			if err != nil || got.Status != s.status || len(got.Moves) != done || got.Moves[done-1].Status != s.status {
				t.Fatalf("after %s: got %+v, %v", s.act, got, err)
			}
		}
		t.Run("who applies again waits for a new word", func(t *testing.T) {
			again := h.apply(105, 1)
			if err := h.Decide(east, again, promoter.Refuse, "资料不全"); err != nil {
				t.Fatal(err)
			}
			db.Clock.Jump(time.Hour)
			h.apply(105, 1)
			got, err := h.FindPromoter(east, again)
			if err != nil || got.DecidedAt != 0 || got.DecidedBy != 0 || got.Reason != "" || got.AppliedAt != clock.MilliOf(db.Clock.Now()) {
				t.Errorf("got %+v, %v", got, err)
			}
			if err := h.Decide(east, again, promoter.Refuse, "仍不全"); err != nil {
				t.Fatal(err)
			}
		})
		t.Run("each move is audited", func(t *testing.T) {
			var n int
			if err := db.Read(bg).Raw("SELECT COUNT(*) FROM audit WHERE action LIKE 'promoter.%'").Scan(&n).Error; err != nil || n != 6 {
				t.Errorf("got %d rows, %v; want 6", n, err)
			}
		})
		t.Run("staff of another unit see nobody", func(t *testing.T) {
			west := staff(8, 2)
			if err := h.Decide(west, p, promoter.Freeze, "x"); !errors.Is(err, fault.NotFound) {
				t.Errorf("decide: %v", err)
			}
			if _, err := h.FindPromoter(west, p); !errors.Is(err, fault.NotFound) {
				t.Errorf("find: %v", err)
			}
			if list, err := h.ListPromoters(west, promoter.Filter{}, database.Page{}); err != nil || len(list.Items) != 0 {
				t.Errorf("list: %+v, %v", list, err)
			}
		})
		t.Run("a member sees himself, and not who decided", func(t *testing.T) {
			me := database.WithActor(bg, database.Actor{Kind: database.ActorMember, Member: 100})
			got, err := h.OfMember(me, 100)
			if err != nil || got.DecidedBy != 0 || got.Moves[1].StaffID != 0 || got.Moves[1].Reason != "资料不全" {
				t.Errorf("got %+v, %v", got, err)
			}
			h.apply(101, 1)
			if list, err := h.ListPromoters(me, promoter.Filter{}, database.Page{}); err != nil || len(list.Items) != 1 || list.Items[0].MemberID != 100 {
				t.Errorf("list: %+v, %v", list, err)
			}
		})
		t.Run("lists are narrowed", func(t *testing.T) {
			h.apply(102, 1)
			for name, c := range map[string]struct {
				f    promoter.Filter
				want int
			}{
				"all": {promoter.Filter{}, 4}, "applied": {promoter.Filter{Status: promoter.Applied}, 2},
				"one": {promoter.Filter{Member: 102}, 1}, "a unit": {promoter.Filter{Unit: 1, Status: promoter.Approved}, 1}, "another": {promoter.Filter{Unit: 2}, 0},
			} {
				if list, err := h.ListPromoters(east, c.f, database.Page{}); err != nil || len(list.Items) != c.want {
					t.Errorf("%s: got %d, %v; want %d", name, len(list.Items), err, c.want)
				}
			}
			if _, err := h.ListPromoters(east, promoter.Filter{Status: "merged"}, database.Page{}); err == nil {
				t.Error("an unknown status was taken")
			}
		})
	})
}

func TestMerge(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := house{&promoter.Service{DB: db}, t}
		east := staff(7, 1)
		at := func(m id.Member, acts ...promoter.Act) {
			p := h.apply(m, 1)
			for _, a := range acts {
				if err := h.Decide(east, p, a, "why"); err != nil {
					t.Fatal(err)
				}
			}
		}
		at(11, promoter.Approve)
		at(21, promoter.Approve, promoter.Freeze)
		at(22, promoter.Approve)
		at(31, promoter.Refuse)
		at(32, promoter.Approve)
		for _, c := range []struct {
			name       string
			from, into id.Member
			want       promoter.Status
		}{
			{"a standing moves to who had none", 11, 12, promoter.Approved},
			{"a freeze comes along", 21, 22, promoter.Frozen},
			{"a refusal does not outweigh an approval", 31, 32, promoter.Approved},
		} {
			if err := db.Tx(bg, func(tx *database.Tx) error { _, err := promoter.MergeTx(tx, c.from, c.into); return err }); err != nil {
				t.Fatal(err)
			}
			got, err := promoter.StandingIn(db.Read(bg), []id.Member{c.from, c.into})
			if err != nil || len(got) != 1 || got[c.into] != c.want {
				t.Errorf("%s: got %v, %v; want %s", c.name, got, err, c.want)
			}
		}
	})
}

// TestMergeKeepsTheHigherLevel: who becomes another loses no level that only
// keeping it holds up, and the proof of levels holds.
func TestMergeKeepsTheHigherLevel(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := house{&promoter.Service{DB: db}, t}
		steps := promoter.ShownLadder{Version: 2, Ladder: promoter.Ladder{PeriodDays: 30, Levels: []promoter.Level{
			{NameZH: "银牌", NameEN: "Silver", Reach: promoter.Condition{Fact: promoter.FactInviteesKept, AtLeast: 5},
				Keep: &promoter.Condition{Fact: promoter.FactInviteesKept, AtLeast: 1}},
			{NameZH: "金牌", NameEN: "Gold", Reach: promoter.Condition{Fact: promoter.FactInviteesKept, AtLeast: 9}},
		}}}
		judge := func(kept map[id.Member]int64) {
			t.Helper()
			err := db.Tx(bg, func(tx *database.Tx) error {
				list, err := promoter.ToJudge(tx, 0, 10)
				for _, p := range list {
					if err == nil {
						err = p.StepTx(tx, steps, promoter.Facts{InviteesKept: kept[p.MemberID]})
					}
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, m := range []id.Member{11, 12, 21, 22, 31} {
			if err := h.Decide(staff(7, 1), h.apply(m, 1), promoter.Approve, ""); err != nil {
				t.Fatal(err)
			}
		}
		first, err := h.OfMember(bg, 11)
		if err != nil {
			t.Fatal(err)
		}
		gone := first.ID
		h.apply(32, 1) // waits for a word
		judge(map[id.Member]int64{11: 6, 21: 5, 22: 9, 31: 9})
		for _, c := range []struct {
			name       string
			from, into id.Member
			want       int
			kept       int64
		}{
			{"to one without", 11, 12, 1, 6},
			{"to one above", 21, 22, 2, 9},
			{"with the approval", 31, 32, 2, 9},
		} {
			if err := db.Tx(bg, func(tx *database.Tx) error { _, err := promoter.MergeTx(tx, c.from, c.into); return err }); err != nil {
				t.Fatal(err)
			}
			got, err := h.OfMember(bg, c.into)
			if err != nil || got.Level != c.want || len(got.Steps) != 1 || got.Steps[0].Facts.InviteesKept != c.kept || got.Status != promoter.Approved || len(got.Moves) != 2 {
				t.Errorf("%s: got %+v, %v; want level %d by %d kept", c.name, got, err, c.want, c.kept)
			}
		}
		if err := h.Decide(staff(7, 1), gone, promoter.Freeze, "已是别人"); !errors.Is(err, fault.NotFound) {
			t.Errorf("the standing that went into another: got %v", err)
		}
		if bad := broken(t, db); len(bad) != 0 {
			t.Errorf("V19: %v", bad)
		}
		judge(map[id.Member]int64{12: 1, 22: 9, 32: 9})
		if got, err := h.OfMember(bg, 12); err != nil || got.Level != 1 {
			t.Errorf("judged by what keeps it: got %+v, %v", got, err)
		}
	})
}

// TestDecideRace has many decide at once: one act is made and one move
// written, and without locks and conditions more are.
func TestDecideRace(t *testing.T) {
	race := func(db *database.DB) (won int) {
		h := house{&promoter.Service{DB: db}, t}
		m := id.Member(db.IDs.Next())
		p := h.apply(m, 1)
		var mu sync.Mutex
		var all sync.WaitGroup
		start := make(chan struct{})
		for n := range 8 {
			all.Go(func() {
				<-start
				act := promoter.Approve
				if n%2 == 1 {
					act = promoter.Refuse
				}
				// Approving may follow a refusal; refusing follows an application alone.
				err := h.Decide(staff(id.Staff(n+1), 1), p, act, "why")
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil && act == promoter.Approve:
					won++
				case err != nil && !errors.Is(err, promoter.ErrState):
					t.Errorf("decide: %v", err)
				}
			})
		}
		close(start)
		all.Wait()
		return won
	}
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		for range 5 {
			if won := race(db); won != 1 {
				t.Fatalf("%d approvals of one application", won)
			}
		}
	})
	for _, engine := range dbtest.Engines {
		t.Run(engine+"/breaks without its conditions", func(t *testing.T) {
			db := dbtest.Unlocked(t, engine)
			for range 30 {
				if race(db) > 1 {
					return
				}
			}
			t.Error("one approval every time without conditions: the test cannot fail")
		})
	}
}
