package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"time"

	"siyu/internal/id"
)

// codesAtOnce is what one job takes.
const codesAtOnce = 100_000

// runCodes measures a job that makes a code for every member, from the request
// to the last code, against a bare multi-row INSERT of the very rows it made
// into a table of the same shape. Both write 500 rows per commit.
func runCodes(ctx context.Context, l *lab) error {
	name, dsn, err := driver(l.store.url)
	if err != nil {
		return err
	}
	bare, err := sql.Open(name, dsn)
	if err != nil {
		return err
	}
	defer bare.Close()
	bare.SetMaxOpenConns(1)
	var program struct {
		ID string `json:"id"`
	}
	if err := l.rest.call(ctx, http.MethodPost, "/v1/programs", benchProgram, &program); err != nil {
		return err
	}
	var times, rates []float64
	for round := range l.rounds {
		channel := fmt.Sprintf("round%d", round)
		ours, err := l.codesJob(ctx, program.ID, channel)
		if err != nil {
			return err
		}
		rows, err := codeRows(ctx, bare, channel)
		if err != nil {
			return err
		}
		theirs, err := insertCodes(ctx, bare, rows)
		if err != nil {
			return err
		}
		if len(rows) != len(l.crowd.ids) {
			return fmt.Errorf("%w: %d codes of %d", errInexact, len(rows), len(l.crowd.ids))
		}
		times, rates = append(times, float64(ours)/float64(theirs)), append(rates, float64(len(rows))/ours.Seconds())
		l.printf("  round %d of %d: %s codes in %.1f s, a bare INSERT in %.1f s\n", round+1, l.rounds, short(len(rows)), ours.Seconds(), theirs.Seconds())
	}
	l.printf("  %.0f codes/s; %.2f × the time of a bare multi-row INSERT of the same rows (goal at most 3); medians of %d rounds\n", median(rates), median(times), l.rounds)
	return l.verify(ctx)
}

var benchProgram = map[string]any{"name": "bench", "budget_fen": 1, "rules": map[string]any{
	"trigger": "every_paid_order", "rewards": []map[string]any{{"rule": "inviter", "to": "inviter", "mode": "fixed", "amount_fen": 1}},
}}

// codesJob is how long a job for the whole crowd takes.
func (l *lab) codesJob(ctx context.Context, program, channel string) (time.Duration, error) {
	began := time.Now()
	var job struct {
		ID     id.Job `json:"id"`
		Status string `json:"status"`
	}
	in := map[string]any{"program_id": program, "channel": channel, "cost_fen": 100, "members": l.crowd.ids}
	if err := l.rest.call(ctx, http.MethodPost, "/v1/codes/batches", in, &job); err != nil {
		return 0, err
	}
	for job.Status != "done" {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
		if err := l.rest.call(ctx, http.MethodGet, "/v1/jobs/"+job.ID.String(), nil, &job); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

const codeRow = "id, code, unit_id, inviter_id, program_id, campaign_id, group_id, channel, status, live, expires_at, version, created_at, cost"

// codeRows are the rows a job made, ready for an INSERT.
func codeRows(ctx context.Context, db *sql.DB, channel string) ([]string, error) {
	found, err := db.QueryContext(ctx, "SELECT "+codeRow+" FROM codes WHERE channel = ? ORDER BY id", channel)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var rows []string
	for found.Next() {
		var n [10]int64
		var code, in, status string
		if err := found.Scan(&n[0], &code, &n[1], &n[2], &n[3], &n[4], &n[5], &in, &status, &n[6], &n[7], &n[8], &n[9], new(int64)); err != nil {
			return nil, err
		}
		rows = append(rows, fmt.Sprintf("(%d,'%s',%d,%d,%d,%d,%d,'%s','%s',%d,%d,%d,%d,100)",
			n[0], code, n[1], n[2], n[3], n[4], n[5], in, status, n[6], n[7], n[8], n[9]))
	}
	return rows, found.Err()
}

// insertCodes writes the rows into a table like the house's, 500 to a
// statement and a commit. The table keeps what earlier rounds wrote, as the
// house's does.
func insertCodes(ctx context.Context, db *sql.DB, rows []string) (time.Duration, error) {
	if err := likeCodes(ctx, db); err != nil {
		return 0, err
	}
	began := time.Now()
	for len(rows) > 0 {
		n := min(500, len(rows))
		if _, err := db.ExecContext(ctx, "INSERT INTO bare_codes ("+codeRow+") VALUES "+strings.Join(rows[:n], ",")); err != nil {
			return 0, err
		}
		rows = rows[n:]
	}
	return time.Since(began), nil
}

func likeCodes(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS bare_codes LIKE codes")
	return err
}
