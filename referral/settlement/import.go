package settlement

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
	"siyu/referral/payfile"
)

// ImportStatus is where the reading of a result file stands.
type ImportStatus string

// The states: its lines are being stored, worked, and all were.
const (
	ImportLoading ImportStatus = "loading"
	ImportWorking ImportStatus = "working"
	ImportDone    ImportStatus = "done"
)

// Import is a result file of a payout, reconciled line by line. Missing are
// payments on their way that it does not name.
type Import struct {
	PayoutID   id.Payout       `json:"payout_id"`
	No         int             `json:"no" gorm:"column:import_no"`
	SHA256     string          `json:"sha256" gorm:"column:sha256"`
	Status     ImportStatus    `json:"status"`
	Rows       int             `json:"row_count" gorm:"column:row_count"`
	Missing    int             `json:"missing_count" gorm:"column:missing_count"`
	Outcomes   map[Outcome]int `json:"outcomes" gorm:"-"`
	ImportedBy id.Staff        `json:"imported_by"`
	ImportedAt clock.Milli     `json:"imported_at"`
	DoneAt     clock.Milli     `json:"done_at"`
}

// ImportRow is one line of it, without the names and accounts.
type ImportRow struct {
	PayoutID id.Payout     `json:"-"`
	ImportNo int           `json:"-"`
	RowNo    int           `json:"row"`
	LineNo   int           `json:"line"`
	BillNo   string        `json:"bill_no"`
	Amount   money.Amount  `json:"amount_fen"` // -1: it tells none, -2: none that can be read
	State    payfile.State `json:"state"`
	Reason   string        `json:"reason"`
	Outcome  Outcome       `json:"outcome"`
}

// TableName is the table of lines.
func (ImportRow) TableName() string { return "payout_import_rows" }

type importJob struct {
	Payout id.Payout `json:"payout"`
	Import int       `json:"import"`
}

func (importJob) Kind() string { return "settlement:import_results" }

// importChunk is how many lines one transaction stores or reconciles.
const importChunk = 100

// ImportResults reads a result file of a payout, in the form it was paid by,
// and starts the job that reconciles it. The same bytes again are the same
// import.
func (s *Service) ImportResults(ctx context.Context, pid id.Payout, body []byte) (int, error) {
	p, err := s.FindPayout(ctx, pid)
	if err != nil {
		return 0, err
	}
	form, err := p.Channel.form()
	if err != nil {
		return 0, ErrNoFile
	}
	results, err := payfile.Read(form, body)
	if err != nil {
		return 0, err
	}
	sum := sha256.Sum256(body)
	m, err := s.openImport(ctx, pid, hex.EncodeToString(sum[:]), len(results))
	if err != nil || m.Status != ImportLoading {
		return m.No, err
	}
	for chunk := range slices.Chunk(results, importChunk) {
		if err := s.DB.Tx(ctx, func(tx *database.Tx) error { return loadTx(tx, m, chunk) }); err != nil {
			return 0, err
		}
		database.KillPoint("settlement:load")
	}
	return m.No, s.DB.Tx(ctx, func(tx *database.Tx) error {
		res := tx.Exec("UPDATE payout_imports SET status = ? WHERE payout_id = ? AND import_no = ? AND status = ?", ImportWorking, pid, m.No, ImportLoading)
		if res.Error != nil || res.RowsAffected == 0 { // a twin was faster
			return res.Error
		}
		if err := database.AuditTx(tx, "payout.import", pid, nil, map[string]any{"no": m.No, "rows": m.Rows, "sha256": m.SHA256}); err != nil {
			return err
		}
		return task.EnqueueTx(tx, importJob{pid, m.No}, tx.Now)
	})
}

