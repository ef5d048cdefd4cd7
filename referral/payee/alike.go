package payee

import (
	"fmt"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Paid is what a member was, or is, to be paid under: who bears the identity
// number, and a keyed hash of the account.
type Paid struct {
	Member   id.Member
	Taxpayer int64
	Account  string
}

// alikeMost bounds who else is read.
const alikeMost = 500

// Alike is what the members are paid under, and who else is paid under the
// same number or account; at most 200 members at a time. Versions that were
// rejected or erased do not count. Merged members are shown as who they are
// today.
func Alike(q *database.Query, members []id.Member) ([]Paid, error) {
	if len(members) > maxAtOnce {
		return nil, fmt.Errorf("payee: %d at once, at most %d", len(members), maxAtOnce)
	}
	own, err := paidWhere(q, "p.member_id IN ?", members)
	if err != nil || len(own) == 0 {
		return nil, err
	}
	var numbers []int64
	var accounts []string
	for _, p := range own {
		numbers = append(numbers, p.Taxpayer)
		if p.Account != "" {
			accounts = append(accounts, p.Account)
		}
	}
	byNumber, err := paidWhere(q, "v.taxpayer_id IN ?", numbers[:min(len(numbers), maxAtOnce)])
	if err != nil {
		return nil, err
	}
	all := append(own, byNumber...)
	if len(accounts) > 0 {
		byAccount, err := paidWhere(q, "v.account_hash IN ?", accounts[:min(len(accounts), maxAtOnce)])
		if err != nil {
			return nil, err
		}
		all = append(all, byAccount...)
	}
	people := make([]id.Member, len(all))
	for i, p := range all {
		people[i] = p.Member
	}
	today, err := community.FollowMerges(q, people)
	if err != nil {
		return nil, err
	}
	for i, p := range all {
		if into := today[p.Member]; into != 0 {
			all[i].Member = into
		}
	}
	return all, nil
}

func paidWhere(q *database.Query, where string, in any) ([]Paid, error) {
	var rows []Paid
	err := q.Raw(`SELECT DISTINCT p.member_id AS member, v.taxpayer_id AS taxpayer, v.account_hash AS account
		FROM payees p JOIN payee_versions v ON v.payee_id = p.id
		WHERE `+where+` AND v.status IN ? ORDER BY p.member_id LIMIT ?`, in, []Status{StatusActive, StatusPending, StatusReplaced}, alikeMost).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("payee: alike: %w", err)
	}
	return rows, nil
}
