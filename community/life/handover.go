package life

import (
	"context"
	"fmt"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// Status is where a hand-over or a merger stands.
type Status string

// The statuses.
const (
	StatusOpen      Status = "open"
	StatusDone      Status = "done"
	StatusCancelled Status = "cancelled"
)

// Words name the state.
func (s Status) Words() (zh, en string) {
	return map[Status]string{StatusOpen: "进行中", StatusDone: "已完成", StatusCancelled: "已取消"}[s], string(s)
}

// Handover is a group on its way from one colleague to another. GivenAt and
// TakenAt are when each said yes; GivenBy is the colleague who gave, or who
// said it for one that had left.
type Handover struct {
	ID        id.Handover `json:"id"`
	GroupID   id.Group    `json:"group_id"`
	FromID    id.Staff    `json:"from_id"`
	ToID      id.Staff    `json:"to_id"`
	Reason    string      `json:"reason"`
	Status    Status      `json:"status"`
	GivenAt   clock.Milli `json:"given_at"`
	GivenBy   id.Staff    `json:"given_by"`
	TakenAt   clock.Milli `json:"taken_at"`
	StartedBy id.Staff    `json:"started_by"`
	CreatedAt clock.Milli `json:"created_at"`
	EndedAt   clock.Milli `json:"ended_at"`
}

const handoverColumns = "id, group_id, from_id, to_id, reason, status, given_at, given_by, taken_at, started_by, created_at, ended_at"

// HandoverIn is a hand-over to start.
type HandoverIn struct {
	ToID   id.Staff `json:"to_id"`
	Reason string   `json:"reason"`
}

// Validate checks the hand-over's form.
func (in HandoverIn) Validate() error {
	var c fault.Check
	c.That(in.ToID != 0, "to_id", "required", "必填", "is required")
	c.Length(community.CleanLine(in.Reason), "reason", 200)
	return c.Err()
}

// says notes what the actor's word on the hand-over is: the owner gives, the
// other takes. For an owner who has left, the group being in handover, or for
// none at all a colleague above gives, who is not the one that takes.
func (h Handover) says(actor database.Actor, g community.Group, now clock.Milli) (Handover, bool) {
	left := h.FromID == 0 || g.Status == community.GroupHandover
	switch me := actor.Staff; {
	case me == h.ToID && h.TakenAt == 0:
		h.TakenAt = now
	case h.GivenAt != 0 || me == h.ToID:
		return h, false
	case me == h.FromID, left && !actor.Own && actor.Sees(g.UnitID):
		h.GivenAt, h.GivenBy = now, me
	default:
		return h, false
	}
	return h, true
}

// StartHandover asks a colleague to take a group over. Who starts it and is one
// of the two has confirmed by that.
func (s *Service) StartHandover(ctx context.Context, group id.Group, in HandoverIn) (id.Handover, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	var made id.Handover
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		g, err := community.LockGroupTx(tx, group)
		switch {
		case err != nil:
			return err
		case g.OwnerID == in.ToID:
			return ErrOwner
		}
		h := Handover{ID: id.Handover(tx.Next()), GroupID: group, FromID: g.OwnerID, ToID: in.ToID, Reason: community.CleanLine(in.Reason),
			Status: StatusOpen, StartedBy: tx.Actor.Staff, CreatedAt: tx.Now}
		h, _ = h.says(tx.Actor, g, tx.Now)
		made = h.ID
		err = tx.Exec(`INSERT INTO group_handovers (`+handoverColumns+`, closed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)`,
			h.ID, h.GroupID, h.FromID, h.ToID, h.Reason, h.Status, h.GivenAt, h.GivenBy, h.TakenAt, h.StartedBy, h.CreatedAt).Error
		if database.IsDuplicate(err) {
			return ErrUnderWay
		}
		if err != nil {
			return fmt.Errorf("life: hand-over of %s: %w", group, err)
		}
		tx.SetResult("handover", int64(h.ID), 201)
		if err := webhook.PublishTx(tx, eventHandover, h); err != nil {
			return err
		}
		return database.AuditTx(tx, "group.handover", group, nil, h)
	})
	return made, err
}

// ConfirmHandover is the word of one side; with both the group has its new
// owner, who sees all it was and did.
func (s *Service) ConfirmHandover(ctx context.Context, handover id.Handover) error {
	return s.changeHandover(ctx, handover, "handover.confirm", func(tx *database.Tx, g community.Group, h Handover) (Handover, error) {
		switch {
		case g.Status == community.GroupDissolved:
			return h, community.ErrGroupClosed.With("status", g.Status)
		case g.OwnerID != h.FromID:
			return h, ErrChanged
		}
		after, ok := h.says(tx.Actor, g, tx.Now)
		if !ok {
			return h, ErrNotYours
		}
		if after.GivenAt == 0 || after.TakenAt == 0 {
			return after, nil
		}
		after.Status = StatusDone
		if _, err := community.OwnerTx(tx, g, after.ToID); err != nil {
			return h, err
		}
		return after, webhook.PublishTx(tx, eventHandedOver, after)
	})
}