// openImport finds the import of the bytes or makes it.
func (s *Service) openImport(ctx context.Context, pid id.Payout, hash string, rows int) (Import, error) {
	var m Import
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := staff(tx)
		if err != nil {
			return err
		}
		_, p, err := lockPayout(tx, pid)
		switch {
		case err != nil:
			return err
		case p.Status != PayoutSent && p.Status != PayoutPaid:
			return ErrPaying.With("state", p.Status)
		}
		m = Import{}
		if err := tx.Raw("SELECT * FROM payout_imports WHERE payout_id = ? AND sha256 = ?", pid, hash).Scan(&m).Error; err != nil || m.No != 0 {
			return err
		}
		if err := tx.Raw("SELECT COALESCE(MAX(import_no), 0) + 1 FROM payout_imports WHERE payout_id = ?", pid).Scan(&m.No).Error; err != nil {
			return err
		}
		m.PayoutID, m.SHA256, m.Status, m.Rows = pid, hash, ImportLoading, rows
		err = tx.Exec(`INSERT INTO payout_imports (payout_id, import_no, sha256, status, row_count, missing_count, imported_by, imported_at, done_at)
			VALUES (?, ?, ?, ?, ?, 0, ?, ?, 0)`, pid, m.No, hash, ImportLoading, rows, who, tx.Now).Error
		if err != nil {
			return err
		}
		return database.AuditTx(tx, "payout.open_import", pid, nil, map[string]any{"no": m.No, "rows": rows})
	})
	return m, err
}

// loadTx stores lines; those of a call that was cut off are there already.
func loadTx(tx *database.Tx, m Import, results []payfile.Result) error {
	var status ImportStatus
	err := tx.Raw("SELECT status FROM payout_imports WHERE payout_id = ? AND import_no = ?"+tx.Dialect.ForUpdate, m.PayoutID, m.No).Scan(&status).Error
	if err != nil || status != ImportLoading {
		return err
	}
	err = tx.Exec("DELETE FROM payout_import_rows WHERE payout_id = ? AND import_no = ? AND row_no BETWEEN ? AND ?",
		m.PayoutID, m.No, results[0].Row, results[len(results)-1].Row).Error
	if err != nil {
		return err
	}
	rows := make([]ImportRow, 0, len(results))
	for _, r := range results {
		if len(r.BillNo) > 64 {
			r.BillNo = "" // no bill of ours
		}
		rows = append(rows, ImportRow{m.PayoutID, m.No, r.Row, r.Line, r.BillNo, r.Amount, r.State, r.Reason, ""})
	}
	if err := tx.Create(&rows).Error; err != nil {
		return err
	}
	return database.AuditTx(tx, "payout.load_import", m.PayoutID, nil, map[string]any{"no": m.No, "rows": len(rows)})
}

// ListImports lists the result files of a payout with what they did.
func (s *Service) ListImports(ctx context.Context, pid id.Payout) ([]Import, error) {
	list := []Import{}
	if _, err := s.FindPayout(ctx, pid); err != nil {
		return list, err
	}
	q := s.DB.Read(ctx)
	if err := q.Raw("SELECT * FROM payout_imports WHERE payout_id = ? ORDER BY import_no LIMIT 200", pid).Scan(&list).Error; err != nil {
		return nil, err
	}
	var counts []struct {
		ImportNo int
		Outcome  Outcome
		N        int `gorm:"column:n"`
	}
	err := q.Raw("SELECT import_no, outcome, COUNT(*) AS n FROM payout_import_rows WHERE payout_id = ? AND outcome <> '' GROUP BY import_no, outcome", pid).Scan(&counts).Error
	for i := range list {
		list[i].Outcomes = map[Outcome]int{}
		for _, c := range counts {
			if c.ImportNo == list[i].No {
				list[i].Outcomes[c.Outcome] = c.N
			}
		}
	}
	return list, err
}

// ListImportRows pages the lines of a result file in its order.
func (s *Service) ListImportRows(ctx context.Context, pid id.Payout, no int, page database.Page) (database.Paged[ImportRow], error) {
	if _, err := s.FindPayout(ctx, pid); err != nil {
		return database.Paged[ImportRow]{}, err
	}
	q := s.DB.Read(ctx)
	var there int
	if err := q.Raw("SELECT COUNT(*) FROM payout_imports WHERE payout_id = ? AND import_no = ?", pid, no).Scan(&there).Error; err != nil {
		return database.Paged[ImportRow]{}, err
	}
	if there == 0 {
		return database.Paged[ImportRow]{}, fault.NotFound
	}
	var rows []ImportRow
	err := q.Raw("SELECT * FROM payout_import_rows WHERE payout_id = ? AND import_no = ? AND row_no > ? ORDER BY row_no LIMIT ?", pid, no, page.Before, page.Fetch()).Scan(&rows).Error
	return database.Cut(page, rows, func(r ImportRow) int64 { return int64(r.RowNo) }), err
}
