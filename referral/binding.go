package referral

import (
	"cmp"
	"context"
	"fmt"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Bind asks to bind an invitee to the inviter of a code. Page is what the page
// he acted on carried; without one the latest version counts.
type Bind struct {
	Code    string
	Invitee id.Member
	Page    string
}

// binding is a row of the table.
type binding struct {
	ID             id.Binding
	Scope          string
	InviteeID      id.Member
	InviterID      id.Member
	CodeID         id.Code
	GroupID        id.Group
	ProgramID      id.Program
	ProgramVersion int
	BoundAt        clock.Milli
	ExpiresAt      clock.Milli
	PageAt         clock.Milli
	credited       `gorm:"embedded"`
}

const bindingColumns = "id, scope, invitee_id, inviter_id, code_id, group_id, program_id, program_version, bound_at, expires_at, page_at, rule, touch_id, touched_at, touch_days, weighed_qty"

// The reasons for which a binding ends.
const (
	endLapsed   = "lapsed"
	endReplaced = "replaced" // by a later touch
	endMerged   = "merged"
	endSelf     = "self"
	endCircle   = "circle"
)

// Bind binds in a transaction of its own, so that somebody's click counts even
// if what he then tries to buy is sold out.
func (s *Service) Bind(ctx context.Context, in Bind) (id.Binding, error) {
	var bound id.Binding
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		var err error
		if bound, err = s.BindTx(tx, in); err != nil {
			return err
		}
		tx.SetResult("binding", int64(bound), 201)
		if tx.Actor.Kind != database.ActorStaff {
			return nil
		}
		return database.AuditTx(tx, "code.bind", bound, nil, in.Invitee)
	})
	return bound, err
}

// BindTx binds the invitee in the scope of the code's program, to whom the
// program's attribution credits his act. What stands keeps others out or gives
// way as its own version promised; the same inviter again gives the binding
// that stands; a lapsed one makes room.
func (s *Service) BindTx(tx *database.Tx, in Bind) (id.Binding, error) {
	code, err := s.usable(tx.DB, in.Code, tx.Now)
	if err != nil {
		return 0, err
	}
	if tx.Actor.Kind == database.ActorStaff && !tx.Actor.Sees(code.UnitID) {
		return 0, ErrCode
	}
	b, rules, err := s.wanted(tx, code, in)
	if err == nil {
		b, rules, err = s.creditTx(tx, b, rules)
	}
	if err == nil {
		err = mayInvite(tx.DB, rules, b.InviterID)
	}
	if err != nil {
		return 0, err
	}
	if err := lockPeopleTx(tx, b); err != nil {
		return 0, err
	}
	stands, err := freeTx(tx, b)
	if err != nil || stands != 0 {
		return stands, err
	}
	if err := open(tx.DB, b.ProgramID); err != nil {
		return 0, err
	}
	if b.Scope == ScopeNewMember {
		buyer, err := community.HasFact(tx.DB, b.InviteeID, community.FactOrderPaid)
		if err != nil {
			return 0, err
		}
		if buyer {
			return 0, ErrNotNew
		}
	}
	b.ID, b.BoundAt, b.ExpiresAt = id.Binding(tx.Next()), tx.Now, tx.Now.Add(days(rules.AttributionDays))
	err = tx.Exec("INSERT INTO bindings ("+bindingColumns+`, bound_by, live, ended_at, end_reason)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, '')`, b.ID, b.Scope, b.InviteeID, b.InviterID, b.CodeID, b.GroupID,
		b.ProgramID, b.ProgramVersion, b.BoundAt, b.ExpiresAt, b.PageAt, b.Rule, b.TouchID, b.TouchedAt, b.TouchDays, b.Weighed, tx.Actor.Staff).Error
	switch {
	case database.IsDuplicate(err): // somebody else's click came first
		if stands, err = freeTx(tx, b); err == nil && stands == 0 {
			err = fault.Unavailable
		}
		return stands, err
	case err != nil:
		return 0, fmt.Errorf("referral: bind %s: %w", b.InviteeID, err)
	}
	return b.ID, b.publishMade(tx)
}

// lockPeopleTx locks the two people, so that neither is merged away while they
// are bound, and for new members their trees, which must not become a circle.
func lockPeopleTx(tx *database.Tx, b binding) error {
	two := []id.Member{b.InviterID, b.InviteeID}
	if b.Scope == ScopeNewMember {
		tops, err := lockTreesTx(tx, b.Scope, two...)
		if err != nil {
			return err
		}
		// Only within one tree can the invitee stand above his inviter.
		if tops[0] == tops[1] {
			circle, err := above(tx.DB, b, tx.Now)
			if err != nil || circle {
				return cmp.Or(err, error(ErrCircle))
			}
		}
	} else if err := community.LockTx(tx, two); err != nil {
		return err
	}
	today, err := community.FollowMerges(tx.DB, two)
	if err != nil {
		return err
	}
	if today[b.InviterID] != b.InviterID || today[b.InviteeID] != b.InviteeID {
		return fault.Unavailable // merged a moment ago; the next try sees it
	}
	return nil
}

