package gate

import (
	"context"
	"fmt"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Rule is what a violation broke.
type Rule string

// The rules every charter has.
const (
	RuleAd       Rule = "ad"        // sells without being asked
	RuleOffTopic Rule = "off_topic" // over and over
	RuleAbuse    Rule = "abuse"
	RuleFraud    Rule = "fraud"
	RulePrivacy  Rule = "privacy" // tells what is somebody else's
	RuleFlood    Rule = "flood"
)

func rules() []string {
	return []string{string(RuleAd), string(RuleOffTopic), string(RuleAbuse), string(RuleFraud), string(RulePrivacy), string(RuleFlood)}
}

// Violation is somebody who broke a rule in a group; what was said is not kept.
type Violation struct {
	ID        id.Violation `json:"id"`
	GroupID   id.Group     `json:"group_id"`
	MemberID  id.Member    `json:"member_id"`
	Rule      Rule         `json:"rule"`
	At        clock.Milli  `json:"at"`
	StaffID   id.Staff     `json:"staff_id"`
	CreatedAt clock.Milli  `json:"created_at"`
}

const violationColumns = "id, group_id, member_id, rule, at, staff_id, created_at"

// ViolationIn is a violation to note.
type ViolationIn struct {
	MemberID id.Member   `json:"member_id"`
	Rule     Rule        `json:"rule"`
	At       clock.Milli `json:"at"` // now, if left out
}

// Validate checks the violation's form.
func (in ViolationIn) Validate() error {
	var c fault.Check
	c.That(in.MemberID != 0, "member_id", "required", "必填", "is required")
	c.OneOf(string(in.Rule), "rule", rules()...)
	return c.Err()
}

// Note notes a violation of somebody who is or was in the group. Three within
// 180 days lead every application of his to a look.
func (s *Service) Note(ctx context.Context, group id.Group, in ViolationIn) (id.Violation, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	var made id.Violation
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		if _, err := seen(tx.Context(), tx.DB, group); err != nil {
			return err
		}
		v := Violation{id.Violation(tx.Next()), group, in.MemberID, in.Rule, in.At, tx.Actor.Staff, tx.Now}
		if v.At == 0 {
			v.At = tx.Now
		}
		if v.At > tx.Now {
			return fault.Invalid.Field("at", "range", "不能晚于现在", "cannot lie ahead")
		}
		live, err := community.FollowMerges(tx.DB, []id.Member{v.MemberID})
		if err != nil {
			return err
		}
		v.MemberID = live[v.MemberID]
		stays, err := community.StaysOf(tx.DB, []id.Member{v.MemberID})
		if err != nil {
			return err
		}
		was := false
		for _, m := range stays[v.MemberID] {
			was = was || m.GroupID == group
		}
		if !was {
			return fault.Invalid.Field("member_id", "unknown", "这位会员没有进过这个群", "has never been in this group")
		}
		made = v.ID
		if err := tx.Exec("INSERT INTO violations ("+violationColumns+") VALUES (?, ?, ?, ?, ?, ?, ?)",
			v.ID, v.GroupID, v.MemberID, v.Rule, v.At, v.StaffID, v.CreatedAt).Error; err != nil {
			return fmt.Errorf("gate: violation: %w", err)
		}
		tx.SetResult("violation", int64(v.ID), 201)
		return database.AuditTx(tx, "group.violation", group, nil, v)
	})
	return made, err
}

// FindViolation reads a violation in a group that the actor may see.
func (s *Service) FindViolation(ctx context.Context, violation id.Violation) (Violation, error) {
	q := s.DB.Read(ctx)
	var v Violation
	if err := q.Raw("SELECT "+violationColumns+" FROM violations WHERE id = ?", violation).Scan(&v).Error; err != nil {
		return v, fmt.Errorf("gate: violation %s: %w", violation, err)
	}
	_, err := seen(ctx, q, v.GroupID)
	return v, err
}

// ListViolations lists a group's violations, newest first.
func (s *Service) ListViolations(ctx context.Context, group id.Group, page database.Page) (database.Paged[Violation], error) {
	q := s.DB.Read(ctx)
	if _, err := seen(ctx, q, group); err != nil {
		return database.Paged[Violation]{}, err
	}
	var rows []Violation
	err := q.Raw("SELECT "+violationColumns+" FROM violations WHERE group_id = ? AND id < ? ORDER BY id DESC LIMIT ?", group, page.Bound(), page.Fetch()).Scan(&rows).Error
	if err != nil {
		return database.Paged[Violation]{}, fmt.Errorf("gate: violations of %s: %w", group, err)
	}
	return database.Cut(page, rows, func(v Violation) int64 { return int64(v.ID) }), nil
}

// Agree notes that a member in the group has read the charter as it stands:
// version is the one he was shown.
func (s *Service) Agree(ctx context.Context, group id.Group, member id.Member, version int) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		now, err := community.CharterOf(tx.DB, group, tx.Now)
		switch {
		case err != nil:
			return err
		case now.Version != version:
			return ErrCharter.With("version", now.Version)
		}
		who, err := community.LockLiveTx(tx, member)
		if err != nil {
			return err
		}
		return community.AgreeTx(tx, group, who, version, ErrNotIn)
	})
}
