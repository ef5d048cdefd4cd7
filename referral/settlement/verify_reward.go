package settlement

import (
	"cmp"
	"maps"
	"slices"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// suspect is one transfer that cleared rewards of a range of lines and may not
// have moved what they say, with how many of the lines say something else.
type suspect struct {
	TransferID  id.Transfer
	First, Last int64 // events
	Odd         int
}

// ownerWeight tells members apart in one sum: who got another's money gives
// another sum, unless their ids are alike modulo this prime.
const ownerWeight = "9973"

// weighedInto is what a transfer moved into payable, by whom.
const weighedInto = `(SELECT COALESCE(SUM(x.amount * (a.owner_id % ` + ownerWeight + `)), 0) FROM entries x
	JOIN accounts a ON a.id = x.account_id AND a.stage = 'payable' WHERE x.transfer_id = e.transfer_id)`

// proveRewards checks that the transfers which cleared the rewards of a range
// of lines moved to each member what his rewards say, and returns the lines
// whose reward was not cleared as they say. Sums pass over what is right; what
// may not be is read member by member.
func proveRewards(q *database.Query, sid id.Settlement, first, last int, p *database.Proof) (map[int]bool, error) {
	var list []suspect
	err := q.Raw(`SELECT COALESCE(e.transfer_id, 0) AS transfer_id, COALESCE(MIN(e.id), 0) AS first, COALESCE(MAX(e.id), 0) AS last,
			SUM(CASE WHEN e.id IS NULL OR e.amount <> l.gross OR l.corrects <> '' THEN 1 ELSE 0 END) AS odd
		FROM settlement_lines l LEFT JOIN reward_events e ON e.reward_id = l.source_id AND e.kind = 'cleared'
		WHERE l.settlement_id = ? AND l.line_no >= ? AND l.line_no <= ? AND l.kind = ?
		GROUP BY e.transfer_id HAVING odd > 0 OR SUM(e.amount) <> `+movedInto+`
			OR SUM(e.amount * (l.member_id % `+ownerWeight+`)) <> `+weighedInto, sid, first, last, KindReward).Scan(&list).Error
	if err != nil {
		return nil, err
	}
	odd := 0
	for _, t := range list {
		odd += t.Odd
		if t.TransferID == 0 {
			continue
		}
		said, moved, err := t.byMember(q)
		if err != nil {
			return nil, err
		}
		for _, m := range slices.Sorted(maps.Keys(moved)) {
			if said[m] != moved[m] {
				p.Break("%s: lines %d to %d stand for rewards that say %s of %s, the ledger moved %s by %s", sid, first, last, said[m], m, moved[m], t.TransferID)
			}
		}
	}
	if odd == 0 {
		return nil, nil
	}
	return oddRewards(q, sid, first, last)
}

// byMember reads a transfer whole: what its rewards say of each live member
// and what it moved to him, the same members in both. What it cleared may go on
// beyond the range; its events lie next to each other.
func (t suspect) byMember(q *database.Query) (said, moved map[id.Member]money.Amount, err error) {
	type share struct {
		Owner  id.Member
		Amount money.Amount
	}
	var rewards, legs []share
	err = q.Raw(`SELECT r.beneficiary_id AS owner, e.amount FROM reward_events e JOIN rewards r ON r.id = e.reward_id
		WHERE e.id > ? AND e.id < ? AND e.kind = 'cleared' AND e.transfer_id = ?`,
		t.First-referral.ClearingMost, t.Last+referral.ClearingMost, t.TransferID).Scan(&rewards).Error
	if err != nil {
		return nil, nil, err
	}
	err = q.Raw(`SELECT a.owner_id AS owner, x.amount FROM entries x JOIN accounts a ON a.id = x.account_id AND a.stage = 'payable'
		WHERE x.transfer_id = ?`, t.TransferID).Scan(&legs).Error
	if err != nil {
		return nil, nil, err
	}
	var owners []id.Member
	for _, s := range slices.Concat(rewards, legs) {
		owners = append(owners, s.Owner)
	}
	slices.Sort(owners)
	live, err := community.FollowMerges(q, slices.Compact(owners))
	if err != nil {
		return nil, nil, err
	}
	said, moved = map[id.Member]money.Amount{}, map[id.Member]money.Amount{}
	now := func(m id.Member) id.Member { return cmp.Or(live[m], m) }
	for _, r := range rewards {
		said[now(r.Owner)] += r.Amount
		moved[now(r.Owner)] += 0
	}
	for _, l := range legs {
		moved[now(l.Owner)] += l.Amount
	}
	return said, moved, nil
}

// oddRewards are the lines of a range whose reward was not cleared as they say.
// Most are not, and are passed over where they lie.
func oddRewards(q *database.Query, sid id.Settlement, first, last int) (map[int]bool, error) {
	var list []int
	err := q.Raw(`SELECT l.line_no FROM settlement_lines l LEFT JOIN reward_events e ON e.reward_id = l.source_id AND e.kind = 'cleared'
		WHERE l.settlement_id = ? AND l.line_no >= ? AND l.line_no <= ? AND l.kind = ? AND (e.id IS NULL OR e.amount <> l.gross OR l.corrects <> '')`,
		sid, first, last, KindReward).Scan(&list).Error
	odd := make(map[int]bool, len(list))
	for _, no := range list {
		odd[no] = true
	}
	return odd, err
}
