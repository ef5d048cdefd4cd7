// Package review decides which rewards a human must look at before they are
// paid, and keeps what he decided.
//
// Assess is pure: from a policy and what is known of an inviter, his invitee
// and those around them it says pass, review or refuse, with the rules that
// fired, what each saw, and whom. The policy is data in versions, each number
// with a default and bounds; every case names its version. A case is one
// stopped reward; the first person writes what he found, another decides.
// Sightings say on which device, network and address a member was seen, by
// keyed hashes alone, and are forgotten after a while.
//
// Tables: review_policies, review_cases, sightings. It reads the blocklist of
// community, and payees. referral asks for an assessment, writes its outcome
// on the reward and clears only what passed; api and web call the Service.
package review

import (
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/secret"
)

// Service is the room's use cases. It must not be copied: it buffers
// sightings.
type Service struct {
	DB      *database.DB
	Secrets *secret.Set

	seen sightings
}

// The refusals.
var (
	ErrState = fault.New(fault.KindConflict, "review.state",
		"该审核已结束，结果是“{state}”", "the case is {state}")
	ErrNone = fault.New(fault.KindConflict, "review.no_case",
		"这笔奖励没有待审核事项", "no case of this reward is open")
	ErrUnseen = fault.New(fault.KindConflict, "review.unseen",
		"请先由一位同事写下审核意见，再由另一位决定", "somebody must write what he found before another decides")
	ErrSamePerson = fault.New(fault.KindForbidden, "review.same_person",
		"写审核意见与作决定必须由不同的人完成", "finding and deciding take two different people")
	ErrNotStaff = fault.New(fault.KindForbidden, "review.not_staff",
		"只有员工本人可以审核", "only a member of staff in person may do this")
)
