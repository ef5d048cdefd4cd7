package tieout

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/sheet"
)

// ExplainIn gives differences a reason: those numbered, or all open ones of a
// sort, at most 1,000 at once.
type ExplainIn struct {
	Run     int    `json:"run"`
	Numbers []int  `json:"numbers"`
	Sort    Sort   `json:"difference"`
	Reason  string `json:"reason"`
}

// explainMost is how many differences of a sort one call explains.
const explainMost = 1000

// Validate checks the reason and what it is for.
func (in ExplainIn) Validate() error {
	var c fault.Check
	c.Required(in.Reason, "reason")
	c.Length(in.Reason, "reason", 200)
	c.That((len(in.Numbers) > 0) != (in.Sort != ""), "numbers", "combination", "numbers 与 difference 二选一", "give either numbers or a difference")
	if in.Sort != "" {
		c.OneOf(string(in.Sort), "difference", sorts...)
	}
	c.That(len(in.Numbers) < 200, "numbers", "range", "一次最多 199 笔", "at most 199 at once")
	return c.Err()
}

// Explain writes the reason; one that stands is replaced only by number.
func (s *Service) Explain(ctx context.Context, tid id.TieOut, in ExplainIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := staff(tx)
		if err != nil {
			return err
		}
		t, err := lockResult(tx, tid, in.Run)
		if err != nil {
			return err
		}
		cond, args := " AND diff_no IN ?", []any{in.Numbers}
		if in.Sort != "" {
			var last int
			err := tx.Raw(`SELECT COALESCE(MAX(diff_no), 0) FROM (SELECT diff_no FROM tieout_differences
				WHERE tieout_id = ? AND run_no = ? AND difference = ? AND explained_by = 0 ORDER BY diff_no LIMIT ?) first_ones`, tid, t.Run, in.Sort, explainMost).Scan(&last).Error
			if err != nil {
				return err
			}
			cond, args = " AND difference = ? AND explained_by = 0 AND diff_no <= ?", []any{in.Sort, last}
		}
		err = tx.Exec("UPDATE tieout_differences SET reason = ?, explained_by = ?, explained_at = ? WHERE tieout_id = ? AND run_no = ?"+cond,
			append([]any{in.Reason, who, tx.Now, tid, t.Run}, args...)...).Error
		if err != nil {
			return fmt.Errorf("tieout: explaining %s: %w", tid, err)
		}
		if t.Open, err = unexplained(tx.DB, t); err != nil {
			return err
		}
		if err := t.save(tx); err != nil {
			return err
		}
		tx.SetResult("tieout", int64(tid), 200)
		return database.AuditTx(tx, "tieout.explain", tid, nil, map[string]any{"run": t.Run, "numbers": in.Numbers, "difference": in.Sort, "reason": in.Reason, "open": t.Open})
	})
}

// lockResult locks a tie-out whose newest result is that of the run, and
// differs.
func lockResult(tx *database.Tx, tid id.TieOut, run int) (TieOut, error) {
	t, err := lock(tx, tid)
	switch {
	case err != nil:
		return t, err
	case t.Status == StatusExplained:
		return t, ErrFinal
	case t.Status != StatusDiffers:
		return t, ErrState.With("state", t.Status)
	case t.Run != run:
		return t, ErrRun.With("run", t.Run)
	}
	return t, nil
}

func unexplained(q *database.Query, t TieOut) (n int, err error) {
	err = q.Raw("SELECT COUNT(*) FROM tieout_differences WHERE tieout_id = ? AND run_no = ? AND explained_by = 0", t.ID, t.Run).Scan(&n).Error
	return n, err
}

// ApproveIn names the run whose explanations were read.
type ApproveIn struct {
	Run int `json:"run"`
}

// Approve is the second person's word; after it the day never changes.
func (s *Service) Approve(ctx context.Context, tid id.TieOut, in ApproveIn) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := staff(tx)
		if err != nil {
			return err
		}
		t, err := lockResult(tx, tid, in.Run)
		if err != nil {
			return err
		}
		if t.Open, err = unexplained(tx.DB, t); err != nil {
			return err
		}
		if t.Open > 0 {
			return ErrOpen.With("open", t.Open)
		}
		var mine int
		if err := tx.Raw("SELECT COUNT(*) FROM tieout_differences WHERE tieout_id = ? AND run_no = ? AND explained_by = ?", tid, t.Run, who).Scan(&mine).Error; err != nil {
			return err
		}
		if mine > 0 {
			return ErrSame
		}
		t.Status, t.ApprovedBy, t.ApprovedAt = StatusExplained, who, tx.Now
		if err := t.save(tx); err != nil {
			return err
		}
		tx.SetResult("tieout", int64(tid), 200)
		return database.AuditTx(tx, "tieout.approve", tid, nil, map[string]any{"run": t.Run, "differences": t.Differences})
	})
}

// ListDifferences pages the differences of the newest run, in the order of
// their numbers, of one sort or all.
func (s *Service) ListDifferences(ctx context.Context, tid id.TieOut, sort Sort, page database.Page) (database.Paged[Difference], error) {
	t, err := s.Find(ctx, tid)
	if err != nil {
		return database.Paged[Difference]{}, err
	}
	rows, err := differences(s.DB.Read(ctx), t, sort, page.Before, page.Fetch())
	return database.Cut(page, rows, func(d Difference) int64 { return int64(d.DiffNo) }), err
}

func differences(q *database.Query, t TieOut, sort Sort, after int64, most int) (rows []Difference, err error) {
	cond, args := "", []any{t.ID, t.Run, after}
	if sort != "" {
		cond, args = " AND difference = ?", append(args, sort)
	}
	err = q.Raw("SELECT * FROM tieout_differences WHERE tieout_id = ? AND run_no = ? AND diff_no > ?"+cond+" ORDER BY diff_no LIMIT ?", append(args, most)...).Scan(&rows).Error
	return rows, err
}

// WriteCSV writes all differences of the newest run, some in memory at a time.
func (s *Service) WriteCSV(ctx context.Context, t TieOut, to io.Writer) error {
	w := csv.NewWriter(to)
	heads := []string{"number", "difference", "kind", "no", "order_id", "mall_fen", "siyu_fen", "statement_fen", "other_day", "reason", "explained_by"}
	if err := w.Write(heads); err != nil {
		return err
	}
	for after := int64(0); ; {
		rows, err := differences(s.DB.Read(ctx), t, "", after, chunk)
		if err != nil {
			return err
		}
		for _, d := range rows {
			if err := w.Write(d.cells()); err != nil {
				return err
			}
			after = int64(d.DiffNo)
		}
		if len(rows) < chunk {
			w.Flush()
			return w.Error()
		}
	}
}

func (d Difference) cells() []string {
	day, order, by := "", "", ""
	if d.OtherDay != 0 {
		day = strconv.Itoa(d.OtherDay)
	}
	if d.OrderID != 0 {
		order = d.OrderID.String()
	}
	if d.ExplainedBy != 0 {
		by = d.ExplainedBy.String()
	}
	return []string{strconv.Itoa(d.DiffNo), string(d.Sort), string(d.Kind), sheet.Inert(d.No), order,
		fen(d.MallLines, d.Mall), fen(d.SiyuLines, d.Siyu), fen(d.PaperLines, d.Paper), day, sheet.Inert(d.Reason), by}
}

// fen is an amount, and nothing where the side has none.
func fen(lines int, a money.Amount) string {
	if lines == 0 {
		return ""
	}
	return strconv.FormatInt(int64(a), 10)
}
