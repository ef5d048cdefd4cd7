package referral

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// KOCStatus is where a proposal stands.
type KOCStatus string

// The statuses: proposed → approved or refused, both for good.
const (
	KOCProposed KOCStatus = "proposed"
	KOCApproved KOCStatus = "approved"
	KOCRefused  KOCStatus = "refused"
)

// Words name the state.
func (s KOCStatus) Words() (zh, en string) {
	return map[KOCStatus]string{KOCProposed: "待审批", KOCApproved: "已通过", KOCRefused: "未通过"}[s], string(s)
}

// The refusals of proposals.
var (
	ErrNotMonthly = fault.New(fault.KindUnprocessable, "referral.not_monthly",
		"该方案的触发条件不是 month_end", "the program's trigger is not month_end")
	ErrNoCandidates = fault.New(fault.KindConflict, "referral.no_candidates",
		"没有可奖励的 KOC 候选人，或本月都已提交", "there is no KOC candidate who is not named for this month already")
	ErrKOCState = fault.New(fault.KindConflict, "referral.proposal_state",
		"该提案现在是“{state}”", "the proposal is {state}")
	ErrKOCSamePerson = fault.New(fault.KindForbidden, "referral.same_person",
		"提案须由提交人以外的同事批准", "somebody else than who proposed must approve")
)

// KOCFacts are why a member is a candidate, as the work list counted them.
type KOCFacts struct {
	Score      int `json:"score"`
	ActiveDays int `json:"active_days"`
	Helped     int `json:"helped"`
	Kept       int `json:"kept"`
	Checkins   int `json:"checkins"`
	Posts      int `json:"posts"`
	Violations int `json:"violations"`
}

// KOCLine is one member of a proposal, and what he was paid for it.
type KOCLine struct {
	ProposalID id.KOCProposal `json:"-"`
	MemberID   id.Member      `json:"member_id"`
	Text       string         `json:"-" gorm:"column:facts"`
	KOCFacts   `gorm:"-"`
	RewardIDs  []id.Reward `json:"reward_ids" gorm:"-"`
}

// KOCProposal asks to reward the KOC candidates of a group for a month by the
// frozen rules of a program.
type KOCProposal struct {
	ID             id.KOCProposal `json:"id"`
	UnitID         id.Unit        `json:"unit_id"`
	ProgramID      id.Program     `json:"program_id"`
	ProgramVersion int            `json:"rules_version"`
	GroupID        id.Group       `json:"group_id"`
	Month          int            `json:"month" gorm:"column:month_no"` // yyyymm
	Day            int            `json:"as_of_day" gorm:"column:as_of_day"`
	Status         KOCStatus      `json:"status"`
	Cost           money.Amount   `json:"cost_fen" gorm:"-"` // at most, of the budget
	ProposedBy     id.Staff       `json:"proposed_by"`
	ProposedAt     clock.Milli    `json:"proposed_at"`
	DecidedBy      id.Staff       `json:"decided_by"`
	DecidedAt      clock.Milli    `json:"decided_at"`
	Reason         string         `json:"reason"` // of a refusal
	Lines          []KOCLine      `json:"lines" gorm:"-"`
}

// KOCProposalIn is the work list of a group, as of a day that is over; its
// month is the day's. Health counts it, and the caller brings it here.
type KOCProposalIn struct {
	ProgramID id.Program
	GroupID   id.Group
	Day       int
	People    []KOCLine // the best first
}

// kocMost is how many members one proposal names, because all of them are paid
// in one transaction; kocRead how many are looked at for it.
const (
	kocMost = 20
	kocRead = 190
)

// ProposeKOC proposes to reward the candidates who are not named for the month
// yet. Nothing is paid before somebody else approves.
func (s *Service) ProposeKOC(ctx context.Context, in KOCProposalIn) (id.KOCProposal, error) {
	var made id.KOCProposal
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		if tx.Actor.Staff == 0 {
			return fault.Forbidden
		}
		p := KOCProposal{ProgramID: in.ProgramID, GroupID: in.GroupID, Month: in.Day / 100, Day: in.Day, Status: KOCProposed,
			ProposedBy: tx.Actor.Staff, ProposedAt: tx.Now}
		if err := p.fillTx(tx); err != nil {
			return err
		}
		fresh, err := p.freshTx(tx, in.People[:min(len(in.People), kocRead)])
		if err != nil {
			return err
		}
		p.ID = id.KOCProposal(tx.Next())
		made = p.ID
		if err := p.writeTx(tx, fresh); err != nil {
			return err
		}
		if err := p.publishWaiting(tx, len(fresh)); err != nil {
			return err
		}
		tx.SetResult("koc_proposal", int64(made), 201)
		return database.AuditTx(tx, "koc.propose", made, nil, p)
	})
	return made, err
}

