package access

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
)

// How long a link waits to be opened, and works once it was.
const (
	WorkLinkOpens = 30 * time.Minute
	WorkLinkFor   = 12 * time.Hour
)

// ErrWorkLink refuses a link that was opened, ran out, was revoked or never
// was one.
var ErrWorkLink = fault.New(fault.KindUnauthorized, "access.work_link", "链接已用过或已过期，请再要一个", "the link was used or has run out; ask for another")

// WorkLink is a link with which a group owner opens his work page on a phone,
// where nobody types a key. It is for that page alone, opens once and within
// half an hour, then works for twelve hours in the browser that opened it.
type WorkLink struct {
	ID        id.WorkLink `json:"id"`
	StaffID   id.Staff    `json:"staff_id"`
	MadeBy    id.Staff    `json:"made_by"`
	CreatedAt clock.Milli `json:"created_at"`
	OpenUntil clock.Milli `json:"open_until"`
	OpenedAt  clock.Milli `json:"opened_at"`
	EndsAt    clock.Milli `json:"ends_at"`
	RevokedAt clock.Milli `json:"revoked_at"`
}

// TableName is gorm's.
func (WorkLink) TableName() string { return "work_links" }

// WorkLinkIn asks for a link of a colleague, or of the caller.
type WorkLinkIn struct {
	StaffID id.Staff `json:"staff_id"`
}

// MakeWorkLink makes a link of a group owner: for himself, or by an admin of
// his unit, who could make him a key as well. The token is returned this once.
func (s *Service) MakeWorkLink(ctx context.Context, in WorkLinkIn) (id.WorkLink, string, error) {
	var made WorkLink
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		if in.StaffID == 0 {
			in.StaffID = tx.Actor.Staff
		}
		p, err := findStaff(tx.DB, tx.Actor, in.StaffID)
		switch {
		case err != nil:
			return err
		case tx.Actor.Own && p.ID != tx.Actor.Staff:
			return fault.NotFound
		case p.Role != GroupOwner || p.Status != StaffActive:
			return fault.Invalid.Field("staff_id", "role", "只能给在职的群主", "must be a group owner who works here")
		}
		made = WorkLink{ID: id.WorkLink(tx.Next()), StaffID: p.ID, MadeBy: tx.Actor.Staff, CreatedAt: tx.Now, OpenUntil: tx.Now.Add(WorkLinkOpens)}
		if err := tx.Create(&made).Error; err != nil {
			return fmt.Errorf("access: work link: %w", err)
		}
		tx.SetResult("work_link", int64(made.ID), 201)
		return database.AuditTx(tx, "work_link.make", made.ID, nil, made)
	})
	if err != nil {
		return 0, "", err
	}
	return made.ID, s.workToken(made), nil
}

const workBytes = 8 + 8 // the link, and until when it opens

// workToken signs a link. The first words keep it apart from everything else
// that the same keys sign.
func (s *Service) workToken(l WorkLink) string {
	p := make([]byte, workBytes)
	binary.BigEndian.PutUint64(p, uint64(l.ID))
	binary.BigEndian.PutUint64(p[8:], uint64(l.OpenUntil))
	kid, mac := s.Secrets.Sign(secret.Tokens, workText(p))
	return kid + "." + base64.RawURLEncoding.EncodeToString(append(p, mac...))
}

func workText(p []byte) []byte { return append([]byte("work link\x00"), p...) }

// readWork is the link that a token names, if it still opens.
func (s *Service) readWork(token string) (id.WorkLink, error) {
	kid, text, _ := strings.Cut(token, ".")
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != workBytes+macBytes || !s.Secrets.Verify(secret.Tokens, kid, workText(b[:workBytes]), b[workBytes:]) ||
		clock.Milli(binary.BigEndian.Uint64(b[8:])) <= clock.MilliOf(s.DB.Clock.Now()) {
		return 0, ErrWorkLink
	}
	return id.WorkLink(binary.BigEndian.Uint64(b)), nil
}

