package referral

import (
	"context"
	"encoding/json"
	"fmt"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

const kocColumns = "id, unit_id, program_id, program_version, group_id, month_no, as_of_day, status, proposed_by, proposed_at, decided_by, decided_at, reason"

// FindKOC is a proposal with its members and what they were paid.
func (s *Service) FindKOC(ctx context.Context, which id.KOCProposal) (KOCProposal, error) {
	q := s.DB.Read(ctx)
	p, err := kocProposal(q, database.ActorOf(ctx), which, "")
	if err != nil {
		return p, err
	}
	return p.filled(q)
}

// KOCFilter narrows a list of proposals; zero fields do not.
type KOCFilter struct {
	Group  id.Group
	Status KOCStatus
}

// ListKOC lists proposals, newest first.
func (s *Service) ListKOC(ctx context.Context, f KOCFilter, page database.Page) (database.Paged[KOCProposal], error) {
	var c fault.Check
	c.OneOf(string(f.Status), "status", string(KOCProposed), string(KOCApproved), string(KOCRefused), "")
	if err := c.Err(); err != nil {
		return database.Paged[KOCProposal]{}, err
	}
	a := database.ActorOf(ctx)
	cond, args := a.Within("unit_id")
	own, more := community.OwnGroups(a, "group_id")
	cond, args = cond+own, append(args, more...)
	if f.Group != 0 {
		cond, args = cond+" AND group_id = ?", append(args, f.Group)
	}
	if f.Status != "" {
		cond, args = cond+" AND status = ?", append(args, f.Status)
	}
	q := s.DB.Read(ctx)
	var rows []KOCProposal
	err := q.Raw("SELECT "+kocColumns+" FROM koc_proposals WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?",
		append(append([]any{page.Bound()}, args...), page.Fetch())...).Scan(&rows).Error
	if err != nil {
		return database.Paged[KOCProposal]{}, fmt.Errorf("referral: list proposals: %w", err)
	}
	out := database.Cut(page, rows, func(p KOCProposal) int64 { return int64(p.ID) })
	for i, p := range out.Items {
		if out.Items[i], err = p.filled(s.DB.Read(ctx)); err != nil {
			return out, err
		}
	}
	return out, nil
}

// MonthlyPrograms lists the active programs that may reward KOCs of a month,
// newest first, without their rules.
func (s *Service) MonthlyPrograms(ctx context.Context) ([]Program, error) {
	cond, args := database.ActorOf(ctx).Within("p.unit_id")
	var rows []struct {
		ID    id.Program
		Name  string
		Rules string
	}
	// The text only narrows; what the trigger is the rules say.
	err := s.DB.Read(ctx).Raw(`SELECT p.id, p.name, v.rules FROM programs p JOIN program_versions v ON v.program_id = p.id AND v.number = p.latest
		WHERE p.status = ? AND v.rules LIKE ?`+cond+" ORDER BY p.id DESC LIMIT ?",
		append(append([]any{ProgramActive, "%" + string(TriggerMonthEnd) + "%"}, args...), database.PageMax)...).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("referral: programs of a month: %w", err)
	}
	var out []Program
	for _, r := range rows {
		rules, err := readRules(r.Rules)
		if err != nil {
			return nil, fmt.Errorf("referral: rules of %s: %w", r.ID, err)
		}
		if rules.Trigger == TriggerMonthEnd {
			out = append(out, Program{ID: r.ID, Name: r.Name})
		}
	}
	return out, nil
}

// kocProposal reads one that the actor sees: of his units, and of a group
// owner's own groups.
func kocProposal(q *database.Query, a database.Actor, which id.KOCProposal, lock string) (KOCProposal, error) {
	var p KOCProposal
	if err := q.Raw("SELECT "+kocColumns+" FROM koc_proposals WHERE id = ?"+lock, which).Take(&p).Error; err != nil {
		return p, database.Absent(err)
	}
	groups, err := community.GroupsIn(q, []id.Group{p.GroupID})
	if err != nil {
		return p, err
	}
	if g := groups[p.GroupID]; !a.Sees(p.UnitID) || !g.SeenBy(a) {
		return KOCProposal{}, fault.NotFound
	}
	return p, nil
}

func kocLines(q *database.Query, p id.KOCProposal) ([]KOCLine, error) {
	var lines []KOCLine
	err := q.Raw("SELECT proposal_id, member_id, facts FROM koc_lines WHERE proposal_id = ? ORDER BY id", p).Scan(&lines).Error
	if err != nil {
		return nil, fmt.Errorf("referral: lines of %s: %w", p, err)
	}
	for i, l := range lines {
		if err := json.Unmarshal([]byte(l.Text), &lines[i].KOCFacts); err != nil {
			return nil, fmt.Errorf("referral: facts of %s: %w", p, err)
		}
		lines[i].RewardIDs = []id.Reward{}
	}
	return lines, nil
}

// filled adds the members, with the ids they were named under, what it costs at
// most, and the rewards that came of it.
func (p KOCProposal) filled(q *database.Query) (KOCProposal, error) {
	rules, err := rulesOf(q, p.ProgramID, p.ProgramVersion)
	if err != nil {
		return p, err
	}
	if p.Lines, err = kocLines(q, p.ID); err != nil {
		return p, err
	}
	for _, r := range rules.Rewards {
		p.Cost += r.fixed() * r.unitCost() * money.Amount(len(p.Lines))
	}
	if p.Status != KOCApproved {
		return p, nil
	}
	people := make([]id.Member, len(p.Lines))
	for i, l := range p.Lines {
		people[i] = l.MemberID
	}
	today, err := community.FollowMerges(q, people)
	if err != nil {
		return p, err
	}
	var rows []Reward
	err = q.Raw("SELECT r.id, r.beneficiary_id FROM rewards r WHERE r.program_id = ? AND r.program_version = ? AND r.fact = ? ORDER BY r.id",
		p.ProgramID, p.ProgramVersion, kocFact(p.GroupID, p.Month)).Scan(&rows).Error
	if err != nil {
		return p, fmt.Errorf("referral: rewards of %s: %w", p.ID, err)
	}
	for _, r := range rows {
		for i, l := range p.Lines {
			if today[l.MemberID] == r.BeneficiaryID {
				p.Lines[i].RewardIDs = append(p.Lines[i].RewardIDs, r.ID)
				break
			}
		}
	}
	return p, nil
}
