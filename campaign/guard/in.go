package guard

import (
	"slices"

	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// CheckIn asks what would become of an ad in groups, keeping nothing.
type CheckIn struct {
	Groups []id.Group  `json:"groups"`
	From   clock.Milli `json:"from_at"` // left out: now
	To     clock.Milli `json:"to_at"`
}

// checkMost is how many groups one dry run names.
const checkMost = 500

// Validate checks the question's form.
func (in CheckIn) Validate() error {
	var c fault.Check
	c.Range(int64(len(in.Groups)), "groups", 1, checkMost)
	c.That(!slices.Contains(in.Groups, 0), "groups", "required", "群编号不能为空", "a group id is missing")
	c.That(in.To > in.From && (in.From == 0 || in.To <= in.From.Add(31*day)), "to_at", "range", "须晚于开始，且不超过 31 天", "must lie after the beginning, within 31 days")
	return c.Err()
}

// Window is the span asked for; Decide starts it at now when it has begun.
func (in CheckIn) Window() Window { return Window{in.From, in.To} }

// PostIn is an ad that somebody posted by hand.
type PostIn struct {
	CampaignID id.Campaign `json:"campaign_id"`
	At         clock.Milli `json:"at"` // left out: now
}

// ConfirmIn says when the ad was shown; left out: now.
type ConfirmIn struct {
	At clock.Milli `json:"at"`
}

// ReleaseIn says why the ad was not shown.
type ReleaseIn struct {
	Reason Release `json:"reason"`
}

// Validate checks the reason.
func (in ReleaseIn) Validate() error {
	var c fault.Check
	c.OneOf(string(in.Reason), "reason", string(ReleaseCancelled), string(ReleaseNotSent))
	return c.Err()
}

// ReportIn is a channel's word on a slot: sent, cancelled or not_sent.
type ReportIn struct {
	Status string      `json:"status"`
	At     clock.Milli `json:"at"` // when it was sent; left out: now
}

// ReportSent is the report that confirms; the others are reasons of Release.
const ReportSent = "sent"

// Validate checks the report.
func (in ReportIn) Validate() error {
	var c fault.Check
	c.OneOf(in.Status, "status", ReportSent, string(ReleaseCancelled), string(ReleaseNotSent))
	c.That(in.At == 0 || in.Status == ReportSent, "at", "range", "只有已发出才有时间", "only what was sent has a time")
	return c.Err()
}
