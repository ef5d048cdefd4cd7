package referral

import (
	"context"
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
)

// verifyCodes checks that rotated codes, and no others, lead on: each to a
// newer or older code of its inviter, program and place that is not itself.
func verifyCodes(ctx context.Context, db *database.DB) (database.Proof, error) {
	p := database.Proof{ID: "V4", Says: "a rotated code leads on to a code of its inviter and place"}
	for after := id.Code(0); ; {
		var rows []struct {
			ID    id.Code
			Wrong int
		}
		err := db.Snapshot(ctx, func(q *database.Query) error {
			return q.Raw(`SELECT c.id, CASE
					WHEN c.status <> ? AND c.successor_id <> 0 THEN 1
					WHEN c.status = ? AND (n.id IS NULL OR n.id = c.id OR n.inviter_id <> c.inviter_id OR n.program_id <> c.program_id
						OR n.campaign_id <> c.campaign_id OR n.group_id <> c.group_id OR n.channel <> c.channel) THEN 1
					WHEN c.status <> ? AND c.live = 0 THEN 1 ELSE 0 END AS wrong
				FROM (SELECT * FROM codes WHERE id > ? AND (status = ? OR successor_id <> 0) ORDER BY id LIMIT ?) c
				LEFT JOIN codes n ON n.id = c.successor_id ORDER BY c.id`,
				CodeRotated, CodeRotated, CodeLive, after, CodeRotated, span).Scan(&rows).Error
		})
		if err != nil {
			return p, fmt.Errorf("referral: verify codes: %w", err)
		}
		if len(rows) == 0 {
			return p, nil
		}
		for _, r := range rows {
			p.Checked++
			if r.Wrong != 0 {
				p.Break("code %s leads on to no code of its place", r.ID)
			}
		}
		after = rows[len(rows)-1].ID
	}
}
