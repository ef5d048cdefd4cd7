package referral

import (
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// stood is a condition that leaves out bindings that should never have been:
// those that a merge showed to double an older binding, to invite oneself, or
// to close a circle.
const stood = "(b.live = 0 OR b.end_reason NOT IN ('" + endMerged + "', '" + endSelf + "', '" + endCircle + "'))"

// BoundBetween are the invitations bound from one moment to before another, of
// one program or of all, the earliest first; units is a condition on unit_id
// of the code, as database.Actor.Within makes it.
func BoundBetween(q *database.Query, p id.Program, from, to clock.Milli, units string, args []any, limit int) ([]Brought, error) {
	sql, all := `SELECT b.id AS binding_id, b.invitee_id, b.inviter_id, b.bound_at FROM bindings b JOIN codes ON codes.id = b.code_id
		WHERE b.bound_at >= ? AND b.bound_at < ? AND `+stood, []any{from, to}
	if p != 0 {
		sql, all = sql+" AND b.program_id = ?", append(all, p)
	}
	var list []Brought
	err := q.Raw(sql+units+" ORDER BY b.bound_at, b.id LIMIT ?", append(append(all, args...), limit)...).Scan(&list).Error
	if err != nil {
		return nil, fmt.Errorf("referral: bound between: %w", err)
	}
	return list, nil
}

// OwnerOf is whose code it is; 0 of none.
func OwnerOf(q *database.Query, code id.Code) (id.Member, error) {
	var m id.Member
	if err := q.Raw("SELECT COALESCE(MAX(inviter_id), 0) FROM codes WHERE id = ?", code).Scan(&m).Error; err != nil {
		return 0, fmt.Errorf("referral: owner of %s: %w", code, err)
	}
	return m, nil
}

// InvitersOf is who brought each of these members last.
func InvitersOf(q *database.Query, members []id.Member) (map[id.Member]id.Member, error) {
	var rows []Brought
	err := q.Raw("SELECT b.invitee_id, b.inviter_id FROM bindings b WHERE b.invitee_id IN ? AND "+stood+" ORDER BY b.bound_at, b.id", members).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("referral: inviters: %w", err)
	}
	out := make(map[id.Member]id.Member, len(rows))
	for _, b := range rows {
		out[b.InviteeID] = b.InviterID
	}
	return out, nil
}

// BroughtByMembers are those whom these members brought.
func BroughtByMembers(q *database.Query, members []id.Member) ([]Brought, error) {
	var rows []Brought
	err := q.Raw(`SELECT b.inviter_id, b.invitee_id, MIN(b.bound_at) AS bound_at FROM bindings b
		WHERE b.inviter_id IN ? AND `+stood+" GROUP BY b.inviter_id, b.invitee_id", members).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("referral: brought by members: %w", err)
	}
	return rows, nil
}

// Promised is a reward by its invitation: what is left of it, when it was to
// clear and when it did.
type Promised struct {
	BindingID id.Binding
	Net       money.Amount
	MaturesAt clock.Milli
	ClearedAt clock.Milli
}

// PromisedTo are the rewards of these members that were more than nothing.
func PromisedTo(q *database.Query, members []id.Member) ([]Promised, error) {
	var rows []Promised
	err := q.Raw("SELECT r.binding_id, "+netOf+` AS net, r.matures_at,
			COALESCE((SELECT MIN(e.at) FROM reward_events e WHERE e.reward_id = r.id AND e.kind = 'cleared'), 0) AS cleared_at
		FROM rewards r WHERE r.beneficiary_id IN ? AND r.currency = ? AND r.amount > 0`, members, money.CNY).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("referral: promised: %w", err)
	}
	return rows, nil
}
