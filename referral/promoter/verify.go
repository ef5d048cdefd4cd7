package promoter

import (
	"context"
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
)

// proveAt is how many promoters one snapshot checks.
const proveAt = 2000

// Verify proves V19: a promoter stands where his newest move left him, on the
// level of his newest step, and each step leads on from the one before.
// Moves are made under the promoter's lock, so that their ids follow it.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V19", Says: "a promoter stands where his newest move and his newest step left him"}
	for after := id.Promoter(0); ; {
		var rows []struct {
			ID       id.Promoter
			Status   Status
			LevelNo  int
			Moved    Status
			Stepped  int
			Unjoined int
		}
		err := db.Snapshot(ctx, func(q *database.Query) error {
			rows = nil
			return q.Raw(`SELECT p.id, p.status, p.level_no,
					COALESCE((SELECT m.status FROM promoter_moves m WHERE m.promoter_id = p.id ORDER BY m.id DESC LIMIT 1), '') AS moved,
					COALESCE((SELECT l.level_no FROM promoter_levels l WHERE l.promoter_id = p.id ORDER BY l.id DESC LIMIT 1), 0) AS stepped,
					(SELECT COUNT(*) FROM promoter_levels l WHERE l.promoter_id = p.id AND l.before_no <> COALESCE((SELECT k.level_no FROM promoter_levels k
						WHERE k.promoter_id = l.promoter_id AND k.id < l.id ORDER BY k.id DESC LIMIT 1), 0)) AS unjoined
				FROM promoters p WHERE p.id > ? ORDER BY p.id LIMIT ?`, after, proveAt).Scan(&rows).Error
		})
		if err != nil {
			return nil, fmt.Errorf("promoter: verify: %w", err)
		}
		for _, r := range rows {
			p.Checked++
			after = r.ID
			if r.Status != r.Moved {
				p.Break("%s is %s, its newest move says %q", r.ID, r.Status, r.Moved)
			}
			if r.LevelNo != r.Stepped || r.Unjoined > 0 {
				p.Break("%s is on level %d, its newest step leads to %d; %d steps lead on from none", r.ID, r.LevelNo, r.Stepped, r.Unjoined)
			}
		}
		if len(rows) < proveAt {
			return []database.Proof{p}, nil
		}
	}
}
