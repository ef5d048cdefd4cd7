package referral

import (
	"context"
	"fmt"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Evidence is what a reward rests on, the same for both sides of it: which
// code was scanned where and when, which page was acted on, by which rule and
// among how many scans it won, and which version of the program was promised.
type Evidence struct {
	Code         string      `json:"code"`
	Channel      string      `json:"channel"`
	GroupID      id.Group    `json:"group_id"`
	TouchID      id.Touch    `json:"touch_id"`
	TouchedAt    clock.Milli `json:"touched_at"`
	PageAt       clock.Milli `json:"page_at"` // when the page was shown that he acted on
	BoundAt      clock.Milli `json:"bound_at"`
	BoundBy      id.Staff    `json:"bound_by"` // none: he himself
	LastsUntil   clock.Milli `json:"lasts_until"`
	EndedAt      clock.Milli `json:"ended_at"`
	EndReason    string      `json:"end_reason"`
	Rule         Wins        `json:"rule"`
	TouchDays    int         `json:"touch_days"`      // how long a scan counted
	Weighed      int         `json:"touches_weighed"` // how many scans it won against, itself included; 0: the page alone counted
	RenewedAt    clock.Milli `json:"renewed_at"`
	ProgramID    id.Program  `json:"program_id"`
	RulesVersion int         `json:"rules_version"`
	RulesDigest  string      `json:"rules_digest"`
	Step         *StepTaken  `json:"step" gorm:"-"` // of a rule with steps
}

// StepTaken is the step by which an inviter's reward was paid. The step pays
// from the From-th reward of the window on, and this reward was the Nth.
type StepTaken struct {
	Step   int       `json:"step"`
	From   int64     `json:"from"`
	Nth    int64     `json:"nth"`
	Window CapWindow `json:"window"`
}

// touchWithin is how far apart a page and the scan that showed it may lie.
const touchWithin = 5 * time.Second

// evidenceOf is what a reward rests on.
func (s *Service) evidenceOf(ctx context.Context, r Reward) (Evidence, error) {
	q := s.DB.Read(ctx)
	if r.BindingID == 0 {
		return ownWork(q, r)
	}
	var row struct {
		Evidence
		CodeID    id.Code
		InviteeID id.Member
	}
	err := q.Raw(`SELECT c.code, c.channel, b.group_id, b.page_at, b.bound_at, b.bound_by, b.expires_at AS lasts_until, b.ended_at, b.end_reason,
			b.rule, b.touch_id, b.touched_at, b.touch_days, b.weighed_qty AS weighed, b.renewed_at,
			b.code_id, b.invitee_id, b.program_id, b.program_version AS rules_version, v.digest AS rules_digest
		FROM bindings b JOIN codes c ON c.id = b.code_id
		JOIN program_versions v ON v.program_id = b.program_id AND v.number = b.program_version
		WHERE b.id = ?`, r.BindingID).Take(&row).Error
	if err != nil {
		return row.Evidence, fmt.Errorf("referral: evidence of %s: %w", r.ID, err)
	}
	e := row.Evidence
	if e.Step, err = stepOf(q, r); err != nil {
		return e, err
	}
	if e.TouchID != 0 || e.PageAt == 0 {
		return e, nil
	}
	e.TouchID, e.TouchedAt, err = scanOf(q, row.CodeID, row.InviteeID, e.PageAt)
	return e, err
}

// ownWork is what a fee rests on that no invitation earned.
func ownWork(q *database.Query, r Reward) (Evidence, error) {
	e := Evidence{ProgramID: r.ProgramID, RulesVersion: r.ProgramVersion}
	err := q.Raw("SELECT digest FROM program_versions WHERE program_id = ? AND number = ?", r.ProgramID, r.ProgramVersion).Row().Scan(&e.RulesDigest)
	if err != nil {
		return e, fmt.Errorf("referral: evidence of %s: %w", r.ID, err)
	}
	return e, nil
}

// stepOf is the step that a reward was paid by, none where its rule has none.
func stepOf(q *database.Query, r Reward) (*StepTaken, error) {
	if r.Step == 0 {
		return nil, nil
	}
	rules, err := rulesOf(q, r.ProgramID, r.ProgramVersion)
	if err != nil {
		return nil, err
	}
	p := rules.promise(r.Rule)
	taken := &StepTaken{Step: r.Step, From: 1, Nth: r.Nth, Window: p.StepWindow}
	if r.Step > 1 {
		taken.From = p.Steps[r.Step-2].From
	}
	return taken, nil
}

// scanOf is the scan that showed a page: the invitee's, under whichever id he
// had then, at that moment.
func scanOf(q *database.Query, code id.Code, invitee id.Member, page clock.Milli) (id.Touch, clock.Milli, error) {
	was, err := community.MergedInto(q, []id.Member{invitee})
	if err != nil {
		return 0, 0, err
	}
	var t struct {
		ID id.Touch
		At clock.Milli
	}
	err = q.Raw("SELECT id, at FROM touches WHERE code_id = ? AND at >= ? AND at <= ? AND visitor_id IN ? ORDER BY at DESC, id DESC LIMIT 1",
		code, page.Add(-touchWithin), page.Add(touchWithin), append(was[invitee], invitee)).Scan(&t).Error
	if err != nil {
		return 0, 0, fmt.Errorf("referral: scan of %s: %w", code, err)
	}
	return t.ID, t.At, nil
}
