package promotion

import (
	"cmp"
	"context"
	"slices"

	"siyu/campaign/exposure"
	"siyu/campaign/guard"
	"siyu/internal/id"
)

// freshness is what members' exposure says of some groups: which are left out
// or told of, and whose members saw least.
type freshness struct {
	sparing guard.Sparing
	judged  map[id.Group]exposure.Verdict
}

// spare weighs the groups of an ask, without those that are held out by it.
func (s *Service) spare(ctx context.Context, groups, held []id.Group) (freshness, error) {
	shown := slices.DeleteFunc(slices.Clone(groups), func(g id.Group) bool { _, out := slices.BinarySearch(held, g); return out })
	f := freshness{sparing: guard.Sparing{}}
	var err error
	if f.judged, err = s.Exposure.Judge(ctx, shown); err != nil {
		return f, err
	}
	for g, v := range f.judged {
		if v.Above() {
			f.sparing[g] = guard.Spared{Reasons: v.Reasons(), LeftOut: v.Refuses()}
		}
	}
	return f, nil
}

// freshFirst are the answers in the order their ads go out: where the channel
// has its pace, groups whose members saw least come first.
func (f freshness) freshFirst(answers []guard.Answer) []guard.Answer {
	out := slices.Clone(answers)
	slices.SortStableFunc(out, func(a, b guard.Answer) int { return cmp.Compare(f.judged[a.GroupID].Place, f.judged[b.GroupID].Place) })
	return out
}
