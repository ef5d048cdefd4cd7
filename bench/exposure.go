package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"time"

	"siyu/campaign/exposure"
	"siyu/campaign/guard"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// exposureUsual is how many memberships are walked unless -existing says
// otherwise; of each member there are three, among exposureGroups groups.
const (
	exposureUsual  = 3_000_000
	exposureGroups = 100_000
	groupsEach     = 3
)

// runExposure counts how many ads each member saw across his groups, against a
// bare read of the same memberships, then weighs 2,000 groups, and counts the
// members again by SQL.
func runExposure(ctx context.Context, l *lab) error {
	n := l.existing
	if n == 0 {
		n = exposureUsual
	}
	w := &wave{lab: l}
	began := time.Now()
	groups, err := w.fill(ctx, min(exposureGroups, max(n/30, 100)))
	if err != nil {
		return err
	}
	if err := w.fillStays(ctx, n, groups); err != nil {
		return err
	}
	l.printf("  %s memberships in %s groups made in %.0f s\n", short(n), short(len(groups)), time.Since(began).Seconds())
	return w.leased(ctx, func(db *database.DB) error {
		db.Clock = clock.At(w.now.Time())
		s := &exposure.Service{DB: db}
		bare, err := w.bareStays(ctx, db)
		if err != nil {
			return err
		}
		runtime.GC()
		if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
			return err
		}
		for range 2 { // the second finds what the first wrote
			spent := w.spent()
			began := time.Now()
			if err := s.Count(ctx); err != nil {
				return err
			}
			took := time.Since(began)
			l.printf("counted in %.1f s, %.1f s of CPU; the memberships alone read in %.1f s; at most %.0f MiB\n",
				took.Seconds(), (w.spent() - spent).Seconds(), bare.Seconds(), mib(peakOf(os.Getpid())))
		}
		began := time.Now()
		judged, err := s.Judge(ctx, groups[:min(2_000, len(groups))])
		if err != nil {
			return err
		}
		above := 0
		for _, v := range judged {
			if v.Above() {
				above++
			}
		}
		l.printf("%d groups weighed together in %.2f s, %d of them above the bound\n", len(judged), time.Since(began).Seconds(), above)
		return w.exposed(ctx, s)
	})
}

// fillStays puts n memberships into the groups, three of a member in groups
// near one another.
func (w *wave) fillStays(ctx context.Context, n int, groups []id.Group) error {
	r := rand.New(rand.NewPCG(2, 2))
	return w.leased(ctx, func(db *database.DB) error {
		for made := 0; made < n; {
			var b strings.Builder
			b.WriteString("INSERT INTO memberships (id, group_id, member_id, role, joined_at, left_at, charter_version, code_id, version) VALUES ")
			err := db.Tx(ctx, func(tx *database.Tx) error {
				for i := 0; i < 1_998 && made < n; i += groupsEach {
					member, first := tx.Next(), r.IntN(len(groups))
					for k := range groupsEach {
						if i+k > 0 {
							b.WriteByte(',')
						}
						left := clock.Milli(0)
						if r.IntN(20) == 0 {
							left = w.now.Add(-time.Duration(r.IntN(14*24)) * time.Hour)
						}
						joined := w.now.Add(-time.Duration(15*24+r.IntN(300*24)) * time.Hour)
						fmt.Fprintf(&b, "(%d,%d,%d,'member',%d,%d,1,0,1)", tx.Next(), groups[(first+k)%len(groups)], member, joined, left)
						made++
					}
				}
				return tx.Exec(b.String()).Error
			})
			if err != nil {
				return fmt.Errorf("memberships: %w", err)
			}
		}
		return nil
	})
}

// bareStays reads every membership in the order of its pages and does nothing
// with it.
func (w *wave) bareStays(ctx context.Context, db *database.DB) (time.Duration, error) {
	began := time.Now()
	rows, err := db.Read(ctx).Raw("SELECT member_id, group_id, joined_at, left_at, role FROM memberships FORCE INDEX (PRIMARY)").Rows()
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	var member, group, joined, left int64
	var role string
	for rows.Next() {
		if err := rows.Scan(&member, &group, &joined, &left, &role); err != nil {
			return 0, err
		}
	}
	return time.Since(began), rows.Err()
}

// exposedAtOnce is how many memberships one statement of the check looks at: a
// connection gives an answer up that is 45 s in coming.
const exposedAtOnce = 100_000

// exposed holds the sum of what was counted against SQL, some members at a
// time. The slots that count are copied first: with all their columns they
// outgrow the engine's memory, and each membership would read its groups' from
// the disk. The order of the join is given: members lead.
func (w *wave) exposed(ctx context.Context, s *exposure.Service) error {
	shown, err := s.Find(ctx, 0)
	if err != nil {
		return err
	}
	began, from := time.Now(), w.now.Add(-7*24*time.Hour)
	for _, text := range []string{
		"CREATE TABLE bench_shown (group_id BIGINT NOT NULL, last_at BIGINT NOT NULL, first_at BIGINT NOT NULL, id BIGINT NOT NULL, PRIMARY KEY (group_id, last_at, id))",
		fmt.Sprintf("INSERT INTO bench_shown SELECT group_id, last_at, first_at, id FROM slots WHERE released_at = 0 AND last_at >= %d", from),
	} {
		if err := w.store.tell(ctx, text); err != nil {
			return err
		}
	}
	var want int64
	for after := int64(0); ; {
		last, err := w.store.number(ctx, `SELECT COALESCE(MAX(member_id), 0) FROM
			(SELECT member_id FROM memberships WHERE member_id > ? ORDER BY member_id LIMIT ?) AS next_ones`, after, exposedAtOnce)
		if err != nil {
			return err
		}
		if last == 0 {
			break
		}
		n, err := w.store.number(ctx, `SELECT COUNT(DISTINCT m.member_id) FROM memberships m STRAIGHT_JOIN bench_shown s ON s.group_id = m.group_id
			WHERE m.member_id > ? AND m.member_id <= ? AND m.joined_at <= s.last_at AND (m.left_at = 0 OR m.left_at > s.first_at)`, after, last)
		if err != nil {
			return fmt.Errorf("members after %d: %w", after, err)
		}
		want, after = want+n, last
	}
	if want != shown.Counted.Members || shown.Mode != guard.ModeAdvise {
		return fmt.Errorf("%w: %d members saw an ad, counted %d", errInexact, want, shown.Counted.Members)
	}
	w.printf("exact: %d members saw an ad by a count of its own, in %.0f s\n", want, time.Since(began).Seconds())
	return nil
}
