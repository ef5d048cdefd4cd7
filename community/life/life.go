// Package life is how a chat group goes on without its owner, and how it ends:
// a planned end that is said beforehand, a close with its reason, a merger into
// another group, and a hand-over to another colleague.
//
// Tables: group_handovers, group_mergers, merger_invites; a group's planned end
// lies on its own row in community. What holds always: a group has one merger
// and one hand-over under way at most; both sides of a hand-over said yes, or
// the giving one had left; a merger moves nobody, its members are invited and
// join the other group by an act of their own, through its gate if it has one;
// a group that was merged closes when nobody is left to ask, or by its date.
// The guard refuses ads after a planned end. api and web call it; the worker
// invites and closes.
package life

import (
	"context"
	"errors"
	"fmt"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/internal/webhook"
)

// Service is the room's use cases.
type Service struct {
	DB *database.DB
}

// Register takes the room's work.
func (s *Service) Register(r *task.Registry) {
	task.Every(r, "life:close_ended", time.Minute, s.closeEnded)
	task.Every(r, "life:invite", time.Minute, s.inviteAll)
	task.Every(r, "life:finish_mergers", time.Minute, s.finishAll)
}

// The refusals.
var (
	ErrUnderWay = fault.New(fault.KindConflict, "life.under_way", "这个群已有一项在进行，请先完成或取消", "the group has one under way; finish or cancel it first")
	ErrOver     = fault.New(fault.KindConflict, "life.over", "已经结束（{status}）", "it is over ({status})")
	ErrSelf     = fault.New(fault.KindUnprocessable, "life.self", "请选另一个群，且它没有在合并", "name another group that is not being merged itself").
			Field("into_id", "unknown", "请选另一个没有在合并的群", "name another group that is not being merged itself")
	ErrNotYours = fault.New(fault.KindConflict, "life.not_yours", "要由交出和接手的人各自确认", "who gives and who takes confirm each for himself")
	ErrOwner    = fault.New(fault.KindUnprocessable, "life.owner", "这位同事已经是群主", "this colleague is the owner already").
			Field("to_id", "unknown", "请选另一位同事", "name another colleague")
	ErrChanged = fault.New(fault.KindConflict, "life.owner_changed", "群主已换人，请重新发起交接", "the group has another owner by now; start the hand-over again")
)

// What this room tells webhooks; docs/events.md says when.
const (
	eventEndPlanned  webhook.Type = "group.end_planned"
	eventHandover    webhook.Type = "group.handover_asked"
	eventHandedOver  webhook.Type = "group.handed_over"
	eventMerging     webhook.Type = "group.merging"
	eventMerged      webhook.Type = "group.merged"
	eventMergerEnded webhook.Type = "group.merger_cancelled"
)

// EndIn is a planned end; no moment takes the plan back.
type EndIn struct {
	EndsAt clock.Milli `json:"ends_at"`
	Reason string      `json:"reason"`
}

// Validate checks the plan's form.
func (in EndIn) Validate() error {
	var c fault.Check
	reason := community.CleanLine(in.Reason)
	c.That(in.EndsAt == 0 || reason != "", "reason", "required", "请写明为什么结束，群友会看到", "say why it ends; its members see it")
	c.Length(reason, "reason", 200)
	return c.Err()
}

// endAhead is how long before its end members are told at the least.
const endAhead = 24 * time.Hour

// PlanEnd says when the version of a group that the caller has read is to end.
// From then on the guard lets no ad show after that moment.
func (s *Service) PlanEnd(ctx context.Context, group id.Group, version int, in EndIn) (community.Group, error) {
	if err := in.Validate(); err != nil {
		return community.Group{}, err
	}
	var after community.Group
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		before, err := community.LockGroupTx(tx, group)
		switch {
		case err != nil:
			return err
		case before.Version != version:
			return fault.Stale
		case in.EndsAt != 0 && in.EndsAt < tx.Now.Add(endAhead):
			return fault.Invalid.Field("ends_at", "range", "至少提前一天告诉群友", "must lie a day ahead, so that members are told")
		}
		reason := ""
		if in.EndsAt != 0 {
			reason = community.CleanLine(in.Reason)
		}
		if after, err = community.EndTx(tx, before, in.EndsAt, reason); err != nil {
			return err
		}
		err = webhook.PublishTx(tx, eventEndPlanned, map[string]any{"group_id": group, "owner_id": after.OwnerID, "ends_at": after.EndsAt, "reason": reason})
		if err != nil {
			return err
		}
		return database.AuditTx(tx, "group.plan_end", group, before, after)
	})
	return after, err
}

// CloseIn says why a group is closed.
type CloseIn struct {
	Reason string `json:"reason"`
}

// Validate checks the reason's form.
func (in CloseIn) Validate() error {
	var c fault.Check
	community.CheckReason(&c, in.Reason)
	return c.Err()
}

// Close ends a group now. One that is over stays as it is.
func (s *Service) Close(ctx context.Context, group id.Group, in CloseIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		g, err := community.LockGroupTx(tx, group)
		if errors.Is(err, community.ErrGroupClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		after, err := community.CloseTx(tx, g, community.CleanLine(in.Reason))
		if err != nil {
			return err
		}
		return database.AuditTx(tx, "group.close", group, g, after)
	})
}

// atOnce is how many groups or mergers one look reads.
const atOnce = 200

// closeEnded closes the groups whose planned end has come.
func (s *Service) closeEnded(ctx context.Context, _ clock.Milli) error {
	now := clock.MilliOf(s.DB.Clock.Now())
	for after := id.Group(0); ; {
		var due []id.Group
		err := s.DB.Read(ctx).Raw("SELECT id FROM chat_groups WHERE ends_at > 0 AND ends_at <= ? AND status <> ? AND id > ? ORDER BY id LIMIT ?",
			now, community.GroupDissolved, after, atOnce).Scan(&due).Error
		if err != nil {
			return fmt.Errorf("life: ended groups: %w", err)
		}
		if len(due) == 0 {
			return nil
		}
		for _, group := range due {
			after = group
			err := s.DB.Tx(ctx, func(tx *database.Tx) error {
				g, err := community.LockGroupTx(tx, group)
				if err != nil || g.EndsAt == 0 || g.EndsAt > tx.Now {
					return err
				}
				_, err = community.CloseTx(tx, g, g.EndReason)
				return err
			})
			if err != nil && !errors.Is(err, community.ErrGroupClosed) {
				return err
			}
		}
	}
}
