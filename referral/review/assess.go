package review

import (
	"slices"

	"siyu/internal/clock"
	"siyu/internal/id"
)

// Facts is what is known of an inviter, his invitee and those around them.
type Facts struct {
	Now         clock.Milli
	BoundAt     clock.Milli
	Inviter     id.Member
	Invitee     id.Member
	Blocked     []id.Member        // those of the two on the blocklist
	Invitations []Invitation       // the inviter's of late, and the lines above him
	Marks       []Mark             // of all of them, and of others with a mark of the two
	Kept        map[id.Member]bool // invitees who are still in a group or bought again
}

// Invitation is who brought whom.
type Invitation struct {
	Inviter, Invitee id.Member
	At               clock.Milli
}

// MarkKind is what two accounts may have in common.
type MarkKind string

// The kinds: the identity number and the account a member is paid under, the
// device and network he was seen on, the address his goods go to.
const (
	MarkPerson  MarkKind = "person"
	MarkAccount MarkKind = "account"
	MarkDevice  MarkKind = "device"
	MarkAddress MarkKind = "address"
	MarkNetwork MarkKind = "network"
)

// Mark is something a member was seen with; Hash says what without telling it.
type Mark struct {
	Member id.Member
	Kind   MarkKind
	Hash   string
}

// Outcome is what an assessment comes to.
type Outcome string

// The outcomes.
const (
	OutcomePass   Outcome = "pass"
	OutcomeReview Outcome = "review"
	OutcomeRefuse Outcome = "refuse"
)

// Sterner says that this outcome stops more than the other.
func (o Outcome) Sterner(than Outcome) bool {
	order := []Outcome{OutcomePass, OutcomeReview, OutcomeRefuse}
	return slices.Index(order, o) > slices.Index(order, than)
}

// Assessment is the word on one invitation's rewards, under a policy version.
type Assessment struct {
	Outcome Outcome  `json:"outcome"`
	Policy  int      `json:"policy_version"`
	Reasons []Reason `json:"reasons"` // every rule that fired
}

// Assess runs all rules of the policy over the facts. The sternest rule that
// fires names the outcome.
func Assess(p Policy, f Facts) Assessment {
	a := Assessment{Outcome: OutcomePass, Policy: p.Version, Reasons: []Reason{}}
	for _, r := range rules {
		set := p.Rules[r.name]
		if set.Act == ActOff {
			continue
		}
		observed, who := r.see(&f)
		if observed <= set.Limit {
			continue
		}
		a.Reasons = append(a.Reasons, Reason{r.name, observed, set.Limit, who[:min(len(who), membersNamed)]})
		switch {
		case set.Act == ActRefuse:
			a.Outcome = OutcomeRefuse
		case a.Outcome == OutcomePass:
			a.Outcome = OutcomeReview
		}
	}
	return a
}
