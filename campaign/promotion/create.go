package promotion

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"siyu/campaign"
	"siyu/campaign/guard"
	"siyu/campaign/material"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/webhook"
)

// Bounds of a plan. Groups are written in one transaction, which bounds how
// many may be named at once; more are added to the draft.
const (
	groupsMax  = 1500
	windowsMax = 40
	windowFor  = 7 * 24 * time.Hour

	valueUsual = money.Amount(100)
	valueMax   = 100_000_000
)

// In is a promotion to make. Value is what the ad is worth to the brand in one
// group; with the priority, each step of which counts double, it decides who
// gets a group's slot. Left out it is valueUsual. It sends either its own text
// or an approved material, into groups by name or by what they are, in windows
// by name or by rule.
type In struct {
	CampaignID id.Campaign    `json:"campaign_id"`
	Name       string         `json:"name"`
	TextZH     string         `json:"text_zh"`
	TextEN     string         `json:"text_en"`
	MaterialID id.Material    `json:"material_id"`
	Groups     []id.Group     `json:"groups"`
	GroupsLike *GroupsLike    `json:"groups_like"`
	Windows    []guard.Window `json:"windows"`
	Schedule   *Schedule      `json:"schedule"`
	Priority   int            `json:"priority"`
	Value      money.Amount   `json:"value_fen"`
	HoldoutBP  int            `json:"holdout_bp"` // the share of the groups that is drawn to be shown nothing
	Holdout    []id.Group     `json:"holdout"`    // or these
	OnNoSlot   OnNoSlot       `json:"on_no_slot"`
	Channel    string         `json:"channel"`
}

// Validate checks the plan's form.
func (in In) Validate() error {
	var c fault.Check
	c.That(in.CampaignID != 0, "campaign_id", "required", "请选择活动", "name the campaign")
	c.Required(in.Name, "name")
	c.Length(in.Name, "name", 100)
	hasText := in.TextZH != "" || in.TextEN != ""
	c.That(hasText || in.MaterialID != 0, "text_zh", "required", "请填写推送文案或选择素材", "write the text in at least one language, or name a material")
	c.That(!hasText || in.MaterialID == 0, "material_id", "either", "文案与素材只能选其一", "send either a text or a material")
	c.Length(in.TextZH, "text_zh", 4000)
	c.Length(in.TextEN, "text_en", 4000)
	for _, f := range campaign.CheckTexts([]campaign.Text{{Where: "text_zh", Says: in.TextZH}}) {
		c.That(f.Result != campaign.ResultRefusal, f.Where, f.ID, f.ReasonZH+"（"+f.RuleZH+"）", f.ReasonEN+" ("+f.RuleEN+")")
	}
	GroupsIn{in.Groups, in.GroupsLike}.check(&c)
	in.checkWindows(&c)
	in.checkHoldout(&c)
	c.Range(int64(in.Priority), "priority", 0, 9)
	c.Range(int64(in.Value), "value_fen", 0, valueMax)
	c.Required(in.Channel, "channel")
	if in.OnNoSlot != "" {
		c.OneOf(string(in.OnNoSlot), "on_no_slot", string(OnNoSlotDrop), string(OnNoSlotDigest))
	}
	return c.Err()
}

func (in In) checkWindows(c *fault.Check) {
	if in.Schedule != nil {
		c.That(len(in.Windows) == 0, "schedule", "either", "时段与排期只能选其一", "name windows or a schedule, not both")
		in.Schedule.check(c, "schedule")
		return
	}
	c.Range(int64(len(in.Windows)), "windows", 1, windowsMax)
	for i, w := range in.Windows {
		at := fmt.Sprintf("windows[%d]", i)
		c.That(w.From > 0 && w.From < w.To && w.To <= w.From.Add(windowFor), at, "range", "结束须晚于开始，且不超过 7 天", "must end after it begins, within 7 days")
		c.That(i == 0 || in.Windows[i-1].To <= w.From, at, "order", "时段须按先后排列且不重叠", "windows must follow one another without overlap")
	}
}

// Create makes a draft.
func (s *Service) Create(ctx context.Context, in In) (id.Promotion, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	offer, err := s.Campaign.FindCampaign(ctx, in.CampaignID)
	if err != nil {
		return 0, err
	}
	var misfit error
	if in.Schedule != nil {
		in.Windows, misfit = s.scheduled(ctx, *in.Schedule, offer)
	}
	if misfit == nil {
		misfit = s.fits(in, offer)
	}
	var promotion id.Promotion
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		if misfit != nil {
			return misfit // only here: a call repeated after the window is answered as before
		}
		if in.Groups, err = (GroupsIn{in.Groups, in.GroupsLike}).find(tx, nil); err != nil {
			return err
		}
		if err := heard(tx, in.Channel); err != nil {
			return err
		}
		if err := usable(tx, in.MaterialID); err != nil {
			return err
		}
		p := Promotion{
			ID: id.Promotion(tx.Next()), UnitID: offer.UnitID, CampaignID: in.CampaignID, Name: in.Name, TextZH: in.TextZH, TextEN: in.TextEN, MaterialID: in.MaterialID,
			Priority: in.Priority, Value: cmp.Or(in.Value, valueUsual), HoldoutBP: in.HoldoutBP, OnNoSlot: cmp.Or(in.OnNoSlot, OnNoSlotDrop), Channel: in.Channel, Status: StatusDraft, CreatedBy: tx.Actor.Staff, Version: 1, CreatedAt: tx.Now,
		}
		promotion = p.ID
		if in.Holdout, err = in.holdout(p.ID); err != nil {
			return err
		}
		if err := insert(tx, &p, in); err != nil {
			return err
		}
		tx.SetResult("promotion", int64(p.ID), 201)
		return database.AuditTx(tx, "promotion.create", p.ID, nil, p)
	})
	return promotion, err
}

