package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"siyu/internal/database"
	"siyu/internal/id"
)

// The baseline: for how long each number of workers reserves group by group,
// and how many groups it can ask for in all.
const (
	guardBase     = 4 * time.Second
	guardBaseMost = 60_000

	singlePromotion = 1000 // its promotions are numbered from here
)

var guardWorkers = []int{4, 8, 16, 32}

// singly measures one transaction per group with 4 to 32 workers and returns
// the best pace.
func (w *wave) singly(ctx context.Context) (best pace, err error) {
	for no, workers := range guardWorkers {
		groups, err := w.fill(ctx, min(guardBaseMost/len(guardWorkers), max(w.existing, 2000)))
		if err != nil {
			return best, err
		}
		if err := w.makeGuards(ctx, groups); err != nil {
			return best, err
		}
		p, err := w.oneByOne(ctx, singlePromotion+int64(no), workers, groups)
		if err != nil {
			return best, err
		}
		if p.rate() > best.rate() || best.n == 0 {
			best = p
		}
		w.printf("  one transaction per group, %2d workers: %s\n", workers, p)
	}
	return best, nil
}

// makeGuards makes the rows the baseline locks.
func (w *wave) makeGuards(ctx context.Context, groups []id.Group) error {
	return w.leased(ctx, func(db *database.DB) error {
		for from := 0; from < len(groups); from += 500 {
			var b strings.Builder
			b.WriteString(`INSERT INTO group_guards (group_id, preset, mode, warm_up_days, gap_hours, ads_per_day, ads_per_week, ads_per_month,
				quiet_from, quiet_to, observe_until, last_seq, version, created_at) VALUES `)
			for i, g := range groups[from:min(from+500, len(groups))] {
				if i > 0 {
					b.WriteByte(',')
				}
				fmt.Fprintf(&b, "(%d,'','enforce',-1,-1,-1,-1,-1,-1,-1,0,0,1,%d)", g, w.now)
			}
			if err := db.Tx(ctx, func(tx *database.Tx) error { return tx.Exec(b.String()).Error }); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *wave) oneByOne(ctx context.Context, promotion int64, workers int, groups []id.Group) (pace, error) {
	name, dsn, err := driver(w.store.url)
	if err != nil {
		return pace{}, err
	}
	pool, err := sql.Open(name, dsn)
	if err != nil {
		return pace{}, err
	}
	defer pool.Close()
	pool.SetMaxOpenConns(workers)
	pool.SetMaxIdleConns(workers)
	row := rowUpdate{pool: pool, begin: "BEGIN"}
	var next atomic.Int64
	var work sync.WaitGroup
	errs := make([]error, workers)
	began, spent := time.Now(), w.spent()
	for worker := range workers {
		work.Go(func() {
			for time.Since(began) < guardBase {
				i := int(next.Add(1)) - 1
				if i >= len(groups) {
					return
				}
				if errs[worker] = row.reserve(ctx, promotion, int64(groups[i]), int64(w.now)); errs[worker] != nil {
					return
				}
			}
		})
	}
	work.Wait()
	return pace{min(int(next.Load()), len(groups)), time.Since(began), w.spent() - spent}, errors.Join(errs...)
}

const (
	singleLock = `SELECT g.unit_id, g.status, v.last_seq, c.ads_per_day, c.ads_per_week FROM group_guards v JOIN chat_groups g ON g.id = v.group_id
		JOIN charters c ON c.group_id = v.group_id AND c.version = (SELECT MAX(version) FROM charters x WHERE x.group_id = v.group_id AND x.effective_at <= ?)
		WHERE v.group_id = ? FOR UPDATE`
	// One look at the day, the week and the last ad is all the baseline decides by.
	singleCount = `SELECT COALESCE(MAX(last_at), 0), COUNT(CASE WHEN last_at >= ? THEN 1 END) FROM slots WHERE group_id = ? AND released_at = 0 AND last_at >= ?`
	singleSlot  = `INSERT INTO slots (id, group_id, seq, unit_id, campaign_id, promotion_id, window_no, freed, from_at, to_at, first_at, last_at,
		reserved_at, started_at, confirmed_at, confirmed_seq, released_at, released_seq, release_reason, late, unplanned,
		cap_day, cap_week, cap_month, cap_life, gap_minutes, quiet_from, quiet_to, charter_quiet_from, charter_quiet_to,
		preset, mode, preset_version, policy_version, charter_version, zone)
		VALUES (?, ?, ?, 0, 0, ?, 1, 0, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, '', 0, 0, 1, 4, 16, -1, 1200, 1320, 480, 1320, 480, 'retail', 'enforce', 1, 1, 1, 'Asia/Shanghai')`
	singleDecision = `INSERT INTO decisions (id, group_id, unit_id, campaign_id, promotion_id, window_no, slot_id, outcome, rule_name, kept, reasons, advice,
		asked_from, asked_to, from_at, to_at, not_before, preset, mode, policy_version, charter_version, zone, times, decided_at, last_at)
		VALUES (?, ?, 0, 0, ?, 1, ?, ?, ?, ?, ?, 'G8:-1:3;G9:-1:2;G10:-1:1;G11:-1:0', ?, ?, ?, ?, ?, 'retail', 'enforce', 1, 1, 'Asia/Shanghai', 1, ?, ?)`
)

// reserve asks for one group: its row is locked, its ads are counted, slot and
// decision are written.
func (r *rowUpdate) reserve(ctx context.Context, promotion, group, now int64) error {
	const hours = 3_600_000
	to := now + 10*hours
	return r.tx(ctx, func(c *sql.Conn) error {
		var unit, seq, perDay, perWeek, last, week int64
		var status string
		if err := c.QueryRowContext(ctx, singleLock, now, group).Scan(&unit, &status, &seq, &perDay, &perWeek); err != nil {
			return err
		}
		if err := c.QueryRowContext(ctx, singleCount, now-7*24*hours, group, now-32*24*hours).Scan(&last, &week); err != nil {
			return err
		}
		slot, decision := serial.Add(2)+process0, serial.Add(2)+process0
		outcome, rule, reasons, kept, notBefore := "allow", "", "", decision, int64(0)
		if last+20*hours > now || week >= perWeek {
			slot, outcome, rule, reasons, kept, notBefore = 0, "defer", "G6", "G6:60:1200", 0, last+20*hours
		} else {
			if _, err := c.ExecContext(ctx, singleSlot, slot, group, seq+1, promotion, now, to, now, to-1, now); err != nil {
				return err
			}
			if _, err := c.ExecContext(ctx, "UPDATE group_guards SET last_seq = last_seq + 1 WHERE group_id = ?", group); err != nil {
				return err
			}
		}
		_, err := c.ExecContext(ctx, singleDecision, decision, group, promotion, slot, outcome, rule, kept, reasons, now, to, now, to, notBefore, now, now)
		return err
	})
}