// wanted is the binding asked for, with the people as they are today and the
// version that the page showed.
func (s *Service) wanted(tx *database.Tx, code Code, in Bind) (binding, Rules, error) {
	people, err := community.FollowMerges(tx.DB, []id.Member{code.InviterID, in.Invitee})
	if err != nil {
		return binding{}, Rules{}, err
	}
	b := binding{InviterID: people[code.InviterID], InviteeID: people[in.Invitee], CodeID: code.ID, GroupID: code.GroupID, ProgramID: code.ProgramID}
	switch {
	case b.InviteeID == 0:
		return b, Rules{}, fault.Invalid.Field("invitee_id", "unknown", "没有这个会员", "there is no such member")
	case b.InviterID == 0:
		return b, Rules{}, ErrCode
	case b.InviterID == b.InviteeID:
		return b, Rules{}, ErrSelf
	}
	var p Program
	if err := tx.Raw("SELECT id, scope, latest FROM programs WHERE id = ?", code.ProgramID).Take(&p).Error; err != nil {
		return b, Rules{}, database.Absent(err)
	}
	b.Scope, b.ProgramVersion = p.Scope, p.Latest
	if in.Page != "" {
		of, program, version, shown, err := s.openPage(in.Page, code, tx.Now)
		if err != nil {
			return b, Rules{}, err
		}
		b.CodeID = of
		if program != p.ID {
			return b, Rules{}, ErrPage
		}
		b.ProgramVersion, b.PageAt = version, shown
	}
	rules, err := rulesOf(tx.DB, b.ProgramID, b.ProgramVersion)
	return b, rules, err
}

// freeTx makes room for a binding: it returns the one that stands if it is of
// the same inviter, lengthened if that was promised, ends one that lapsed or
// promised to give way, and refuses otherwise.
func freeTx(tx *database.Tx, want binding) (id.Binding, error) {
	var own binding
	err := tx.Raw("SELECT "+bindingColumns+" FROM bindings WHERE scope = ? AND invitee_id = ? AND live = 0"+tx.Dialect.ForUpdate,
		want.Scope, want.InviteeID).Scan(&own).Error
	switch {
	case err != nil:
		return 0, fmt.Errorf("referral: binding of %s: %w", want.InviteeID, err)
	case own.ID == 0:
		return 0, nil
	case own.ExpiresAt <= tx.Now:
		return 0, own.endTx(tx, own.ExpiresAt, endLapsed)
	}
	promised, err := rulesOf(tx.DB, own.ProgramID, own.ProgramVersion)
	switch {
	case err != nil:
		return 0, err
	case own.InviterID == want.InviterID && promised.Attribution.Renewal == RenewalTouch:
		return own.ID, lengthenTx(tx, own, promised, tx.Now)
	case own.InviterID == want.InviterID:
		return own.ID, nil
	case promised.Attribution.rule() == WinsLast:
		return 0, own.endTx(tx, tx.Now, endReplaced)
	}
	return 0, ErrBound
}

// endTx ends a live binding as of a moment; live is zero while it lives and its
// own id after.
func (b binding) endTx(tx *database.Tx, at clock.Milli, reason string) error {
	res := tx.Exec("UPDATE bindings SET live = id, ended_at = ?, end_reason = ? WHERE id = ?"+tx.Only("live = 0"), at, reason, b.ID)
	if err := database.One(res, fault.Unavailable); err != nil {
		return err
	}
	return b.publishEnded(tx, at, reason)
}

// Frozen is a binding as an order keeps it. Program and Version are the
// binding's: what was promised at the scan.
type Frozen struct {
	Binding id.Binding
	Inviter id.Member
	Code    id.Code
	Group   id.Group
	Program id.Program
	Version int
}

// FrozenIn gives the live bindings of these members in the scope of a program,
// keyed by the ids asked for; merges are followed.
func FrozenIn(q *database.Query, program id.Program, members []id.Member, now clock.Milli) (map[id.Member]Frozen, error) {
	out := make(map[id.Member]Frozen, len(members))
	if program == 0 || len(members) == 0 {
		return out, nil
	}
	today, err := community.FollowMerges(q, members)
	if err != nil {
		return nil, err
	}
	people := make([]id.Member, 0, len(members))
	for _, m := range members {
		if today[m] == 0 {
			today[m] = m
		}
		people = append(people, today[m])
	}
	var rows []binding
	err = q.Raw("SELECT "+bindingColumns+` FROM bindings
		WHERE scope = (SELECT scope FROM programs WHERE id = ?) AND invitee_id IN ? AND live = 0 AND expires_at > ?`,
		program, people, now).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("referral: bindings in the scope of %s: %w", program, err)
	}
	live := make(map[id.Member]Frozen, len(rows))
	for _, b := range rows {
		live[b.InviteeID] = Frozen{b.ID, b.InviterID, b.CodeID, b.GroupID, b.ProgramID, b.ProgramVersion}
	}
	for _, m := range members {
		if f, ok := live[today[m]]; ok {
			out[m] = f
		}
	}
	return out, nil
}
