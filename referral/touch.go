package referral

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Bounds of the buffer and of one insert.
const (
	touchesHeld   = 10_000
	touchesAtOnce = 500
)

// touchBuffer holds the scans that are not written yet. A crash loses them:
// they are statistics, and no reward rests on one.
type touchBuffer struct {
	mu      sync.Mutex
	list    []touch
	dropped int64
}

type touch struct {
	code    id.Code
	visitor id.Member
	at      clock.Milli
	day     int
}

// Touch notes a scan. It only writes memory; beyond 10,000 unwritten ones more
// are dropped and counted.
func (s *Service) Touch(code id.Code, visitor id.Member) {
	now := s.DB.Clock.Now()
	t := touch{code, visitor, clock.MilliOf(now), clock.Day(now, shanghai)}
	s.touches.mu.Lock()
	defer s.touches.mu.Unlock()
	if len(s.touches.list) >= touchesHeld {
		s.touches.dropped++
		return
	}
	s.touches.list = append(s.touches.list, t)
}

// shanghai is the zone in which scans are counted by day. China has had one
// offset since 1992, so no zone file is needed.
var shanghai = time.FixedZone(clock.Shanghai, 8*60*60)

// Flush writes the noted scans, many rows per statement. What cannot be
// written stays for the next time.
func (s *Service) Flush(ctx context.Context) error {
	s.touches.mu.Lock()
	list, dropped := s.touches.list, s.touches.dropped
	s.touches.list, s.touches.dropped = nil, 0
	s.touches.mu.Unlock()
	if dropped > 0 {
		slog.Warn("touches dropped", "count", dropped)
	}
	for len(list) > 0 {
		n := min(len(list), touchesAtOnce)
		if err := s.writeTouches(ctx, list[:n]); err != nil {
			s.touches.mu.Lock()
			s.touches.list = append(list, s.touches.list...)
			s.touches.mu.Unlock()
			return err
		}
		list = list[n:]
	}
	return nil
}

func (s *Service) writeTouches(ctx context.Context, list []touch) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		rows := make([]any, 0, len(list))
		for _, t := range list {
			rows = append(rows, []any{tx.Next(), t.code, t.visitor, t.at, t.day})
		}
		err := tx.Exec("INSERT INTO touches (id, code_id, visitor_id, at, day_no) VALUES ?"+strings.Repeat(",?", len(rows)-1), rows...).Error
		if err != nil {
			return fmt.Errorf("referral: touches: %w", err)
		}
		return nil
	})
}
