package guard

import (
	"context"
	"fmt"
	"slices"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// permitGroups is how many groups one permit names.
const permitGroups = 200

// The refusals of permits.
var (
	ErrSameStaff   = fault.New(fault.KindForbidden, "guard.same_staff", "须由申请人以外的同事批准", "somebody else than who asked must approve")
	ErrPermitOver  = fault.New(fault.KindConflict, "guard.permit_over", "该许可已批准、已撤销或已过期", "the permit was approved, revoked or is over")
	ErrPermitLimit = fault.New(fault.KindConflict, "guard.permit_limit", "群 {group} 的同类许可已用完：{says}", "group {group} has had its permits of this kind: {says}")
)

// Permit lifts the policy of some groups for a while, once it is approved.
type Permit struct {
	ID          id.Permit    `json:"id" gorm:"column:id;primaryKey;autoIncrement:false"`
	Kind        PermitKind   `json:"kind" gorm:"column:kind"`
	UnitID      id.Unit      `json:"unit_id" gorm:"column:unit_id"`
	PromotionID id.Promotion `json:"promotion_id" gorm:"column:promotion_id"` // whose ad an override lets through
	Reason      string       `json:"reason" gorm:"column:reason"`             // a pass's is its moment
	From        clock.Milli  `json:"from_at" gorm:"column:from_at"`
	To          clock.Milli  `json:"to_at" gorm:"column:to_at"`
	CreatedBy   id.Staff     `json:"created_by" gorm:"column:created_by"`
	CreatedAt   clock.Milli  `json:"created_at" gorm:"column:created_at;autoCreateTime:false"`
	ApprovedBy  id.Staff     `json:"approved_by" gorm:"column:approved_by"`
	ApprovedAt  clock.Milli  `json:"approved_at" gorm:"column:approved_at"`
	RevokedBy   id.Staff     `json:"revoked_by" gorm:"column:revoked_by"`
	RevokedAt   clock.Milli  `json:"revoked_at" gorm:"column:revoked_at"`
	Refusal     string       `json:"refusal" gorm:"column:refusal"` // why it was revoked
	Groups      []id.Group   `json:"groups" gorm:"-"`
}

// TableName is the table's.
func (Permit) TableName() string { return "guard_permits" }

const permitColumns = "id, kind, unit_id, promotion_id, reason, from_at, to_at, created_by, created_at, approved_by, approved_at, revoked_by, revoked_at, refusal"

// PermitIn asks for a permit.
type PermitIn struct {
	Kind        PermitKind   `json:"-"`
	Groups      []id.Group   `json:"groups"`
	PromotionID id.Promotion `json:"promotion_id"`
	Reason      string       `json:"reason"`
	From        clock.Milli  `json:"from_at"`
	To          clock.Milli  `json:"to_at"`
}

// Validate checks the form.
func (in PermitIn) Validate() error {
	var c fault.Check
	c.Range(int64(len(in.Groups)), "groups", 1, permitGroups)
	c.That(!slices.Contains(in.Groups, 0), "groups", "required", "群编号不能为空", "a group id is missing")
	c.Required(in.Reason, "reason")
	c.Length(in.Reason, "reason", 200)
	c.That(in.From > 0, "from_at", "required", "必填", "is required")
	c.That(in.To > 0, "to_at", "required", "必填", "is required")
	c.That(in.From <= 0 || in.To <= 0 || in.To > in.From, "to_at", "range", "须晚于开始", "must lie after the beginning")
	return c.Err()
}

// fits checks what depends on the kind.
func (in PermitIn) fits(now clock.Milli) error {
	var c fault.Check
	days := int64(in.Kind.longest() / time.Hour)
	c.That(in.To <= in.From.Add(in.Kind.longest()), "to_at", "range", fmt.Sprintf("最长 %d 小时", days), fmt.Sprintf("at most %d hours", days))
	c.That(in.To > now, "to_at", "range", "已经过去", "is over")
	c.That((in.Kind == PermitOverride) == (in.PromotionID != 0), "promotion_id", "required", "放行须指明推送计划，其他许可不填", "an override names its promotion; nothing else does")
	return c.Err()
}

// AskPermit asks for a permit, which does nothing until somebody else approves
// it.
func (s *Service) AskPermit(ctx context.Context, in PermitIn) (id.Permit, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	in.Groups = slices.Clone(in.Groups)
	slices.Sort(in.Groups)
	in.Groups = slices.Compact(in.Groups)
	var made id.Permit
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		if err := in.fits(tx.Now); err != nil {
			return err
		}
		row := Permit{ID: id.Permit(tx.Next()), Kind: in.Kind, UnitID: tx.Actor.Unit, PromotionID: in.PromotionID, Reason: in.Reason,
			From: in.From, To: in.To, CreatedBy: tx.Actor.Staff, CreatedAt: tx.Now, Groups: in.Groups}
		if err := seeAll(tx, in.Groups); err != nil {
			return err
		}
		if err := tx.Create(&row).Error; err != nil {
			return fmt.Errorf("guard: permit: %w", err)
		}
		rows := insertInto("guard_permit_groups", "group_id, permit_id", len(in.Groups))
		for _, g := range in.Groups {
			rows.row().nums(int64(g), int64(row.ID)).end()
		}
		if err := rows.write(tx); err != nil {
			return fmt.Errorf("guard: permit: %w", err)
		}
		made = row.ID
		if err := webhook.PublishTx(tx, EventPermitAsked, row.told()); err != nil {
			return err
		}
		tx.SetResult("permit", int64(row.ID), 201)
		return database.AuditTx(tx, "guard.permit", row.ID, nil, row)
	})
	return made, err
}

