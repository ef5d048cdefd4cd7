package referral

import (
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/money"
	"siyu/internal/webhook"
)

// What this room tells webhooks of rewards and bindings; docs/events.md says
// when.
const (
	eventRewardEarned     webhook.Type = "reward.earned"
	eventRewardReduced    webhook.Type = "reward.reduced"
	eventRewardCleared    webhook.Type = "reward.cleared"
	eventRewardVoided     webhook.Type = "reward.voided"
	eventRewardClawedBack webhook.Type = "reward.clawed_back"

	eventKOCProposed webhook.Type = "koc_proposal.waiting"

	eventBindingMade  webhook.Type = "binding.made"
	eventBindingEnded webhook.Type = "binding.ended"
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

// publishWaiting tells that a proposal waits for somebody else's word.
func (p KOCProposal) publishWaiting(tx *database.Tx, people int) error {
	return webhook.PublishTx(tx, eventKOCProposed, map[string]any{
		"id": p.ID, "unit_id": p.UnitID, "program_id": p.ProgramID, "rules_version": p.ProgramVersion, "group_id": p.GroupID,
		"month": p.Month, "member_count": people, "proposed_by": p.ProposedBy, "proposed_at": p.ProposedAt,
	})
}

// publishMade tells that somebody was bound to his inviter, and why to him.
func (b binding) publishMade(tx *database.Tx) error {
	return webhook.PublishTx(tx, eventBindingMade, map[string]any{
		"id": b.ID, "invitee_id": b.InviteeID, "inviter_id": b.InviterID, "program_id": b.ProgramID, "rules_version": b.ProgramVersion,
		"code_id": b.CodeID, "group_id": b.GroupID, "rule": b.Rule, "bound_at": b.BoundAt, "expires_at": b.ExpiresAt,
	})
}

// publishEnded tells that a binding ended, when and why.
func (b binding) publishEnded(tx *database.Tx, at clock.Milli, reason string) error {
	return webhook.PublishTx(tx, eventBindingEnded, map[string]any{
		"id": b.ID, "invitee_id": b.InviteeID, "inviter_id": b.InviterID, "program_id": b.ProgramID, "reason": reason, "ended_at": at,
	})
}
