package referral

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// CodeStatus is where a code stands.
type CodeStatus string

// The states of a code.
const (
	CodeLive    CodeStatus = "live"
	CodeExpired CodeStatus = "expired"
	CodeRevoked CodeStatus = "revoked"
	CodeRotated CodeStatus = "rotated" // leads on to its successor
)

// Words name the state.
func (s CodeStatus) Words() (zh, en string) {
	return map[CodeStatus]string{CodeLive: "仍然有效", CodeExpired: "已过期", CodeRevoked: "已收回", CodeRotated: "已换新"}[s], string(s)
}

// Code is an invite code: inviter × program × campaign × group × channel.
type Code struct {
	ID          id.Code      `json:"id"`
	Code        string       `json:"code"`
	UnitID      id.Unit      `json:"unit_id"`
	InviterID   id.Member    `json:"inviter_id"`
	ProgramID   id.Program   `json:"program_id"`
	CampaignID  id.Campaign  `json:"campaign_id"`
	GroupID     id.Group     `json:"group_id"`
	Channel     string       `json:"channel"`
	Cost        money.Amount `json:"cost_fen"` // frozen when made; staff see it
	Status      CodeStatus   `json:"status"`
	ExpiresAt   clock.Milli  `json:"expires_at"`
	Version     int          `json:"version"`
	CreatedAt   clock.Milli  `json:"created_at"`
	SuccessorID id.Code      `json:"successor_id"`
	URL         string       `json:"url" gorm:"-"`

	via []id.Code // the rotated codes it was reached by
}

const codeColumns = `id, code, unit_id, inviter_id, program_id, campaign_id, group_id, channel, cost, status, expires_at, version, created_at, successor_id`

// at is the code as it stands now: expiry needs no write.
func (c Code) at(now clock.Milli) Code {
	if c.Status == CodeLive && c.ExpiresAt != 0 && c.ExpiresAt <= now {
		c.Status = CodeExpired
	}
	return c
}

// retire ends a code; its place is free for another one. live is zero for the
// code of a place and the row's own id afterwards.
func retire(tx *database.Tx, c Code, to CodeStatus) error {
	res := tx.Exec("UPDATE codes SET status = ?, live = id, version = version + 1 WHERE id = ?"+tx.Only("status = ?"), to, c.ID, CodeLive)
	return database.One(res, ErrCodeState.With("state", c.Status))
}

// RevokeCode ends a code for good: whoever scans it is refused from now on.
// Bindings made through it stand.
func (s *Service) RevokeCode(ctx context.Context, code string) (id.Code, error) {
	var found Code
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		var err error
		if found, err = s.lookup(tx.DB, code); err != nil {
			return err
		}
		if !mayManage(tx.Actor, found) {
			return ErrCode
		}
		if found = found.at(tx.Now); found.Status == CodeRevoked || found.Status == CodeRotated {
			return ErrCodeState.With("state", found.Status)
		}
		if err := retire(tx, found, CodeRevoked); err != nil {
			return err
		}
		tx.SetResult("code", int64(found.ID), 200)
		return database.AuditTx(tx, "code.revoke", found.ID, found.Status, CodeRevoked)
	})
	return found.ID, err
}

func mayManage(a database.Actor, c Code) bool {
	if a.Kind == database.ActorMember || a.Kind == database.ActorGuest {
		return a.Member == c.InviterID
	}
	return a.Sees(c.UnitID)
}

// lookup finds a code of any state; what is mistyped costs no read.
func (s *Service) lookup(q *database.Query, typed string) (Code, error) {
	text, ok := readCode(s.Secrets, typed)
	if !ok {
		return Code{}, ErrCode
	}
	var c Code
	if err := q.Raw("SELECT "+codeColumns+" FROM codes WHERE code = ?", text).Scan(&c).Error; err != nil {
		return c, fmt.Errorf("referral: find code: %w", err)
	}
	if c.ID == 0 {
		return c, ErrCode
	}
	c.URL = s.target(c.Code)
	return c, nil
}

