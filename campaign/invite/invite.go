// Package invite is the kind referral (邀请有礼): members bring others, and the
// campaign's program says what an invitee's paid order earns. Nothing is
// claimed in it; invite codes of the campaign lead to its page.
//
// Beside the program a campaign may have steps: so many invitees who stayed in
// a group, or bought, give the inviter a coupon, points or goods, never cash.
// It owns how each campaign stands, whom its codes brought, the counts, and
// the step rewards. Tables: invite_runs, invitees, invite_scores,
// invite_rewards, invite_days.
//
// A task measures every five minutes; nothing is counted anywhere else. What
// holds always: an invitee counts once per campaign and kind of step; a step is
// paid to a member once; a given reward has exactly one coupon, one move of
// points or one hand-over; no cap is passed (V5). A step reached stays, a count
// not yet used falls with a refund. Called by main, which registers it, api
// and web.
package invite

import (
	"time"

	"siyu/campaign"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/task"
)

// Service is the room's use cases.
type Service struct {
	DB       *database.DB
	Campaign *campaign.Service
}

// Kind is the kind as main registers it.
func Kind() campaign.Kind {
	return campaign.Kind{Name: "referral", Rules: complete, Publishable: publishable}
}

// measureEvery is how often invitees are counted and rewards given.
const measureEvery = 5 * time.Minute

// Register tells the worker what this room does in the background.
func (s *Service) Register(r *task.Registry) {
	task.Every(r, "invite:measure", measureEvery, s.Measure)
}

// The refusals.
var (
	ErrNoSteps = fault.New(fault.KindNotFound, "invite.no_steps",
		"该活动没有邀请阶梯", "this campaign has no steps")
	ErrNoBoard = fault.New(fault.KindNotFound, "invite.no_leaderboard",
		"该活动没有榜单", "this campaign has no leaderboard")
	ErrNotTripped = fault.New(fault.KindConflict, "invite.not_tripped",
		"该活动没有触发品质熔断", "the breaker of this campaign has not tripped")
	ErrRewardState = fault.New(fault.KindConflict, "invite.reward_state",
		"奖励现在是“{state}”，只有待领取的实物才能登记发放", "the reward is {state}; only goods that are ready can be handed over")
)
