package referral

import (
	"context"
	"fmt"
	"slices"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// verifyRewards checks each reward with its events, and each program's promises
// against its budget.
func verifyRewards(ctx context.Context, db *database.DB) (database.Proof, error) {
	return verifyRewardsUpto(ctx, db, database.Rested(), func() error { return nil })
}

// verifyRewardsUpto takes rows up to an id for at rest; walked is called between
// them and the rest.
func verifyRewardsUpto(ctx context.Context, db *database.DB, rested int64, walked func() error) (database.Proof, error) {
	p := database.Proof{ID: "V5", Says: "one reward per key, depth 1, promised ≤ budget; what points and coupons cost is set aside or given"}
	b := newBooks(rested)
	n, err := db.InRanges(ctx, "rewards", "id", span, func(q *database.Query, after, upto int64) error {
		changed, err := checkRewards(q, after, upto, &p)
		if err != nil {
			return err
		}
		if err := b.rested(q, after, upto, changed); err != nil {
			return err
		}
		return checkKeys(q, after, upto, &p)
	})
	if err != nil {
		return p, fmt.Errorf("referral: verify rewards: %w", err)
	}
	p.Checked += n
	if err := walked(); err != nil {
		return p, err
	}
	if err := b.prove(ctx, db, &p); err != nil {
		return p, fmt.Errorf("referral: verify programs: %w", err)
	}
	return p, nil
}

// suspects are the rewards of a range that may not be as they must: odd as they
// stand, never earned, or lessened later. What they come to is said by the rows
// themselves; the others, most of a million, are passed over where they lie.
const suspects = `SELECT r.id FROM rewards r LEFT JOIN reward_events e ON e.reward_id = r.id AND e.kind = 'earned' AND e.ref = r.fact
		WHERE r.id > ? AND r.id <= ? AND (r.amount < 0 OR r.unit_cost < 1 OR r.currency = 'CNY' AND r.unit_cost <> 1
			OR r.currency NOT IN ('CNY', 'PTS', 'CPN') OR r.amount > 0 AND e.id IS NULL)
	UNION SELECT reward_id FROM reward_events WHERE reward_id > ? AND reward_id <= ? AND kind IN ('reduced', 'clawed_back', 'voided')`

// checkRewards checks each reward of a range with its events, and says whether
// any may have changed since it was earned.
func checkRewards(q *database.Query, after, upto int64, p *database.Proof) (changed bool, err error) {
	var odd []id.Reward
	if err := q.Raw(suspects, after, upto, after, upto).Scan(&odd).Error; err != nil {
		return false, err
	}
	for part := range slices.Chunk(odd, inAtOnce) {
		var rows []Reward
		if err := q.Raw("SELECT "+rewardColumns+" FROM rewards r WHERE r.id IN ?", part).Scan(&rows).Error; err != nil {
			return false, err
		}
		rows, err := foldAll(q, rows)
		if err != nil {
			return false, err
		}
		for _, r := range rows {
			r.check(p)
		}
	}
	return len(odd) > 0, nil
}

func (r Reward) check(p *database.Proof) {
	if r.Amount < 0 || r.Net < 0 {
		p.Break("reward %s of %s has come to %s", r.ID, r.Amount, r.Net)
	}
	if r.Currency != money.CNY && r.Currency != money.PTS && r.Currency != Coupons || r.Currency == money.CNY && r.UnitCost != 1 || r.UnitCost < 1 {
		p.Break("reward %s is %d %s at %d fen each", r.ID, r.Amount, r.Currency, r.UnitCost)
	}
	if r.Amount > 0 && !r.did(EventEarned, r.Fact) {
		p.Break("reward %s was promised without being reserved", r.ID)
	}
}

// checkKeys checks for whom the rewards of a range are, and that none repeats
// the key of an older one.
func checkKeys(q *database.Query, after, upto int64, p *database.Proof) error {
	// A merge moves beneficiary and binding alike; what was written at that
	// very moment is seen through members.merged_into.
	var far []struct {
		ID         id.Reward
		Paid, Owed id.Member
	}
	err := q.Raw(`SELECT r.id, r.beneficiary_id AS paid, COALESCE(CASE r.side WHEN ? THEN b.invitee_id ELSE b.inviter_id END, 0) AS owed
		FROM rewards r LEFT JOIN bindings b ON b.id = r.binding_id
		WHERE r.id > ? AND r.id <= ? AND r.side IN ? AND NOT (r.side = ? AND r.order_id = 0 AND r.binding_id = 0) AND (b.id IS NULL
			OR (r.side <> ? AND r.beneficiary_id <> b.inviter_id) OR (r.side = ? AND r.beneficiary_id <> b.invitee_id))`,
		SideInvitee, after, upto, []Side{SideInviter, SideInvitee, SideKOC}, SideKOC, SideInvitee, SideInvitee).Scan(&far).Error
	if err != nil {
		return err
	}
	for _, f := range far {
		today, err := community.FollowMerges(q, []id.Member{f.Paid, f.Owed})
		if err != nil {
			return err
		}
		if today[f.Paid] == 0 || today[f.Paid] != today[f.Owed] {
			p.Break("reward %s goes to neither the inviter nor the invitee of its binding", f.ID)
		}
	}
	var twice []id.Reward
	err = q.Raw(`SELECT r.id FROM rewards r JOIN rewards o ON o.program_id = r.program_id AND o.program_version = r.program_version
			AND o.fact = r.fact AND o.beneficiary_id = r.beneficiary_id AND o.rule = r.rule AND o.id < r.id
		WHERE r.id > ? AND r.id <= ?`, after, upto).Scan(&twice).Error
	for _, r := range twice {
		p.Break("reward %s repeats the key of an older one", r)
	}
	return err
}