// CancelHandover ends a hand-over before it was done.
func (s *Service) CancelHandover(ctx context.Context, handover id.Handover) error {
	return s.changeHandover(ctx, handover, "handover.cancel", func(_ *database.Tx, _ community.Group, h Handover) (Handover, error) {
		h.Status = StatusCancelled
		return h, nil
	})
}

// changeHandover runs one step of a hand-over under the lock of its group.
func (s *Service) changeHandover(ctx context.Context, handover id.Handover, action string, step func(*database.Tx, community.Group, Handover) (Handover, error)) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		list, err := handovers(tx.DB, "id = ?", handover)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return fault.NotFound
		}
		groups, err := community.LockGroupsTx(tx, list[0].GroupID)
		if err != nil {
			return err
		}
		g := groups[list[0].GroupID]
		if list, err = handovers(tx.DB, "id = ?"+tx.Dialect.ForUpdate, handover); err != nil {
			return err
		}
		before := list[0]
		switch {
		case !before.seenBy(tx.Actor, g):
			return fault.NotFound
		case before.Status != StatusOpen:
			return ErrOver.With("status", before.Status)
		}
		after, err := step(tx, g, before)
		if err != nil {
			return err
		}
		closed := id.Handover(0)
		if after.Status != StatusOpen {
			closed, after.EndedAt = after.ID, tx.Now
		}
		err = database.One(tx.Exec("UPDATE group_handovers SET status = ?, closed = ?, given_at = ?, given_by = ?, taken_at = ?, ended_at = ? WHERE id = ?"+tx.Only("closed = 0"),
			after.Status, closed, after.GivenAt, after.GivenBy, after.TakenAt, after.EndedAt, after.ID), ErrOver.With("status", before.Status))
		if err != nil {
			return err
		}
		return database.AuditTx(tx, action, after.ID, before, after)
	})
}

// seenBy says whether the actor may see the hand-over: one of the two, or
// whoever sees the group.
func (h Handover) seenBy(actor database.Actor, g community.Group) bool {
	return g.SeenBy(actor) || actor.Sees(g.UnitID) && (actor.Staff == h.ToID || actor.Staff == h.FromID)
}

func handovers(q *database.Query, cond string, args ...any) ([]Handover, error) {
	list := []Handover{}
	if err := q.Raw("SELECT "+handoverColumns+" FROM group_handovers WHERE "+cond, args...).Scan(&list).Error; err != nil {
		return nil, fmt.Errorf("life: hand-overs: %w", err)
	}
	return list, nil
}

// FindHandover reads a hand-over.
func (s *Service) FindHandover(ctx context.Context, handover id.Handover) (Handover, error) {
	q := s.DB.Read(ctx)
	list, err := handovers(q, "id = ?", handover)
	if err != nil {
		return Handover{}, err
	}
	if len(list) == 0 {
		return Handover{}, fault.NotFound
	}
	groups, err := community.GroupsIn(q, []id.Group{list[0].GroupID})
	if err == nil && !list[0].seenBy(database.ActorOf(ctx), groups[list[0].GroupID]) {
		err = fault.NotFound
	}
	if err != nil {
		return Handover{}, err
	}
	return list[0], nil
}

// ListHandovers lists a group's hand-overs, newest first.
func (s *Service) ListHandovers(ctx context.Context, group id.Group, page database.Page) (database.Paged[Handover], error) {
	q := s.DB.Read(ctx)
	if err := community.Seen(ctx, q, group); err != nil {
		return database.Paged[Handover]{}, err
	}
	list, err := handovers(q, "group_id = ? AND id < ? ORDER BY id DESC LIMIT ?", group, page.Bound(), page.Fetch())
	if err != nil {
		return database.Paged[Handover]{}, err
	}
	return database.Cut(page, list, func(h Handover) int64 { return int64(h.ID) }), nil
}

// ListAsked lists the open hand-overs that wait for the actor to take, newest
// first: of groups he does not see yet.
func (s *Service) ListAsked(ctx context.Context) ([]Handover, error) {
	me := database.ActorOf(ctx).Staff
	return handovers(s.DB.Read(ctx), "to_id = ? AND closed = 0 AND taken_at = 0 AND ? <> 0 ORDER BY id DESC LIMIT ?", me, me, atOnce)
}
