package insight_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/internal/secret"
	"siyu/internal/task"
	"siyu/referral"
	"siyu/referral/insight"
)

var bg = context.Background()

// TestRecount plays 120 days of invitations, orders and groups by chance, and
// counts every figure once more by SQL of its own.
func TestRecount(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.play(rand.New(rand.NewPCG(7, 11)))
		now := clock.MilliOf(db.Clock.Now())
		s := &insight.Service{DB: db}
		window := insight.Window{From: born, To: now.Add(1)}
		f, err := s.Read(bg, window)
		if err != nil {
			t.Fatal(err)
		}
		of := "FROM bindings b WHERE b.program_id = " + fmt.Sprint(int64(w.program))
		month := int64(30 * day.Milliseconds())
		mature := fmt.Sprintf("%s AND b.bound_at + %d <= %d", of, month, now)
		netOf := "(r.amount + COALESCE((SELECT SUM(e.amount) FROM reward_events e WHERE e.reward_id = r.id AND e.kind IN ('reduced','clawed_back','voided')), 0))"
		paid := "(SELECT COUNT(*) FROM member_facts x WHERE x.member_id = b.invitee_id AND x.kind = 'order_paid' AND x.at >= b.bound_at"
		clearedAt := "COALESCE((SELECT MIN(e.at) FROM reward_events e WHERE e.reward_id = r.id AND e.kind = 'cleared'), 0)"
		late := int64(day.Milliseconds())
		due := fmt.Sprintf("FROM rewards r WHERE r.amount > 0 AND r.matures_at + %d <= %d AND (%s > 0 OR %s > 0)", late, now, clearedAt, netOf)
		checks := map[string]struct {
			got int64
			sql string
		}{
			"invitees": {int64(f.Invitees), "SELECT COUNT(DISTINCT b.invitee_id) " + of},
			"bought":   {int64(f.Bought), "SELECT COUNT(*) " + of + " AND " + paid + ") > 0"},
			"k cohort": {int64(f.K.Invitees), "SELECT COUNT(*) " + mature},
			"k brought": {int64(f.K.Brought), fmt.Sprintf("SELECT COUNT(*) FROM bindings y JOIN bindings b ON y.inviter_id = b.invitee_id WHERE b.bound_at + %d <= %d AND y.bound_at >= b.bound_at AND y.bound_at < b.bound_at + %d",
				month, now, month)},
			"kept": {int64(f.Kept.Kept), fmt.Sprintf(`SELECT COUNT(*) %s AND (%s AND x.at < b.bound_at + %d) > 1 OR EXISTS (SELECT 1 FROM memberships m
				WHERE m.member_id = b.invitee_id AND m.joined_at <= b.bound_at + %d AND (m.left_at = 0 OR m.left_at > b.bound_at + %d)))`,
				mature, paid, month, month, month)},
			"rewards of the mature": {int64(f.Kept.Rewards), "SELECT COALESCE(SUM(" + netOf + "), 0) FROM rewards r JOIN (SELECT b.id " + mature + ") z ON z.id = r.binding_id"},
			"depth 1":               {int64(depth(f, 1)), "SELECT COUNT(*) " + of + " AND NOT EXISTS (SELECT 1 FROM bindings u WHERE u.invitee_id = b.inviter_id)"},
			"depth 2":               {int64(depth(f, 2)), "SELECT COUNT(*) " + of + " AND EXISTS (SELECT 1 FROM bindings u WHERE u.invitee_id = b.inviter_id AND NOT EXISTS (SELECT 1 FROM bindings v WHERE v.invitee_id = u.inviter_id))"},
			"inviters":              {int64(f.Heads.Inviters), "SELECT COUNT(DISTINCT b.inviter_id) " + of},
			"the first head":        {int64(f.Heads.List[0].Invitees), "SELECT MAX(n) FROM (SELECT COUNT(*) AS n " + of + " GROUP BY b.inviter_id) g"},
			"promises due":          {int64(f.Promise.Due), "SELECT COUNT(*) " + due},
			"kept on time":          {int64(f.Promise.OnTime), fmt.Sprintf("SELECT COUNT(*) %s AND %s > 0 AND %s <= r.matures_at + %d", due, clearedAt, clearedAt, late)},
			"kept late":             {int64(f.Promise.Late), fmt.Sprintf("SELECT COUNT(*) %s AND %s > r.matures_at + %d", due, clearedAt, late)},
			"bought in week 2": {int64(weekly(f, 2).Bought), fmt.Sprintf("SELECT COUNT(*) %s AND b.bound_at + %d <= %d AND EXISTS (SELECT 1 FROM member_facts x WHERE x.member_id = b.invitee_id AND x.kind = 'order_paid' AND x.at >= b.bound_at + %d AND x.at < b.bound_at + %d)",
				of, 21*late, now, 14*late, 21*late)},
			"of week 2": {int64(weekly(f, 2).Of), fmt.Sprintf("SELECT COUNT(*) %s AND b.bound_at + %d <= %d", of, 21*late, now)},
		}
		for name, c := range checks {
			var want int64
			if err := db.Read(bg).Raw(c.sql).Row().Scan(&want); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if c.got != want {
				t.Errorf("%s: got %d, counted anew %d", name, c.got, want)
			}
			if want == 0 {
				t.Errorf("%s: nothing of it happened, so nothing is shown", name)
			}
		}
		t.Run("another program has nothing of it", func(t *testing.T) {
			window := window
			window.Program = 7
			if f, err := s.Read(bg, window); err != nil || f.Invitees != 0 {
				t.Errorf("got %+v, %v", f, err)
			}
		})
		t.Run("staff of another unit see nothing of it", func(t *testing.T) {
			other := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 1, Units: []id.Unit{99}})
			if f, err := s.Read(other, window); err != nil || f.Invitees != 0 {
				t.Errorf("got %+v, %v", f, err)
			}
		})
		t.Run("a window that ends before it begins is refused", func(t *testing.T) {
			if _, err := s.Read(bg, insight.Window{From: now, To: now}); err == nil {
				t.Error("it was read")
			}
		})
	})
}

