// Package groupbuy is the kind group_buy: a member opens a team of a size he
// chooses, others join, and when as many have paid as the team has seats, or at
// its deadline as many as its campaign said would do, it forms. A team that has
// not formed by then fails: unpaid seats are let go, and every paid order gets
// a refund of its own, requested in a transaction of its own. A seat is an
// order and nothing else; nobody can be invented.
//
// Tables: teams, seats, team_handovers, team_refunds. Seats hang on orders; a team counts its live ones, with the
// team's row locked after the item's. Invariant: V3. Opening and joining are
// claims, so stock, limits and seats are decided together. Called by api, web
// and the worker.
package groupbuy

import (
	"context"

	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/webhook"
)

// Status is where a team stands.
type Status string

// The states of a team.
const (
	StatusOpen   Status = "open"
	StatusFormed Status = "formed"
	StatusFailed Status = "failed"
)

// Words name the state.
func (s Status) Words() (zh, en string) {
	return map[Status]string{StatusOpen: "拼团中", StatusFormed: "已成团", StatusFailed: "未成团"}[s], string(s)
}

// Team is people filling one group-buy. Its terms are frozen when it opens.
type Team struct {
	ID         id.Team     `json:"id"`
	CampaignID id.Campaign `json:"campaign_id"`
	ItemID     id.Item     `json:"item_id"`
	OpenerID   id.Member   `json:"-"`
	Size       int         `json:"size"`
	LiveSeats  int         `json:"live_seats"`
	Status     Status      `json:"status"`
	DeadlineAt clock.Milli `json:"deadline_at"`
	FormedAt   clock.Milli `json:"formed_at"`
	ClosedAt   clock.Milli `json:"closed_at"`
	CreatedAt  clock.Milli `json:"created_at"`
	PaidSeats  int         `json:"paid_seats" gorm:"-"`

	// Frozen with the size: what is enough at the deadline (0: all), and what
	// a seat costs at most (0: the item's price).
	MinSize   int          `json:"min_size"`
	UnitPrice money.Amount `json:"unit_price_fen"`

	OpenerOrder id.Order `json:"-"`          // whose terms are the opener's
	Counted     int      `json:"counted"`    // seats paid when it formed or failed
	EndReason   string   `json:"end_reason"` // of a failed one
	AgainOf     id.Team  `json:"again_of"`   // the failed team it was opened again for
	AgainAs     id.Team  `json:"again_as"`   // the team that was opened for this one

	Refunds *Refunds `json:"refunds,omitempty" gorm:"-"` // of a failed one
}

// Why a team failed.
const (
	EndTooFew = "too_few" // fewer had paid at its deadline than had to
	EndEmpty  = "empty"   // nobody was left in it
)

// Need is how many must have paid at the deadline.
func (t Team) Need() int { return Size{t.Size, t.MinSize}.Need() }

// outcome is what becomes of an open team with so many paid seats.
func (t Team) outcome(paid int, now clock.Milli) (Status, string) {
	switch {
	case paid >= t.Size:
		return StatusFormed, ""
	case t.LiveSeats == 0:
		return StatusFailed, EndEmpty
	case now < t.DeadlineAt:
		return StatusOpen, ""
	case paid >= t.Need():
		return StatusFormed, ""
	}
	return StatusFailed, EndTooFew
}

// The refusals of a seat.
var (
	ErrTeamGone = fault.New(fault.KindConflict, "groupbuy.team_closed", "该团已结束（{state}）", "the team is closed ({state})")
	ErrTeamFull = fault.New(fault.KindConflict, "groupbuy.team_full", "该团已满", "the team is full")
	ErrPrice    = fault.New(fault.KindConflict, "groupbuy.other_price", "该团价格不同，请选择同价的团", "that team has another price; choose one of the price you paid")
	ErrAgain    = fault.New(fault.KindConflict, "groupbuy.opened_again", "已有人重新开团，请直接参团（{team}）", "somebody has opened it again; join {team}")
	ErrNotOver  = fault.New(fault.KindConflict, "groupbuy.not_failed", "只有未成团的团可以重新开团", "only a failed team can be opened again")
	ErrInTeam   = fault.New(fault.KindConflict, "groupbuy.already_in", "您已在该团中", "you are in this team already")
)

// Service is the room.
type Service struct {
	DB       *database.DB
	Campaign *campaign.Service // set by main once both exist
	// PublicURL is where this house is reached; invitations to a team opened
	// again name its page there.
	PublicURL string

	places places
}

// Kind is the kind as main registers it.
func (s *Service) Kind() campaign.Kind {
	return campaign.Kind{
		Name: "group_buy", Rules: complete, Sizes: sizes, LateChoice: lateChoice, Seats: s, Claimable: true,
		Events: []webhook.Type{eventOpened, eventJoined}, AnnounceTx: s.announceTx,
	}
}

// FindTeam is the team with its paid seats counted.
func (s *Service) FindTeam(ctx context.Context, tid id.Team) (Team, error) {
	q := s.DB.Read(ctx)
	var t Team
	if err := q.Raw("SELECT * FROM teams WHERE id = ?", tid).Scan(&t).Error; err != nil {
		return t, err
	}
	if t.ID == 0 {
		return t, fault.NotFound
	}
	if actor := database.ActorOf(ctx); actor.Kind == database.ActorStaff {
		if _, err := s.Campaign.FindCampaign(ctx, t.CampaignID); err != nil {
			return t, err
		}
	}
	var err error
	if t.PaidSeats, err = paidSeats(q, tid); err != nil || t.Status != StatusFailed {
		return t, err
	}
	t.Refunds, err = refundsOf(q, t, database.ActorOf(ctx))
	return t, err
}

// ListOpenTeams lists the campaign's teams that can still be joined, nearest
// to full first.
func (s *Service) ListOpenTeams(ctx context.Context, cid id.Campaign, limit int) ([]Team, error) {
	var rows []Team
	err := s.DB.Read(ctx).Raw(`SELECT * FROM teams WHERE campaign_id = ? AND status = ? AND deadline_at > ? AND live_seats < size
		ORDER BY size - live_seats, id LIMIT ?`, cid, StatusOpen, clock.MilliOf(s.DB.Clock.Now()), limit).Scan(&rows).Error
	return rows, err
}

func paidSeats(q *database.Query, tid id.Team) (int, error) {
	var n int
	err := q.Raw("SELECT COUNT(*) FROM seats JOIN orders ON orders.id = seats.order_id WHERE seats.team_id = ? AND orders.status = ?", tid, campaign.OrderPaid).Scan(&n).Error
	return n, err
}
