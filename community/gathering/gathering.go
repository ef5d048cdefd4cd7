// Package gathering is the offline events of a chat group, 线下活动: who may
// come, who waits for a place, and who was there.
//
// Tables: gatherings, gathering_seats. What holds always (V26): the places
// taken are the seats that stand, never more than the capacity, held by the
// event's locked row; nobody waits while a place is free and the event still
// lies ahead; somebody has one seat and is checked in once, and only with a
// place. A code shown at the door and the code of a seat are signed, name their
// event and last minutes. grade reads who was there; api and web call it.
package gathering

import (
	"context"
	"fmt"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
	"siyu/internal/webhook"
)

// Service is the room's use cases.
type Service struct {
	DB      *database.DB
	Secrets *secret.Set // the token keys sign codes
}

// Status is where an event stands.
type Status string

// The statuses.
const (
	StatusOpen      Status = "open"
	StatusCancelled Status = "cancelled"
)

// Gathering is an offline event of a group.
type Gathering struct {
	ID        id.Gathering `json:"id"`
	GroupID   id.Group     `json:"group_id"`
	Title     string       `json:"title"`
	Place     string       `json:"place"`
	StartsAt  clock.Milli  `json:"starts_at"`
	EndsAt    clock.Milli  `json:"ends_at"`
	Capacity  int          `json:"capacity"`
	Taken     int          `json:"taken"`
	Status    Status       `json:"status"`
	Reason    string       `json:"reason"` // why it was cancelled
	CreatedBy id.Staff     `json:"created_by"`
	CreatedAt clock.Milli  `json:"created_at"`
	Version   int          `json:"version"`
}

const columns = "id, group_id, title, place, starts_at, ends_at, capacity, taken, status, reason, created_by, created_at, version"

// The refusals.
var (
	ErrNotIn     = fault.New(fault.KindConflict, "gathering.not_in", "你不在这个群里", "you are not in this group")
	ErrCancelled = fault.New(fault.KindConflict, "gathering.cancelled", "这次活动已取消", "the event was cancelled")
	ErrBegun     = fault.New(fault.KindConflict, "gathering.begun", "活动已经开始，不能再报名或退出", "the event has begun; signing up and leaving are over")
	ErrThere     = fault.New(fault.KindConflict, "gathering.there", "已经签到，名额不再退出", "who is checked in keeps the place")
	ErrSeat      = fault.New(fault.KindConflict, "gathering.seat", "没有这次活动的名额", "there is no place at this event")
	ErrHours     = fault.New(fault.KindConflict, "gathering.hours", "活动前一小时到结束后一小时可以签到", "checking in is open from an hour before the event to an hour after")
	ErrCode      = fault.New(fault.KindUnprocessable, "gathering.code", "二维码已过期或不是这次活动的，请重新扫", "the code has run out or is of another event; scan again")
)

// What this room tells webhooks; docs/events.md says when.
const (
	eventOpened    webhook.Type = "gathering.opened"
	eventSeat      webhook.Type = "gathering.seat_given"
	eventCancelled webhook.Type = "gathering.cancelled"
)

func (g Gathering) fact() map[string]any {
	return map[string]any{"id": g.ID, "group_id": g.GroupID, "title": g.Title, "starts_at": g.StartsAt, "ends_at": g.EndsAt, "capacity": g.Capacity, "status": g.Status, "reason": g.Reason}
}

// capacityMost is how many places an event has at the most.
const capacityMost = 1_000

// In is an event to make.
type In struct {
	Title    string      `json:"title"`
	Place    string      `json:"place"`
	StartsAt clock.Milli `json:"starts_at"`
	EndsAt   clock.Milli `json:"ends_at"`
	Capacity int         `json:"capacity"`
}

// Validate checks the event's form.
func (in In) Validate() error {
	var c fault.Check
	title, place := community.CleanLine(in.Title), community.CleanLine(in.Place)
	c.Required(title, "title")
	c.Length(title, "title", 100)
	c.Required(place, "place")
	c.Length(place, "place", 200)
	c.That(in.StartsAt > 0 && in.EndsAt > in.StartsAt && in.EndsAt <= in.StartsAt.Add(7*24*time.Hour), "ends_at", "range",
		"须在开始之后、7 天以内", "must lie after the start, within 7 days")
	c.Range(int64(in.Capacity), "capacity", 1, capacityMost)
	return c.Err()
}

