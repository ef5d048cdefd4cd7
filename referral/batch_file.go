package referral

import (
	"context"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/sheet"
)

// WriteBatch writes a finished batch as CSV, one line per place in the order
// asked for, codes as they stand now.
func (s *Service) WriteBatch(ctx context.Context, b Batch, to io.Writer) error {
	w := csv.NewWriter(to)
	err := w.Write([]string{"no", "code", "url", "status", "inviter_id", "group_id", "channel", "cost_fen", "refusal"})
	if err != nil {
		return err
	}
	no := 0
	for part := range b.NextPart {
		spots, made, codes, err := s.partMade(ctx, b.ID, part)
		if err != nil {
			return err
		}
		for i, x := range spots {
			no++
			line := []string{strconv.Itoa(no), "", "", "", x.inviter.String(), "", sheet.Inert(b.Channel), "", refusals[made[i]]}
			if x.group != 0 {
				line[5] = x.group.String()
			}
			if c, ok := codes[id.Code(made[i])]; ok {
				line[1], line[2], line[3], line[4] = c.Code, c.URL, string(c.Status), c.InviterID.String()
				line[7] = strconv.FormatInt(int64(c.Cost), 10)
			}
			if err := w.Write(line); err != nil {
				return err
			}
		}
		if w.Flush(); w.Error() != nil {
			return w.Error()
		}
	}
	return nil
}

// partMade reads a part with its codes.
func (s *Service) partMade(ctx context.Context, b id.Job, part int) ([]spot, []int64, map[id.Code]Code, error) {
	q := s.DB.Read(ctx)
	var places, packed []byte
	if err := q.Raw("SELECT places, made FROM code_batch_parts WHERE batch_id = ? AND part = ?", b, part).Row().Scan(&places, &packed); err != nil {
		return nil, nil, nil, fmt.Errorf("referral: part %d of %s: %w", part, b, err)
	}
	made := make([]int64, len(packed)/8)
	var ids []id.Code
	for i := range made {
		if made[i] = int64(binary.BigEndian.Uint64(packed[8*i:])); made[i] > 0 {
			ids = append(ids, id.Code(made[i]))
		}
	}
	codes := make(map[id.Code]Code, len(ids))
	for from := 0; from < len(ids); from += inAtOnce {
		var rows []Code
		if err := q.Raw("SELECT "+codeColumns+" FROM codes WHERE id IN ?", ids[from:min(from+inAtOnce, len(ids))]).Scan(&rows).Error; err != nil {
			return nil, nil, nil, fmt.Errorf("referral: codes of %s: %w", b, err)
		}
		for _, c := range rows {
			codes[c.ID] = s.shown(c, database.ActorOf(ctx), clock.MilliOf(s.DB.Clock.Now()))
		}
	}
	return unpackSpots(places), made, codes, nil
}
