package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// settleUsual is how many rewards are cleared unless -existing says otherwise;
// the full count is 1,000,000.
const settleUsual = 200_000

// The baseline: for how long each number of workers clears rewards one by one,
// and how many it can clear in all.
const (
	settleBase     = 3 * time.Second
	settleBaseMost = 100_000
)

var settleWorkers = []int{4, 8, 16, 32}

// runSettle lets hundreds of thousands of rewards mature at one moment and
// waits until the house has made all of them payable, beside the same done by
// one transaction per reward at its best number of workers. The baseline writes
// the same rows less the facts and the ends of waiting, in as few statements
// as it can. Then it settles all of them.
func runSettle(ctx context.Context, l *lab) error {
	n := l.existing
	if n == 0 {
		n = settleUsual
	}
	p := &payday{lab: l}
	if err := p.makeProgram(ctx, settleBaseMost); err != nil {
		return err
	}
	if err := p.fillBindings(ctx); err != nil {
		return err
	}
	base, best, err := p.clearSingly(ctx)
	if err != nil {
		return err
	}
	if err := p.restWait(ctx); err != nil {
		return err
	}
	// The baseline's own settlement comes first and is not measured: its
	// rewards were cleared one by one and are not what the house is to close.
	if err := p.ripen(ctx); err != nil {
		return err
	}
	if _, err := p.settles(ctx); err != nil {
		return err
	}
	if err := p.makeProgram(ctx, n); err != nil {
		return err
	}
	began := time.Now()
	if err := p.fillRewards(ctx, n, true); err != nil {
		return err
	}
	l.printf("  %s rewards made in %.0f s\n", short(n), time.Since(began).Seconds())
	resetPeak(l.pids()[0])
	house, server := cpuOf(l.pids()[0]), cpuOf(l.store.server.pid())
	took, err := l.mature(ctx)
	if err != nil {
		return err
	}
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(n) }
	l.printf("  CPU per reward: the house %.0f µs, the database %.0f µs\n", each(cpuOf(l.pids()[0])-house), each(cpuOf(l.store.server.pid())-server))
	entries, err := l.store.number(ctx, "SELECT COUNT(*) FROM entries e JOIN transfers t ON t.id = e.transfer_id WHERE t.kind = 'reward_clear' AND t.transfer_key LIKE 'clearing:%'")
	if err != nil {
		return err
	}
	l.printf("  %.2f entries per reward: %d members have rewards, and what clears together of one shares two\n", float64(entries)/float64(n), min(n, len(p.invited)))
	rate := float64(n) / took.Seconds()
	l.printf("clear %s rewards with their ledger entries: %.1f s, %.0f/s, the house at %.0f MiB; one transaction per reward: %.0f/s with %d workers: %.1f × (goal 10; 150 MiB)\n",
		short(n), took.Seconds(), rate, mib(peakOf(l.pids()[0])), base, best, rate/base)
	if err := l.clearedExactly(ctx); err != nil {
		return err
	}
	if err := p.closing(ctx); err != nil {
		return err
	}
	return l.verify(ctx)
}

// makeProgram is a program whose budget carries n rewards; those made from now
// on are its own.
func (l *payday) makeProgram(ctx context.Context, n int) error {
	var made struct {
		ID id.Program `json:"id"`
	}
	err := l.rest.call(ctx, "POST", "/v1/programs", map[string]any{
		"name": "bench", "budget_fen": n * rewardFen,
		"rules": map[string]any{"trigger": "every_paid_order", "rewards": []any{map[string]any{"rule": "inviter", "to": "inviter", "mode": "fixed", "amount_fen": rewardFen}}},
	}, &made)
	l.program = made.ID
	return err
}

// clearSingly measures one transaction per reward with 4 to 32 workers and
// returns the best rate with its number of workers.
func (l *payday) clearSingly(ctx context.Context) (rate float64, best int, err error) {
	for _, workers := range settleWorkers {
		if err := l.fillRewards(ctx, settleBaseMost/len(settleWorkers), false); err != nil {
			return 0, 0, err
		}
		n, took, err := l.singly(ctx, workers)
		if err != nil {
			return 0, 0, err
		}
		if r := float64(n) / took.Seconds(); r > rate {
			rate, best = r, workers
		}
		l.printf("  one transaction per reward, %2d workers: %6.0f/s\n", workers, float64(n)/took.Seconds())
	}
	return rate, best, nil
}

// pendingReward is what the baseline knows of a reward before it clears it.
type pendingReward struct {
	id, reserved, payable int64
}

func (l *payday) singly(ctx context.Context, workers int) (int, time.Duration, error) {
	list := l.waiting
	l.waiting = nil
	name, dsn, err := driver(l.store.url)
	if err != nil {
		return 0, 0, err
	}
	pool, err := sql.Open(name, dsn)
	if err != nil {
		return 0, 0, err
	}
	defer pool.Close()
	pool.SetMaxOpenConns(workers)
	pool.SetMaxIdleConns(workers)
	row := rowUpdate{pool: pool, begin: "BEGIN"}
	var next atomic.Int64
	var work sync.WaitGroup
	errs := make([]error, workers)
	began := time.Now()
	for w := range workers {
		work.Go(func() {
			for time.Since(began) < settleBase {
				i := int(next.Add(1)) - 1
				if i >= len(list) {
					return
				}
				if errs[w] = row.clear(ctx, list[i]); errs[w] != nil {
					return
				}
			}
		})
	}
	work.Wait()
	return min(int(next.Load()), len(list)), time.Since(began), errors.Join(errs...)
}