func depth(f insight.Figures, at int) int {
	for _, d := range f.Depths {
		if d.Depth == at {
			return d.Invitees
		}
	}
	return 0
}

// weekly sums one week after binding over the cohorts.
func weekly(f insight.Figures, n int) insight.Retained {
	var sum insight.Retained
	for _, c := range f.Cohorts {
		sum.Of += c.Weeks[n].Of
		sum.Bought += c.Weeks[n].Bought
	}
	return sum
}

// world is people who invite each other.
type world struct {
	t       *testing.T
	db      *database.DB
	rooms   *referral.Service
	people  *community.Service
	tasks   *task.Registry
	program id.Program
	group   id.Group
	all     []id.Member
	order   id.Order
}

func newWorld(t *testing.T, db *database.DB) *world {
	t.Helper()
	keys, err := secret.New(secret.Fresh())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, db: db, rooms: &referral.Service{DB: db, Secrets: keys}, people: &community.Service{DB: db, Secrets: keys}, tasks: task.NewRegistry()}
	w.rooms.Register(w.tasks)
	no, life := false, 365
	w.program, err = w.rooms.CreateProgram(bg, referral.ProgramIn{Name: "老带新", Scope: referral.ScopeNewMember, Budget: 100_000_000, Rules: referral.RulesIn{
		Trigger: referral.TriggerEveryPaidOrder, InviterHasOrdered: &no, AttributionDays: &life,
		Rewards: []referral.Promise{{Rule: "inviter", To: referral.SideInviter, Mode: referral.ModePercent, Rate: 1000}, {Rule: "welcome", To: referral.SideInvitee, Mode: referral.ModeFixed, Amount: 300}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if w.group, err = w.people.CreateGroup(bg, community.GroupIn{Name: "群"}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.member()
	}
	return w
}

func (w *world) member() id.Member {
	w.t.Helper()
	rows, err := w.people.UpsertMembers(bg, []community.MemberIn{{Identities: []community.Identity{{Kind: community.IdentityMall, Value: fmt.Sprint("m", len(w.all))}}}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.all = append(w.all, rows[0].Member)
	return rows[0].Member
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// play lets 40 people be brought over 120 days; some join the group, some
// order, once or more, some orders are refunded, and the worker stops for
// a while, so that some promises are kept late.
func (w *world) play(chance *rand.Rand) {
	w.t.Helper()
	for n := range 60 {
		w.db.Clock.Jump(2 * day)
		inviter := w.all[chance.IntN(min(len(w.all), 8))]
		if n < 40 {
			w.bring(inviter, chance)
		}
		for range 2 {
			w.pay(w.all[chance.IntN(len(w.all))], chance)
		}
		if n < 25 || n > 32 {
			w.must(task.Drain(bg, w.db, w.tasks))
		}
	}
}

func (w *world) bring(inviter id.Member, chance *rand.Rand) {
	w.t.Helper()
	code, err := w.rooms.CreateCode(bg, referral.CodeIn{InviterID: inviter, ProgramID: w.program})
	w.must(err)
	list, err := w.rooms.CodesByID(bg, []id.Code{code})
	w.must(err)
	m := w.member()
	_, err = w.rooms.Bind(bg, referral.Bind{Code: list[0].Code, Invitee: m})
	w.must(err)
	if chance.IntN(3) == 0 {
		w.must(w.people.Join(bg, community.Join{Group: w.group, Member: m}))
	}
}

func (w *world) pay(m id.Member, chance *rand.Rand) {
	w.t.Helper()
	w.order++
	order := w.order
	w.must(w.db.Tx(bg, func(tx *database.Tx) error {
		frozen, err := referral.FrozenIn(tx.DB, w.program, []id.Member{m}, tx.Now)
		if err != nil {
			return err
		}
		err = referral.PaidTx(tx, referral.PaidOrder{Order: order, Invitee: m, Goods: 5000, PaidAt: tx.Now, Frozen: frozen[m]})
		if err != nil {
			return err
		}
		return community.FactTx(tx, community.Fact{Member: m, Kind: community.FactOrderPaid, Ref: int64(order), At: tx.Now, Amount: 5000})
	}))
	if chance.IntN(6) == 0 {
		w.must(w.db.Tx(bg, func(tx *database.Tx) error { return referral.RefundedTx(tx, order, id.Refund(order), 5000) }))
	}
}