// Create makes an event of a group that the actor may see.
func (s *Service) Create(ctx context.Context, group id.Group, in In) (id.Gathering, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	var made id.Gathering
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		if _, err := community.LockGroupTx(tx, group); err != nil {
			return err
		}
		if in.StartsAt <= tx.Now {
			return startsAhead
		}
		g := Gathering{ID: id.Gathering(tx.Next()), GroupID: group, Title: community.CleanLine(in.Title), Place: community.CleanLine(in.Place),
			StartsAt: in.StartsAt, EndsAt: in.EndsAt, Capacity: in.Capacity, Status: StatusOpen, CreatedBy: tx.Actor.Staff, CreatedAt: tx.Now, Version: 1}
		made = g.ID
		err := tx.Exec("INSERT INTO gatherings ("+columns+") VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, '', ?, ?, 1)",
			g.ID, g.GroupID, g.Title, g.Place, g.StartsAt, g.EndsAt, g.Capacity, g.Status, g.CreatedBy, g.CreatedAt).Error
		if err != nil {
			return fmt.Errorf("gathering: create: %w", err)
		}
		tx.SetResult("gathering", int64(g.ID), 201)
		if err := g.remindTx(tx); err != nil {
			return err
		}
		if err := webhook.PublishTx(tx, eventOpened, g.fact()); err != nil {
			return err
		}
		return database.AuditTx(tx, "gathering.create", g.ID, nil, g)
	})
	return made, err
}

// CancelIn says why an event does not take place.
type CancelIn struct {
	Reason string `json:"reason"`
}

// Validate checks the reason's form.
func (in CancelIn) Validate() error {
	var c fault.Check
	community.CheckReason(&c, in.Reason)
	return c.Err()
}

// toldAtOnce bounds the members one event names.
const toldAtOnce = 200

// Cancel calls an event off and names whoever had a place or waited for one.
func (s *Service) Cancel(ctx context.Context, gathering id.Gathering, in CancelIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		before, err := lockSeen(tx, gathering)
		switch {
		case err != nil:
			return err
		case before.Status == StatusCancelled:
			return ErrCancelled
		}
		after := before
		after.Status, after.Reason, after.Version = StatusCancelled, community.CleanLine(in.Reason), before.Version+1
		err = database.One(tx.Exec("UPDATE gatherings SET status = ?, reason = ?, version = ? WHERE id = ?"+tx.Only("status = ?"), after.Status, after.Reason, after.Version, after.ID, StatusOpen), ErrCancelled)
		if err != nil {
			return err
		}
		if err := after.tellTx(tx, eventCancelled); err != nil {
			return err
		}
		return database.AuditTx(tx, "gathering.cancel", after.ID, before, after)
	})
}

// lockSeen locks an event of a group that the actor may see.
func lockSeen(tx *database.Tx, gathering id.Gathering) (Gathering, error) {
	g, err := one(tx.DB, gathering, tx.Dialect.ForUpdate)
	if err != nil {
		return g, err
	}
	return g, seen(tx.DB, tx.Actor, g.GroupID)
}

func one(q *database.Query, gathering id.Gathering, lock string) (Gathering, error) {
	var g Gathering
	if err := q.Raw("SELECT "+columns+" FROM gatherings WHERE id = ?"+lock, gathering).Scan(&g).Error; err != nil {
		return g, fmt.Errorf("gathering: %s: %w", gathering, err)
	}
	if g.ID == 0 {
		return g, fault.NotFound
	}
	return g, nil
}

// seen refuses groups that the actor may not see. Members and guests see the
// events of all groups; only who is in the group signs up.
func seen(q *database.Query, actor database.Actor, group id.Group) error {
	known, err := community.GroupsIn(q, []id.Group{group})
	if err == nil && (known[group].ID == 0 || !known[group].SeenBy(actor)) {
		err = fault.NotFound
	}
	return err
}

// Find reads an event.
func (s *Service) Find(ctx context.Context, gathering id.Gathering) (Gathering, error) {
	q := s.DB.Read(ctx)
	g, err := one(q, gathering, "")
	if err != nil {
		return g, err
	}
	return g, seen(q, database.ActorOf(ctx), g.GroupID)
}

// List lists a group's events, newest first.
func (s *Service) List(ctx context.Context, group id.Group, page database.Page) (database.Paged[Gathering], error) {
	q := s.DB.Read(ctx)
	if err := seen(q, database.ActorOf(ctx), group); err != nil {
		return database.Paged[Gathering]{}, err
	}
	var list []Gathering
	err := q.Raw("SELECT "+columns+" FROM gatherings WHERE group_id = ? AND id < ? ORDER BY id DESC LIMIT ?", group, page.Bound(), page.Fetch()).Scan(&list).Error
	if err != nil {
		return database.Paged[Gathering]{}, fmt.Errorf("gathering: of %s: %w", group, err)
	}
	return database.Cut(page, list, func(g Gathering) int64 { return int64(g.ID) }), nil
}
