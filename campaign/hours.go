package campaign

import (
	"sync/atomic"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
)

// Hours says when the session began that is open at a moment, zero if none is,
// and when that changes next; zero is never again.
type Hours func(now clock.Milli) (began, next clock.Milli)

// ErrBetweenSessions refuses a claim while the campaign runs but none of its
// sessions is open.
var ErrBetweenSessions = fault.New(fault.KindConflict, "campaign.between_sessions", "当前不在场次时间内，请等下一场", "no session is open now; wait for the next one")

// timetable is a campaign's hours with the last answer, which stands until
// they change next: so a rush asks an integer, not a calendar.
type timetable struct {
	hours Hours
	last  atomic.Pointer[stretch]
}

// stretch is a time over which the answer is the same.
type stretch struct {
	from, began, next clock.Milli
}

// at is the answer at now; a campaign without hours is always open.
func (t *timetable) at(now clock.Milli) (open bool, next clock.Milli) {
	if t == nil {
		return true, 0
	}
	began, next := t.since(now)
	return began > 0, next
}

// since is the answer at now of a campaign with hours.
func (t *timetable) since(now clock.Milli) (began, next clock.Milli) {
	if s := t.last.Load(); s != nil && s.from <= now && (now < s.next || s.next == 0) {
		return s.began, s.next
	}
	began, next = t.hours(now)
	t.last.Store(&stretch{now, began, next})
	return began, next
}

// timetable reads the campaign's hours; nil if it has none.
func (k Kind) timetable(c Campaign) (*timetable, error) {
	if k.Hours == nil {
		return nil, nil
	}
	hours, err := k.Hours(c)
	if err != nil || hours == nil {
		return nil, err
	}
	return &timetable{hours: hours}, nil
}

// inSession refuses a claim of a running campaign outside its sessions.
func (c *Campaign) inSession(now clock.Milli) error {
	open, next := c.hours.at(now)
	switch {
	case open:
		return nil
	case next == 0:
		return ErrNotRunning.With("state", StatusEnded)
	}
	return ErrBetweenSessions.With("next_at", next)
}

// turnSession is the task at the edge of a session. Each enqueues the next, so
// that one row is ahead at a time.
type turnSession struct {
	Campaign id.Campaign `json:"campaign"`
	At       clock.Milli `json:"at"`
}

// Kind names the task.
func (turnSession) Kind() string { return "campaign:turn_session" }

// scheduleSessions enqueues the first edge of a campaign that is published
// now, and says at once that a session is open.
func (s *Service) scheduleSessions(tx *database.Tx, c Campaign) error {
	t, err := s.kinds[c.Kind].timetable(c)
	if err != nil || t == nil {
		return err
	}
	open, next := t.at(tx.Now)
	if next == 0 {
		return fault.Invalid.Field("rules.sessions", "none", "活动时间内没有任何场次", "none falls into the campaign's window")
	}
	if open {
		if err := publishSession(tx, eventCampaignSessionOpened, c, tx.Now, next); err != nil {
			return err
		}
	}
	return task.EnqueueTx(tx, turnSession{c.ID, next}, next)
}

// session tells of the edge, unless the campaign is paused or its end has
// moved the edge meanwhile, and enqueues the next one. Where no session is
// left it looks again at the campaign's end, which may have been moved later.
func (s *Service) session(tx *database.Tx, a turnSession) error {
	var c Campaign
	if err := tx.Raw("SELECT * FROM campaigns WHERE id = ?", a.Campaign).Scan(&c).Error; err != nil {
		return err
	}
	if c.Status == StatusCancelled || c.Status == StatusEnded && a.At < c.EndsAt {
		return nil
	}
	t, err := s.kinds[c.Kind].timetable(c)
	if err != nil || t == nil {
		return err
	}
	before, edge := t.hours(a.At - 1)
	began, next := t.hours(a.At)
	was, open := before > 0, began > 0
	if edge == a.At && c.Status != StatusPaused {
		if was {
			begins := next
			if open {
				begins = a.At // the next session follows at once
			}
			if err := publishSession(tx, eventCampaignSessionClosed, c, a.At, begins); err != nil {
				return err
			}
		}
		if open {
			if err := publishSession(tx, eventCampaignSessionOpened, c, a.At, next); err != nil {
				return err
			}
		}
	}
	if next == 0 {
		next = c.EndsAt
	}
	if next <= a.At {
		return nil
	}
	return task.EnqueueTx(tx, turnSession{c.ID, next}, next)
}
