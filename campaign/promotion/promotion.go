// Package promotion plans the ads of a campaign and sends them into chat
// groups, never more than the guard allows.
//
// A promotion is a text or a material, groups and windows of time. Somebody else than its
// author approves it; then a task opens each window, asks the guard for a slot
// per group, hands what is allowed to the channel and asks again for what was
// deferred. At a slot's end, or when the promotion is cancelled, what is not
// confirmed is cancelled with the channel, and only the channel's word frees
// the slot.
//
// Tables: promotions, promotion_windows, promotion_groups, promotion_sends,
// promotion_digests, channel_paces.
// Invariants: a window and group is asked for by one send and holds one slot;
// nothing is handed to a channel before guard.StartTx agreed in a transaction
// that saw the promotion running. Called by api; its tasks run in worker.
package promotion

import (
	"context"
	"fmt"

	"siyu/campaign"
	"siyu/campaign/calendar"
	"siyu/campaign/exposure"
	"siyu/campaign/guard"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Service is the room's use cases. Channels are the ways out, by name, and
// Paces how fast each takes ads.
type Service struct {
	DB       *database.DB
	Guard    *guard.Service
	Exposure *exposure.Service
	Campaign *campaign.Service
	Dates    *calendar.Service
	Channels []Channel
	Paces    map[string]Pace
}

// Status is where a promotion stands.
type Status string

// The statuses: draft → approved → running → done, or cancelled from any of
// the first three.
const (
	StatusDraft     Status = "draft"
	StatusApproved  Status = "approved"
	StatusRunning   Status = "running"
	StatusDone      Status = "done"
	StatusCancelled Status = "cancelled"
)

// Words name the state.
func (s Status) Words() (zh, en string) {
	return map[Status]string{StatusDraft: "草稿", StatusApproved: "已审批", StatusRunning: "推送中", StatusDone: "已完成", StatusCancelled: "已取消"}[s], string(s)
}

// Promotion is a send plan.
type Promotion struct {
	ID         id.Promotion `json:"id" gorm:"column:id;primaryKey;autoIncrement:false"`
	UnitID     id.Unit      `json:"unit_id" gorm:"column:unit_id"`
	CampaignID id.Campaign  `json:"campaign_id" gorm:"column:campaign_id"`
	Name       string       `json:"name" gorm:"column:name"`
	TextZH     string       `json:"text_zh" gorm:"column:text_zh"`
	TextEN     string       `json:"text_en" gorm:"column:text_en"`
	MaterialID id.Material  `json:"material_id" gorm:"column:material_id"`
	Priority   int          `json:"priority" gorm:"column:priority"`
	Value      money.Amount `json:"value_fen" gorm:"column:value_fen"`
	HoldoutBP  int          `json:"holdout_bp" gorm:"column:holdout_bp"`
	OnNoSlot   OnNoSlot     `json:"on_no_slot" gorm:"column:on_no_slot"`
	Channel    string       `json:"channel" gorm:"column:channel"`
	Status     Status       `json:"status" gorm:"column:status"`
	CreatedBy  id.Staff     `json:"created_by" gorm:"column:created_by"`
	ApprovedBy id.Staff     `json:"approved_by" gorm:"column:approved_by"`
	Version    int          `json:"version" gorm:"column:version"`
	CreatedAt  clock.Milli  `json:"created_at" gorm:"column:created_at;autoCreateTime:false"`
	ApprovedAt clock.Milli  `json:"approved_at" gorm:"column:approved_at"`
	ClosedAt   clock.Milli  `json:"closed_at" gorm:"column:closed_at"`
	Windows    []Window     `json:"windows" gorm:"-"`
	Groups     []id.Group   `json:"groups" gorm:"-"`
	HeldOut    []id.Group   `json:"held_out" gorm:"-"` // of Groups: those that are shown nothing
}

// TableName is the table's.
func (Promotion) TableName() string { return "promotions" }

const columns = `id, unit_id, campaign_id, name, text_zh, text_en, material_id, priority, value_fen, holdout_bp, on_no_slot, channel, status, created_by, approved_by,
	version, created_at, approved_at, closed_at`

// Window is one of a promotion's windows, numbered from 1.
type Window struct {
	No   int         `json:"no" gorm:"column:window_no"`
	From clock.Milli `json:"from_at" gorm:"column:from_at"`
	To   clock.Milli `json:"to_at" gorm:"column:to_at"`
}

func (w Window) asked() guard.Window { return guard.Window{From: w.From, To: w.To} }

// The refusals.
var (
	ErrSameStaff = fault.New(fault.KindForbidden, "promotion.same_staff", "推送计划须由创建人以外的同事批准", "somebody else than its author must approve the promotion")
	ErrStatus    = fault.New(fault.KindConflict, "promotion.status", "推送计划现在是“{status}”，不能这样操作", "the promotion is {status}, which does not allow this")
	ErrCampaign  = fault.New(fault.KindConflict, "promotion.campaign", "活动现在是“{status}”，不能推送", "the campaign is {status}; nothing can be sent for it")
)

// Find reads a promotion the actor may see, with its windows and groups.
func (s *Service) Find(ctx context.Context, promotion id.Promotion) (Promotion, error) {
	q := s.DB.Read(ctx)
	p, err := find(q, database.ActorOf(ctx), promotion)
	if err != nil {
		return p, err
	}
	if p.Groups, err = groupsOf(q, promotion); err != nil {
		return p, err
	}
	p.HeldOut, err = heldOut(q, promotion)
	return p, err
}

// find reads a promotion and its windows.
func find(q *database.Query, actor database.Actor, promotion id.Promotion) (Promotion, error) {
	var p Promotion
	if err := q.Raw("SELECT "+columns+" FROM promotions WHERE id = ?", promotion).Scan(&p).Error; err != nil {
		return p, fmt.Errorf("promotion: %s: %w", promotion, err)
	}
	if p.ID == 0 || !actor.Sees(p.UnitID) {
		return Promotion{}, fault.NotFound
	}
	err := q.Raw("SELECT window_no, from_at, to_at FROM promotion_windows WHERE promotion_id = ? ORDER BY window_no", promotion).Scan(&p.Windows).Error
	if err != nil {
		return p, fmt.Errorf("promotion: windows of %s: %w", promotion, err)
	}
	return p, nil
}

// Filter narrows a list of promotions; zero fields do not.
type Filter struct {
	Campaign id.Campaign
	Status   Status
}

// List lists promotions without windows and groups, newest first.
func (s *Service) List(ctx context.Context, f Filter, page database.Page) (database.Paged[Promotion], error) {
	cond, args := database.ActorOf(ctx).Within("unit_id")
	if f.Campaign != 0 {
		cond, args = cond+" AND campaign_id = ?", append(args, f.Campaign)
	}
	if f.Status != "" {
		cond, args = cond+" AND status = ?", append(args, f.Status)
	}
	args = append(append([]any{page.Bound()}, args...), page.Fetch())
	var rows []Promotion
	err := s.DB.Read(ctx).Raw("SELECT "+columns+" FROM promotions WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?", args...).Scan(&rows).Error
	if err != nil {
		return database.Paged[Promotion]{}, fmt.Errorf("promotion: list: %w", err)
	}
	for i := range rows {
		rows[i].Windows, rows[i].Groups, rows[i].HeldOut = []Window{}, []id.Group{}, []id.Group{}
	}
	return database.Cut(page, rows, func(p Promotion) int64 { return int64(p.ID) }), nil
}
