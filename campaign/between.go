package campaign

import (
	"context"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Run is a campaign as a calendar shows it.
type Run struct {
	ID           id.Campaign `json:"id"`
	UnitID       id.Unit     `json:"unit_id"`
	Kind         string      `json:"kind"`
	Name         string      `json:"name"`
	Status       Status      `json:"status"` // by the clock
	Sort         int         `json:"sort"`
	StartsAt     clock.Milli `json:"starts_at"`
	EndsAt       clock.Milli `json:"ends_at"`
	FromDay      int         `json:"from_day"` // local days of whoever asks
	ToDay        int         `json:"to_day"`
	Zone         string      `json:"zone"` // the campaign's own
	Version      int         `json:"version"`
	CreatedAt    clock.Milli `json:"-"`
	Sessions     []Session   `json:"sessions"`
	MoreSessions bool        `json:"more_sessions"`
}

// Session is one stretch in which a campaign may be claimed from.
type Session struct {
	StartsAt clock.Milli `json:"starts_at"`
	EndsAt   clock.Milli `json:"ends_at"`
}

// Bounds of one view.
const (
	runsMax     = 500
	sessionsMax = 200 // per campaign
)

// Localize says on which local days the campaign begins and ends.
func (r *Run) Localize(loc *time.Location) {
	r.FromDay = clock.Day(r.StartsAt.Time(), loc)
	r.ToDay = clock.Day((r.EndsAt - 1).Time(), loc) // an end at midnight is the day before
}

// Between lists the campaigns of the caller's units that overlap [from, to),
// whatever their state: those sorted higher first, then by start. More says
// that some were left off.
func (s *Service) Between(ctx context.Context, from, to clock.Milli) (runs []Run, more bool, err error) {
	q := s.DB.Read(ctx)
	cond, args := database.ActorOf(ctx).Within("c.unit_id")
	var rows []struct {
		Campaign
		SortNo int
	}
	// A campaign lasts at most windowMax, which bounds how early it began.
	err = q.Raw(`SELECT c.*, COALESCE(f.sort_no, 0) AS sort_no FROM campaigns c LEFT JOIN campaign_faces f ON f.campaign_id = c.id
		WHERE c.starts_at < ? AND c.starts_at >= ? AND c.ends_at > ?`+cond+" ORDER BY sort_no DESC, c.starts_at, c.id LIMIT ?",
		append(append([]any{to, from.Add(-windowMax), from}, args...), runsMax+1)...).Scan(&rows).Error
	if err != nil {
		return nil, false, err
	}
	if more = len(rows) > runsMax; more {
		rows = rows[:runsMax]
	}
	now := clock.MilliOf(s.DB.Clock.Now())
	runs = make([]Run, len(rows))
	for i, c := range rows {
		runs[i] = Run{
			ID: c.ID, UnitID: c.UnitID, Kind: c.Kind, Name: c.Name, Status: c.Phase(now), Sort: c.SortNo,
			StartsAt: c.StartsAt, EndsAt: c.EndsAt, Zone: c.Zone, Version: c.Version, CreatedAt: c.CreatedAt,
		}
		if runs[i].Sessions, runs[i].MoreSessions, err = s.sessionsOf(c.Campaign, from, to); err != nil {
			return nil, false, err
		}
	}
	return runs, more, nil
}

// sessionsOf are the campaign's sessions that overlap [from, to); a campaign
// that is open all its window has none.
func (s *Service) sessionsOf(c Campaign, from, to clock.Milli) (list []Session, more bool, err error) {
	list = []Session{}
	t, err := s.kinds[c.Kind].timetable(c)
	if err != nil || t == nil {
		return list, false, err
	}
	at := max(c.StartsAt, from.Add(-day)) // one that began the day before may run on
	for at < min(c.EndsAt, to) {
		began, next := t.hours(at)
		if next == 0 {
			break
		}
		if began > 0 && next > from {
			if len(list) == sessionsMax {
				return list, true, nil
			}
			list = append(list, Session{at, next})
		}
		at = next
	}
	return list, false, nil
}

// nextStart is when the campaign, or its next session, begins after now; zero
// is never.
func (s *Service) nextStart(c Campaign, now clock.Milli) (clock.Milli, error) {
	t, err := s.kinds[c.Kind].timetable(c)
	if err != nil {
		return 0, err
	}
	if t == nil {
		if now < c.StartsAt {
			return c.StartsAt, nil
		}
		return 0, nil
	}
	for at := max(now, c.StartsAt-1); ; {
		_, next := t.hours(at)
		if next == 0 || next >= c.EndsAt {
			return 0, nil
		}
		if began, _ := t.hours(next); began > 0 && next > now {
			return next, nil
		}
		at = next
	}
}

// startsAt says whether the campaign, or one of its sessions, begins at the moment.
func (s *Service) startsAt(c Campaign, at clock.Milli) (bool, error) {
	next, err := s.nextStart(c, at-1)
	return next == at && at < c.EndsAt, err
}
