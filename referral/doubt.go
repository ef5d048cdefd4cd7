package referral

import (
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
)

// Doubted are the bindings of an inviter whose rewards to him the fraud review
// has stopped and nobody released yet, or has refused.
func Doubted(q *database.Query, inviter id.Member) (map[id.Binding]bool, error) {
	var list []id.Binding
	err := q.Raw("SELECT DISTINCT binding_id FROM rewards WHERE beneficiary_id = ? AND side = ? AND review IN ?",
		inviter, SideInviter, []Review{ReviewOpen, ReviewRefused}).Scan(&list).Error
	if err != nil {
		return nil, fmt.Errorf("referral: doubted of %s: %w", inviter, err)
	}
	out := make(map[id.Binding]bool, len(list))
	for _, b := range list {
		out[b] = true
	}
	return out, nil
}
