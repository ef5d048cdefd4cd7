package guard

import (
	"context"
	"fmt"
	"slices"

	"siyu/internal/id"
)

// Known is what a decision would rest on.
type Known struct {
	Policy Policy
	Turns  []Turn // policies that come into force later
	State  State
}

// Known reads what decisions on ads in the window would rest on, group by
// group, whoever asks. The slots that count are in each state.
func (s *Service) Known(ctx context.Context, groups []id.Group, w Window) (map[id.Group]Known, error) {
	out := make(map[id.Group]Known, len(groups))
	for part := range slices.Chunk(groups, chunk) {
		all, err := s.load(s.DB.Read(ctx), question{groups: part, window: w, now: s.now()})
		if err != nil {
			return nil, fmt.Errorf("guard: known: %w", err)
		}
		for g, k := range all {
			turns := k.laws.turns(max(s.now(), w.From))
			for i := range turns {
				turns[i].Policy = turns[i].Policy.enforced()
			}
			out[g] = Known{k.policy.enforced(), turns, k.state}
		}
	}
	return out, nil
}
