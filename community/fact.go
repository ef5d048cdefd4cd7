package community

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// FactKind is what an upper room knows about a member and this room needs.
type FactKind string

// The kinds; Ref is the order, the reward, the binding, the team of a paid
// order, and the order of one whom the member brought.
const (
	FactOrderPaid    FactKind = "order_paid"
	FactRewardOpen   FactKind = "reward_open"
	FactReferralKept FactKind = "referral_kept"
	FactTeamPaid     FactKind = "team_paid"
	FactReferredPaid FactKind = "referred_paid"
)

// Fact is one thing that happened to a member.
type Fact struct {
	Member id.Member
	Kind   FactKind
	Ref    int64
	At     clock.Milli
	Amount money.Amount // of a paid order, his own; of one he brought, what was kept of it
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

// ReferredKeptTx notes what is kept of an order that somebody brought, after a
// refund. Of one that nobody brought there is nothing to note.
func ReferredKeptTx(tx *database.Tx, order id.Order, kept money.Amount) error {
	err := tx.Exec("UPDATE member_facts SET amount = ? WHERE kind = ? AND ref = ?", kept, FactReferredPaid, order).Error
	if err != nil {
		return fmt.Errorf("community: what is kept of %s: %w", order, err)
	}
	return nil
}

// factsAtOnce is below the number of ids from which on an engine guesses what an
// IN list will find.
const factsAtOnce = 190

// FactsTx writes facts, one statement for all of them; those that stand change
// nothing.
func FactsTx(tx *database.Tx, list []Fact) error {
	type key struct {
		kind   FactKind
		ref    int64
		member id.Member
	}
	refs := map[FactKind]map[int64]bool{}
	for _, f := range list {
		if refs[f.Kind] == nil {
			refs[f.Kind] = map[int64]bool{}
		}
		refs[f.Kind][f.Ref] = true
	}
	stand := map[key]bool{}
	for kind, of := range refs {
		for part := range slices.Chunk(slices.Sorted(maps.Keys(of)), factsAtOnce) {
			err := tx.Queries(database.Read{
				SQL:  "SELECT ref, member_id FROM member_facts WHERE kind = ? AND ref IN ?",
				Args: []any{string(kind), part},
				Row: func(rows database.Row) error {
					var ref, member int64
					err := rows.Scan(&ref, &member)
					stand[key{kind, ref, id.Member(member)}] = true
					return err
				},
			})
			if err != nil {
				return fmt.Errorf("community: facts %s: %w", kind, err)
			}
		}
	}
	var fresh []Fact
	for _, f := range list {
		if k := (key{f.Kind, f.Ref, f.Member}); !stand[k] {
			stand[k] = true
			fresh = append(fresh, f)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	rows := make([]any, len(fresh))
	for i, f := range fresh {
		rows[i] = []any{tx.Next(), f.Member, f.Kind, f.Ref, f.At, f.Amount}
	}
	err := tx.Exec("INSERT INTO member_facts (id, member_id, kind, ref, at, amount) VALUES "+strings.Repeat("?,", len(rows)-1)+"?", rows...).Error
	if !database.IsDuplicate(err) {
		return err
	}
	for _, f := range fresh { // a twin wrote one meanwhile
		if err := FactTx(tx, f); err != nil {
			return err
		}
	}
	return nil
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

// HasFactSince says whether the live member has a fact of the kind of that
// moment or later.
func HasFactSince(q *database.Query, member id.Member, kind FactKind, since clock.Milli) (bool, error) {
	var n int
	err := q.Raw("SELECT EXISTS (SELECT 1 FROM member_facts WHERE member_id = ? AND kind = ? AND at >= ?)", member, kind, since).Scan(&n).Error
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

// FactsOf are the live members' facts of a kind, by when they happened.
func FactsOf(q *database.Query, members []id.Member, kind FactKind) ([]Fact, error) {
	var list []Fact
	err := q.Raw("SELECT member_id AS member, kind, ref, at, amount FROM member_facts WHERE member_id IN ? AND kind = ? ORDER BY at, id", members, kind).Scan(&list).Error
	if err != nil {
		return nil, fmt.Errorf("community: facts: %w", err)
	}
	return list, nil
}

// CountFacts counts the members' facts of these kinds from one moment to before
// another.
func CountFacts(q *database.Query, members []id.Member, kinds []FactKind, from, to clock.Milli) (map[id.Member]map[FactKind]int64, error) {
	var rows []struct {
		MemberID id.Member
		Kind     FactKind
		N        int64
	}
	err := q.Raw("SELECT member_id, kind, COUNT(*) AS n FROM member_facts WHERE member_id IN ? AND kind IN ? AND at >= ? AND at < ? GROUP BY member_id, kind",
		members, kinds, from, to).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("community: count facts: %w", err)
	}
	out := make(map[id.Member]map[FactKind]int64, len(members))
	for _, r := range rows {
		if out[r.MemberID] == nil {
			out[r.MemberID] = map[FactKind]int64{}
		}
		out[r.MemberID][r.Kind] = r.N
	}
	return out, nil
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
