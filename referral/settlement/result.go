package settlement

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
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

// PayoutResults takes failed payments back. A line reported before stays as it
// is.
func (s *Service) PayoutResults(ctx context.Context, pid id.Payout, in ResultsIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		if _, err := staff(tx); err != nil {
			return err
		}
		_, p, err := lockPayout(tx, pid)
		switch {
		case err != nil:
			return err
		case p.Status != PayoutPaid && p.Status != PayoutSent:
			return ErrPaying.With("state", p.Status)
		}
		lines, err := reported(tx, p, in)
		if err != nil {
			return err
		}
		for _, l := range lines {
			if l.allTax() {
				return ErrNothingSent.With("line", l.LineNo)
			}
		}
		if p.Channel == ChannelBills {
			if err := giveUpTx(tx, lines); err != nil {
				return err
			}
		}
		if err := returnTx(tx, p, lines); err != nil {
			return err
		}
		if err := finishTx(tx, pid); err != nil {
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
