package invite

import "siyu/internal/webhook"

// What this room tells webhooks; docs/events.md says when.
const (
	eventStepReached    webhook.Type = "invite.step_reached"
	eventRewardGiven    webhook.Type = "invite.reward_given"
	eventBreakerTripped webhook.Type = "invite.breaker_tripped"
)
