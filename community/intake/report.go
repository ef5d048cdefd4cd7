package intake

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"siyu/internal/database"
	"siyu/internal/fault"
)

// Bad are the first lines that were refused, at most limit.
func (s *Service) Bad(ctx context.Context, m Import, limit int) ([]Outcome, error) {
	list := []Outcome{}
	if m.Refused == 0 {
		return list, nil
	}
	err := s.outcomes(ctx, m, func(o Outcome) bool {
		if o.Result == ResultRefused {
			list = append(list, o)
		}
		return len(list) < limit
	})
	return list, err
}

// WriteReport writes what became of each line worked so far, as CSV, in the
// order of the file.
func (s *Service) WriteReport(ctx context.Context, m Import, lang string, to io.Writer) error {
	w := csv.NewWriter(to)
	if err := w.Write([]string{"line", "result", "id", "field", "code", "remedy"}); err != nil {
		return err
	}
	var failed error
	err := s.outcomes(ctx, m, func(o Outcome) bool {
		row := []string{strconv.Itoa(o.No), string(o.Result), o.ID, "", "", ""}
		if o.Why != nil {
			row[3], row[4], row[5] = o.Why.Field, o.Why.Code, fault.Field{ZH: o.Why.ZH, EN: o.Why.EN}.Text(lang)
		}
		failed = w.Write(row)
		return failed == nil
	})
	if err != nil {
		return err
	}
	if w.Flush(); failed == nil {
		failed = w.Error()
	}
	return failed
}

// outcomes gives what became of each line, a part at a time, until each is
// told enough.
func (s *Service) outcomes(ctx context.Context, m Import, each func(Outcome) bool) error {
	for part := range m.NextPart {
		list, err := report(s.DB.Read(ctx), m, part)
		if err != nil {
			return err
		}
		for _, o := range list {
			if !each(o) {
				return nil
			}
		}
	}
	return nil
}

func report(q *database.Query, m Import, part int) ([]Outcome, error) {
	var text []byte
	if err := q.Raw("SELECT report FROM import_parts WHERE import_id = ? AND part = ?", m.ID, part).Row().Scan(&text); err != nil {
		return nil, fmt.Errorf("intake: report %d of %s: %w", part, m.ID, err)
	}
	var list []Outcome
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("intake: report %d of %s: %w", part, m.ID, err)
	}
	return list, nil
}
