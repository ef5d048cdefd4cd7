package referral

import (
	"context"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral/promoter"
)

// Inviters says who may invite in a program.
type Inviters string

// The rules. Approved are promoters whom staff approved.
const (
	InvitersAnybody  Inviters = ""
	InvitersApproved Inviters = "approved"
)

func (i Inviters) check(c *fault.Check) {
	if i != InvitersAnybody {
		c.OneOf(string(i), "rules.inviters", string(InvitersApproved))
	}
}

// admits says why somebody who stands so may not invite. A frozen promoter
// invites in no program.
func (r Rules) admits(s promoter.Status) error {
	switch {
	case s == promoter.Frozen:
		return ErrFrozen
	case r.Inviters == InvitersApproved && s != promoter.Approved:
		return ErrNotPromoter
	}
	return nil
}

// mayInvite asks whether a member may invite by the rules now.
func mayInvite(q *database.Query, r Rules, m id.Member) error {
	standing, err := promoter.StandingIn(q, []id.Member{m})
	if err != nil {
		return err
	}
	return r.admits(standing[m])
}

// ApplyIn is a member's wish to promote, in the unit of a program.
type ApplyIn struct {
	ProgramID id.Program `json:"program_id"`
	MemberID  id.Member  `json:"member_id"` // for staff to say; a member applies for himself
}

// ApplyPromoter has a member apply as a promoter.
func (s *Service) ApplyPromoter(ctx context.Context, in ApplyIn) (id.Promoter, error) {
	var made id.Promoter
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		if tx.Actor.Kind == database.ActorMember || tx.Actor.Kind == database.ActorGuest {
			if in.MemberID != 0 && !tx.Actor.Is(in.MemberID) {
				return fault.Forbidden
			}
			in.MemberID = tx.Actor.Member
		}
		unit, err := programUnit(tx, in.ProgramID)
		if err != nil {
			return err
		}
		today, strong, err := community.TodayIn(tx.DB, []id.Member{in.MemberID})
		if err != nil {
			return err
		}
		who := today[in.MemberID]
		switch {
		case who == 0:
			return fault.Invalid.Field("member_id", "unknown", "没有这个会员", "there is no such member")
		case !strong[who]:
			return ErrIdentityRequired
		}
		if made, err = promoter.ApplyTx(tx, who, unit); err != nil {
			return err
		}
		tx.SetResult("promoter", int64(made), 201)
		if tx.Actor.Kind != database.ActorStaff {
			return nil
		}
		return database.AuditTx(tx, "promoter.apply", made, nil, in)
	})
	return made, err
}
