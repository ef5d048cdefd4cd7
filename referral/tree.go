package referral

import (
	"context"
	"fmt"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Edge is one invitation seen from one of its two people.
type Edge struct {
	BindingID id.Binding  `json:"binding_id"`
	MemberID  id.Member   `json:"member_id"` // the other one
	Scope     string      `json:"scope"`
	ProgramID id.Program  `json:"program_id"`
	CodeID    id.Code     `json:"code_id"`
	GroupID   id.Group    `json:"group_id"`
	BoundAt   clock.Milli `json:"bound_at"`
	ExpiresAt clock.Milli `json:"expires_at"`
	EndedAt   clock.Milli `json:"ended_at"`
	EndReason string      `json:"end_reason"`
	State     string      `json:"state" gorm:"-"` // live, lapsed or ended
}

// Tree is a member's invitations one step up and one step down; rewards go no
// further than that.
type Tree struct {
	MemberID  id.Member            `json:"member_id"`
	InvitedBy []Edge               `json:"invited_by"`
	Invited   database.Paged[Edge] `json:"invited"`
}

// mostInviters bounds the step up; a member has one inviter per scope.
const mostInviters = 50

// Tree shows who invited the member and whom he invited, newest first. Staff
// see invitations made with codes of their units.
func (s *Service) Tree(ctx context.Context, m id.Member, page database.Page) (Tree, error) {
	q := s.DB.Read(ctx)
	t := Tree{MemberID: m}
	live, err := community.FollowMerges(q, []id.Member{m})
	if err != nil {
		return t, err
	}
	if live[m] != 0 {
		t.MemberID = live[m]
	}
	now := clock.MilliOf(s.DB.Clock.Now())
	up, err := edges(ctx, s.DB.Read(ctx), "inviter_id", "invitee_id", t.MemberID, database.Page{Limit: mostInviters}, now)
	if err != nil {
		return t, err
	}
	down, err := edges(ctx, s.DB.Read(ctx), "invitee_id", "inviter_id", t.MemberID, page, now)
	if err != nil {
		return t, err
	}
	t.InvitedBy = database.Cut(database.Page{Limit: mostInviters}, up, edgeID).Items
	t.Invited = database.Cut(page, down, edgeID)
	return t, nil
}

func edgeID(e Edge) int64 { return int64(e.BindingID) }

func edges(ctx context.Context, q *database.Query, show, by string, m id.Member, page database.Page, now clock.Milli) ([]Edge, error) {
	cond, args := database.ActorOf(ctx).Within("c.unit_id")
	var list []Edge
	err := q.Raw("SELECT b.id AS binding_id, b."+show+` AS member_id, b.scope, b.program_id, b.code_id, b.group_id, b.bound_at,
			b.expires_at, b.ended_at, b.end_reason
		FROM bindings b JOIN codes c ON c.id = b.code_id WHERE b.`+by+" = ? AND b.id < ?"+cond+" ORDER BY b.id DESC LIMIT ?",
		append(append([]any{m, page.Bound()}, args...), page.Fetch())...).Scan(&list).Error
	if err != nil {
		return nil, fmt.Errorf("referral: tree of %s: %w", m, err)
	}
	for i, e := range list {
		switch {
		case e.EndedAt != 0:
			list[i].State = "ended"
		case e.ExpiresAt <= now:
			list[i].State = "lapsed"
		default:
			list[i].State = "live"
		}
	}
	return list, nil
}
