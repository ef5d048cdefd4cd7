package welcome

import (
	"context"
	"fmt"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/internal/webhook"
)

// eventWelcome asks for one greeting; docs/events.md says when.
const eventWelcome webhook.Type = "group.welcome"

// Register takes the room's work.
func (s *Service) Register(r *task.Registry) {
	task.Every(r, "welcome:tell", time.Minute, s.tellAll)
}

const (
	atOnce = 200 // groups of a look, and members of an event
	// settle is how long before its hour somebody must have joined, so that no
	// transaction that is still under way is passed over.
	settle = time.Minute
	// lateMost is how much later a greeting is still said; after that it waits
	// for the next hour.
	lateMost = 20 * time.Minute
)

// Due is the stated moment that a greeting at now belongs to, if there is one.
func (r Rules) Due(now time.Time, zone *time.Location) (time.Time, bool) {
	day := now.In(zone)
	for _, m := range r.Minutes {
		at := time.Date(day.Year(), day.Month(), day.Day(), m/60, m%60, 0, 0, zone)
		if late := now.Sub(at); late >= 0 && late < lateMost {
			return at, true
		}
	}
	return time.Time{}, false
}

// tellAll tells the groups whose hour has come.
func (s *Service) tellAll(ctx context.Context, _ clock.Milli) error {
	for after := id.Group(0); ; {
		q := s.DB.Read(ctx)
		list, err := read(q, "group_id > ? ORDER BY group_id LIMIT ?", after, atOnce)
		if err != nil || len(list) == 0 {
			return err
		}
		groups := make([]id.Group, len(list))
		for i, r := range list {
			groups[i] = r.GroupID
		}
		known, err := community.GroupsIn(q, groups)
		if err != nil {
			return err
		}
		charters, err := community.Charters(q, groups, clock.MilliOf(s.DB.Clock.Now()))
		if err != nil {
			return err
		}
		for _, r := range list {
			after = r.GroupID
			g := known[r.GroupID]
			zone, err := time.LoadLocation(g.Zone)
			if err != nil || g.Status != community.GroupActive {
				continue
			}
			now := s.DB.Clock.Now()
			at, is := r.Due(now, zone)
			if !is || quiet(charters[r.GroupID], now.In(zone)) {
				continue
			}
			if err := s.tell(ctx, r.GroupID, clock.MilliOf(at)); err != nil {
				return err
			}
		}
	}
}

// quiet says whether a local moment lies in the charter's quiet hours.
func quiet(c community.Charter, local time.Time) bool {
	m := local.Hour()*60 + local.Minute()
	switch {
	case c.QuietFrom == c.QuietTo:
		return false
	case c.QuietFrom < c.QuietTo:
		return m >= c.QuietFrom && m < c.QuietTo
	}
	return m >= c.QuietFrom || m < c.QuietTo
}

// tell greets whoever joined since the last greeting, once for the hour.
func (s *Service) tell(ctx context.Context, group id.Group, at clock.Milli) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		groups, err := community.LockGroupsTx(tx, group)
		if err != nil || groups[group].Status != community.GroupActive {
			return err
		}
		g := groups[group]
		r, err := find(tx.DB, group, tx.Dialect.ForUpdate)
		if err != nil || len(r.Minutes) == 0 {
			return err
		}
		var last clock.Milli
		if err := tx.Raw("SELECT COALESCE(MAX(slot_at), 0) FROM welcomes WHERE group_id = ?", group).Scan(&last).Error; err != nil {
			return fmt.Errorf("welcome: last of %s: %w", group, err)
		}
		if last >= at {
			return nil
		}
		from := r.Since
		if last != 0 {
			from = max(from, last.Add(-settle))
		}
		var people []id.Member
		err = tx.Raw(`SELECT member_id FROM memberships WHERE group_id = ? AND left_at = 0 AND joined_at > ? AND joined_at <= ? AND role NOT IN ?
			ORDER BY joined_at, id LIMIT 2000`, group, from, at.Add(-settle), []community.Role{community.RoleAdmin, community.RoleOwner}).Scan(&people).Error
		if err != nil {
			return fmt.Errorf("welcome: newcomers of %s: %w", group, err)
		}
		if len(people) == 0 {
			return nil
		}
		err = tx.Exec("INSERT INTO welcomes (id, group_id, slot_at, people) VALUES (?, ?, ?, ?)", tx.Next(), group, at, len(people)).Error
		if err != nil {
			return fmt.Errorf("welcome: of %s: %w", group, err)
		}
		for i := 0; i < len(people); i += atOnce {
			part := people[i:min(i+atOnce, len(people))]
			err := webhook.PublishTx(tx, eventWelcome, map[string]any{
				"group_id": group, "owner_id": g.OwnerID, "at": at, "member_ids": part,
				"text_zh": render(r.TextZH, g.Name, len(people)), "text_en": render(r.TextEN, g.Name, len(people)),
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
