package groupbuy

import (
	"siyu/campaign"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// What this room tells webhooks; docs/events.md says when.
const (
	eventOpened webhook.Type = "team.opened"
	eventJoined webhook.Type = "team.joined"
	eventFormed webhook.Type = "team.formed"
	eventFailed webhook.Type = "team.failed"

	eventHandedOver  webhook.Type = "team.handed_over"
	eventReopened    webhook.Type = "team.reopened"
	eventRefundStuck webhook.Type = "refund.stuck"
)

// announceTx tells which teams granted orders opened and which they joined.
func (s *Service) announceTx(tx *database.Tx, granted []campaign.Order) error {
	if heard, err := webhook.Wanted(tx.DB, eventOpened, eventJoined); err != nil || !heard {
		return err
	}
	ids := make([]id.Team, len(granted))
	for i, o := range granted {
		ids[i] = o.TeamID
	}
	var teams []Team
	if err := tx.Raw("SELECT * FROM teams WHERE id IN ?", ids).Scan(&teams).Error; err != nil {
		return err
	}
	var firsts []struct {
		TeamID  id.Team
		OrderID id.Order
	}
	if err := tx.Raw("SELECT team_id, MIN(order_id) AS order_id FROM seats WHERE team_id IN ? GROUP BY team_id", ids).Scan(&firsts).Error; err != nil {
		return err
	}
	opened := map[id.Order]bool{}
	for _, f := range firsts {
		opened[f.OrderID] = true
	}
	byID := map[id.Team]Team{}
	for _, t := range teams {
		byID[t.ID] = t
	}
	for _, o := range granted {
		t, event := byID[o.TeamID], eventJoined
		if opened[o.ID] && t.OpenerID == o.MemberID {
			event = eventOpened
		}
		err := webhook.PublishTx(tx, event, map[string]any{
			"id": t.ID, "campaign_id": t.CampaignID, "item_id": t.ItemID, "order_id": o.ID, "member_id": o.MemberID,
			"size": t.Size, "live_seats": t.LiveSeats, "deadline_at": t.DeadlineAt,
		})
		if err != nil {
			return err
		}
	}
	return nil
}
