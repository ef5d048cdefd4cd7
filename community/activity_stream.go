package community

import (
	"context"
	"errors"

	"siyu/internal/fault"
	"siyu/internal/id"
)

// ActivityLine is one line of a stream: an event, or a day of which all was
// reported.
type ActivityLine struct {
	GroupID     id.Group `json:"group_id"`
	CompleteDay int      `json:"complete_day,omitempty"`
	ActivityIn
}

// streamAtOnce events of a group are recorded in one transaction, which marks
// their days besides: a commit costs the same for few as for many.
const streamAtOnce = 1_500

// StreamMax bounds the lines of one stream.
const StreamMax = 50_000

// batch is the line alone.
func (l ActivityLine) batch() ActivityBatch {
	if l.CompleteDay != 0 {
		return ActivityBatch{CompleteDays: []int{l.CompleteDay}}
	}
	return ActivityBatch{Events: []ActivityIn{l.ActivityIn}}
}

// StreamActivity records lines of any groups, 1,500 of a group to a transaction,
// a result for each in order. Lines stand each for itself. What it had recorded
// when it fails stays; the same stream sent again repeats it.
func (s *Service) StreamActivity(ctx context.Context, lines []ActivityLine) ([]ActivityResult, error) {
	out := make([]ActivityResult, len(lines))
	waiting, live := map[id.Group][]int{}, acting{}
	for i, l := range lines {
		out[i] = ActivityResult{EventID: l.EventID, Result: ActivityRefused}
		err := l.batch().Validate()
		if l.GroupID == 0 {
			err = fault.Invalid.Field("group_id", "required", "必填", "is required")
		}
		if f, ok := fault.As(err); ok {
			out[i].Err = f
			continue
		}
		waiting[l.GroupID] = append(waiting[l.GroupID], i)
		if len(waiting[l.GroupID]) == streamAtOnce {
			if err := s.putLines(ctx, lines, waiting[l.GroupID], live, out); err != nil {
				return nil, err
			}
			delete(waiting, l.GroupID)
		}
	}
	for _, at := range waiting {
		if err := s.putLines(ctx, lines, at, live, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// putLines records lines of one group; a refusal of the group is that of each.
func (s *Service) putLines(ctx context.Context, lines []ActivityLine, at []int, live acting, out []ActivityResult) error {
	var batch ActivityBatch
	var events []int
	for _, i := range at {
		if lines[i].CompleteDay == 0 {
			batch.Events, events = append(batch.Events, lines[i].ActivityIn), append(events, i)
			continue
		}
		day := lines[i].batch()
		_, err := s.PutActivity(ctx, lines[i].GroupID, day)
		if out[i], err = told(out[i], ActivityRecorded, err); err != nil {
			return err
		}
	}
	if len(batch.Events) == 0 {
		return nil
	}
	results, err := s.putActivity(ctx, lines[at[0]].GroupID, batch, live)
	for k, i := range events {
		if err == nil {
			out[i] = results[k]
			continue
		}
		var failed error
		if out[i], failed = told(out[i], ActivityRefused, err); failed != nil {
			return failed
		}
	}
	return nil
}

// told puts a refusal into the result; other errors end the stream.
func told(r ActivityResult, outcome ActivityOutcome, err error) (ActivityResult, error) {
	if f, ok := fault.As(err); ok && f.Kind < fault.KindInternal && !errors.Is(err, fault.Unavailable) {
		if r.Err = f; errors.Is(err, fault.NotFound) {
			r.Err = f.Field("group_id", "unknown_value", "没有这个群，请先建群", "there is no such group; make it first")
		}
		return r, nil
	}
	r.Result = outcome
	return r, err
}
