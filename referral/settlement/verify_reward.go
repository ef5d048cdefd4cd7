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

// cleared is one transfer that cleared rewards, by the lines that stand for
// them: what these say, in sum and weighed by member, and how many of them say
// something else than their reward.
type cleared struct {
	TransferID  id.Transfer
	First, Last int64 // events
	Odd         int
	Said        money.Amount
	Weighed     money.Amount

	from, to int // lines
}

// ownerWeight tells members apart in one sum: who got another's money gives
// another sum, unless their ids are alike modulo this prime.
const ownerWeight = "9973"

// clearedLines goes through the lines of a settlement in their order and checks
// that the transfers which cleared their rewards moved to each member what
// these say. Sums pass over what is right; what may not be is read member by
// member. A transfer that goes on beyond a range waits for the next.
type clearedLines struct {
	sid  id.Settlement
	open map[id.Transfer]cleared
}

// prove checks the lines of the next range, and returns those whose reward was
// not cleared as they say.
func (c *clearedLines) prove(q *database.Query, first, last int, p *database.Proof) (map[int]bool, error) {
	var list []cleared
	err := q.Raw(`SELECT COALESCE(e.transfer_id, 0) AS transfer_id, COALESCE(MIN(e.id), 0) AS first, COALESCE(MAX(e.id), 0) AS last,
			SUM(CASE WHEN e.id IS NULL OR e.amount <> l.gross OR l.corrects <> '' THEN 1 ELSE 0 END) AS odd,
			COALESCE(SUM(e.amount), 0) AS said, COALESCE(SUM(e.amount * (l.member_id % `+ownerWeight+`)), 0) AS weighed
		FROM settlement_lines l LEFT JOIN reward_events e ON e.reward_id = l.source_id AND e.kind = 'cleared'
		WHERE l.settlement_id = ? AND l.line_no >= ? AND l.line_no <= ? AND l.kind = ?
		GROUP BY e.transfer_id`, c.sid, first, last, KindReward).Scan(&list).Error
	if err != nil {
		return nil, err
	}
	odd, ended := 0, c.open
	c.open = make(map[id.Transfer]cleared, len(list))
	for _, t := range list {
		odd += t.Odd
		if t.TransferID == 0 {
			continue
		}
		t.from, t.to = first, last
		if before, more := ended[t.TransferID]; more {
			t.First, t.from = min(t.First, before.First), before.from
			t.Last, t.Said, t.Weighed = max(t.Last, before.Last), t.Said+before.Said, t.Weighed+before.Weighed
			delete(ended, t.TransferID)
		}
		c.open[t.TransferID] = t
	}
	if err := c.pass(q); err != nil {
		return nil, err
	}
	if err := c.check(q, ended, p); err != nil || odd == 0 {
		return nil, err
	}
	return oddRewards(q, c.sid, first, last)
}

// pass closes the transfers that moved what was said.
func (c *clearedLines) pass(q *database.Query) error {
	for part := range slices.Chunk(slices.Sorted(maps.Keys(c.open)), namedAtOnce) {
		var list []cleared
		err := q.Raw(`SELECT x.transfer_id, SUM(x.amount) AS said, SUM(x.amount * (a.owner_id % `+ownerWeight+`)) AS weighed
			FROM entries x JOIN accounts a ON a.id = x.account_id AND a.stage = 'payable' WHERE x.transfer_id IN ? GROUP BY x.transfer_id`, part).Scan(&list).Error
		if err != nil {
			return err
		}
		for _, moved := range list {
			if t := c.open[moved.TransferID]; t.Said == moved.Said && t.Weighed == moved.Weighed {
				delete(c.open, t.TransferID)
			}
		}
	}
	return nil
}

// namedAtOnce is below the number of ids from which on an engine guesses what
// an IN list will find.
const namedAtOnce = 190

// check reads what is left of transfers that no line stands for any more.
func (c *clearedLines) check(q *database.Query, left map[id.Transfer]cleared, p *database.Proof) error {
	for _, tid := range slices.Sorted(maps.Keys(left)) {
		t := left[tid]
		said, moved, err := t.byMember(q)
		if err != nil {
			return err
		}
		for _, m := range slices.Sorted(maps.Keys(moved)) {
			if said[m] != moved[m] {
				p.Break("%s: lines %d to %d stand for rewards that say %s of %s, the ledger moved %s by %s", c.sid, t.from, t.to, said[m], m, moved[m], tid)
			}
		}
	}
	return nil
}

// byMember reads a transfer whole: what its rewards say of each live member
// and what it moved to him, the same members in both. What it cleared may go on
// beyond the range; its events lie next to each other.
func (t cleared) byMember(q *database.Query) (said, moved map[id.Member]money.Amount, err error) {
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
