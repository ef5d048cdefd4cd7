// Package groupbuy is the kind group_buy: a member opens a team, others join,
// and when as many have paid as the team has seats, it forms. A team that has
// not formed by its deadline fails: unpaid seats are let go, and every paid
// order gets a refund of its own, asked for in the same transaction.
//
// Tables: teams, seats. Seats hang on orders; a team counts its live ones, with the
// team's row locked after the item's. Invariant: V3. Opening and joining are
// claims, so stock, limits and seats are decided together. Called by api, web
// and the worker.
package groupbuy

import (
	"context"
	"encoding/json"

	"siyu/campaign"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
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

// Team is people filling one group-buy. Its size is frozen when it opens.
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
}

// Rules are a group-buy's terms.
type Rules struct {
	Size     int `json:"size"`       // people per team, 2 to 100
	OpenForS int `json:"open_for_s"` // how long a team may fill, default 24 h
}

// The refusals of a seat.
var (
	ErrTeamGone = fault.New(fault.KindConflict, "groupbuy.team_closed", "该团已结束（{state}）", "the team is closed ({state})")
	ErrTeamFull = fault.New(fault.KindConflict, "groupbuy.team_full", "该团已满", "the team is full")
	ErrInTeam   = fault.New(fault.KindConflict, "groupbuy.already_in", "您已在该团中", "you are in this team already")
)

// Service is the room.
type Service struct {
	DB       *database.DB
	Campaign *campaign.Service // set by main once both exist

	places places
}

// Kind is the kind as main registers it.
func (s *Service) Kind() campaign.Kind {
	return campaign.Kind{
		Name: "group_buy", Rules: complete, Seats: s, Claimable: true,
		Events: []webhook.Type{eventOpened, eventJoined}, AnnounceTx: s.announceTx,
	}
}

// complete checks the rules and writes the defaults out.
func complete(raw json.RawMessage) (json.RawMessage, error) {
	var in map[string]int
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &in); err != nil {
			return nil, fault.Invalid.Field("rules", "format", "应为整数字段的对象", "must be an object of whole numbers")
		}
	}
	var check fault.Check
	r := Rules{OpenForS: 86400}
	for name, v := range in {
		switch name {
		case "size":
			r.Size = v
		case "open_for_s":
			r.OpenForS = v
		default:
			check.That(false, "rules."+name, "unknown_field", "没有这个字段", "is not a field of this kind")
		}
	}
	check.Range(int64(r.Size), "rules.size", 2, 100)
	check.Range(int64(r.OpenForS), "rules.open_for_s", 60, 7*86400)
	if err := check.Err(); err != nil {
		return nil, err
	}
	return json.Marshal(r)
}

// Terms reads the rules of a group-buy campaign.
func Terms(c campaign.Campaign) (Rules, error) {
	var r Rules
	return r, json.Unmarshal([]byte(c.RulesText), &r)
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
	paid, err := paidSeats(q, tid)
	t.PaidSeats = paid
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
