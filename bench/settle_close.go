package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"time"

	"siyu/internal/database"
	"siyu/internal/id"
)

// closing settles what was cleared: from the request to frozen lines, then to
// the sealed document, beside one INSERT … SELECT of the same lines in one
// transaction.
func (l *payday) closing(ctx context.Context) error {
	if err := l.ripen(ctx); err != nil {
		return err
	}
	resetPeak(l.pids()[0])
	st, err := l.settles(ctx)
	if err != nil {
		return err
	}
	bare, lines, err := l.insertSelect(ctx)
	if err != nil {
		return err
	}
	cleared, err := l.store.number(ctx, "SELECT COUNT(*) FROM reward_events e JOIN rewards r ON r.id = e.reward_id WHERE e.kind = 'cleared' AND r.program_id = ?", int64(l.program))
	if err != nil {
		return err
	}
	if int64(st.Lines) != cleared || lines != cleared || st.Gross != cleared*rewardFen {
		return fmt.Errorf("%w: %d cleared, %d lines of %d fen, %d in the baseline", errInexact, cleared, st.Lines, st.Gross, lines)
	}
	l.printf("close %s rewards: lines frozen after %.1f s, sealed with CSV and XLSX after %.1f s, the house at %.0f MiB; one INSERT … SELECT: %.1f s: %.2f × its speed to frozen lines (goal 0.7)\n",
		short(st.Lines), st.frozen.Seconds(), st.sealed.Seconds(), mib(peakOf(l.pids()[0])), bare.Seconds(), bare.Seconds()/st.frozen.Seconds())
	return nil
}

// settled is a sealed settlement and how long it took.
type settled struct {
	ID     id.Settlement `json:"id"`
	Status string        `json:"status"`
	Lines  int           `json:"line_count"`
	Gross  int64         `json:"gross_fen"`

	frozen, sealed time.Duration
}

// settles makes a settlement of the program and waits until it is sealed.
func (l *payday) settles(ctx context.Context) (settled, error) {
	var st settled
	if err := l.rest.call(ctx, http.MethodPost, "/v1/settlements", map[string]any{"label": "bench", "program_ids": []any{l.program}}, &st); err != nil {
		return st, err
	}
	at := "/v1/settlements/" + st.ID.String()
	began := time.Now()
	if err := l.rest.call(ctx, http.MethodPost, at+"/close", map[string]any{}, &st); err != nil {
		return st, err
	}
	for st.Status != "closed" {
		select {
		case <-ctx.Done():
			return st, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		if err := l.rest.call(ctx, http.MethodGet, at, nil, &st); err != nil {
			return st, err
		}
		if st.frozen == 0 && st.Status != "closing" {
			st.frozen = time.Since(began)
		}
	}
	st.sealed = time.Since(began)
	return st, nil
}

// ripen moves clearings back in time, past the five minutes that a cut-off
// leaves.
func (l *payday) ripen(ctx context.Context) error {
	const earlier = int64(10 * time.Minute / time.Millisecond)
	for after := int64(0); ; {
		var upto int64
		err := l.store.db.Read(ctx).Raw(`SELECT COALESCE(MAX(id), 0) FROM (SELECT id FROM reward_events WHERE kind = 'cleared' AND id > ? ORDER BY id LIMIT 2000) x`, after).Scan(&upto).Error
		if err != nil || upto == 0 {
			return err
		}
		err = l.store.db.Tx(ctx, func(tx *database.Tx) error {
			err := tx.Exec("UPDATE clearings SET cleared_at = cleared_at - ? WHERE id > ? AND id <= ?", earlier, after, upto).Error
			if err != nil {
				return err
			}
			return tx.Exec("UPDATE reward_events SET at = at - ? WHERE kind = 'cleared' AND id > ? AND id <= ?", earlier, after, upto).Error
		})
		if err != nil {
			return err
		}
		after = upto
	}
}

// insertSelect writes the lines into a table like the house's, numbered and
// with a digest each, and says how many.
func (l *payday) insertSelect(ctx context.Context) (time.Duration, int64, error) {
	name, dsn, err := driver(l.store.url)
	if err != nil {
		return 0, 0, err
	}
	bare, err := sql.Open(name, dsn)
	if err != nil {
		return 0, 0, err
	}
	defer bare.Close()
	if _, err := bare.ExecContext(ctx, "CREATE TABLE bare_lines LIKE settlement_lines"); err != nil {
		return 0, 0, err
	}
	began := time.Now()
	res, err := bare.ExecContext(ctx, `INSERT INTO bare_lines (id, settlement_id, line_no, kind, source_id, freed, reward_id, program_id, program_version,
			campaign_id, order_id, member_id, rule_name, note, corrects, tax_rule, gross, tax, net, occurred_at, digest)
		SELECT e.id, 1, ROW_NUMBER() OVER (ORDER BY e.at, e.reward_id), 'reward', r.id, 0, r.id, r.program_id, r.program_version,
			r.campaign_id, r.order_id, r.beneficiary_id, r.rule, r.note, '', 'external_agent', e.amount, 0, e.amount, e.at,
			SHA2(CONCAT_WS(';', r.id, r.program_id, r.program_version, r.campaign_id, r.order_id, r.beneficiary_id, r.rule, r.note, e.amount, e.at), 256)
		FROM reward_events e JOIN rewards r ON r.id = e.reward_id
		WHERE e.kind = 'cleared' AND r.program_id = ?`, int64(l.program))
	if err != nil {
		return 0, 0, err
	}
	took := time.Since(began)
	n, err := res.RowsAffected()
	return took, n, err
}
