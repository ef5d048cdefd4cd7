package settlement

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"time"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
)

// totals are what the lines of a settlement sum up to.
type totals struct {
	Lines           int
	Gross, Tax, Net money.Amount
	Kinds           map[Kind]sum
	RowsDigest      string
}

type sum struct {
	Lines           int `gorm:"column:line_count"`
	Gross, Tax, Net money.Amount
}

func (s *sum) add(l Line) {
	s.Lines++
	s.Gross += l.Gross
	s.Tax += l.Tax
	s.Net += l.Net
}

// tally sums lines up as they pass; the rows digest is SHA-256 over their
// canonical form in line order.
type tally struct {
	all  sum
	by   map[Kind]*sum
	hash hash.Hash
}

func newTally() *tally { return &tally{by: map[Kind]*sum{}, hash: sha256.New()} }

func (t *tally) add(l Line) {
	t.all.add(l)
	if t.by[l.Kind] == nil {
		t.by[l.Kind] = &sum{}
	}
	t.by[l.Kind].add(l)
	t.hash.Write(l.encode())
}

func (t *tally) totals() totals {
	out := totals{Lines: t.all.Lines, Gross: t.all.Gross, Tax: t.all.Tax, Net: t.all.Net, Kinds: map[Kind]sum{}, RowsDigest: hex.EncodeToString(t.hash.Sum(nil))}
	for k, s := range t.by {
		out.Kinds[k] = *s
	}
	return out
}

// seal makes totals and files of frozen lines outside any transaction, in one
// pass over them, then seals. A run that is cut off leaves chunks, which the
// next one sweeps.
func (s *Service) seal(ctx context.Context, st Settlement) error {
	if err := s.sweepChunks(ctx, st.ID); err != nil {
		return err
	}
	var err error
	if st.Programs, err = programsOf(s.DB.Read(ctx), st.ID); err != nil {
		return err
	}
	lines, sheet := s.keep(ctx, st.ID, File{Name: FileLines, Media: mediaLines}), s.keep(ctx, st.ID, File{Name: FileSheet, Media: mediaSheet})
	if st, err = s.writeFiles(ctx, st, lines, sheet); err != nil {
		return err
	}
	for _, w := range []*fileWriter{lines, sheet} {
		f, err := w.finish()
		if err != nil {
			return err
		}
		st.Files = append(st.Files, f)
	}
	database.KillPoint("settlement:before_seal")
	if err := s.DB.Tx(ctx, func(tx *database.Tx) error { return sealTx(tx, st) }); err != nil {
		return err
	}
	database.KillPoint("settlement:after_seal")
	return nil
}

// WriteLines makes lines.csv of a sealed settlement again, for who wants to
// hold it against the one that was stored.
func (s *Service) WriteLines(ctx context.Context, sid id.Settlement, to io.Writer) error {
	st, err := s.Find(ctx, sid)
	if err != nil {
		return err
	}
	list := newLinesFile(st, to)
	if err := s.eachLine(ctx, sid, list.line); err != nil {
		return err
	}
	return list.finish(st)
}

// WriteSheet makes settlement.xlsx of a sealed settlement again.
func (s *Service) WriteSheet(ctx context.Context, sid id.Settlement, to io.Writer) error {
	st, err := s.Find(ctx, sid)
	if err == nil {
		_, err = s.writeFiles(ctx, st, io.Discard, to)
	}
	return err
}

// restLines is after how many lines the files' maker may rest: some milliseconds
// of work, so that who is in a hurry waits for no more.
const restLines = 256

// writeFiles writes both files in one pass over the lines and returns the
// settlement with its totals.
func (s *Service) writeFiles(ctx context.Context, st Settlement, lines, sheet io.Writer) (Settlement, error) {
	list := newLinesFile(st, lines)
	book, err := newWorkbook(st, sheetMost)
	if err != nil {
		return st, err
	}
	defer book.end()
	t, pace, began := newTally(), s.DB.Pace(), time.Now()
	err = s.eachLine(ctx, st.ID, func(l Line) error {
		if t.add(l); t.all.Lines%restLines == 0 {
			pace.Rest(ctx, time.Since(began), 0)
			began = time.Now()
		}
		return errors.Join(list.line(l), book.line(l))
	})
	if err != nil {
		return st, err
	}
	all := t.totals()
	st.LineCount, st.Gross, st.Tax, st.Net, st.RowsDigest = all.Lines, all.Gross, all.Tax, all.Net, all.RowsDigest
	if err := list.finish(st); err != nil {
		return st, err
	}
	people, err := s.eachPerson(ctx, st.ID, book.person)
	if err != nil {
		return st, err
	}
	return st, book.finish(st, all, people, sheet)
}

// eachPerson calls fn for every member of the lines, ids ascending, and says
// how many there are.
func (s *Service) eachPerson(ctx context.Context, sid id.Settlement, fn func(person) error) (n int, err error) {
	const at = 1000
	for after := id.Member(0); ; {
		var list []person
		err := s.DB.Read(ctx).Raw(`SELECT member_id, SUM(CASE WHEN kind = ? THEN 1 ELSE 0 END) AS reward_lines, SUM(CASE WHEN kind = ? THEN 0 ELSE 1 END) AS carried_lines,
				SUM(CASE WHEN kind = ? THEN gross ELSE 0 END) AS rewards_fen, SUM(CASE WHEN kind = ? THEN 0 ELSE gross END) AS carried_fen
			FROM settlement_lines WHERE settlement_id = ? AND member_id > ? GROUP BY member_id ORDER BY member_id LIMIT ?`,
			KindReward, KindReward, KindReward, KindReward, sid, after, at).Scan(&list).Error
		if err != nil {
			return n, err
		}
		for _, p := range list {
			if err := fn(p); err != nil {
				return n, err
			}
			after = p.MemberID
			n++
		}
		if len(list) < at {
			return n, nil
		}
	}
}

