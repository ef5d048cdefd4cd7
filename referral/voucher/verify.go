package voucher

import (
	"context"
	"fmt"

	"siyu/internal/database"
	"siyu/internal/money"
)

// Verify proves V21: the vouchers of a day are what its close moved, sort by
// sort, and balance. That a close is what its transfers say is V17.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V21", Says: "vouchers of a day are what the ledger moved on it"}
	err := db.Snapshot(ctx, func(q *database.Query) error {
		var sets []Set
		if err := q.Raw("SELECT " + setColumns + " FROM voucher_sets ORDER BY close_no, chart_no").Scan(&sets).Error; err != nil {
			return err
		}
		for _, set := range sets {
			p.Checked++
			lines, err := linesOf(q, set)
			if err != nil {
				return err
			}
			set.Lines = lines
			if err := checkSet(q, set, &p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("voucher: verify: %w", err)
	}
	return []database.Proof{p}, nil
}

// sort is what both a close and its vouchers tell apart.
type sort struct{ Kind, Stage, OwnerKind string }

func checkSet(q *database.Query, set Set, p *database.Proof) error {
	var moved []struct {
		Kind, Stage, OwnerKind string
		Came, Went             money.Amount
	}
	err := q.Raw("SELECT kind, stage, owner_kind, came, went FROM ledger_close_lines WHERE close_no = ? AND currency = ?", set.CloseNo, money.CNY).Scan(&moved).Error
	if err != nil {
		return err
	}
	left := map[sort][2]money.Amount{}
	for _, m := range moved {
		left[sort{m.Kind, m.Stage, m.OwnerKind}] = [2]money.Amount{m.Went, m.Came}
	}
	var debit, credit money.Amount
	for _, l := range set.Lines {
		k := sort{l.Kind, l.Stage, l.OwnerKind}
		n := left[k]
		left[k] = [2]money.Amount{n[0] - l.Debit, n[1] - l.Credit}
		debit, credit = debit+l.Debit, credit+l.Credit
	}
	for k, n := range left {
		if n != [2]money.Amount{} {
			p.Break("vouchers of %d by chart %d: %s at %s of %s differs from the ledger by %s debit, %s credit", set.Day, set.ChartNo, k.Kind, k.Stage, k.OwnerKind, n[0], n[1])
		}
	}
	if debit != set.Debit || credit != set.Credit || debit != credit || len(set.Lines) != set.Count {
		p.Break("vouchers of %d by chart %d: their lines are %d, %s debit and %s credit, the set says %d, %s and %s", set.Day, set.ChartNo, len(set.Lines), debit, credit, set.Count, set.Debit, set.Credit)
	}
	return nil
}
