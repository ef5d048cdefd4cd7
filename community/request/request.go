// Package request is what a group's members ask for: 求购, something to buy,
// and 求助, help. One line each; others add 我也要; somebody answers it in
// time, it ends with an outcome, and the asker says how good that was. What
// enough people want becomes a group-buy.
//
// Tables: requests, request_wants. What holds always: a person wants a request
// once, and not his own; the counter on a request is its rows; an outcome is
// final, and rated once, by the asker. A request that nobody answered in time
// is told of once. campaign/groupbuy drafts from it; the worker watches the
// clock.
package request

import (
	"context"
	"fmt"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/internal/webhook"
)

// Service is the room's use cases.
type Service struct {
	DB *database.DB
}

// Register takes the room's work.
func (s *Service) Register(r *task.Registry) {
	task.Every(r, "request:tell_overdue", 5*time.Minute, s.tellOverdue)
}

// Kind is what sort of thing is asked for.
type Kind string

// The kinds.
const (
	KindBuy  Kind = "buy"
	KindHelp Kind = "help"
)

// Status is where a request stands.
type Status string

// The statuses. The last three are outcomes.
const (
	StatusOpen     Status = "open"
	StatusAnswered Status = "answered"
	StatusSolved   Status = "solved"
	StatusOffered  Status = "offered" // something else instead
	StatusDeclined Status = "declined"
)

// Words name the state.
func (s Status) Words() (zh, en string) {
	return map[Status]string{StatusOpen: "待答复", StatusAnswered: "已答复", StatusSolved: "已解决", StatusOffered: "已提供替代", StatusDeclined: "无法满足"}[s], string(s)
}

func statuses() []string {
	return []string{string(StatusOpen), string(StatusAnswered), string(StatusSolved), string(StatusOffered), string(StatusDeclined)}
}

func (s Status) final() bool { return s == StatusSolved || s == StatusOffered || s == StatusDeclined }

// Request is one line that somebody asked in a group.
type Request struct {
	ID         id.Request  `json:"id"`
	GroupID    id.Group    `json:"group_id"`
	MemberID   id.Member   `json:"member_id"`
	Kind       Kind        `json:"kind"`
	Line       string      `json:"line"`
	Status     Status      `json:"status"`
	Wants      int         `json:"wants"` // how many others want it too
	AnswerBy   clock.Milli `json:"answer_by"`
	AlertedAt  clock.Milli `json:"alerted_at"`
	Answer     string      `json:"answer"`
	AnsweredBy id.Staff    `json:"answered_by"`
	AnsweredAt clock.Milli `json:"answered_at"`
	Rating     int         `json:"rating"` // 1 to 5 by the asker; 0 is none yet
	CampaignID id.Campaign `json:"campaign_id"`
	CreatedAt  clock.Milli `json:"created_at"`
}

const columns = "id, group_id, member_id, kind, line, status, wants, answer_by, alerted_at, answer, answered_by, answered_at, rating, campaign_id, created_at"

// The refusals.
var (
	ErrNotIn = fault.New(fault.KindConflict, "request.not_in", "你不在这个群里", "you are not in this group")
	ErrOpen  = fault.New(fault.KindConflict, "request.too_many", "你在这个群还有 {max} 个没有结果的需求，先等等", "{max} of your requests in this group are still open; wait for one")
	ErrOwn   = fault.New(fault.KindConflict, "request.own", "这是你自己提的", "it is your own")
	ErrOver  = fault.New(fault.KindConflict, "request.over", "这个需求已有结果（{status}）", "the request is over ({status})")
	ErrRated = fault.New(fault.KindConflict, "request.rated", "还没有结果，或你已评价过", "it has no outcome yet, or you have rated it")
	ErrBuys  = fault.New(fault.KindConflict, "request.campaign", "只有求购能开团，且只开一次", "only something to buy becomes a group-buy, and once")
	ErrMet   = fault.New(fault.KindConflict, "request.met", "这个需求已有结果（{status}），不再开团；还想要的人可以新提一个", "the request is over ({status}) and becomes no group-buy any more; who still wants it asks anew")
)

// What this room tells webhooks; docs/events.md says when.
const (
	eventOpened   webhook.Type = "request.opened"
	eventOverdue  webhook.Type = "request.overdue"
	eventAnswered webhook.Type = "request.answered"
	eventGroupBuy webhook.Type = "request.group_buy"
)

