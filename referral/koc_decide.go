package referral

import (
	"context"
	"fmt"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// ApproveKOC pays a proposal by the rules that it froze, by the word of
// somebody else than who proposed it: each member once for the group and month,
// within caps and budget. The rewards are reviewed and mature like others.
func (s *Service) ApproveKOC(ctx context.Context, which id.KOCProposal) error {
	return s.decideKOC(ctx, which, KOCApproved, "", func(tx *database.Tx, p KOCProposal) error {
		if p.ProposedBy == tx.Actor.Staff {
			return ErrKOCSamePerson
		}
		return p.payTx(tx)
	})
}

// RefuseKOC ends a proposal without paying it; its members may be proposed
// again. Who proposed it may take it back so.
func (s *Service) RefuseKOC(ctx context.Context, which id.KOCProposal, reason string) error {
	var c fault.Check
	c.Required(reason, "reason")
	c.Length(reason, "reason", noteMost)
	if err := c.Err(); err != nil {
		return err
	}
	return s.decideKOC(ctx, which, KOCRefused, reason, func(tx *database.Tx, p KOCProposal) error {
		if err := tx.Exec("UPDATE koc_lines SET freed = ? WHERE proposal_id = ?", p.ID, p.ID).Error; err != nil {
			return fmt.Errorf("referral: free %s: %w", p.ID, err)
		}
		return nil
	})
}

// decideKOC ends a proposal once, with its row locked.
func (s *Service) decideKOC(ctx context.Context, which id.KOCProposal, to KOCStatus, reason string, and func(*database.Tx, KOCProposal) error) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		if tx.Actor.Staff == 0 {
			return fault.Forbidden
		}
		p, err := kocProposal(tx.DB, tx.Actor, which, tx.Dialect.ForUpdate)
		if err != nil {
			return err
		}
		res := tx.Exec("UPDATE koc_proposals SET status = ?, decided_by = ?, decided_at = ?, reason = ? WHERE id = ?"+tx.Only("status = ?"),
			to, tx.Actor.Staff, tx.Now, reason, p.ID, KOCProposed)
		if err := database.One(res, ErrKOCState.With("state", p.Status)); err != nil {
			return err
		}
		if err := and(tx, p); err != nil {
			return err
		}
		tx.SetResult("koc_proposal", int64(p.ID), 200)
		return database.AuditTx(tx, "koc."+string(to), p.ID, p.Status, reason)
	})
}

// kocFact names what a KOC is paid for without an order.
func kocFact(g id.Group, month int) string { return fmt.Sprintf("koc:%s:%d", g, month) }

// payTx writes the rewards. Who became another named member since, or was paid
// for the group and month by another program before they were one, is paid
// once.
func (p KOCProposal) payTx(tx *database.Tx) error {
	var status ProgramStatus
	if err := tx.Raw("SELECT status FROM programs WHERE id = ?", p.ProgramID).Row().Scan(&status); err != nil {
		return fmt.Errorf("referral: %s: %w", p.ProgramID, err)
	}
	if status != ProgramActive {
		return ErrProgramState.With("state", status)
	}
	rules, err := rulesOf(tx.DB, p.ProgramID, p.ProgramVersion)
	if err != nil {
		return err
	}
	lines, err := kocLines(tx.DB, p.ID)
	if err != nil {
		return err
	}
	people := make([]id.Member, len(lines))
	for i, l := range lines {
		people[i] = l.MemberID
	}
	today, err := lockTodayTx(tx, people)
	if err != nil {
		return err
	}
	fact := kocFact(p.GroupID, p.Month)
	for _, l := range lines {
		who := today[l.MemberID]
		if who == 0 {
			continue // erased
		}
		var paid int
		if err := tx.Raw("SELECT COUNT(*) FROM rewards WHERE beneficiary_id = ? AND fact = ?", who, fact).Scan(&paid).Error; err != nil {
			return fmt.Errorf("referral: paid to %s: %w", who, err)
		}
		if paid > 0 {
			continue
		}
		strong, err := community.StrongIn(tx.DB, []id.Member{who})
		if err != nil {
			return err
		}
		a := act{fact: fact, maturesAt: tx.Now.Add(days(rules.HoldDaysAfterReceipt)), to: map[Side]id.Member{SideKOC: who}}
		a.Unit, a.Frozen = p.UnitID, Frozen{Program: p.ProgramID, Version: p.ProgramVersion, Group: p.GroupID}
		if err := earnTx(tx, rules, a, rules.ownWork(SideKOC, 0, strong[who])); err != nil {
			return err
		}
	}
	return nil
}