// sealTx is short: it locks the head of the chain, so that sealing settlements
// take turns, and writes what was made before.
func sealTx(tx *database.Tx, st Settlement) error {
	var head int64
	if err := tx.Raw("SELECT seq FROM settlement_chain WHERE seq = 0" + tx.Dialect.ForUpdate).Scan(&head).Error; err != nil {
		return err
	}
	var last struct {
		Seq    int64
		Digest string
	}
	if err := tx.Raw("SELECT seq, digest FROM settlement_chain ORDER BY seq DESC LIMIT 1").Scan(&last).Error; err != nil {
		return err
	}
	err := database.One(tx.Exec(`UPDATE settlements SET status = ?, gross = ?, tax = ?, net = ?, rows_digest = ? WHERE id = ?`+
		tx.Only("status = ? AND line_count = ?"),
		StatusClosed, st.Gross, st.Tax, st.Net, st.RowsDigest, st.ID, StatusSealing, st.LineCount), errMoved)
	if err != nil {
		return err
	}
	for _, f := range st.Files {
		if err := keepFile(tx, st.ID, f); err != nil {
			return err
		}
	}
	st.Seq, st.Previous, st.SealedAt = last.Seq+1, last.Digest, tx.Now
	err = tx.Exec("INSERT INTO settlement_chain (seq, settlement_id, previous, digest, sealed_at) VALUES (?, ?, ?, ?, ?)",
		st.Seq, st.ID, st.Previous, st.seal(), st.SealedAt).Error
	if err != nil {
		return err
	}
	if err := task.EnqueueTx(tx, tellJob{st.ID}, tx.Now); err != nil {
		return err
	}
	if err := askedTx(tx, st.PayerID); err != nil {
		return err
	}
	return publishSealed(tx, st)
}

// keepFile names the file as the settlement's, if all its chunks are there:
// another run of the job may have swept them.
func keepFile(tx *database.Tx, sid id.Settlement, f File) error {
	var chunks int
	if err := tx.Raw("SELECT COUNT(*) FROM settlement_chunks WHERE file_id = ?", f.FileID).Scan(&chunks).Error; err != nil {
		return err
	}
	if chunks != f.ChunkCount {
		return fmt.Errorf("%w: %d of %d chunks of %s are left", errMoved, chunks, f.ChunkCount, f.Name)
	}
	return tx.Exec("INSERT INTO settlement_files (settlement_id, name, file_id, media, size, chunk_count, sha256) VALUES (?, ?, ?, ?, ?, ?, ?)",
		sid, f.Name, f.FileID, f.Media, f.Size, f.ChunkCount, f.SHA256).Error
}

// seal is the settlement's own digest: everything that is fixed from now on,
// the files and the digest of the settlement before.
func (st Settlement) seal() string {
	b := fmt.Appendf(nil, "siyu.settlement.1\nseq %d\nprevious %s\nid %s\nunit %s\nlabel %d:%s\ncurrency %s\ncut %d\ntax %s\n",
		st.Seq, st.Previous, st.ID, st.UnitID, len(st.Label), st.Label, st.Currency, st.CutAt, st.TaxRule)
	if st.PayerID != 0 {
		b = fmt.Appendf(b, "payer %s\nincome %s\n", st.PayerID, st.IncomeType)
	}
	if st.Layout >= LayoutPayer {
		b = fmt.Appendf(b, "layout %d\npayer_name %d:%s\ncost_centre %d:%s\nbudget_no %d:%s\n", st.Layout,
			len(st.PayerName), st.PayerName, len(st.CostCentre), st.CostCentre, len(st.BudgetNo), st.BudgetNo)
	}
	if st.OnRequest != 0 || st.AskedUpto != 0 {
		b = fmt.Appendf(b, "requests %d %d\n", st.OnRequest, st.AskedUpto)
	}
	for _, p := range st.Programs {
		b = fmt.Appendf(b, "program %s\n", p)
	}
	b = fmt.Appendf(b, "prepared %s %s\nsealed %d\nlines %d\ngross %d\ntax %d\nnet %d\nrows %s\n",
		st.CreatedBy, st.ClosedBy, st.SealedAt, st.LineCount, int64(st.Gross), int64(st.Tax), int64(st.Net), st.RowsDigest)
	files := slices.Clone(st.Files)
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	for _, f := range files {
		b = fmt.Appendf(b, "file %s %s %d %s\n", f.Name, f.Media, f.Size, f.SHA256)
	}
	return digest(b)
}

// addHead makes row 0 of the chain, which sealing locks.
func addHead(tx *database.Tx) error {
	var there int
	if err := tx.Raw("SELECT COUNT(*) FROM settlement_chain WHERE seq = 0").Scan(&there).Error; err != nil || there == 1 {
		return err
	}
	err := tx.Exec("INSERT INTO settlement_chain (seq, settlement_id, previous, digest, sealed_at) VALUES (0, 0, '', '', 0)").Error
	if database.IsDuplicate(err) {
		return nil
	}
	return err
}
