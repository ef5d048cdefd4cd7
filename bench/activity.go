package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// activityMembers are as many as a large group has.
const activityMembers = 500

// activityEach is how much one of them does in a round.
const activityEach = 40

// activityAtOnce is what one bare statement takes.
const activityAtOnce = 500

// activityEvent is one event as it is reported.
type activityEvent struct {
	GroupID  string    `json:"group_id"`
	EventID  string    `json:"event_id"`
	MemberID any       `json:"member_id"`
	Kind     string    `json:"kind"`
	At       time.Time `json:"at"`
}

// runActivity measures reporting what members did in a group over REST, one
// stream of lines, against a bare multi-row INSERT of the very rows it made into
// a table of the same shape, 500 rows to a statement and commit.
func runActivity(ctx context.Context, l *lab) error {
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
	if _, err := bare.ExecContext(ctx, "CREATE TABLE bare_activity LIKE activity_events"); err != nil {
		return err
	}
	var shares, rates []float64
	for round := range l.rounds {
		var group struct {
			ID string `json:"id"`
		}
		if err := l.rest.call(ctx, http.MethodPost, "/v1/groups", map[string]any{"name": fmt.Sprint("bench ", round)}, &group); err != nil {
			return err
		}
		ours, err := l.reportActivity(ctx, group.ID, round)
		if err != nil {
			return err
		}
		rows, err := activityRows(ctx, bare, fmt.Sprintf("r%d-", round))
		if err != nil {
			return err
		}
		if len(rows) != l.count*activityEach {
			return fmt.Errorf("%w: %d events of %d", errInexact, len(rows), l.count*activityEach)
		}
		theirs, err := insertActivity(ctx, bare, rows)
		if err != nil {
			return err
		}
		shares, rates = append(shares, float64(theirs)/float64(ours)), append(rates, float64(len(rows))/ours.Seconds())
		l.printf("  round %d of %d: %s events in %.2f s, a bare INSERT in %.2f s\n", round+1, l.rounds, short(len(rows)), ours.Seconds(), theirs.Seconds())
	}
	l.printf("  %.0f events/s; %.2f × the speed of a bare multi-row INSERT of the same rows (goal at least 0.6); medians of %d rounds\n", median(rates), median(shares), l.rounds)
	return l.verify(ctx)
}

// reportActivity is how long it takes until all have reported, as one stream.
func (l *lab) reportActivity(ctx context.Context, group string, round int) (time.Duration, error) {
	at := time.Now().Add(-time.Hour)
	total := l.count * activityEach
	var lines bytes.Buffer
	encode := json.NewEncoder(&lines)
	for n := range total {
		if err := encode.Encode(activityEvent{group, fmt.Sprintf("r%d-%d", round, n), l.crowd.ids[n%len(l.crowd.ids)], "reply", at}); err != nil {
			return 0, err
		}
	}
	began := time.Now()
	err := l.rest.stream(ctx, "/v1/activity", lines.Bytes(), total)
	return time.Since(began), err
}

const activityRow = "group_id, event_id, member_id, kind, at, day, received_at, to_id"

// activityRows are the rows a round made, ready for an INSERT, in the order
// in which they were reported.
func activityRows(ctx context.Context, db *sql.DB, prefix string) ([]string, error) {
	found, err := db.QueryContext(ctx, "SELECT "+activityRow+" FROM activity_events WHERE event_id LIKE ? ORDER BY LENGTH(event_id), event_id", prefix+"%")
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var rows []string
	for found.Next() {
		var group, member, at, day, received, to int64
		var event, kind string
		if err := found.Scan(&group, &event, &member, &kind, &at, &day, &received, &to); err != nil {
			return nil, err
		}
		rows = append(rows, fmt.Sprintf("(%d,'%s',%d,'%s',%d,%d,%d,%d)", group, event, member, kind, at, day, received, to))
	}
	return rows, found.Err()
}

func insertActivity(ctx context.Context, db *sql.DB, rows []string) (time.Duration, error) {
	began := time.Now()
	for len(rows) > 0 {
		n := min(activityAtOnce, len(rows))
		if _, err := db.ExecContext(ctx, "INSERT INTO bare_activity ("+activityRow+") VALUES "+strings.Join(rows[:n], ",")); err != nil {
			return 0, err
		}
		rows = rows[n:]
	}
	return time.Since(began), nil
}
