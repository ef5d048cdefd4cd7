package referral

import (
	"context"
	"fmt"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
)

// verifyFees proves of V22 what owners and KOCs were paid: for an order only
// by a code that names a group, for a month only on a line of a proposal that
// two people decided.
func verifyFees(ctx context.Context, db *database.DB) (database.Proof, error) {
	p := database.Proof{ID: "V22", Says: "fees of owners and KOCs are for orders of their group, or for a month by the word of two people"}
	_, err := db.InRanges(ctx, "rewards", "id", span, func(q *database.Query, after, upto int64) error {
		var rows []struct {
			Reward
			Owned int64
		}
		err := q.Raw("SELECT "+rewardColumns+`, COALESCE(b.group_id, 0) AS owned FROM rewards r LEFT JOIN bindings b ON b.id = r.binding_id
			WHERE r.id > ? AND r.id <= ? AND r.side IN ?`, after, upto, []Side{SideGroupOwner, SideKOC}).Scan(&rows).Error
		if err != nil {
			return err
		}
		for _, r := range rows {
			p.Checked++
			if r.OrderID != 0 || r.Side == SideGroupOwner {
				if r.OrderID == 0 || r.Owned == 0 {
					p.Break("reward %s is a fee of a %s for no order of a group", r.ID, r.Side)
				}
				continue
			}
			if err := proveMonth(q, r.Reward, &p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return p, fmt.Errorf("referral: verify fees: %w", err)
	}
	return p, nil
}

// proveMonth looks for the line that a month's reward stands on.
func proveMonth(q *database.Query, r Reward, p *database.Proof) error {
	were, err := community.MergedInto(q, []id.Member{r.BeneficiaryID})
	if err != nil {
		return err
	}
	var lines []KOCProposal
	err = q.Raw(`SELECT p.id, p.group_id, p.month_no, p.proposed_by, p.decided_by FROM koc_lines l JOIN koc_proposals p ON p.id = l.proposal_id
		WHERE l.member_id IN ? AND l.freed = 0 AND p.status = ? AND p.program_id = ? AND p.program_version = ?`,
		append(were[r.BeneficiaryID], r.BeneficiaryID), KOCApproved, r.ProgramID, r.ProgramVersion).Scan(&lines).Error
	if err != nil {
		return err
	}
	for _, l := range lines {
		if kocFact(l.GroupID, l.Month) != r.Fact {
			continue
		}
		if l.ProposedBy == 0 || l.DecidedBy == 0 || l.ProposedBy == l.DecidedBy {
			p.Break("proposal %s was decided without two people", l.ID)
		}
		return nil
	}
	p.Break("reward %s stands on no line that was approved", r.ID)
	return nil
}
