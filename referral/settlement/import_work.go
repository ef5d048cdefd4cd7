package settlement

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"siyu/internal/database"
	"siyu/internal/id"
)

// RunImport reconciles the stored lines, each with its effect in one
// transaction, so it may be cut off anywhere.
func (s *Service) RunImport(ctx context.Context, pid id.Payout, no int) error {
	for done := false; !done; {
		err := s.DB.Tx(ctx, func(tx *database.Tx) error {
			var err error
			done, err = workTx(tx, pid, no)
			database.KillPoint("settlement:reconciled")
			return err
		})
		if errors.Is(err, errMerged) {
			done = false
			continue
		}
		if err != nil {
			return err
		}
		database.KillPoint("settlement:import")
	}
	return nil
}

func workTx(tx *database.Tx, pid id.Payout, no int) (bool, error) {
	_, p, err := lockPayout(tx, pid)
	if err != nil {
		return false, err
	}
	var rows []ImportRow
	err = tx.Raw("SELECT * FROM payout_import_rows WHERE payout_id = ? AND import_no = ? AND outcome = '' ORDER BY row_no LIMIT ?", pid, no, importChunk).Scan(&rows).Error
	switch {
	case err != nil:
		return false, err
	case len(rows) == 0:
		return true, endImportTx(tx, pid, no)
	}
	lines, err := namedLines(tx, pid, rows)
	if err != nil {
		return false, err
	}
	named, err := namedBefore(tx, pid, no)
	if err != nil {
		return false, err
	}
	var arrived, failed []PayoutLine
	for i := range rows {
		r := &rows[i]
		l := lines.of(*r)
		r.Outcome = reconcile(*r, l, l != nil && named[l.LineNo])
		if l != nil {
			named[l.LineNo], r.LineNo = true, l.LineNo
		}
		switch r.Outcome {
		case OutcomePaid:
			arrived = append(arrived, *l)
		case OutcomeFailed:
			if l.Reason = r.Reason; l.Reason == "" {
				l.Reason = string(OutcomeFailed)
			}
			failed = append(failed, *l)
		}
		if err := r.noteTx(tx, l); err != nil {
			return false, err
		}
	}
	if err := returnTx(tx, p, failed); err != nil {
		return false, err
	}
	return false, arriveTx(tx, arrived)
}

// noteTx writes what the row did; what it does to the ledger is done for many
// at once.
func (r ImportRow) noteTx(tx *database.Tx, l *PayoutLine) error {
	if r.Outcome == OutcomeUnknown {
		if err := tx.Exec("UPDATE payout_lines SET status = ?, reason = ? WHERE id = ?", PayoutLineUnknown, r.Reason, l.ID).Error; err != nil {
			return err
		}
	}
	return tx.Exec("UPDATE payout_import_rows SET outcome = ?, line_no = ? WHERE payout_id = ? AND import_no = ? AND row_no = ?",
		r.Outcome, r.LineNo, r.PayoutID, r.ImportNo, r.RowNo).Error
}

// endImportTx counts what the file does not name and closes the payout if
// nothing is on its way any more.
func endImportTx(tx *database.Tx, pid id.Payout, no int) error {
	var missing int
	err := tx.Raw(`SELECT COUNT(*) FROM payout_lines f WHERE f.payout_id = ? AND f.status IN ?
		AND NOT EXISTS (SELECT 1 FROM payout_import_rows r WHERE r.payout_id = f.payout_id AND r.import_no = ? AND r.line_no = f.line_no AND r.outcome <> ?)`, pid, flying, no, OutcomeNoLine).Scan(&missing).Error
	if err != nil {
		return err
	}
	res := tx.Exec("UPDATE payout_imports SET status = ?, missing_count = ?, done_at = ? WHERE payout_id = ? AND import_no = ? AND status = ?",
		ImportDone, missing, tx.Now, pid, no, ImportWorking)
	if res.Error != nil || res.RowsAffected == 0 {
		return res.Error
	}
	return finishTx(tx, pid)
}

// byName are lines by their number and by their bill.
type byName struct {
	number map[int]*PayoutLine
	bill   map[string]*PayoutLine
}

// of is the line that a row names. Where it names both number and bill, both
// must be of one line.
func (b byName) of(r ImportRow) *PayoutLine {
	if r.BillNo == "" {
		return b.number[r.LineNo]
	}
	l := b.bill[r.BillNo]
	if l != nil && r.LineNo > 0 && l.LineNo != r.LineNo {
		return nil
	}
	return l
}

func namedLines(tx *database.Tx, pid id.Payout, rows []ImportRow) (byName, error) {
	var numbers []int
	ids := []int64{0}
	for _, r := range rows {
		numbers = append(numbers, r.LineNo)
		if n, err := strconv.ParseInt(strings.TrimPrefix(r.BillNo, "P"), 10, 64); err == nil {
			ids = append(ids, n)
		}
	}
	var list []*PayoutLine
	err := tx.Raw("SELECT * FROM payout_lines WHERE payout_id = ? AND (line_no IN ? OR id IN ?) ORDER BY id"+tx.Dialect.ForUpdate, pid, numbers, ids).Scan(&list).Error
	out := byName{map[int]*PayoutLine{}, map[string]*PayoutLine{}}
	for _, l := range list {
		out.number[l.LineNo], out.bill[l.BillNo()] = l, l
	}
	return out, err
}

// namedBefore are the lines that worked rows of the import named.
func namedBefore(tx *database.Tx, pid id.Payout, no int) (map[int]bool, error) {
	var list []int
	err := tx.Raw("SELECT line_no FROM payout_import_rows WHERE payout_id = ? AND import_no = ? AND outcome NOT IN ?", pid, no, []Outcome{"", OutcomeNoLine}).Scan(&list).Error
	out := make(map[int]bool, len(list))
	for _, n := range list {
		out[n] = true
	}
	return out, err
}