func (r Request) fact() map[string]any {
	return map[string]any{"id": r.ID, "group_id": r.GroupID, "kind": r.Kind, "status": r.Status, "wants": r.Wants, "answer_by": r.AnswerBy}
}

// openMost is how many requests of one person in one group may be open.
const openMost = 3

// In is a request to make.
type In struct {
	GroupID id.Group `json:"group_id"`
	Kind    Kind     `json:"kind"`
	Line    string   `json:"line"`
}

// Validate checks the request's form.
func (in In) Validate() error {
	var c fault.Check
	c.That(in.GroupID != 0, "group_id", "required", "必填", "is required")
	c.OneOf(string(in.Kind), "kind", string(KindBuy), string(KindHelp))
	line := community.CleanLine(in.Line)
	c.Required(line, "line")
	c.Length(line, "line", 60)
	return c.Err()
}

// Ask makes a request in a group that the member is in.
func (s *Service) Ask(ctx context.Context, member id.Member, in In) (id.Request, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	var made id.Request
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := community.LockLiveTx(tx, member) // the limit's lock
		if err != nil {
			return err
		}
		g, err := groupOf(tx.DB, in.GroupID, who)
		if err != nil {
			return err
		}
		zone, err := time.LoadLocation(g.Zone)
		if err != nil {
			return fmt.Errorf("request: zone of %s: %w", g.ID, err)
		}
		ids, err := everyIDOf(tx.DB, who)
		if err != nil {
			return err
		}
		var open int
		err = tx.Raw("SELECT COUNT(*) FROM requests WHERE member_id IN ? AND group_id = ? AND status IN ?", ids, g.ID, []Status{StatusOpen, StatusAnswered}).Scan(&open).Error
		switch {
		case err != nil:
			return fmt.Errorf("request: of %s: %w", who, err)
		case open >= openMost:
			return ErrOpen.With("max", openMost)
		}
		r := Request{ID: id.Request(tx.Next()), GroupID: g.ID, MemberID: who, Kind: in.Kind, Line: community.CleanLine(in.Line), Status: StatusOpen,
			AnswerBy: clock.MilliOf(AnswerBy(tx.Now.Time(), zone)), CreatedAt: tx.Now}
		made = r.ID
		err = tx.Exec("INSERT INTO requests ("+columns+") VALUES (?, ?, ?, ?, ?, ?, 0, ?, 0, '', 0, 0, 0, 0, ?)",
			r.ID, r.GroupID, r.MemberID, r.Kind, r.Line, r.Status, r.AnswerBy, r.CreatedAt).Error
		if err != nil {
			return fmt.Errorf("request: ask: %w", err)
		}
		tx.SetResult("request", int64(r.ID), 201)
		return webhook.PublishTx(tx, eventOpened, r.fact())
	})
	return made, err
}

// The hours of a group's local day in which an answer is owed, and within how
// much of them.
const (
	dayFrom   = 9
	dayTo     = 21
	answerFor = 2 * time.Hour
)

// AnswerBy is when a request is to be answered at the latest: two hours of the
// day later, a day lasting from 9 to 21.
func AnswerBy(at time.Time, zone *time.Location) time.Time {
	day := at.In(zone)
	open := time.Date(day.Year(), day.Month(), day.Day(), dayFrom, 0, 0, 0, zone)
	shut := time.Date(day.Year(), day.Month(), day.Day(), dayTo, 0, 0, 0, zone)
	switch {
	case day.Before(open):
		return open.Add(answerFor)
	case !day.Before(shut):
		return open.AddDate(0, 0, 1).Add(answerFor)
	case day.Add(answerFor).After(shut):
		return open.AddDate(0, 0, 1).Add(answerFor - shut.Sub(day))
	}
	return day.Add(answerFor)
}

// groupOf is a living group that the live member is in.
func groupOf(q *database.Query, group id.Group, member id.Member) (community.Group, error) {
	known, err := community.GroupsIn(q, []id.Group{group})
	if err != nil {
		return community.Group{}, err
	}
	in, err := community.GroupsOf(q, []id.Member{member})
	if err != nil {
		return community.Group{}, err
	}
	for _, g := range in[member] {
		if g == group {
			return known[group], nil
		}
	}
	if known[group].ID == 0 {
		return community.Group{}, fault.NotFound
	}
	return community.Group{}, ErrNotIn
}
