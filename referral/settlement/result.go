package settlement

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral/payee"
	"siyu/wallet"
)

// maxResults bounds one report.
const maxResults = 200

// ResultsIn reports the payments of a payout that came back.
type ResultsIn struct {
	Failed []FailedLine `json:"failed"`
}

// FailedLine is one of them, by the payout's line number.
type FailedLine struct {
	Line   int    `json:"line"`
	Reason string `json:"reason"`
}

// Validate checks the form of the input.
func (in ResultsIn) Validate() error {
	var c fault.Check
	c.That(len(in.Failed) > 0, "failed", "required", "请至少填写一行", "report at least one line")
	c.That(len(in.Failed) <= maxResults, "failed", "too_many", "一次最多 200 行", "at most 200 lines at a time")
	seen := map[int]bool{}
	for i, f := range in.Failed {
		at := fmt.Sprintf("failed[%d].", i)
		c.That(f.Line > 0, at+"line", "range", "行号从 1 起", "line numbers begin at 1")
		c.That(!seen[f.Line], at+"line", "duplicate", "行号重复", "the line is reported twice")
		c.Required(f.Reason, at+"reason")
		c.Length(f.Reason, at+"reason", 200)
		c.That(!strings.ContainsFunc(f.Reason, unicode.IsControl), at+"reason", "format", "不能含控制字符", "must not hold control characters")
		seen[f.Line] = true
	}
	return c.Err()
}

// PayoutResults takes failed payments back in the ledger, each by a transfer
// that corrects its payment. The next settlement of the unit carries them. A
// line reported before stays as it is.
func (s *Service) PayoutResults(ctx context.Context, pid id.Payout, in ResultsIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		if _, err := staff(tx); err != nil {
			return err
		}
		p, err := findPayout(tx.DB, pid, tx.Dialect.ForUpdate)
		switch {
		case err != nil:
			return err
		case !tx.Actor.Sees(p.UnitID):
			return fault.NotFound
		case p.Status != PayoutPaid:
			return ErrState.With("state", p.Status)
		}
		lines, err := reported(tx, p, in)
		if err != nil {
			return err
		}
		if err := returnTx(tx, lines); err != nil {
			return err
		}
		if err := tx.Exec("UPDATE payouts SET failed_count = failed_count + ? WHERE id = ?", len(lines), pid).Error; err != nil {
			return err
		}
		tx.SetResult("payout", int64(pid), 200)
		return database.AuditTx(tx, "payout.results", pid, nil, in)
	})
}

// reported reads the lines that the report is the first to call failed.
func reported(tx *database.Tx, p Payout, in ResultsIn) ([]PayoutLine, error) {
	reasons := make(map[int]string, len(in.Failed))
	numbers := make([]int, 0, len(in.Failed))
	for i, f := range in.Failed {
		if f.Line > p.LineCount {
			return nil, fault.Invalid.Field(fmt.Sprintf("failed[%d].line", i), "unknown_value", "该批次没有这一行", "the payout has no such line")
		}
		reasons[f.Line] = f.Reason
		numbers = append(numbers, f.Line)
	}
	var lines []PayoutLine
	err := tx.Raw("SELECT * FROM payout_lines WHERE payout_id = ? AND line_no IN ? ORDER BY id"+tx.Dialect.ForUpdate, p.ID, numbers).Scan(&lines).Error
	if err != nil {
		return nil, err
	}
	lines = slices.DeleteFunc(lines, func(l PayoutLine) bool { return l.Status == PayoutLineFailed })
	for i := range lines {
		lines[i].Reason = reasons[lines[i].LineNo]
	}
	return lines, nil
}

// returnTx takes lines back: their tax first, in the lock order, then the
// ledger.
func returnTx(tx *database.Tx, lines []PayoutLine) error {
	if len(lines) == 0 {
		return nil
	}
	members := make([]id.Member, 0, len(lines))
	for _, l := range lines {
		members = append(members, l.PaidTo)
	}
	live, err := today(tx.DB, members)
	if err != nil {
		return err
	}
	keys := make([]string, 0, len(lines))
	for _, l := range lines {
		keys = append(keys, l.key())
	}
	if _, err := payee.ReverseTx(tx, keys); err != nil {
		return err
	}
	back := make([]wallet.Transfer, 0, len(lines))
	for _, l := range lines {
		// A merge took the paid balance along, so it is taken from there.
		l.PaidTo = live[l.PaidTo]
		t := l.transfer()
		t.Key, t.Kind, t.Currency, t.Corrects = l.key()+":failed", "payout_failed", money.CNY, l.TransferID
		for i := range t.Legs {
			t.Legs[i].Amount = -t.Legs[i].Amount
		}
		back = append(back, t)
	}
	ids, err := wallet.PostManyTx(tx, back)
	if err != nil {
		return err
	}
	again, err := today(tx.DB, members)
	switch {
	case err != nil:
		return err
	case !maps.Equal(live, again):
		return fault.Unavailable.Wrap(errMerged)
	}
	for i, l := range lines {
		err := tx.Exec("UPDATE payout_lines SET status = ?, returned_by = ?, failed_at = ?, reason = ? WHERE id = ?",
			PayoutLineFailed, ids[i], tx.Now, l.Reason, l.ID).Error
		if err != nil {
			return err
		}
		if err := publishFailed(tx, l); err != nil {
			return err
		}
	}
	return nil
}
