package review_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
	"siyu/referral/review"
)

var bg = context.Background()

type row struct {
	Member id.Member
	Kind   review.MarkKind
	Hash   string
}

func open(t *testing.T, db *database.DB) *review.Service {
	t.Helper()
	keys, err := secret.New(secret.Fresh())
	must(t, err)
	must(t, db.Tx(bg, func(tx *database.Tx) error {
		for m := range 4 {
			if err := tx.Exec(`INSERT INTO members (id, unit_id, name, guest, status, merged_into, version, created_at)
				VALUES (?, ?, '小王', 0, 'active', 0, 1, 1)`, m+1, 7).Error; err != nil {
				return err
			}
		}
		return nil
	}))
	return &review.Service{DB: db, Secrets: keys}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func rows(t *testing.T, db *database.DB) []row {
	t.Helper()
	var list []row
	must(t, db.Read(bg).Raw("SELECT member_id AS member, kind, hash FROM sightings ORDER BY id").Scan(&list).Error)
	return list
}

// alike counts the members behind each kind's fullest hash.
func alike(list []row) map[review.MarkKind]int {
	count := map[row]int{}
	most := map[review.MarkKind]int{}
	for _, r := range list {
		r.Member = 0
		count[r]++
		most[r.Kind] = max(most[r.Kind], count[r])
	}
	return most
}

// TestSightings: what one person writes in two ways is one mark, what differs
// is two, and nothing but a hash is kept.
func TestSightings(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		mall := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 1, Units: []id.Unit{7}})
		must(t, s.Report(mall, review.SightingsIn{Sightings: []review.SightingIn{
			{Member: 1, Device: "D-1", Address: "杭州市 西湖区 龙井路１号，3-201", IP: "203.0.113.7"},
			{Member: 2, Device: "D-1", Address: "杭州市西湖区龙井路1号3-201", IP: "203.0.113.200"},
			{Member: 3, Device: "D-2", Address: "杭州市西湖区龙井路2号3-201", IP: "203.0.114.7"},
			{Member: 3, IP: "2001:db8:1:2::9"}, {Member: 4, IP: "2001:db8:1:ffff::1"},
		}}))
		if diff := cmp.Diff(map[review.MarkKind]int{review.MarkDevice: 2, review.MarkAddress: 2, review.MarkNetwork: 2}, alike(rows(t, db))); diff != "" {
			t.Error(diff)
		}
		for _, r := range rows(t, db) {
			if len(r.Hash) != 64 || strings.Trim(r.Hash, "0123456789abcdef") != "" {
				t.Errorf("kept as %q, want a hash alone", r.Hash)
			}
		}
		n := len(rows(t, db))
		s.Sight(1, review.Seen{Device: "D-1", IP: "203.0.113.7"}) // seen before, by the page this time
		must(t, s.Flush(bg))
		if got := len(rows(t, db)); got != n {
			t.Errorf("the same again made %d rows of %d", got, n)
		}
		t.Run("another unit's member does not exist", func(t *testing.T) {
			other := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 1, Units: []id.Unit{8}})
			for _, ctx := range []context.Context{other, mall} {
				m := id.Member(1)
				if ctx == mall {
					m = 99
				}
				f, _ := fault.As(s.Report(ctx, review.SightingsIn{Sightings: []review.SightingIn{{Member: m, Device: "x"}}}))
				if f == nil || f.Kind != fault.KindNotFound {
					t.Errorf("got %v", f)
				}
			}
		})
		t.Run("a merge keeps each mark once", func(t *testing.T) {
			must(t, db.Tx(bg, func(tx *database.Tx) error { _, err := review.MergeTx(tx, 2, 1); return err }))
			for _, r := range rows(t, db) {
				if r.Member == 2 {
					t.Errorf("%s stayed with who was merged away", r.Kind)
				}
			}
			if diff := cmp.Diff(map[review.MarkKind]int{review.MarkDevice: 1, review.MarkAddress: 1, review.MarkNetwork: 2}, alike(rows(t, db))); diff != "" {
				t.Error(diff)
			}
		})
		t.Run("networks are forgotten after 30 days, the rest after 180", func(t *testing.T) {
			for _, c := range []struct {
				after time.Duration
				kinds []review.MarkKind
			}{
				{30 * 24 * time.Hour, []review.MarkKind{review.MarkAddress, review.MarkDevice, review.MarkNetwork}},
				{time.Millisecond, []review.MarkKind{review.MarkAddress, review.MarkDevice}},
				{150 * 24 * time.Hour, nil},
			} {
				db.Clock.Jump(c.after)
				must(t, s.Forget(bg, clock.MilliOf(db.Clock.Now())))
				if diff := cmp.Diff(c.kinds, slices.Sorted(maps.Keys(alike(rows(t, db))))); diff != "" {
					t.Error(diff)
				}
			}
		})
		t.Run("a person can be forgotten and told", func(t *testing.T) {
			s.Sight(4, review.Seen{Device: "D-9"})
			must(t, s.Flush(bg))
			list, err := s.SightingsOf(bg, 4)
			if err != nil || len(list) != 1 || list[0].Kind != review.MarkDevice {
				t.Errorf("told: got %+v, %v", list, err)
			}
			must(t, s.EraseMember(bg, 4))
			if got := rows(t, db); len(got) != 0 {
				t.Errorf("left: %+v", got)
			}
		})
	})
}

