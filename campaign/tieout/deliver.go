package tieout

import (
	"context"
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// fileStatus is whether a file counts.
type fileStatus string

// A file counts from ready on, until the same part is delivered again.
const (
	fileLoading  fileStatus = "loading"
	fileReady    fileStatus = "ready"
	fileReplaced fileStatus = "replaced"
)

// File is a part of what one side says.
type File struct {
	ID          int64       `json:"-"`
	TieOutID    id.TieOut   `json:"-" gorm:"column:tieout_id"`
	Side        Side        `json:"side"`
	Part        int         `json:"part"`
	Form        string      `json:"form"`
	Status      fileStatus  `json:"-"`
	SHA256      string      `json:"sha256" gorm:"column:sha256"`
	Lines       int         `json:"line_count" gorm:"column:line_count"`
	DeliveredBy id.Staff    `json:"delivered_by"`
	DeliveredAt clock.Milli `json:"delivered_at"`
}

// TableName is the table of files.
func (File) TableName() string { return "tieout_files" }

// Line is one movement as one side tells it.
type Line struct {
	FileID   int64        `json:"-"`
	LineNo   int          `json:"line"`
	TieOutID id.TieOut    `json:"-" gorm:"column:tieout_id"`
	Side     Side         `json:"side"`
	Kind     Kind         `json:"kind"`
	No       string       `json:"no"`
	OrderID  id.Order     `json:"order_id"`
	Amount   money.Amount `json:"amount_fen"`
	At       clock.Milli  `json:"at"`
}

// TableName is the table of lines.
func (Line) TableName() string { return "tieout_lines" }

// Delivery is one part of one side, read and checked.
type Delivery struct {
	Side   Side
	Part   int
	Form   string
	SHA256 string
	Lines  []Line
}

// chunk is how many lines one transaction stores.
const chunk = 500

// Deliver keeps a part; the same bytes again change nothing. The lines are
// stored in transactions of their own and count with the last one, so a call
// that was cut off leaves nothing that counts.
func (s *Service) Deliver(ctx context.Context, tid id.TieOut, d Delivery) error {
	if d.Part < 1 || d.Part > PartsMax {
		return fault.Invalid.Field("part", "range", "应为 1 到 50 的整数", "must be from 1 to 50")
	}
	f := File{ID: s.DB.IDs.Next(), TieOutID: tid, Side: d.Side, Part: d.Part, Form: d.Form, Status: fileLoading, SHA256: d.SHA256, Lines: len(d.Lines)}
	kept, err := s.keep(ctx, f, d.Lines)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		tx.SetResult("tieout", int64(tid), 201)
		t, err := lock(tx, tid)
		if err != nil {
			return err
		}
		old, err := current(tx.DB, f)
		if err != nil || old.SHA256 == f.SHA256 && old.Form == f.Form {
			return err
		}
		if !kept { // the same stood when we looked, and was replaced since
			return fault.Stale
		}
		if err := t.still(); err != nil {
			return err
		}
		if old.ID != 0 {
			if err := tx.Exec("UPDATE tieout_files SET status = ? WHERE id = ?", fileReplaced, old.ID).Error; err != nil {
				return err
			}
		}
		if err := tx.Exec("UPDATE tieout_files SET status = ?, delivered_by = ?, delivered_at = ? WHERE id = ?", fileReady, tx.Actor.Staff, tx.Now, f.ID).Error; err != nil {
			return err
		}
		t.Status = StatusOpen
		if err := t.save(tx); err != nil {
			return err
		}
		return database.AuditTx(tx, "tieout.deliver", tid, nil, map[string]any{"side": f.Side, "part": f.Part, "form": f.Form, "sha256": f.SHA256, "lines": f.Lines})
	})
}

// keep stores the lines of a file that does not count yet, unless the same
// counts already.
func (s *Service) keep(ctx context.Context, f File, lines []Line) (bool, error) {
	t, err := s.Find(ctx, f.TieOutID)
	if err != nil {
		return false, err
	}
	old, err := current(s.DB.Read(ctx), f)
	if err != nil || old.SHA256 == f.SHA256 && old.Form == f.Form {
		return false, err
	}
	if err := t.still(); err != nil {
		return false, err
	}
	bare := database.WithActor(database.WithoutKey(ctx), database.Actor{})
	err = s.DB.Tx(bare, func(tx *database.Tx) error {
		f.DeliveredAt = tx.Now
		return tx.Create(&f).Error
	})
	if err != nil {
		return false, fmt.Errorf("tieout: file of %s: %w", f.TieOutID, err)
	}
	no := 0
	for part := range slices.Chunk(lines, chunk) {
		for i := range part {
			no++
			part[i].FileID, part[i].LineNo, part[i].TieOutID, part[i].Side = f.ID, no, f.TieOutID, f.Side
		}
		if err := s.DB.Tx(bare, func(tx *database.Tx) error { return tx.Create(&part).Error }); err != nil {
			return false, fmt.Errorf("tieout: lines of %s: %w", f.TieOutID, err)
		}
	}
	return true, nil
}

// current is the file that counts for the same part of the same side.
func current(q *database.Query, f File) (File, error) {
	var old File
	err := q.Raw("SELECT * FROM tieout_files WHERE tieout_id = ? AND side = ? AND part = ? AND status = ?", f.TieOutID, f.Side, f.Part, fileReady).Scan(&old).Error
	return old, err
}

// filesOf are the files of a tie-out that count.
func filesOf(q *database.Query, tid id.TieOut) ([]File, error) {
	list := []File{}
	err := q.Raw("SELECT * FROM tieout_files WHERE tieout_id = ? AND status = ? ORDER BY side, part, id", tid, fileReady).Scan(&list).Error
	return list, err
}
