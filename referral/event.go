package referral

import (
	"siyu/internal/database"
	"siyu/internal/money"
	"siyu/internal/webhook"
)

// What this room tells webhooks of rewards; docs/events.md says when.
const (
	eventRewardEarned     webhook.Type = "reward.earned"
	eventRewardReduced    webhook.Type = "reward.reduced"
	eventRewardCleared    webhook.Type = "reward.cleared"
	eventRewardVoided     webhook.Type = "reward.voided"
	eventRewardClawedBack webhook.Type = "reward.clawed_back"
)

var rewardTold = map[EventKind]webhook.Type{
	EventEarned: eventRewardEarned, EventReduced: eventRewardReduced, EventCleared: eventRewardCleared,
	EventVoided: eventRewardVoided, EventClawedBack: eventRewardClawedBack,
}

// publishReward announces a fact about a reward. Its amount is the fact's and
// signed; what the reward has come to is asked for by its id.
func publishReward(tx *database.Tx, r Reward, e RewardEvent) error {
	return webhook.PublishTx(tx, rewardTold[e.Kind], map[string]any{
		"id": r.ID, "beneficiary_id": r.BeneficiaryID, "side": r.Side, "rule": r.Rule, "program_id": r.ProgramID,
		"campaign_id": r.CampaignID, "order_id": r.OrderID, "currency": r.Currency, "amount": e.Amount, "amount_fen": e.fen(r), "matures_at": r.MaturesAt,
	})
}

// fen is the fact's amount if it is money.
func (e RewardEvent) fen(r Reward) money.Amount {
	if r.Currency == money.CNY {
		return e.Amount
	}
	return 0
}