// seeAll refuses groups that the actor may not see.
func seeAll(tx *database.Tx, groups []id.Group) error {
	known, err := community.GroupsIn(tx.DB, groups)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if x, ok := known[g]; !ok || !x.SeenBy(tx.Actor) {
			return fault.NotFound
		}
	}
	return nil
}

// ApprovePermit lets a permit count from now on, if none of its groups has had
// as many as it may.
func (s *Service) ApprovePermit(ctx context.Context, permit id.Permit) error {
	before, err := s.FindPermit(ctx, permit)
	if err != nil {
		return err
	}
	if err := s.prepare(ctx, before.Groups); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		if _, err := lockGuards(tx, before.Groups); err != nil {
			return err
		}
		if err := seeAll(tx, before.Groups); err != nil {
			return err
		}
		if tx.Actor.Kind == database.ActorStaff && tx.Actor.Staff == before.CreatedBy {
			return ErrSameStaff
		}
		if err := withinLimits(tx, before); err != nil {
			return err
		}
		err := database.One(tx.Exec("UPDATE guard_permits SET approved_by = ?, approved_at = ? WHERE id = ?"+tx.Only("approved_at = 0 AND revoked_at = 0 AND to_at > ?"),
			tx.Actor.Staff, tx.Now, permit, tx.Now), ErrPermitOver)
		if err != nil {
			return err
		}
		tx.SetResult("permit", int64(permit), 200)
		after := before
		after.ApprovedBy, after.ApprovedAt = tx.Actor.Staff, tx.Now
		if err := webhook.PublishTx(tx, EventPermitGiven, after.told()); err != nil {
			return err
		}
		return database.AuditTx(tx, "guard.permit_approve", permit, before, after)
	})
}

// withinLimits counts the permits of the kind that each group was given.
func withinLimits(tx *database.Tx, p Permit) error {
	var others []struct {
		GroupID      id.Group
		FromAt, ToAt clock.Milli
	}
	err := tx.Raw(`SELECT g.group_id, p.from_at, CASE WHEN p.revoked_at > 0 AND p.revoked_at < p.to_at THEN p.revoked_at ELSE p.to_at END AS to_at
		FROM guard_permit_groups g JOIN guard_permits p ON p.id = g.permit_id
		WHERE g.group_id IN ? AND p.kind = ? AND p.id <> ? AND p.approved_at > 0 AND (p.revoked_at = 0 OR p.revoked_at > p.from_at)`,
		p.Groups, p.Kind, p.ID).Scan(&others).Error
	if err != nil {
		return fmt.Errorf("guard: permits: %w", err)
	}
	year := func(t clock.Milli) int { return clock.Day(t.Time(), time.FixedZone("", 8*3600)) / 10000 }
	passes := map[id.Group]int{}
	for _, o := range others {
		full := ErrPermitLimit.With("group", o.GroupID)
		switch {
		case p.Kind.once() && max(o.FromAt, p.From)-min(o.FromAt, p.From) < clock.Milli(onceIn.Milliseconds()):
			return full.With("says", boundOnce)
		case p.Kind == PermitPass && o.FromAt < p.To.Add(passRest) && p.From < o.ToAt.Add(passRest):
			return full.With("says", boundOverlap)
		case p.Kind == PermitPass && year(o.FromAt) == year(p.From):
			if passes[o.GroupID]++; passes[o.GroupID] >= passesAYear {
				return full.With("says", boundYear)
			}
		}
	}
	return nil
}

// bound is what a group's permits of one kind have come up against.
type bound string

const (
	boundOnce    bound = "one in 30 days"
	boundOverlap bound = "it overlaps another pass or its silent days"
	boundYear    bound = "six a year"
)

var boundsZH = map[bound]string{boundOnce: "30 天 1 次", boundOverlap: "与另一张通行证的时段或静默期重叠", boundYear: "每年 6 次"}

// Words are the bound in both languages.
func (b bound) Words() (zh, en string) { return boundsZH[b], string(b) }

// RevokeIn says why a permit is ended, or refused before it began.
type RevokeIn struct {
	Refusal string `json:"refusal"`
}

// Validate checks the form.
func (in RevokeIn) Validate() error {
	var c fault.Check
	c.Line(in.Refusal, "refusal", 200)
	return c.Err()
}

// RevokePermit ends a permit. Slots that were reserved by it stand, with it as
// their record; a pass's silent days begin. It is revoked no earlier than its
// last slot was reserved, though the clock was set back since.
func (s *Service) RevokePermit(ctx context.Context, permit id.Permit, in RevokeIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	before, err := s.FindPermit(ctx, permit)
	if err != nil {
		return err
	}
	if err := s.prepare(ctx, before.Groups); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		if _, err := lockGuards(tx, before.Groups); err != nil {
			return err
		}
		if err := seeAll(tx, before.Groups); err != nil {
			return err
		}
		var last clock.Milli
		err := tx.Raw("SELECT COALESCE(MAX(reserved_at), 0) FROM slots WHERE group_id IN ? AND permit_id = ?", before.Groups, permit).Scan(&last).Error
		if err != nil {
			return fmt.Errorf("guard: permit: %w", err)
		}
		at := max(tx.Now, last)
		err = database.One(tx.Exec("UPDATE guard_permits SET revoked_by = ?, revoked_at = ?, refusal = ? WHERE id = ?"+tx.Only("revoked_at = 0 AND to_at > ?"),
			tx.Actor.Staff, at, in.Refusal, permit, tx.Now), ErrPermitOver)
		if err != nil {
			return err
		}
		tx.SetResult("permit", int64(permit), 200)
		after := before
		after.RevokedBy, after.RevokedAt, after.Refusal = tx.Actor.Staff, at, in.Refusal
		return database.AuditTx(tx, "guard.permit_revoke", permit, before, after)
	})
}
