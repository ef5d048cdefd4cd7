package tieout

import (
	"context"
	"errors"
	"fmt"

	"siyu/campaign"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/referral/payee"
	"siyu/referral/settlement"
)

type runJob struct {
	TieOut id.TieOut `json:"tieout"`
	Run    int       `json:"run"`
}

func (runJob) Kind() string { return "tieout:run" }

// phase is what a run does next.
type phase string

// The phases, in their order: what no longer counts goes, Siyu's own side is
// taken, every number of each kind is judged, and the sides are summed up.
const (
	phaseClear   phase = "clear"
	takePayments phase = "take_payments"
	takeRefunds  phase = "take_refunds"
	takePayouts  phase = "take_payouts"
	matchPayment phase = "match_payment"
	matchRefund  phase = "match_refund"
	matchPayout  phase = "match_payout"
	phaseSum     phase = "sum"
)

var after = map[phase]phase{
	phaseClear: takePayments, takePayments: takeRefunds, takeRefunds: takePayouts, takePayouts: matchPayment,
	matchPayment: matchRefund, matchRefund: matchPayout, matchPayout: phaseSum,
}

// to goes on to the next phase, from its beginning.
func (t *TieOut) to(p phase) {
	from, _ := within(t.Day)
	t.Phase, t.CursorAt, t.CursorID, t.CursorNo = p, from, 0, ""
}

// Start begins a run over what both sides have delivered; the day must be
// over. Siyu's own side is taken anew.
func (s *Service) Start(ctx context.Context, tid id.TieOut) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := staff(tx)
		if err != nil {
			return err
		}
		t, err := lock(tx, tid)
		if err != nil {
			return err
		}
		if err := t.still(); err != nil {
			return err
		}
		if _, until := within(t.Day); tx.Now < until {
			return ErrNotOver.With("day", t.Day)
		}
		files, err := filesOf(tx.DB, tid)
		if err != nil {
			return err
		}
		for _, side := range []Side{SideMall, SideStatement} {
			if !delivered(files, side) {
				return ErrMissing.With("side", side)
			}
		}
		own := File{ID: tx.Next(), TieOutID: tid, Side: SideSiyu, Status: fileReady, DeliveredBy: who, DeliveredAt: tx.Now}
		if err := tx.Exec("UPDATE tieout_files SET status = ? WHERE tieout_id = ? AND side = ? AND status = ?", fileReplaced, tid, SideSiyu, fileReady).Error; err != nil {
			return err
		}
		if err := tx.Create(&own).Error; err != nil {
			return err
		}
		t.Status, t.Run, t.Taken, t.Matched, t.Differences, t.Open, t.FinishedAt = StatusRunning, t.Run+1, 0, 0, 0, 0, 0
		t.RunBy, t.RunAt = who, tx.Now
		t.to(phaseClear)
		if err := t.save(tx); err != nil {
			return err
		}
		tx.SetResult("tieout", int64(tid), 202)
		if err := database.AuditTx(tx, "tieout.run", tid, nil, map[string]any{"run": t.Run}); err != nil {
			return err
		}
		return task.EnqueueTx(tx, runJob{tid, t.Run}, tx.Now)
	})
}

func delivered(files []File, side Side) bool {
	for _, f := range files {
		if f.Side == side {
			return true
		}
	}
	return false
}

// errMoved says that the run is over, or that another one took it on.
var errMoved = errors.New("tieout: the run is over")

// Work goes through a run, each step with its place in one transaction, so it
// may be cut off anywhere and worked by two at once.
func (s *Service) Work(ctx context.Context, tid id.TieOut, run int) error {
	for {
		sums, err := s.sums(ctx, tid)
		if err != nil {
			return err
		}
		err = s.DB.Tx(ctx, func(tx *database.Tx) error {
			t, err := lock(tx, tid)
			switch {
			case err != nil:
				return err
			case t.Run != run || t.Status != StatusRunning:
				return errMoved
			case t.Phase == phaseSum && sums == nil:
				return nil // the other worker brought it here since we looked
			}
			if err := t.step(tx, sums); err != nil {
				return err
			}
			database.KillPoint("tieout:step")
			return t.save(tx)
		})
		switch {
		case errors.Is(err, errMoved):
			return nil
		case err != nil:
			return err
		}
		database.KillPoint("tieout:stepped")
	}
}

// step does the next bounded part of the run.
func (t *TieOut) step(tx *database.Tx, sums []Total) error {
	switch t.Phase {
	case phaseClear:
		return t.clear(tx)
	case takePayments, takeRefunds, takePayouts:
		return t.take(tx)
	case matchPayment:
		return t.match(tx, KindPayment)
	case matchRefund:
		return t.match(tx, KindRefund)
	case matchPayout:
		return t.match(tx, KindPayout)
	case phaseSum:
		return t.end(tx, sums)
	}
	return fmt.Errorf("tieout: %s is at %q", t.ID, t.Phase)
}

