package guard

import (
	"context"

	"siyu/internal/fault"
	"siyu/internal/id"
)

// QuietIn are the quiet hours of one group, in minutes of its local day.
type QuietIn struct {
	From int
	To   int
}

// Validate keeps them within the bounds every group has.
func (in QuietIn) Validate() error {
	var c fault.Check
	SettingsIn{QuietFrom: &in.From, QuietTo: &in.To}.check(&c)
	return c.Err()
}

// SetQuiet is SetAdPolicy for who means the quiet hours alone: whatever else
// the group sets, in force or announced, stays as it is. Shorter hours are
// looser, and hold in seven days.
func (s *Service) SetQuiet(ctx context.Context, group id.Group, in QuietIn, version int) (AdPolicy, error) {
	if err := in.Validate(); err != nil {
		return AdPolicy{}, err
	}
	return s.setPolicy(ctx, group, version, func(own groupGuard, coming layers) groupGuard {
		if n := len(coming); n > 0 { // the newest that was asked for
			own = own.at(coming, coming[n-1].NoticeUntil)
		}
		own.QuietFrom, own.QuietTo = in.From, in.To
		return own
	})
}
