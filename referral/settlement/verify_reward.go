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
// them: what their events say, in sum and weighed by member.
type cleared struct {
	TransferID  id.Transfer
	First, Last int64 // events
	Said        money.Amount
	Weighed     money.Amount

	from, to int // lines
}

// add takes the event of one more line into account.
func (t cleared) add(l sourced) cleared {
	if t.TransferID == 0 {
		t = cleared{TransferID: l.transfer, First: l.event, Last: l.event, from: l.LineNo}
	}
	t.First, t.Last, t.to = min(t.First, l.event), max(t.Last, l.event), l.LineNo
	t.Said += l.cleared
	t.Weighed += l.cleared * money.Amount(l.MemberID%ownerWeight)
	return t
}

// ownerWeight tells members apart in one sum: who got another's money gives
// another sum, unless their ids are alike modulo this prime.
const ownerWeight = 9973

// clearedLines goes through the lines of a settlement in their order and checks
// that the transfers which cleared their rewards moved to each member what
// these say. Sums pass over what is right; what may not be is read member by
// member. A transfer that goes on beyond a range waits for the next.
type clearedLines struct {
	sid  id.Settlement
	open map[id.Transfer]cleared
}

// prove checks the lines of the next range.
func (c *clearedLines) prove(q *database.Query, lines []sourced, p *database.Proof) error {
	ended := c.open
	c.open = map[id.Transfer]cleared{}
	for _, l := range lines {
		if l.Kind != KindReward || l.transfer == 0 {
			continue
		}
		t, more := c.open[l.transfer]
		if !more {
			t = ended[l.transfer]
			delete(ended, l.transfer)
		}
		c.open[l.transfer] = t.add(l)
	}
	if err := c.pass(q); err != nil {
		return err
	}
	return c.check(q, ended, p)
}

// pass closes the transfers that moved what was said.
func (c *clearedLines) pass(q *database.Query) error {
	for part := range slices.Chunk(slices.Sorted(maps.Keys(c.open)), namedAtOnce) {
		var list []cleared
		err := q.Raw(`SELECT x.transfer_id, SUM(x.amount) AS said, SUM(x.amount * (a.owner_id % ?)) AS weighed
			FROM entries x JOIN accounts a ON a.id = x.account_id AND a.stage = 'payable' WHERE x.transfer_id IN ? GROUP BY x.transfer_id`, ownerWeight, part).Scan(&list).Error
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
