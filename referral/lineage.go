package referral

import (
	"fmt"
	"slices"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// longest bounds a walk upward; a longer line of invitations is a fault in the
// data.
const longest = 10_000

// rootOf walks from a member to the one at the top, whom nobody invited.
func rootOf(q *database.Query, scope string, m id.Member, now clock.Milli) (id.Member, error) {
	for range longest {
		up, err := inviterOf(q, scope, m, now)
		if err != nil {
			return 0, err
		}
		if up == 0 {
			return m, nil
		}
		m = up
	}
	return 0, fmt.Errorf("referral: more than %d invitations above %s in %s", longest, m, scope)
}

// inviterOf is who invited a member, if that has not run out.
func inviterOf(q *database.Query, scope string, m id.Member, now clock.Milli) (id.Member, error) {
	var up id.Member
	err := q.Raw(`SELECT inviter_id FROM bindings
		WHERE scope = ? AND invitee_id = ? AND live = 0 AND expires_at > ?`, scope, m, now).Scan(&up).Error
	if err != nil {
		return 0, fmt.Errorf("referral: inviter of %s: %w", m, err)
	}
	return up, nil
}

// above says whether the invitee of a binding stands somewhere above its
// inviter, so that the two would close a circle.
func above(q *database.Query, b binding, now clock.Milli) (bool, error) {
	at := b.InviterID
	for range longest {
		up, err := inviterOf(q, b.Scope, at, now)
		switch {
		case err != nil:
			return false, err
		case up == 0:
			return false, nil
		case up == b.InviteeID:
			return true, nil
		}
		at = up
	}
	return false, fmt.Errorf("referral: more than %d invitations above %s in %s", longest, b.InviterID, b.Scope)
}

// lockTreesTx locks these members and those at the top of their trees, ids
// ascending, and then walks up again, until the tops it finds are those it has
// locked. Whoever hangs one of these trees under another must lock its top
// first, so the trees cannot be joined meanwhile, and nobody in the list can be
// merged away. It returns the tops in the order of the members.
func lockTreesTx(tx *database.Tx, scope string, members ...id.Member) ([]id.Member, error) {
	var locked []id.Member
	for range 8 {
		tops := make([]id.Member, len(members))
		for i, m := range members {
			var err error
			if tops[i], err = rootOf(tx.DB, scope, m, tx.Now); err != nil {
				return nil, err
			}
		}
		want := slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(tops), members...))))
		if slices.Equal(want, locked) {
			return tops, nil
		}
		if err := community.LockTx(tx, want); err != nil {
			return nil, err
		}
		locked = want
	}
	return nil, fault.Unavailable
}
