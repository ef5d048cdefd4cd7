package guard

import (
	"context"
	"fmt"

	"siyu/internal/id"
)

// WeekOf is what a group's page shows: 本周 1/2. Used counts the slots that may
// show at a moment of the ISO week, in the group's zone; Promised is the
// charter's cap, which no preset exceeds.
type WeekOf struct {
	Used, Promised int
}

// ThisWeek counts the ads of groups in the week of now, whoever asks.
func (s *Service) ThisWeek(ctx context.Context, groups []id.Group) (map[id.Group]WeekOf, error) {
	out := make(map[id.Group]WeekOf, len(groups))
	if len(groups) == 0 {
		return out, nil
	}
	now := s.now()
	all, err := s.load(s.DB.Read(ctx), question{groups: groups, window: Window{From: now, To: now + 1}, now: now})
	if err != nil {
		return nil, fmt.Errorf("guard: this week: %w", err)
	}
	for g, k := range all {
		z := zone{loc: k.state.Zone}
		from, to := z.span(periodWeek, now)
		out[g] = WeekOf{Used: k.state.Ads.touching(from, to), Promised: k.state.Charter.Week}
	}
	return out, nil
}
