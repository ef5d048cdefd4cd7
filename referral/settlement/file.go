package settlement

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// The files of a settlement.
const (
	FileLines = "lines.csv"
	FileSheet = "settlement.xlsx"

	mediaLines = "text/csv; charset=utf-8"
	mediaSheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
)

// chunkBytes is the size of a stored piece, small beside every engine's limit
// on one statement.
const chunkBytes = 256 << 10

// File is a sealed file. It was made once, is stored in chunks, and is served
// as stored.
type File struct {
	Name   string `json:"name"`
	Media  string `json:"media"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`

	FileID     int64 `json:"-"`
	ChunkCount int   `json:"-"`
}

// FindFile is a sealed file's description.
func (s *Service) FindFile(ctx context.Context, sid id.Settlement, name string) (File, error) {
	st, err := s.Find(ctx, sid)
	if err != nil {
		return File{}, err
	}
	for _, f := range st.Files {
		if f.Name == name {
			return f, nil
		}
	}
	return File{}, fault.NotFound
}

// ReadFile writes the stored bytes to w, a chunk at a time.
func (s *Service) ReadFile(ctx context.Context, f File, w io.Writer) error {
	for no := range f.ChunkCount {
		c, err := readChunk(s.DB.Read(ctx), f.FileID, no)
		if err != nil {
			return fmt.Errorf("settlement: file %s chunk %d: %w", f.Name, no, err)
		}
		if _, err := w.Write(c.Body); err != nil {
			return err
		}
	}
	return nil
}

// piece is a stored chunk of a file with the SHA-256 it was stored with.
type piece struct {
	Sha256 string
	Body   []byte
}

func readChunk(q *database.Query, file int64, no int) (piece, error) {
	var c piece
	res := q.Raw("SELECT sha256, body FROM settlement_chunks WHERE file_id = ? AND chunk_no = ?", file, no).Scan(&c)
	if res.Error == nil && res.RowsAffected == 0 {
		return c, fault.NotFound
	}
	return c, res.Error
}

func filesOf(q *database.Query, sid id.Settlement) ([]File, error) {
	files := []File{}
	err := q.Raw("SELECT name, media, size, sha256, file_id, chunk_count FROM settlement_files WHERE settlement_id = ? ORDER BY name", sid).Scan(&files).Error
	return files, err
}

// keep stores what is written to it as a file of this run of the closing job.
// Each run makes files of its own id; only those that the sealing transaction
// names count.
func (s *Service) keep(ctx context.Context, sid id.Settlement, f File) *fileWriter {
	return &fileWriter{ctx: ctx, db: s.DB, sid: sid, file: f, sum: sha256.New(), buf: make([]byte, 0, chunkBytes)}
}

// fileWriter stores what is written to it, a chunk per transaction.
type fileWriter struct {
	ctx  context.Context
	db   *database.DB
	sid  id.Settlement
	file File
	sum  hash.Hash
	buf  []byte
}

// Write stores full chunks and keeps the rest.
func (w *fileWriter) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		n := min(chunkBytes-len(w.buf), len(p))
		w.buf = append(w.buf, p[:n]...)
		p = p[n:]
		if len(w.buf) == chunkBytes {
			if err := w.flush(); err != nil {
				return total - len(p), err
			}
		}
	}
	return total, nil
}

// finish stores the last chunk and returns the file.
func (w *fileWriter) finish() (File, error) {
	if len(w.buf) > 0 {
		if err := w.flush(); err != nil {
			return File{}, err
		}
	}
	w.file.SHA256 = hex.EncodeToString(w.sum.Sum(nil))
	return w.file, nil
}

func (w *fileWriter) flush() error {
	file := w.file.FileID
	err := w.db.Tx(w.ctx, func(tx *database.Tx) error {
		if file == 0 {
			file = tx.Next()
		}
		return tx.Exec("INSERT INTO settlement_chunks (file_id, chunk_no, settlement_id, sha256, body) VALUES (?, ?, ?, ?, ?)",
			file, w.file.ChunkCount, w.sid, digest(w.buf), w.buf).Error
	})
	if err != nil {
		return err
	}
	database.KillPoint("settlement:chunk")
	w.sum.Write(w.buf)
	w.file.FileID = file
	w.file.Size += int64(len(w.buf))
	w.file.ChunkCount++
	w.buf = w.buf[:0]
	return nil
}

// sweepChunks deletes what runs that were cut off have left.
func (s *Service) sweepChunks(ctx context.Context, sid id.Settlement) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		st, err := lock(tx, sid)
		switch {
		case err != nil:
			return err
		case st.Status != StatusSealing:
			return errMoved
		}
		return tx.Exec("DELETE FROM settlement_chunks WHERE settlement_id = ?", sid).Error
	})
}
