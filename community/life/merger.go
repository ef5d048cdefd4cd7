package life

import (
	"context"
	"fmt"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// Merger is a group whose members are invited into another, until ByAt.
type Merger struct {
	ID        id.Merger   `json:"id"`
	FromID    id.Group    `json:"from_id"`
	IntoID    id.Group    `json:"into_id"`
	Reason    string      `json:"reason"`
	Status    Status      `json:"status"`
	ByAt      clock.Milli `json:"by_at"`
	StartedBy id.Staff    `json:"started_by"`
	CreatedAt clock.Milli `json:"created_at"`
	EndedAt   clock.Milli `json:"ended_at"`
	Progress  Progress    `json:"progress" gorm:"-"`
}

// Progress is how far a merger is: who was invited, is in the other group now
// or said no, and how many members, hosts left out, are in neither way decided.
type Progress struct {
	Invited  int `json:"invited"`
	Joined   int `json:"joined"`
	Declined int `json:"declined"`
	Open     int `json:"open"`
}

const mergerColumns = "id, from_id, into_id, reason, status, by_at, started_by, created_at, ended_at"

// A merger lasts so long.
const (
	mergerLeast = 24 * time.Hour
	mergerMost  = 90 * 24 * time.Hour
)

// MergerIn is a merger to start.
type MergerIn struct {
	IntoID id.Group    `json:"into_id"`
	Reason string      `json:"reason"`
	ByAt   clock.Milli `json:"by_at"`
}

// Validate checks the merger's form.
func (in MergerIn) Validate() error {
	var c fault.Check
	c.That(in.IntoID != 0, "into_id", "required", "必填", "is required")
	community.CheckReason(&c, in.Reason)
	return c.Err()
}

// StartMerger invites the members of a group into another. Both must be the
// actor's to see; neither may be on its way into a third.
func (s *Service) StartMerger(ctx context.Context, from id.Group, in MergerIn) (id.Merger, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	var made id.Merger
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		groups, err := community.LockGroupsTx(tx, from, in.IntoID)
		if err != nil {
			return err
		}
		for _, g := range []id.Group{from, in.IntoID} {
			switch known := groups[g]; {
			case known.ID == 0 || !known.SeenBy(tx.Actor):
				return fault.NotFound
			case known.Status == community.GroupDissolved:
				return community.ErrGroupClosed.With("status", known.Status)
			}
		}
		if in.ByAt < tx.Now.Add(mergerLeast) || in.ByAt > tx.Now.Add(mergerMost) {
			return fault.Invalid.Field("by_at", "range", "须在一天以后、90 天以内", "lies a day to 90 days ahead")
		}
		m := Merger{ID: id.Merger(tx.Next()), FromID: from, IntoID: in.IntoID, Reason: community.CleanLine(in.Reason), Status: StatusOpen,
			ByAt: in.ByAt, StartedBy: tx.Actor.Staff, CreatedAt: tx.Now}
		made = m.ID
		var chained int
		err = tx.Raw("SELECT COUNT(*) FROM group_mergers WHERE closed = 0 AND (from_id = ? OR into_id = ?)", m.IntoID, m.FromID).Scan(&chained).Error
		switch {
		case err != nil:
			return fmt.Errorf("life: mergers of %s: %w", from, err)
		case chained > 0 || from == in.IntoID:
			return ErrSelf
		}
		err = tx.Exec("INSERT INTO group_mergers ("+mergerColumns+", closed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0)",
			m.ID, m.FromID, m.IntoID, m.Reason, m.Status, m.ByAt, m.StartedBy, m.CreatedAt).Error
		if database.IsDuplicate(err) {
			return ErrUnderWay
		}
		if err != nil {
			return fmt.Errorf("life: merger of %s: %w", from, err)
		}
		tx.SetResult("merger", int64(m.ID), 201)
		if err := m.tell(tx, eventMerging); err != nil {
			return err
		}
		return database.AuditTx(tx, "group.merge", from, nil, m)
	})
	return made, err
}

func (m Merger) tell(tx *database.Tx, event webhook.Type) error {
	return webhook.PublishTx(tx, event, map[string]any{"id": m.ID, "from_id": m.FromID, "into_id": m.IntoID, "reason": m.Reason, "by_at": m.ByAt, "progress": m.Progress})
}

// CancelMerger calls a merger off; who joined by then stays where he is.
func (s *Service) CancelMerger(ctx context.Context, merger id.Merger) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		m, err := mergerOf(tx.DB, merger)
		if err != nil {
			return err
		}
		if _, err := community.LockGroupTx(tx, m.FromID); err != nil {
			return err
		}
		if err := m.endTx(tx, StatusCancelled); err != nil {
			return err
		}
		return database.AuditTx(tx, "merger.cancel", merger, m, nil)
	})
}

