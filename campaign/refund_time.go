package campaign

import (
	"context"
	"fmt"
	"slices"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
)

// RefundTime is how long refunds took that Siyu asked for: from the moment it
// did to the one at which they were done. One that the mall dates before it was
// asked took no time.
type RefundTime struct {
	Done   int           `json:"done"`
	Open   int           `json:"open"` // asked for, and not done yet, or failed
	Median time.Duration `json:"-"`
}

// refundsMost is how many refunds one reading looks at.
const refundsMost = 50_000

// RefundTimes reads refunds asked for from one moment to before another, of
// orders of the caller's units.
func (s *Service) RefundTimes(ctx context.Context, from, to clock.Milli) (RefundTime, error) {
	cond, args := database.ActorOf(ctx).Within("c.unit_id")
	var rows []struct {
		CreatedAt, DoneAt clock.Milli
		Status            RefundStatus
	}
	err := s.DB.Read(ctx).Raw(`SELECT r.created_at, r.done_at, r.status FROM refunds r JOIN orders o ON o.id = r.order_id JOIN campaigns c ON c.id = o.campaign_id
		WHERE r.status IN ? AND r.by_whom = ? AND r.created_at >= ? AND r.created_at < ?`+cond+" ORDER BY r.created_at LIMIT ?",
		append(append([]any{[]RefundStatus{RefundRequested, RefundFailed, RefundDone}, "siyu", from, to}, args...), refundsMost)...).Scan(&rows).Error
	if err != nil {
		return RefundTime{}, fmt.Errorf("campaign: refund times: %w", err)
	}
	var out RefundTime
	var took []time.Duration
	for _, r := range rows {
		if r.Status != RefundDone {
			out.Open++
			continue
		}
		took = append(took, max(0, r.DoneAt.Time().Sub(r.CreatedAt.Time())))
	}
	if out.Done = len(took); out.Done > 0 {
		slices.Sort(took)
		out.Median = took[(len(took)-1)/2] // of an even number the lower one
	}
	return out, nil
}
