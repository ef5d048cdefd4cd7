package main

import (
	"testing"
	"unicode"

	"siyu/campaign"
	"siyu/campaign/groupbuy"
	"siyu/campaign/invite"
	"siyu/campaign/material"
	"siyu/campaign/promotion"
	"siyu/campaign/tieout"
	"siyu/community"
	"siyu/community/gate"
	"siyu/community/life"
	"siyu/community/request"
	"siyu/community/split"
	"siyu/internal/fault"
	"siyu/internal/webhook"
	"siyu/referral"
	"siyu/referral/promoter"
	"siyu/referral/review"
	"siyu/wallet"
)

// TestStatesAreWorded: a refusal names the state of a thing in the reader's
// language, so each state has a name in Chinese that has no Latin letter in it.
func TestStatesAreWorded(t *testing.T) {
	for _, s := range []fault.Worded{
		campaign.StatusDraft, campaign.StatusScheduled, campaign.StatusRunning, campaign.StatusPaused, campaign.StatusEnded, campaign.StatusCancelled,
		campaign.OrderHeld, campaign.OrderPaid, campaign.OrderRefunded, campaign.OrderExpired, campaign.OrderCancelled,
		campaign.WaitWaiting, campaign.WaitGranted, campaign.WaitSkipped, campaign.WaitLeft, campaign.WaitOver,
		campaign.ApprovalAsked, campaign.ApprovalApproved, campaign.ApprovalRejected, campaign.ApprovalVoid,
		groupbuy.StatusOpen, groupbuy.StatusFormed, groupbuy.StatusFailed,
		invite.RewardMaturing, invite.RewardWaiting, invite.RewardReady, invite.RewardGiven, invite.RewardSkipped,
		promotion.StatusDraft, promotion.StatusApproved, promotion.StatusRunning, promotion.StatusDone, promotion.StatusCancelled,
		material.StatusDraft, material.StatusApproved, material.StatusWithdrawn,
		community.GroupActive, community.GroupHandover, community.GroupDissolved,
		request.StatusOpen, request.StatusAnswered, request.StatusSolved, request.StatusOffered, request.StatusDeclined,
		split.StatusProposed, split.StatusApproved, split.StatusDone, split.StatusRejected, split.StatusExpired, split.StatusCancelled,
		life.StatusOpen, life.StatusDone, life.StatusCancelled,
		gate.StatusFee, gate.StatusReview, gate.StatusWaiting, gate.StatusAdmitted, gate.StatusRefused, gate.StatusWithdrawn,
		referral.ProgramActive, referral.ProgramPaused, referral.ProgramEnded,
		promoter.None, promoter.Applied, promoter.Approved, promoter.Refused, promoter.Frozen, promoter.Merged,
		referral.KOCProposed, referral.KOCApproved, referral.KOCRefused,
		review.StateOpen, review.StatePassed, review.StateRefused, review.StateMoot,
		tieout.SideMall, tieout.SideSiyu, tieout.SideStatement, tieout.StatusOpen, tieout.StatusRunning, tieout.StatusTied, tieout.StatusDiffers, tieout.StatusExplained,
		wallet.PointsStatus("frozen"), wallet.PointsStatus("spent"), wallet.PointsStatus("released"),
		webhook.StatusActive, webhook.StatusPaused,
		webhook.DeliveryPending, webhook.DeliveryDelivered, webhook.DeliveryFailed, webhook.DeliveryCancelled,
	} {
		zh, _ := s.Words()
		if zh == "" {
			t.Errorf("%T %q has no name", s, s)
		}
		for _, r := range zh {
			if unicode.Is(unicode.Latin, r) {
				t.Errorf("%T %q is called %q", s, s, zh)
			}
		}
	}
	says := campaign.ErrOrderState.With("state", campaign.OrderPaid)
	if got, want := says.Text("zh"), "订单现在是“已付款”，不能执行此操作"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := says.Text("en"), "an order in state paid does not allow this"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