// scheduled works a schedule out by the calendar, until the campaign's end.
func (s *Service) scheduled(ctx context.Context, plan Schedule, offer campaign.Campaign) ([]guard.Window, error) {
	loc, err := time.LoadLocation(cmp.Or(plan.Zone, offer.Zone))
	if err != nil {
		return nil, err
	}
	from, to := plan.reach()
	days, err := s.Dates.DaysBetween(ctx, from, to)
	if err != nil {
		return nil, err
	}
	return plan.windows(days, loc, s.now(), offer.EndsAt)
}

// fits checks the plan against the campaign it advertises and the channels
// there are. An ad may come before the campaign begins, not after it ended.
func (s *Service) fits(in In, offer campaign.Campaign) error {
	now := s.now()
	if phase := offer.Phase(now); over(phase) {
		return ErrCampaign.With("status", phase)
	}
	var c fault.Check
	_, known := s.channel(in.Channel)
	c.That(known, "channel", "unknown_value", "没有这个渠道", "there is no such channel")
	for i, w := range in.Windows {
		c.That(w.To > now && w.To <= offer.EndsAt, fmt.Sprintf("windows[%d].to_at", i), "range",
			"须在现在之后、活动结束之前", "must lie ahead and not after the campaign's end")
	}
	return c.Err()
}

// heard refuses the webhook channel while nobody listens: a slot would count
// for an ad that no one was asked to show.
func heard(tx *database.Tx, channel string) error {
	if channel != (WebhookChannel{}).Name() {
		return nil
	}
	wanted, err := webhook.Wanted(tx.DB, EventDeliver)
	if err != nil {
		return err
	}
	var c fault.Check
	c.That(wanted, "channel", "no_subscriber", "还没有 Webhook 订阅 promotion.deliver，请先创建", "no webhook is subscribed to promotion.deliver; create one first")
	return c.Err()
}

// usable refuses a material that the author may not see or nobody approved.
func usable(tx *database.Tx, m id.Material) error {
	if m == 0 {
		return nil
	}
	row, err := material.Read(tx.DB, m)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return err
	}
	var c fault.Check
	known := err == nil && tx.Actor.Sees(row.UnitID)
	c.That(known, "material_id", "unknown_value", "没有这个素材", "there is no such material")
	c.That(!known || row.Status == material.StatusApproved, "material_id", "not_approved", "素材尚未批准或已撤回", "the material is not approved, or withdrawn")
	return c.Err()
}

func over(s campaign.Status) bool {
	return s == campaign.StatusEnded || s == campaign.StatusCancelled
}

// knownGroups refuses groups that the author may not see.
func knownGroups(tx *database.Tx, groups []id.Group) error {
	known, err := community.GroupsIn(tx.DB, groups)
	if err != nil {
		return err
	}
	var c fault.Check
	for i, g := range groups {
		row, ok := known[g]
		c.That(ok && tx.Actor.Sees(row.UnitID), fmt.Sprintf("groups[%d]", i), "unknown_value", "没有这个群", "there is no such group")
	}
	return c.Err()
}

func insert(tx *database.Tx, p *Promotion, in In) error {
	if err := tx.Create(p).Error; err != nil {
		return fmt.Errorf("promotion: create: %w", err)
	}
	windows := make([]windowRow, len(in.Windows))
	for i, w := range in.Windows {
		windows[i] = windowRow{p.ID, i + 1, w.From, w.To}
	}
	if err := tx.Create(&windows).Error; err != nil {
		return fmt.Errorf("promotion: windows of %s: %w", p.ID, err)
	}
	return insertGroups(tx, p.ID, in.Groups, in.Holdout)
}

// insertGroups writes groups of a plan; held are sorted.
func insertGroups(tx *database.Tx, promotion id.Promotion, groups, held []id.Group) error {
	rows := make([]groupRow, len(groups))
	for i, g := range groups {
		_, out := slices.BinarySearch(held, g)
		rows[i] = groupRow{promotion, g, out}
	}
	for part := range slices.Chunk(rows, 500) {
		if err := tx.Create(&part).Error; err != nil {
			return fmt.Errorf("promotion: groups of %s: %w", promotion, err)
		}
	}
	return nil
}

type windowRow struct {
	PromotionID id.Promotion `gorm:"column:promotion_id"`
	No          int          `gorm:"column:window_no"`
	From        clock.Milli  `gorm:"column:from_at"`
	To          clock.Milli  `gorm:"column:to_at"`
}

// TableName is the table's.
func (windowRow) TableName() string { return "promotion_windows" }

type groupRow struct {
	PromotionID id.Promotion `gorm:"column:promotion_id"`
	GroupID     id.Group     `gorm:"column:group_id"`
	HeldOut     bool         `gorm:"column:held_out"`
}

// TableName is the table's.
func (groupRow) TableName() string { return "promotion_groups" }
