package referral

import (
	"fmt"
	"slices"
	"strings"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral/review"
)

// PeersMost is how many of those who filled a team its opener is weighed
// against, the first who ordered: each is looked at by itself.
const PeersMost = 8

// keepPeersTx notes with whom a team formed.
func keepPeersTx(tx *database.Tx, fact string, peers []id.Member) error {
	if len(peers) == 0 {
		return nil
	}
	rows := make([]any, len(peers))
	for i, m := range peers {
		rows[i] = []any{fact, m}
	}
	err := tx.Exec("INSERT INTO fee_peers (fact, member_id) VALUES "+strings.Repeat("?,", len(rows)-1)+"?", rows...).Error
	if err != nil {
		return fmt.Errorf("referral: peers of %s: %w", fact, err)
	}
	return nil
}

// peersOf are the others of an opener's team as they are today.
func peersOf(q *database.Query, r Reward) ([]id.Member, error) {
	if r.Side != SideOpener {
		return nil, nil
	}
	var peers []id.Member
	if err := q.Raw("SELECT member_id FROM fee_peers WHERE fact = ? ORDER BY member_id", r.Fact).Scan(&peers).Error; err != nil {
		return nil, fmt.Errorf("referral: peers of %s: %w", r.Fact, err)
	}
	today, err := community.FollowMerges(q, peers)
	if err != nil {
		return nil, err
	}
	for i, m := range peers {
		peers[i] = today[m]
	}
	slices.Sort(peers)
	return slices.DeleteFunc(slices.Compact(peers), func(m id.Member) bool { return m == 0 || m == r.BeneficiaryID }), nil
}

// weigh assesses what is known around a reward. An opener is weighed with each
// of those who filled his team as if he had brought him, and the sternest word
// counts: who fills a team with accounts of his own shows himself so. That one
// of them is on the blocklist is not his doing.
func weigh(tx *database.Tx, p review.Policy, r Reward) (review.Facts, review.Assessment, error) {
	peers, err := peersOf(tx.DB, r)
	if err != nil {
		return review.Facts{}, review.Assessment{}, err
	}
	if len(peers) == 0 {
		f, err := factsOf(tx, r)
		return f, review.Assess(p, f), err
	}
	var facts review.Facts
	var word review.Assessment
	for i, m := range peers {
		f := review.Facts{Now: tx.Now, BoundAt: r.EarnedAt, Inviter: r.BeneficiaryID, Invitee: m}
		for _, other := range peers {
			f.Invitations = append(f.Invitations, review.Invitation{Inviter: r.BeneficiaryID, Invitee: other, At: r.EarnedAt})
		}
		if f, err = review.Around(tx.DB, f); err != nil {
			return f, word, err
		}
		f.Blocked = slices.DeleteFunc(f.Blocked, func(b id.Member) bool { return b == m })
		if w := review.Assess(p, f); i == 0 || w.Outcome.Sterner(word.Outcome) {
			facts, word = f, w
		}
	}
	return facts, word, nil
}