// usable is lookup for those who come with a code: only a live one is found,
// or the live one that a rotated one leads on to.
func (s *Service) usable(q *database.Query, typed string, now clock.Milli) (Code, error) {
	c, err := s.lookup(q, typed)
	if err == nil {
		c, err = s.follow(q, c)
	}
	if err != nil {
		return Code{}, err
	}
	if c.at(now).Status != CodeLive {
		return Code{}, ErrCode
	}
	return c, nil
}

// FindCode shows a code to those who manage it: staff of its unit, in any
// state, and the inviter. To anybody else unknown, mistyped, revoked, expired
// and foreign codes are refused alike.
func (s *Service) FindCode(ctx context.Context, code string) (Code, error) {
	c, err := s.lookup(s.DB.Read(ctx), code)
	if err != nil {
		return Code{}, err
	}
	if !mayManage(database.ActorOf(ctx), c) {
		return Code{}, ErrCode
	}
	return s.shown(c, database.ActorOf(ctx), clock.MilliOf(s.DB.Clock.Now())), nil
}

// shown is the code as the actor may see it now. What a channel costs is the
// brand's business.
func (s *Service) shown(c Code, a database.Actor, now clock.Milli) Code {
	c = c.at(now)
	c.URL = s.target(c.Code)
	if a.Kind == database.ActorMember || a.Kind == database.ActorGuest {
		c.Cost = 0
	}
	return c
}

// CodesByID reads codes that were just made, in the order asked for.
func (s *Service) CodesByID(ctx context.Context, ids []id.Code) ([]Code, error) {
	var rows []Code
	if err := s.DB.Read(ctx).Raw("SELECT "+codeColumns+" FROM codes WHERE id IN ?", ids).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("referral: codes: %w", err)
	}
	byID := make(map[id.Code]Code, len(rows))
	for _, c := range rows {
		if mayManage(database.ActorOf(ctx), c) {
			byID[c.ID] = s.shown(c, database.ActorOf(ctx), clock.MilliOf(s.DB.Clock.Now()))
		}
	}
	out := make([]Code, 0, len(ids))
	for _, x := range ids {
		if c, ok := byID[x]; ok {
			out = append(out, c)
		}
	}
	return out, nil
}

// CodeFilter narrows a list of codes; zero fields do not.
type CodeFilter struct {
	Inviter  id.Member
	Program  id.Program
	Campaign id.Campaign
	Group    id.Group
}

// ListCodes lists the codes the actor manages, newest first.
func (s *Service) ListCodes(ctx context.Context, f CodeFilter, page database.Page) (database.Paged[Code], error) {
	a := database.ActorOf(ctx)
	if a.Kind == database.ActorMember || a.Kind == database.ActorGuest {
		f.Inviter = a.Member
	}
	cond, args := a.Within("unit_id")
	for _, x := range []struct {
		column string
		id     int64
	}{
		{"inviter_id", int64(f.Inviter)}, {"program_id", int64(f.Program)},
		{"campaign_id", int64(f.Campaign)}, {"group_id", int64(f.Group)},
	} {
		if x.id != 0 {
			cond, args = cond+" AND "+x.column+" = ?", append(args, x.id)
		}
	}
	var list []Code
	err := s.DB.Read(ctx).Raw("SELECT "+codeColumns+" FROM codes WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?",
		append(append([]any{page.Bound()}, args...), page.Fetch())...).Scan(&list).Error
	if err != nil {
		return database.Paged[Code]{}, fmt.Errorf("referral: list codes: %w", err)
	}
	for i, c := range list {
		list[i] = s.shown(c, a, clock.MilliOf(s.DB.Clock.Now()))
	}
	return database.Cut(page, list, func(c Code) int64 { return int64(c.ID) }), nil
}
