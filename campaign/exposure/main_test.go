package exposure

import (
	"context"
	"fmt"
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

var bg = context.Background()

const hour = time.Hour

// world is groups with people in them, and a guard that lets ads in.
type world struct {
	t         testing.TB
	db        *database.DB
	s         *Service
	guard     *guard.Service
	community *community.Service
	promotion id.Promotion
	named     int
}

func newWorld(t testing.TB, db *database.DB) *world {
	return &world{t: t, db: db, s: &Service{DB: db}, guard: &guard.Service{DB: db}, community: &community.Service{DB: db}}
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) now() clock.Milli { return clock.MilliOf(w.db.Clock.Now()) }

// group is one that takes an ad every three hours.
func (w *world) group() id.Group {
	w.t.Helper()
	g, err := w.community.CreateGroup(bg, community.GroupIn{UnitID: 1, Name: "三里屯福利群", OwnerID: 7, Preset: community.PresetBenefit, BornAt: w.now().Add(-400 * 24 * hour),
		Charter: &community.CharterIn{Purpose: "分享好物", AdsPerDay: 6, AdsPerWeek: 30, QuietFrom: 23 * 60, QuietTo: 6 * 60}})
	w.check(err)
	_, err = w.guard.SetAdPolicy(bg, g, guard.AdPolicyIn{Preset: guard.PresetBenefit, Mode: guard.ModeOff}, 1)
	w.check(err)
	return g
}

func (w *world) people(n int) []id.Member {
	w.t.Helper()
	rows := make([]community.MemberIn, n)
	for i := range rows {
		rows[i] = community.MemberIn{Name: "王小明", Identities: []community.Identity{{Kind: community.IdentityMall, Value: fmt.Sprintf("m-%d", w.named)}}}
		w.named++
	}
	done, err := w.community.UpsertMembers(bg, rows)
	w.check(err)
	out := make([]id.Member, n)
	for i, r := range done {
		out[i] = r.Member
	}
	return out
}

func (w *world) join(g id.Group, joined clock.Milli, who ...id.Member) {
	w.t.Helper()
	rows := make([]community.MembershipIn, len(who))
	for i, m := range who {
		rows[i] = community.MembershipIn{MemberID: m, JoinedAt: joined}
	}
	_, err := w.community.PutMemberships(bg, g, rows)
	w.check(err)
}

// reserve asks for a slot of the next hour.
func (w *world) reserve(g id.Group) id.Slot {
	w.t.Helper()
	w.promotion++
	got, err := w.guard.Reserve(bg, guard.Ask{Promotion: w.promotion, WindowNo: 1, Window: guard.Window{From: w.now(), To: w.now().Add(hour)}, Groups: []id.Group{g}},
		func(*database.Tx, []guard.Answer) error { return nil })
	w.check(err)
	return got[0].SlotID
}

// show shows an ad now.
func (w *world) show(g id.Group) {
	w.t.Helper()
	_, err := w.guard.PostByHand(bg, g, 0, 0)
	w.check(err)
}

// set puts the brand's policy into force at once, looser or not.
func (w *world) set(mode guard.Mode, ceiling, days, share int) {
	w.t.Helper()
	is, err := w.s.Find(bg, 0)
	w.check(err)
	w.check(w.db.Tx(bg, func(tx *database.Tx) error {
		return announce(tx, 0, 0, layers{{Version: is.Version + 1, Policy: Policy{mode, ceiling, days, share}}})
	}))
}

func (w *world) standing(g id.Group) Standing {
	w.t.Helper()
	got, err := w.s.OfGroup(bg, g)
	w.check(err)
	return got
}
