package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"siyu/community"
	"siyu/community/health"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// rollupEvents are made unless -existing says how many; the full count is
// 5,000,000.
const rollupEvents = 200_000

// rollupDays is how far back they lie, the length of an incubation.
const rollupDays = 90

// rollupPerDay is what a large, lively group does a day, so that the groups are
// as many as it takes.
const rollupPerDay = 555

// runRollup writes events of large groups over 90 days straight into the store,
// marks their days as a report does, and measures counting and judging all of
// them in this process, with no house beside it, against one bare statement
// that groups the same rows.
func runRollup(ctx context.Context, l *lab) error {
	for _, h := range l.houses {
		h.stop() // its own roll-up would take part
	}
	want := l.existing
	if want == 0 {
		want = rollupEvents
	}
	return l.leased(ctx, func(db *database.DB) error {
		groups, err := l.rollupGroups(ctx, db, max(1, want/rollupDays/rollupPerDay))
		if err != nil {
			return err
		}
		began := time.Now()
		made, err := l.rollupEvents(ctx, db, groups, want)
		if err != nil {
			return err
		}
		l.printf("  %s events of %d groups made in %.0f s\n", short(made), len(groups), time.Since(began).Seconds())
		bare, err := rollupBare(ctx, db)
		if err != nil {
			return err
		}
		resetPeak(os.Getpid())
		began = time.Now()
		if err := (&health.Service{DB: db}).RollUp(ctx); err != nil {
			return err
		}
		took, peak := time.Since(began), peakOf(os.Getpid())
		var counted int
		if err := db.Read(ctx).Raw("SELECT SUM(said + host) FROM group_days").Scan(&counted).Error; err != nil {
			return err
		}
		if counted != made {
			return fmt.Errorf("%w: %d events counted of %d", errInexact, counted, made)
		}
		l.printf("  rolled up in %.1f s (goal 60 for 5M), %.0f events/s, this process at most %.0f MiB (goal 300); %.2f × the time of a bare GROUP BY over the same rows\n",
			took.Seconds(), float64(made)/took.Seconds(), mib(peak), took.Seconds()/bare.Seconds())
		return nil
	})
}

// rollupGroups makes groups with the whole crowd in each.
func (l *lab) rollupGroups(ctx context.Context, db *database.DB, n int) ([]id.Group, error) {
	born := time.Now().AddDate(0, 0, -rollupDays-1).UnixMilli()
	groups := make([]id.Group, n)
	people := &community.Service{DB: db}
	ctx = database.WithActor(ctx, database.Actor{Kind: database.ActorStaff, Staff: 1, Role: "admin", Unit: 1})
	for i := range groups {
		var err error
		groups[i], err = people.CreateGroup(ctx, community.GroupIn{Name: fmt.Sprint("bench ", i), UnitID: 1, BornAt: clock.Milli(born)})
		if err != nil {
			return nil, err
		}
		err = db.Tx(ctx, func(tx *database.Tx) error {
			var rows []string
			for _, m := range l.crowd.ids {
				rows = append(rows, fmt.Sprintf("(%d,%d,%d,'member',%d,0,1,0,1)", tx.Next(), groups[i], m, born))
			}
			err := tx.Exec("INSERT INTO memberships (id, group_id, member_id, role, joined_at, left_at, charter_version, code_id, version) VALUES " + strings.Join(rows, ",")).Error
			if err != nil {
				return err
			}
			return database.AuditTx(tx, "bench.groups", groups[i], nil, nil)
		})
		if err != nil {
			return nil, err
		}
	}
	return groups, nil
}

// rollupEvents spreads the events over groups, days, kinds and members.
func (l *lab) rollupEvents(ctx context.Context, db *database.DB, groups []id.Group, want int) (int, error) {
	zone, err := time.LoadLocation(clock.Shanghai)
	if err != nil {
		return 0, err
	}
	kinds := []community.ActivityKind{community.ActivityReply, community.ActivityMessage, community.ActivityTopic, community.ActivityPost, community.ActivityReply}
	each := max(1, want/len(groups)/rollupDays)
	made, now := 0, time.Now()
	for _, g := range groups {
		for back := range rollupDays {
			at := now.AddDate(0, 0, -back)
			day := clock.Day(at, zone)
			err := db.Tx(ctx, func(tx *database.Tx) error {
				var b strings.Builder
				for i := range each {
					sep := ","
					if i == 0 {
						sep = "INSERT INTO activity_events (group_id, event_id, member_id, kind, at, day, received_at, to_id) VALUES "
					}
					n := made + i
					fmt.Fprintf(&b, "%s(%d,'e%d',%d,'%s',%d,%d,%d,0)", sep, g, n, l.crowd.ids[n*7919%len(l.crowd.ids)], kinds[n%len(kinds)], at.UnixMilli(), day, at.UnixMilli())
				}
				if err := tx.Exec(b.String()).Error; err != nil {
					return err
				}
				return community.MarkTx(tx, g, []int{day})
			})
			if err != nil {
				return made, fmt.Errorf("events: %w", err)
			}
			made += each
		}
	}
	return made, nil
}

// rollupBare is how long one statement takes that groups the same rows.
func rollupBare(ctx context.Context, db *database.DB) (time.Duration, error) {
	began := time.Now()
	var n int
	err := db.Read(ctx).Raw(`SELECT COUNT(*) FROM (SELECT group_id, day, kind, member_id, COUNT(*) AS n
		FROM activity_events GROUP BY group_id, day, kind, member_id) t`).Scan(&n).Error
	return time.Since(began), err
}