// fillTx checks group and program, and freezes the program's newest version.
func (p *KOCProposal) fillTx(tx *database.Tx) error {
	groups, err := community.GroupsIn(tx.DB, []id.Group{p.GroupID})
	if err != nil {
		return err
	}
	if g := groups[p.GroupID]; g.ID == 0 || !g.SeenBy(tx.Actor) {
		return fault.NotFound
	}
	program, err := FindIn(tx.Statement.Context, tx.DB, p.ProgramID)
	switch {
	case err != nil:
		return err
	case program.Status != ProgramActive:
		return ErrProgramState.With("state", program.Status)
	case program.Rules.Trigger != TriggerMonthEnd:
		return ErrNotMonthly
	}
	p.UnitID, p.ProgramVersion = program.UnitID, program.Latest
	return nil
}

// freshTx locks the people and leaves out who is named for the group and month
// already, under whichever id he had then.
func (p KOCProposal) freshTx(tx *database.Tx, people []KOCLine) ([]KOCLine, error) {
	ids := make([]id.Member, len(people))
	for i, l := range people {
		ids[i] = l.MemberID
	}
	today, err := lockTodayTx(tx, ids)
	if err != nil {
		return nil, err
	}
	was, err := community.MergedInto(tx.DB, ids)
	if err != nil {
		return nil, err
	}
	var named []id.Member
	err = tx.Raw("SELECT member_id FROM koc_lines WHERE group_id = ? AND month_no = ? AND freed = 0", p.GroupID, p.Month).Scan(&named).Error
	if err != nil {
		return nil, fmt.Errorf("referral: named for %d in %s: %w", p.Month, p.GroupID, err)
	}
	fresh := slices.DeleteFunc(slices.Clone(people), func(l KOCLine) bool {
		return today[l.MemberID] != l.MemberID || slices.ContainsFunc(append(was[l.MemberID], l.MemberID), func(m id.Member) bool { return slices.Contains(named, m) })
	})
	if len(fresh) == 0 {
		return nil, ErrNoCandidates
	}
	return fresh[:min(len(fresh), kocMost)], nil
}

// lockTodayTx locks the members as they are today.
func lockTodayTx(tx *database.Tx, people []id.Member) (map[id.Member]id.Member, error) {
	today, err := community.FollowMerges(tx.DB, people)
	if err != nil {
		return nil, err
	}
	live := make([]id.Member, 0, len(people))
	for _, m := range people {
		if today[m] != 0 {
			live = append(live, today[m])
		}
	}
	slices.Sort(live)
	if live = slices.Compact(live); len(live) > 0 {
		if err := community.LockTx(tx, live); err != nil {
			return nil, err
		}
	}
	again, err := community.FollowMerges(tx.DB, people)
	if err != nil {
		return nil, err
	}
	for _, m := range people {
		if again[m] != today[m] {
			return nil, fault.Unavailable // merged a moment ago; the next try sees it
		}
	}
	return today, nil
}

func (p KOCProposal) writeTx(tx *database.Tx, lines []KOCLine) error {
	err := tx.Exec(`INSERT INTO koc_proposals (id, unit_id, program_id, program_version, group_id, month_no, as_of_day, status,
			proposed_by, proposed_at, decided_by, decided_at, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, '')`,
		p.ID, p.UnitID, p.ProgramID, p.ProgramVersion, p.GroupID, p.Month, p.Day, p.Status, p.ProposedBy, p.ProposedAt).Error
	if err != nil {
		return fmt.Errorf("referral: proposal: %w", err)
	}
	rows := make([]any, len(lines))
	for i, l := range lines {
		text, err := json.Marshal(l.KOCFacts)
		if err != nil {
			return err
		}
		rows[i] = []any{tx.Next(), p.ID, p.GroupID, p.Month, l.MemberID, string(text), 0}
	}
	err = tx.Exec("INSERT INTO koc_lines (id, proposal_id, group_id, month_no, member_id, facts, freed) VALUES "+
		strings.Repeat("?,", len(rows)-1)+"?", rows...).Error
	switch {
	case database.IsDuplicate(err): // another proposal named him a moment ago
		return fault.Unavailable
	case err != nil:
		return fmt.Errorf("referral: lines of %s: %w", p.ID, err)
	}
	return nil
}
