package settlement

import (
	"context"
	"errors"
	"fmt"
	"io"

	"siyu/internal/database"
	"siyu/internal/id"
)

// MakeSheetOf makes the workbook with at most so many lines per sheet.
func (s *Service) MakeSheetOf(ctx context.Context, sid id.Settlement, most int, w io.Writer) error {
	st, err := s.Find(ctx, sid)
	if err != nil {
		return err
	}
	b, err := newWorkbook(st, most)
	if err != nil {
		return err
	}
	defer b.end()
	t := newTally()
	err = s.eachLine(ctx, sid, func(l Line) error {
		t.add(l)
		return b.line(l)
	})
	if err != nil {
		return err
	}
	people, err := s.eachPerson(ctx, sid, b.person)
	if err != nil {
		return err
	}
	return b.finish(st, t.totals(), people, w)
}

// AskUnderLocks makes a request in a transaction of the caller's, of what was
// looked for before it, or without that look.
func (s *Service) AskUnderLocks(ctx context.Context, m id.Member, pid id.Payer, ahead bool, around func(tx *database.Tx, ask func() error) error) error {
	var seen *look
	if ahead {
		var err error
		if seen, err = lookFor(s.DB.Read(ctx), pid, m); err != nil {
			return err
		}
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		return around(tx, func() error { _, err := askTx(tx, m, pid, seen); return err })
	})
}

// AskAfter makes a request of what was looked for before something happened,
// which must be noticed, and then goes on as a request does.
func (s *Service) AskAfter(ctx context.Context, m id.Member, pid id.Payer, between func()) error {
	seen, err := lookFor(s.DB.Read(ctx), pid, m)
	if err != nil {
		return err
	}
	between()
	err = s.DB.Tx(ctx, func(tx *database.Tx) error { _, err := askTx(tx, m, pid, seen); return err })
	if !errors.Is(err, errSeenMoved) {
		return fmt.Errorf("nothing was noticed: %w", err)
	}
	_, err = s.Ask(ctx, m, AskIn{PayerID: pid})
	return err
}

// MarkChunk marks the rewards of the first lines of a settlement, whatever the
// job would say of it.
func (s *Service) MarkChunk(ctx context.Context, sid id.Settlement) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error { return markChunkTx(tx, sid, 1) })
}

// ErrMoved is that another run took the settlement a step on.
var ErrMoved = errMoved

// MakeFileWhile makes a file during which something happens, which must be
// noticed.
func (s *Service) MakeFileWhile(ctx context.Context, pid id.Payout, during func()) error {
	f, err := s.makeFile(ctx, pid, 1)
	if err != nil {
		return err
	}
	during()
	if err := s.noteFile(ctx, pid, &f); !errors.Is(err, errAnswered) {
		return fmt.Errorf("nothing was noticed: %w", err)
	}
	return nil
}