// clear takes away lines of a file that no longer counts, or never will. A
// delivery under way cannot end while the day is run.
func (t *TieOut) clear(tx *database.Tx) error {
	var f struct {
		ID   int64
		From int `gorm:"column:first_no"`
	}
	err := tx.Raw(`SELECT f.id, MIN(l.line_no) AS first_no FROM tieout_files f JOIN tieout_lines l ON l.file_id = f.id
		WHERE f.tieout_id = ? AND f.status <> ? GROUP BY f.id ORDER BY f.id LIMIT 1`, t.ID, fileReady).Scan(&f).Error
	if err != nil {
		return err
	}
	if f.ID == 0 {
		t.to(after[t.Phase])
		return nil
	}
	return tx.Exec("DELETE FROM tieout_lines WHERE file_id = ? AND line_no BETWEEN ? AND ?", f.ID, f.From, f.From+2*chunk-1).Error
}

// take puts some of Siyu's own lines beside the others.
func (t *TieOut) take(tx *database.Tx) error {
	payers, err := payee.Covered(tx.DB, t.PayerID)
	if err != nil {
		return err
	}
	_, until := within(t.Day)
	var rows []campaign.Moved
	kind := KindPayment
	from := campaign.Moved{ID: t.CursorID, At: t.CursorAt}
	switch t.Phase {
	case takePayments:
		rows, err = campaign.PaidBetween(tx.DB, payers, from, until, chunk)
	case takeRefunds:
		kind = KindRefund
		rows, err = campaign.RefundedBetween(tx.DB, payers, from, until, chunk)
	case takePayouts:
		kind = KindPayout
		var paid []settlement.Arrived
		paid, err = settlement.ArrivedBetween(tx.DB, payers, settlement.Arrived{ID: t.CursorID, At: t.CursorAt}, until, chunk)
		for _, a := range paid {
			rows = append(rows, campaign.Moved{ID: a.ID, No: a.No, Amount: a.Amount, At: a.At})
		}
	}
	if err != nil {
		return err
	}
	if len(rows) > 0 {
		if err := t.add(tx, kind, rows); err != nil {
			return err
		}
		last := rows[len(rows)-1]
		t.CursorAt, t.CursorID = last.At, last.ID
	}
	if len(rows) < chunk {
		t.to(after[t.Phase])
	}
	return nil
}

func (t *TieOut) add(tx *database.Tx, kind Kind, rows []campaign.Moved) error {
	var file int64
	if err := tx.Raw("SELECT id FROM tieout_files WHERE tieout_id = ? AND side = ? AND status = ?", t.ID, SideSiyu, fileReady).Scan(&file).Error; err != nil {
		return err
	}
	lines := make([]Line, 0, len(rows))
	for _, r := range rows {
		t.Taken++
		lines = append(lines, Line{file, t.Taken, t.ID, SideSiyu, kind, r.No, r.OrderID, r.Amount, r.At})
	}
	if err := tx.Create(&lines).Error; err != nil {
		return fmt.Errorf("tieout: Siyu's side of %s: %w", t.ID, err)
	}
	return tx.Exec("UPDATE tieout_files SET line_count = ? WHERE id = ?", t.Taken, file).Error
}

// sums are what the sides come to once a run is at its end, nil before. They
// are counted outside any transaction: nothing is delivered during a run.
func (s *Service) sums(ctx context.Context, tid id.TieOut) (list []Total, err error) {
	var at phase
	if err := s.DB.Read(ctx).Raw("SELECT phase FROM tieouts WHERE id = ?", tid).Scan(&at).Error; err != nil || at != phaseSum {
		return nil, err
	}
	err = s.DB.Snapshot(ctx, func(q *database.Query) (err error) {
		list, err = sumsOf(q, tid)
		return err
	})
	return list, err
}

func sumsOf(q *database.Query, tid id.TieOut) (list []Total, err error) {
	list = []Total{}
	err = q.Raw(`SELECT l.side, l.kind, COUNT(*) AS line_count, SUM(l.amount) AS amount FROM tieout_files f JOIN tieout_lines l ON l.file_id = f.id
		WHERE f.tieout_id = ? AND f.status = ? GROUP BY l.side, l.kind ORDER BY l.kind, l.side`, tid, fileReady).Scan(&list).Error
	return list, err
}

// end writes the totals and says whether the day ties.
func (t *TieOut) end(tx *database.Tx, sums []Total) error {
	for _, x := range sums {
		err := tx.Exec("INSERT INTO tieout_totals (tieout_id, run_no, side, kind, line_count, amount) VALUES (?, ?, ?, ?, ?, ?)", t.ID, t.Run, x.Side, x.Kind, x.Lines, x.Amount).Error
		if err != nil {
			return fmt.Errorf("tieout: totals of %s: %w", t.ID, err)
		}
	}
	t.FinishedAt = tx.Now
	if t.Status = StatusTied; t.Differences > 0 {
		t.Status = StatusDiffers
	}
	return nil
}
