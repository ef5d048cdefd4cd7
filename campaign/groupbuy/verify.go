package groupbuy

import (
	"context"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Verify proves V3, and of V9 that every paid order of a failed team has its
// refund row.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V3", Says: "seats within the frozen size; teams before the sweep are formed or failed, with refunds"}
	err := db.Snapshot(ctx, func(q *database.Query) error {
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
			FROM teams ORDER BY id`).Scan(&rows).Error
		if err != nil {
			return err
		}
		for _, t := range rows {
			p.Checked++
			prove(&p, t.Team, t.Sitting, t.Ever, swept)
		}
		var owed []id.Order
		err = q.Raw(`SELECT orders.id FROM teams JOIN seats ON seats.team_id = teams.id JOIN orders ON orders.id = seats.order_id
			WHERE teams.status = ? AND orders.status = 'paid'
			AND NOT EXISTS (SELECT 1 FROM refunds WHERE refunds.order_id = orders.id)`, StatusFailed).Scan(&owed).Error
		for _, o := range owed {
			p.Break("%s paid for a failed team and has no refund row", o)
		}
		return err
	})
	return []database.Proof{p}, err
}

func prove(p *database.Proof, t Team, sitting, ever int, swept clock.Milli) {
	if sitting > t.Size {
		p.Break("%s has %d live seats of %d", t.ID, sitting, t.Size)
	}
	if t.Status == StatusOpen && sitting != t.LiveSeats {
		p.Break("%s counts %d live seats, its orders say %d", t.ID, t.LiveSeats, sitting)
	}
	if t.FormedAt > 0 && ever < t.Size {
		p.Break("%s formed with %d of %d paid", t.ID, ever, t.Size)
	}
	if t.Status == StatusOpen && t.DeadlineAt < swept {
		p.Break("%s is open past the sweep", t.ID)
	}
}
