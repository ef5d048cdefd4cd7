package groupbuy

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// How many teams, or seats, one snapshot checks.
const (
	teamsAt = 1000
	seatsAt = 5000
)

// Verify proves V3, of V9 that every paid order of a failed team has its refund
// row, and of V22 what openers were paid.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	return database.Proofs(ctx, db, verifyTeams, verifyFees)
}

func verifyTeams(ctx context.Context, db *database.DB) (database.Proof, error) {
	p := database.Proof{ID: "V3", Says: "seats within the frozen size, each a member's order; formed by the frozen rule; teams before the sweep are formed or failed, with refunds"}
	n, err := db.InRanges(ctx, "teams", "id", teamsAt, func(q *database.Query, after, upto int64) error {
		return proveTeams(q, after, upto, &p)
	})
	if err != nil {
		return p, fmt.Errorf("groupbuy: verify teams: %w", err)
	}
	p.Checked += n
	_, err = db.InRanges(ctx, "seats", "team_id", seatsAt, func(q *database.Query, after, upto int64) error {
		return proveSeats(q, after, upto, &p)
	})
	if err != nil {
		return p, fmt.Errorf("groupbuy: verify seats: %w", err)
	}
	return p, nil
}

// proveTeams checks the teams of a range with their seats and refunds.
func proveTeams(q *database.Query, after, upto int64, p *database.Proof) error {
	var swept clock.Milli
	if err := q.Raw("SELECT COALESCE(MAX(swept), 0) FROM sweeps WHERE name = ?", teamsSwept).Scan(&swept).Error; err != nil {
		return err
	}
	var rows []struct {
		Team
		Sitting, Ever int
	}
	err := q.Raw(`SELECT teams.*,
		(SELECT COUNT(*) FROM seats JOIN orders ON orders.id = seats.order_id
			WHERE seats.team_id = teams.id AND orders.status IN ('held', 'paid')) AS sitting,
		(SELECT COUNT(*) FROM seats JOIN orders ON orders.id = seats.order_id
			WHERE seats.team_id = teams.id AND orders.paid_at > 0) AS ever
		FROM teams WHERE id > ? AND id <= ? ORDER BY id`, after, upto).Scan(&rows).Error
	if err != nil {
		return err
	}
	for _, t := range rows {
		prove(p, t.Team, t.Sitting, t.Ever, swept)
	}
	var without []id.Order
	err = q.Raw(`SELECT orders.id FROM teams JOIN seats ON seats.team_id = teams.id JOIN orders ON orders.id = seats.order_id
		WHERE teams.id > ? AND teams.id <= ? AND teams.status = ? AND orders.status = 'paid'
		AND NOT EXISTS (SELECT 1 FROM refunds WHERE refunds.order_id = orders.id)
		AND NOT EXISTS (SELECT 1 FROM team_refunds WHERE team_refunds.order_id = orders.id
			AND (team_refunds.alerted_at > 0 OR team_refunds.created_at > ?))`, after, upto, StatusFailed, swept.Add(-owedBound)).Scan(&without).Error
	for _, o := range without {
		p.Break("%s paid for a failed team and has no refund row, nor an alert", o)
	}
	return err
}

func prove(p *database.Proof, t Team, sitting, ever int, swept clock.Milli) {
	if sitting > t.Size {
		p.Break("%s has %d live seats of %d", t.ID, sitting, t.Size)
	}
	if t.Status == StatusOpen && sitting != t.LiveSeats {
		p.Break("%s counts %d live seats, its orders say %d", t.ID, t.LiveSeats, sitting)
	}
	if need := t.needed(); t.FormedAt > 0 && (ever < need || t.Counted > 0 && (t.Counted < need || t.Counted > ever)) {
		p.Break("%s formed with %d paid (%d ever) of %d needed", t.ID, t.Counted, ever, need)
	}
	if t.Status == StatusOpen && t.DeadlineAt < swept {
		p.Break("%s is open past the sweep", t.ID)
	}
}

// needed is how many had to be paid when the team formed: all, or at its
// deadline what was frozen on it.
func (t Team) needed() int {
	if t.FormedAt >= t.DeadlineAt {
		return t.Need()
	}
	return t.Size
}

// proveSeats checks that every seat of a range of teams is an order of a member
// in that team: no seat is anybody invented.
func proveSeats(q *database.Query, after, upto int64, p *database.Proof) error {
	var empty []id.Team
	err := q.Raw(`SELECT DISTINCT seats.team_id FROM seats LEFT JOIN orders ON orders.id = seats.order_id AND orders.team_id = seats.team_id
		WHERE seats.team_id > ? AND seats.team_id <= ? AND (orders.id IS NULL OR orders.member_id = 0) LIMIT 100`, after, upto).Scan(&empty).Error
	for _, t := range empty {
		p.Break("%s has a seat that is no member's order", t)
	}
	return err
}