// OpenWorkLink opens a link, once.
func (s *Service) OpenWorkLink(ctx context.Context, token string) (WorkLink, error) {
	link, err := s.readWork(token)
	if err != nil {
		return WorkLink{}, err
	}
	var l WorkLink
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		if err := tx.Raw("SELECT * FROM work_links WHERE id = ?"+tx.Dialect.ForUpdate, link).Scan(&l).Error; err != nil {
			return fmt.Errorf("access: %s: %w", link, err)
		}
		if l.ID == 0 || l.OpenedAt != 0 || l.RevokedAt != 0 || l.OpenUntil <= tx.Now {
			return ErrWorkLink
		}
		l.OpenedAt, l.EndsAt = tx.Now, tx.Now.Add(WorkLinkFor)
		err := database.One(tx.Exec("UPDATE work_links SET opened_at = ?, ends_at = ? WHERE id = ?"+tx.Only("opened_at = 0 AND revoked_at = 0"), l.OpenedAt, l.EndsAt, link), ErrWorkLink)
		if err != nil {
			return err
		}
		return database.AuditTx(tx, "work_link.open", link, nil, map[string]any{"staff_id": l.StaffID})
	})
	return l, err
}

// Worker is the group owner who works by an opened link now. It is asked for
// at every request: a link revoked, a colleague suspended or given another
// role stops at once.
func (s *Service) Worker(ctx context.Context, link id.WorkLink) (database.Actor, error) {
	q := s.DB.Read(ctx)
	var row struct {
		StaffID id.Staff
		UnitID  id.Unit
	}
	err := q.Raw(`SELECT p.id AS staff_id, p.unit_id FROM work_links l JOIN staff p ON p.id = l.staff_id
		WHERE l.id = ? AND l.opened_at <> 0 AND l.revoked_at = 0 AND l.ends_at > ? AND p.status = ? AND p.role = ?`,
		link, clock.MilliOf(s.DB.Clock.Now()), StaffActive, GroupOwner).Scan(&row).Error
	if err != nil {
		return database.Actor{}, fmt.Errorf("access: %s: %w", link, err)
	}
	if row.StaffID == 0 {
		return database.Actor{}, ErrCredentials
	}
	return staffActor(q, row.StaffID, GroupOwner, row.UnitID)
}

// RevokeWorkLink ends a link for good, opened or not; once more changes
// nothing.
func (s *Service) RevokeWorkLink(ctx context.Context, link id.WorkLink) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		l, err := findWorkLink(tx.DB, tx.Actor, link)
		if err != nil || l.RevokedAt != 0 {
			return err
		}
		if err := database.One(tx.Exec("UPDATE work_links SET revoked_at = ? WHERE id = ?", tx.Now, link), fault.NotFound); err != nil {
			return err
		}
		return database.AuditTx(tx, "work_link.revoke", link, l, nil)
	})
}

// FindWorkLink is a link, without its token, of a colleague the actor sees; a
// group owner sees his own.
func (s *Service) FindWorkLink(ctx context.Context, link id.WorkLink) (WorkLink, error) {
	return findWorkLink(s.DB.Read(ctx), database.ActorOf(ctx), link)
}

func findWorkLink(q *database.Query, actor database.Actor, link id.WorkLink) (WorkLink, error) {
	cond, args := workLinksOf(actor)
	var l WorkLink
	err := q.Raw("SELECT l.* FROM work_links l JOIN staff p ON p.id = l.staff_id WHERE l.id = ?"+cond, append([]any{link}, args...)...).Take(&l).Error
	return l, database.Absent(err)
}

// workLinksOf keeps links to the actor's units and, of a group owner, to his
// own.
func workLinksOf(actor database.Actor) (cond string, args []any) {
	cond, args = actor.Within("p.unit_id")
	if actor.Own {
		cond, args = cond+" AND l.staff_id = ?", append(args, actor.Staff)
	}
	return cond, args
}

// ListWorkLinks lists the links that the actor sees, newest first.
func (s *Service) ListWorkLinks(ctx context.Context, page database.Page) (database.Paged[WorkLink], error) {
	cond, args := workLinksOf(database.ActorOf(ctx))
	var rows []WorkLink
	err := s.DB.Read(ctx).Raw("SELECT l.* FROM work_links l JOIN staff p ON p.id = l.staff_id WHERE l.id < ?"+cond+" ORDER BY l.id DESC LIMIT ?",
		append(append([]any{page.Bound()}, args...), page.Fetch())...).Scan(&rows).Error
	return database.Cut(page, rows, func(l WorkLink) int64 { return int64(l.ID) }), err
}
