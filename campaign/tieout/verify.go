package tieout

import (
	"context"
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Verify proves V24: the totals of a finished tie-out are its lines; what the
// statement and the mall come to of a kind differs by the sum of the
// differences; none is tied that has any, and what is explained was explained
// by others than who approved it.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V24", Says: "a finished tie-out accounts for every fen by which its sides differ"}
	for last := id.TieOut(0); ; {
		var list []TieOut
		err := db.Snapshot(ctx, func(q *database.Query) error {
			list = nil
			err := q.Raw("SELECT * FROM tieouts WHERE id > ? AND status IN ? ORDER BY id LIMIT 5", last, []Status{StatusTied, StatusDiffers, StatusExplained}).Scan(&list).Error
			if err != nil {
				return err
			}
			for _, t := range list {
				if err := check(q, t, &p); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("tieout: verify: %w", err)
		}
		if len(list) == 0 {
			return []database.Proof{p}, nil
		}
		last = list[len(list)-1].ID
	}
}

func check(q *database.Query, t TieOut, p *database.Proof) error {
	p.Checked++
	var told []Total
	if err := q.Raw("SELECT side, kind, line_count, amount FROM tieout_totals WHERE tieout_id = ? AND run_no = ?", t.ID, t.Run).Scan(&told).Error; err != nil {
		return err
	}
	real, err := sumsOf(q, t.ID)
	if err != nil {
		return err
	}
	type place struct {
		side Side
		kind Kind
	}
	left := map[place]Total{}
	for _, x := range real {
		left[place{x.Side, x.Kind}] = x
	}
	for _, x := range told {
		if left[place{x.Side, x.Kind}] != x {
			p.Break("%s: %s of %s come to %d lines, %s; its lines say otherwise", t.ID, x.Kind, x.Side, x.Lines, x.Amount)
		}
	}
	if len(told) != len(real) {
		p.Break("%s: it has %d totals, its lines have %d", t.ID, len(told), len(real))
	}
	var found struct{ Found, Unsaid, Mine int }
	err = q.Raw(`SELECT COUNT(*) AS found, COALESCE(SUM(CASE WHEN explained_by = 0 THEN 1 ELSE 0 END), 0) AS unsaid, COALESCE(SUM(CASE WHEN explained_by = ? THEN 1 ELSE 0 END), 0) AS mine
		FROM tieout_differences WHERE tieout_id = ? AND run_no = ?`, t.ApprovedBy, t.ID, t.Run).Scan(&found).Error
	if err != nil {
		return err
	}
	if found.Found != t.Differences || found.Unsaid != t.Open || (t.Status == StatusTied) != (found.Found == 0) {
		p.Break("%s is %s with %d differences, %d open; there are %d and %d", t.ID, t.Status, t.Differences, t.Open, found.Found, found.Unsaid)
	}
	if t.Status == StatusExplained && (found.Unsaid > 0 || found.Mine > 0) {
		p.Break("%s: %d differences of an approved day are open, %d explained by who approved it", t.ID, found.Unsaid, found.Mine)
	}
	for _, kind := range []Kind{KindPayment, KindRefund} {
		var sum money.Amount
		err := q.Raw("SELECT COALESCE(SUM(statement_amount - mall_amount), 0) FROM tieout_differences WHERE tieout_id = ? AND run_no = ? AND kind = ?", t.ID, t.Run, kind).Scan(&sum).Error
		if err != nil {
			return err
		}
		if by := left[place{SideStatement, kind}].Amount - left[place{SideMall, kind}].Amount; by != sum {
			p.Break("%s: statement and mall differ by %s in %s, its differences make %s", t.ID, by, kind, sum)
		}
	}
	return nil
}
