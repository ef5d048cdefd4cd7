package settlement

import (
	"context"
	"io"

	"siyu/internal/id"
)

// MakeSheet makes the workbook of a sealed settlement again.
func (s *Service) MakeSheet(ctx context.Context, sid id.Settlement, w io.Writer) error {
	st, err := s.Find(ctx, sid)
	if err != nil {
		return err
	}
	t, err := s.total(ctx, sid)
	if err != nil {
		return err
	}
	return s.writeSheet(ctx, st, t, w)
}