// endTx ends an open merger and tells of it with its last figures.
func (m Merger) endTx(tx *database.Tx, status Status) error {
	err := database.One(tx.Exec("UPDATE group_mergers SET status = ?, closed = id, ended_at = ? WHERE id = ?"+tx.Only("closed = 0"), status, tx.Now, m.ID),
		ErrOver.With("status", m.Status))
	if err != nil {
		return err
	}
	if m.Progress, err = progress(tx.DB, m); err != nil {
		return err
	}
	if status == StatusDone {
		return m.tell(tx, eventMerged)
	}
	return m.tell(tx, eventMergerEnded)
}

func mergers(q *database.Query, cond string, args ...any) ([]Merger, error) {
	list := []Merger{}
	if err := q.Raw("SELECT "+mergerColumns+" FROM group_mergers WHERE "+cond, args...).Scan(&list).Error; err != nil {
		return nil, fmt.Errorf("life: mergers: %w", err)
	}
	return list, nil
}

func mergerOf(q *database.Query, merger id.Merger) (Merger, error) {
	list, err := mergers(q, "id = ?", merger)
	if err == nil && len(list) == 0 {
		err = fault.NotFound
	}
	if err != nil {
		return Merger{}, err
	}
	return list[0], nil
}

// FindMerger reads a merger with its progress.
func (s *Service) FindMerger(ctx context.Context, merger id.Merger) (Merger, error) {
	q := s.DB.Read(ctx)
	m, err := mergerOf(q, merger)
	if err != nil {
		return m, err
	}
	if err := community.Seen(ctx, q, m.FromID); err != nil {
		return Merger{}, err
	}
	m.Progress, err = progress(q, m)
	return m, err
}

// ListMergers lists the mergers of a group, newest first, with their progress.
func (s *Service) ListMergers(ctx context.Context, group id.Group, page database.Page) (database.Paged[Merger], error) {
	q := s.DB.Read(ctx)
	if err := community.Seen(ctx, q, group); err != nil {
		return database.Paged[Merger]{}, err
	}
	list, err := mergers(q, "from_id = ? AND id < ? ORDER BY id DESC LIMIT ?", group, page.Bound(), page.Fetch())
	if err != nil {
		return database.Paged[Merger]{}, err
	}
	for i := range list {
		if list[i].Progress, err = progress(q, list[i]); err != nil {
			return database.Paged[Merger]{}, err
		}
	}
	return database.Cut(page, list, func(m Merger) int64 { return int64(m.ID) }), nil
}

// toAsk are the live members of the first group, hosts left out, who are not
// in the other one and have not said no, under any id they had.
const toAsk = ` FROM memberships m WHERE m.group_id = @from AND m.left_at = 0 AND m.role NOT IN ('admin', 'owner')
	AND NOT EXISTS (SELECT 1 FROM memberships o WHERE o.group_id = @into AND o.member_id = m.member_id AND o.left_at = 0)
	AND NOT EXISTS (SELECT 1 FROM merger_invites i LEFT JOIN members x ON x.id = i.member_id
		WHERE i.merger_id = @merger AND i.declined_at <> 0 AND (i.member_id = m.member_id OR x.merged_into = m.member_id))`

func (m Merger) named() map[string]any {
	return map[string]any{"merger": m.ID, "from": m.FromID, "into": m.IntoID}
}

// progress counts people, who may have been invited under two ids, once.
func progress(q *database.Query, m Merger) (p Progress, err error) {
	const person = "CASE WHEN x.merged_into <> 0 THEN x.merged_into ELSE x.id END"
	err = q.Raw(`SELECT COUNT(DISTINCT `+person+`) AS invited, COUNT(DISTINCT o.member_id) AS joined,
			COUNT(DISTINCT CASE WHEN i.declined_at <> 0 AND o.member_id IS NULL THEN `+person+` END) AS declined
		FROM merger_invites i JOIN members x ON x.id = i.member_id
		LEFT JOIN memberships o ON o.group_id = @into AND o.left_at = 0 AND o.member_id = `+person+`
		WHERE i.merger_id = @merger`, m.named()).Scan(&p).Error
	if err == nil && m.Status == StatusOpen {
		err = q.Raw("SELECT COUNT(*)"+toAsk, m.named()).Scan(&p.Open).Error
	}
	if err != nil {
		return p, fmt.Errorf("life: progress of %s: %w", m.ID, err)
	}
	return p, nil
}
