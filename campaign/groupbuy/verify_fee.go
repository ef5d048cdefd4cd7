package groupbuy

import (
	"context"
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral"
)

// feesAt is how many rewards one snapshot looks through for fees.
const feesAt = 5000

// verifyFees proves of V22 what openers were paid: each fee is for one formed
// team, on the order of who opened it, by the version of when it was opened.
func verifyFees(ctx context.Context, db *database.DB) (database.Proof, error) {
	p := database.Proof{ID: "V22", Says: "an opener's fee is for his own formed team, once, as promised when it was opened"}
	_, err := db.InRanges(ctx, "rewards", "id", feesAt, func(q *database.Query, after, upto int64) error {
		var rows []struct {
			ID         id.Reward
			Fact       string
			OrderID    id.Order
			Version    int
			Others     int
			TeamID     id.Team
			Status     Status
			OpenerID   id.Order
			Promised   int
			BindingID  id.Binding
			CampaignID id.Campaign
			Held       id.Campaign
		}
		err := q.Raw(`SELECT r.id, r.fact, r.order_id, r.program_version AS version, r.binding_id, r.campaign_id, COALESCE(t.id, 0) AS team_id,
					COALESCE(t.status, '') AS status, COALESCE(t.opener_order, 0) AS opener_id, COALESCE(t.campaign_id, 0) AS held,
					(SELECT COUNT(*) FROM rewards x WHERE x.order_id = r.order_id AND x.program_id = r.program_id AND x.fact = r.fact AND x.rule = r.rule) AS others,
					COALESCE((SELECT MAX(v.number) FROM program_versions v WHERE v.program_id = r.program_id AND v.created_at <= t.created_at), 0) AS promised
				FROM rewards r LEFT JOIN orders o ON o.id = r.order_id LEFT JOIN teams t ON t.id = o.team_id
				WHERE r.id > ? AND r.id <= ? AND r.side = ? ORDER BY r.id`, after, upto, referral.SideOpener).Scan(&rows).Error
		for _, r := range rows {
			p.Checked++
			own := r.TeamID != 0 && r.OpenerID == r.OrderID && r.Fact == referral.TeamFact(r.TeamID) && r.Held == r.CampaignID && r.BindingID == 0
			switch {
			case !own || r.Status != StatusFormed:
				p.Break("reward %s is a fee for opening a team, and order %s opened none that formed", r.ID, r.OrderID)
			case r.Others != 1:
				p.Break("reward %s is one of %d fees for opening %s", r.ID, r.Others, r.TeamID)
			case r.Version != r.Promised:
				p.Break("reward %s is of version %d, and %d was in force when %s was opened", r.ID, r.Version, r.Promised, r.TeamID)
			}
		}
		return err
	})
	if err != nil {
		return p, fmt.Errorf("groupbuy: verify fees: %w", err)
	}
	return p, nil
}
