package community

import (
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// FactKind is what an upper room knows about a member and this room needs.
type FactKind string

// The kinds; Ref is the order, the reward and the binding.
const (
	FactOrderPaid    FactKind = "order_paid"
	FactRewardOpen   FactKind = "reward_open"
	FactReferralKept FactKind = "referral_kept"
)

// Fact is one thing that happened to a member.
type Fact struct {
	Member id.Member
	Kind   FactKind
	Ref    int64
	At     clock.Milli
	Amount money.Amount // of a paid order
}

// FactTx writes a fact; the same one again changes nothing.
func FactTx(tx *database.Tx, f Fact) error {
	err := tx.Exec("INSERT INTO member_facts (id, member_id, kind, ref, at, amount) VALUES (?, ?, ?, ?, ?, ?)",
		tx.Next(), f.Member, f.Kind, f.Ref, f.At, f.Amount).Error
	if err == nil || database.IsDuplicate(err) {
		return nil
	}
	return fmt.Errorf("community: fact %s of %s: %w", f.Kind, f.Member, err)
}

// HasFact says whether the live member has a fact of the kind.
func HasFact(q *database.Query, member id.Member, kind FactKind) (bool, error) {
	var n int
	err := q.Raw("SELECT EXISTS (SELECT 1 FROM member_facts WHERE member_id = ? AND kind = ?)", member, kind).Scan(&n).Error
	if err != nil {
		return false, fmt.Errorf("community: fact %s of %s: %w", kind, member, err)
	}
	return n > 0, nil
}

// HasFactBeside says whether the live member has a fact of the kind about
// anything but ref: whether an order is his first, say.
func HasFactBeside(q *database.Query, member id.Member, kind FactKind, ref int64) (bool, error) {
	var n int
	err := q.Raw("SELECT EXISTS (SELECT 1 FROM member_facts WHERE member_id = ? AND kind = ? AND ref <> ?)", member, kind, ref).Scan(&n).Error
	if err != nil {
		return false, fmt.Errorf("community: fact %s of %s: %w", kind, member, err)
	}
	return n > 0, nil
}

// KeptIn says which of the live members stayed: they are in a group today, or
// bought more than once.
func KeptIn(q *database.Query, members []id.Member) ([]id.Member, error) {
	var list []id.Member
	err := q.Raw(`SELECT member_id FROM memberships WHERE member_id IN ? AND left_at = 0
		UNION SELECT member_id FROM member_facts WHERE member_id IN ? AND kind = ? GROUP BY member_id HAVING COUNT(*) > 1`,
		members, members, FactOrderPaid).Scan(&list).Error
	if err != nil {
		return nil, fmt.Errorf("community: kept: %w", err)
	}
	return list, nil
}