// TestAMergeForgetsNothingEarly: what two were seen with, who turn out to be one,
// is kept until it is too old since the last time that either was.
func TestAMergeForgetsNothingEarly(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		keys, err := secret.New(secret.Fresh())
		must(t, err)
		s := &review.Service{DB: db, Secrets: keys}
		for _, m := range []id.Member{1, 2} {
			s.Sight(m, review.Seen{Device: "D-1"})
			must(t, s.Flush(bg))
			db.Clock.Jump(100 * 24 * time.Hour)
		}
		must(t, db.Tx(bg, func(tx *database.Tx) error { _, err := review.MergeTx(tx, 2, 1); return err }))
		must(t, s.Forget(bg, clock.MilliOf(db.Clock.Now())))
		list, err := s.SightingsOf(bg, 1)
		must(t, err)
		last := clock.MilliOf(db.Clock.Now()).Add(-100 * 24 * time.Hour)
		want := []review.Sighting{{Kind: review.MarkDevice, FirstAt: last.Add(-100 * 24 * time.Hour), LastAt: last}}
		if diff := cmp.Diff(want, list); diff != "" {
			t.Error(diff)
		}
	})
}

// TestSeenAgainIsKeptOn: what somebody is seen with again is kept from that day
// on, whoever notes it.
func TestSeenAgainIsKeptOn(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		seen := map[string]func(){
			"by a page": func() { s.Sight(1, review.Seen{Device: "D-1"}); must(t, s.Flush(bg)) },
			"by the mall": func() {
				must(t, s.Report(bg, review.SightingsIn{Sightings: []review.SightingIn{{Member: 2, Device: "D-2"}}}))
			},
		}
		for range 2 {
			for _, see := range seen {
				see()
			}
			db.Clock.Jump(100 * 24 * time.Hour)
		}
		must(t, s.Forget(bg, clock.MilliOf(db.Clock.Now())))
		last := clock.MilliOf(db.Clock.Now()).Add(-100 * 24 * time.Hour)
		for m := id.Member(1); m <= 2; m++ {
			list, err := s.SightingsOf(bg, m)
			must(t, err)
			if want := []review.Sighting{{Kind: review.MarkDevice, FirstAt: last.Add(-100 * 24 * time.Hour), LastAt: last}}; !cmp.Equal(want, list) {
				t.Errorf("member %d: %s", m, cmp.Diff(want, list))
			}
		}
	})
}
