package settlement

import (
	"context"
	"io"

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