// clear makes one reward payable.
func (r *rowUpdate) clear(ctx context.Context, p pendingReward) error {
	now, move := time.Now().UnixMilli(), serial.Add(10)+process0
	return r.tx(ctx, func(c *sql.Conn) error {
		var amount int64
		if err := c.QueryRowContext(ctx, "SELECT amount FROM rewards WHERE id = ? FOR UPDATE", p.id).Scan(&amount); err != nil {
			return err
		}
		for _, s := range []struct {
			text string
			args []any
		}{
			{"UPDATE accounts SET balance = balance + CASE id WHEN ? THEN ? ELSE ? END WHERE id IN (?, ?)", []any{p.reserved, -amount, amount, p.reserved, p.payable}},
			{"INSERT INTO transfers (id, transfer_key, kind, currency, corrects, at) VALUES (?, ?, 'reward_clear', 'CNY', 0, ?)", []any{move, fmt.Sprintf("reward:%d:clear", p.id), now}},
			{"INSERT INTO entries (id, transfer_id, account_id, currency, amount, at) VALUES (?, ?, ?, 'CNY', ?, ?), (?, ?, ?, 'CNY', ?, ?)",
				[]any{move + 1, move, p.reserved, -amount, now, move + 2, move, p.payable, amount, now}},
			{"INSERT INTO reward_events (id, reward_id, kind, ref, amount, at, transfer_id, staff_id, reason) VALUES (?, ?, 'cleared', 'matured', ?, ?, ?, 0, '')",
				[]any{move + 3, p.id, amount, now, move}},
		} {
			if _, err := c.ExecContext(ctx, s.text, s.args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// mature lets every waiting reward be due at once and waits until none is. It
// looks from the end of the table: at its beginning lies what was deleted and
// not yet tidied up.
func (l *lab) mature(ctx context.Context) (time.Duration, error) {
	err := l.store.db.Tx(ctx, func(tx *database.Tx) error {
		if err := tx.Exec("INSERT INTO ripening (matures_at, reward_id, member_id) SELECT matures_at, reward_id, member_id FROM " + ripeLater).Error; err != nil {
			return err
		}
		return tx.Exec("DELETE FROM " + ripeLater).Error
	})
	if err != nil {
		return 0, err
	}
	due := clock.MilliOf(time.Now())
	began := time.Now()
	for {
		n, err := l.store.number(ctx, "SELECT COUNT(*) FROM (SELECT reward_id FROM ripening WHERE matures_at <= ? ORDER BY matures_at DESC, reward_id DESC LIMIT 1) x", due)
		if err != nil || n == 0 {
			return time.Since(began), err
		}
		if time.Since(began) > 10*time.Minute {
			return 0, errors.New("rewards are still waiting after 10 minutes")
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// restWait gives the rewards that the baseline left their rows, some thousand
// at a time. The kind stands in COALESCE, or the engine may walk all that was
// cleared for each.
func (l *payday) restWait(ctx context.Context) error {
	for after := int64(0); ; {
		var upto int64
		err := l.store.db.Read(ctx).Raw("SELECT COALESCE(MAX(id), 0) FROM (SELECT id FROM rewards WHERE id > ? ORDER BY id LIMIT 2000) x", after).Scan(&upto).Error
		if err != nil || upto == 0 {
			return err
		}
		err = l.store.db.Tx(ctx, func(tx *database.Tx) error {
			return tx.Exec(`INSERT INTO ripening (matures_at, reward_id, member_id) SELECT r.matures_at, r.id, r.beneficiary_id FROM rewards r
				LEFT JOIN reward_events e ON e.reward_id = r.id AND COALESCE(e.kind, '') = 'cleared' WHERE r.id > ? AND r.id <= ? AND e.id IS NULL`, after, upto).Error
		})
		if err != nil {
			return err
		}
		after = upto
	}
}

// clearedExactly holds rewards, ledger and facts against each other.
func (l *lab) clearedExactly(ctx context.Context) error {
	cleared, err := l.store.number(ctx, "SELECT COUNT(*) FROM reward_events WHERE kind = 'cleared'")
	if err != nil {
		return err
	}
	twice, err := l.store.number(ctx, "SELECT COUNT(*) FROM (SELECT reward_id FROM reward_events WHERE kind = 'cleared' GROUP BY reward_id HAVING COUNT(*) > 1) x")
	if err != nil {
		return err
	}
	payable, err := l.store.number(ctx, "SELECT COALESCE(SUM(balance), 0) FROM accounts WHERE stage = 'payable'")
	if err != nil {
		return err
	}
	if twice != 0 || payable != cleared*rewardFen {
		return fmt.Errorf("%w: %d cleared, %d of them twice, %d fen payable", errInexact, cleared, twice, payable)
	}
	l.printf("exact: %d rewards cleared once each, %d fen payable\n", cleared, payable)
	return nil
}
