// Package promoter says who may promote: members who applied, and what staff
// decided about them.
//
// Tables: promoters, one row per member; promoter_moves, every move with who
// made it and why; promoter_ladders, the levels in versions; promoter_levels,
// every step between them with the facts that made it. A member applies, staff of his unit approve, refuse, freeze
// and thaw; what an act may follow is the pure Next. Whoever never applied has
// no standing here, which programs open to anybody do not ask for. Levels are
// judged by the pure Ladder.Judge.
//
// Invariants: a member has one row; its status is that of its newest move; a
// move is made from a status it may follow, once, however many try at once.
//
// referral asks StandingIn before a code is made or binds and when a reward is
// earned, LevelAt for what it pays, and gathers the facts of levels; api and web call the Service.
package promoter

import (
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Status is where a promoter stands.
type Status string

// The states. None is who never applied; Merged is the row of a member who
// became another.
const (
	None     Status = ""
	Applied  Status = "applied"
	Approved Status = "approved"
	Refused  Status = "refused"
	Frozen   Status = "frozen"
	Merged   Status = "merged"
)

// Words name the state.
func (s Status) Words() (zh, en string) {
	return map[Status]string{None: "未申请", Applied: "待审核", Approved: "已通过", Refused: "未通过", Frozen: "已冻结", Merged: "已并入另一会员"}[s], string(s)
}

// Act is what moves a promoter.
type Act string

// The acts.
const (
	Apply   Act = "apply"
	Approve Act = "approve"
	Refuse  Act = "refuse"
	Freeze  Act = "freeze"
	Thaw    Act = "thaw"
	Merge   Act = "merge"
)

// turns is what each act may follow, and what comes of it.
var turns = map[Act]struct {
	from []Status
	to   Status
}{
	Apply:   {[]Status{None, Refused}, Applied},
	Approve: {[]Status{Applied, Refused}, Approved},
	Refuse:  {[]Status{Applied}, Refused},
	Freeze:  {[]Status{Approved}, Frozen},
	Thaw:    {[]Status{Frozen}, Approved},
}

// Next is what an act makes of a status, if it may follow it.
func Next(s Status, a Act) (Status, bool) {
	t, known := turns[a]
	return t.to, known && slices.Contains(t.from, s)
}

// Promoter is a member who asked to promote.
type Promoter struct {
	ID        id.Promoter `json:"id"`
	MemberID  id.Member   `json:"member_id"`
	UnitID    id.Unit     `json:"unit_id"`
	Status    Status      `json:"status"`
	Reason    string      `json:"reason"` // of the last decision
	AppliedAt clock.Milli `json:"applied_at"`
	DecidedAt clock.Milli `json:"decided_at"`
	DecidedBy id.Staff    `json:"decided_by"`
	Level     int         `json:"level" gorm:"column:level_no"` // 0: none
	Version   int         `json:"version"`
	Moves     []Move      `json:"moves" gorm:"-"` // of one promoter; lists leave them out
	Steps     []Step      `json:"levels" gorm:"-"`
}

// Move is one thing that happened to a promoter.
type Move struct {
	Act     Act         `json:"act"`
	Status  Status      `json:"status"` // after it
	Reason  string      `json:"reason"`
	StaffID id.Staff    `json:"staff_id"` // none: the member himself
	At      clock.Milli `json:"at"`
}

const columns = "id, member_id, unit_id, status, reason, applied_at, decided_at, decided_by, level_no, version"

// Service is the room's use cases.
type Service struct {
	DB *database.DB
}

// The refusals.
var (
	ErrState = fault.New(fault.KindConflict, "promoter.state",
		"推广员现在是“{state}”", "the promoter is {state}")
	ErrReason = fault.Invalid.Field("reason", "required", "请填写原因", "say why")
)

// StandingIn is where these members stand; who never applied is left out.
func StandingIn(q *database.Query, members []id.Member) (map[id.Member]Status, error) {
	out := map[id.Member]Status{}
	for some := range slices.Chunk(members, 200) {
		var rows []Promoter
		if err := q.Raw("SELECT member_id, status FROM promoters WHERE member_id IN ? AND status <> ?", some, Merged).Scan(&rows).Error; err != nil {
			return nil, fmt.Errorf("promoter: standing: %w", err)
		}
		for _, p := range rows {
			out[p.MemberID] = p.Status
		}
	}
	return out, nil
}
