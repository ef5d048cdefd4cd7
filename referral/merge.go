package referral

import (
	"cmp"
	"fmt"
	"slices"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral/promoter"
	"siyu/referral/review"
)

// MergeTx moves this room's part of the member from to the member into and
// says how many rows it changed: codes, bindings, rewards, standing. Where both were
// invited in one scope the older binding stays; one that became a
// self-invitation or closed a circle ends. Codes already printed go on
// working; touches keep the old id.
func MergeTx(tx *database.Tx, from, into id.Member) (int, error) {
	// The two and the tops of their trees, as for a bind: nobody may be bound
	// to one of them, nor hang one tree under another, meanwhile.
	if _, err := lockTreesTx(tx, ScopeNewMember, from, into); err != nil {
		return 0, err
	}
	rows, err := mergeInvited(tx, from, into)
	if err != nil {
		return 0, err
	}
	codes, err := mergeCodes(tx, from, into)
	if err != nil {
		return 0, err
	}
	rows += codes
	for _, step := range []string{
		"UPDATE bindings SET invitee_id = ? WHERE invitee_id = ?",
		"UPDATE bindings SET inviter_id = ? WHERE inviter_id = ?",
		"UPDATE rewards SET beneficiary_id = ? WHERE beneficiary_id = ?",
	} {
		res := tx.Exec(step, into, from)
		if res.Error != nil {
			return 0, fmt.Errorf("referral: merge %s: %w", from, res.Error)
		}
		rows += int(res.RowsAffected)
	}
	stood, err := promoter.MergeTx(tx, from, into)
	if err != nil {
		return 0, err
	}
	rows += stood
	counted, err := mergeCounts(tx, from, into)
	if err != nil {
		return 0, err
	}
	rows += counted
	seen, err := review.MergeTx(tx, from, into)
	if err != nil {
		return 0, err
	}
	ended, err := endImpossible(tx, into)
	return rows + seen + ended, err
}

// mergeInvited leaves at most one live binding per scope to the two together.
func mergeInvited(tx *database.Tx, from, into id.Member) (int, error) {
	var live []binding
	err := tx.Raw("SELECT "+bindingColumns+" FROM bindings WHERE invitee_id IN ? AND live = 0 ORDER BY id"+tx.Dialect.ForUpdate,
		[]id.Member{from, into}).Scan(&live).Error
	if err != nil {
		return 0, fmt.Errorf("referral: merge %s: %w", from, err)
	}
	slices.SortFunc(live, byAge)
	kept := map[string]bool{}
	ended := 0
	for _, b := range live {
		reason := endMerged
		switch {
		case b.ExpiresAt <= tx.Now:
			reason = endLapsed
		case !kept[b.Scope]:
			kept[b.Scope] = true
			continue
		}
		at := tx.Now
		if reason == endLapsed {
			at = b.ExpiresAt
		}
		if err := b.endTx(tx, at, reason); err != nil {
			return 0, err
		}
		ended++
	}
	return ended, nil
}

func byAge(a, b binding) int {
	return cmp.Or(cmp.Compare(a.BoundAt, b.BoundAt), cmp.Compare(a.ID, b.ID))
}

// mergeCodes gives the codes of from to into. Where both have one for a place,
// the second stays usable but gives the place up.
func mergeCodes(tx *database.Tx, from, into id.Member) (int, error) {
	var doubles []id.Code
	err := tx.Raw(`SELECT f.id FROM codes f JOIN codes i ON i.inviter_id = ? AND i.program_id = f.program_id
		AND i.campaign_id = f.campaign_id AND i.group_id = f.group_id AND i.channel = f.channel AND i.live = 0
		WHERE f.inviter_id = ? AND f.live = 0`, into, from).Scan(&doubles).Error
	if err != nil {
		return 0, fmt.Errorf("referral: merge %s: %w", from, err)
	}
	if len(doubles) > 0 {
		if err := tx.Exec("UPDATE codes SET live = id WHERE id IN ?", doubles).Error; err != nil {
			return 0, fmt.Errorf("referral: merge %s: %w", from, err)
		}
	}
	res := tx.Exec("UPDATE codes SET inviter_id = ?, version = version + 1 WHERE inviter_id = ?", into, from)
	return int(res.RowsAffected), res.Error
}

// endImpossible ends what a merge made of two people's invitations: those to
// oneself, and the newest of a circle among new members.
func endImpossible(tx *database.Tx, m id.Member) (int, error) {
	var selves []binding
	err := tx.Raw("SELECT "+bindingColumns+" FROM bindings WHERE invitee_id = ? AND inviter_id = ? AND live = 0 ORDER BY id", m, m).Scan(&selves).Error
	if err != nil {
		return 0, fmt.Errorf("referral: merge into %s: %w", m, err)
	}
	for _, b := range selves {
		if err := b.endTx(tx, tx.Now, endSelf); err != nil {
			return 0, err
		}
	}
	circle, err := circleOf(tx, m)
	if err != nil || len(circle) == 0 {
		return len(selves), err
	}
	newest := slices.MaxFunc(circle, byAge)
	return len(selves) + 1, newest.endTx(tx, tx.Now, endCircle)
}

// circleOf is the live bindings from m upward if they lead back to m.
func circleOf(tx *database.Tx, m id.Member) ([]binding, error) {
	var line []binding
	for at := m; len(line) < longest; {
		var b binding
		err := tx.Raw("SELECT "+bindingColumns+` FROM bindings
			WHERE scope = ? AND invitee_id = ? AND live = 0 AND expires_at > ?`, ScopeNewMember, at, tx.Now).Scan(&b).Error
		if err != nil {
			return nil, fmt.Errorf("referral: inviter of %s: %w", at, err)
		}
		if b.ID == 0 {
			return nil, nil
		}
		line = append(line, b)
		if at = b.InviterID; at == m {
			return line, nil
		}
	}
	return nil, fmt.Errorf("referral: more than %d invitations above %s", longest, m)
}
