package guard

import (
	"context"
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// FindPermit reads a permit the actor may see, with its groups.
func (s *Service) FindPermit(ctx context.Context, permit id.Permit) (Permit, error) {
	var row Permit
	q := s.DB.Read(ctx)
	if err := q.Raw("SELECT "+permitColumns+" FROM guard_permits WHERE id = ?", permit).Scan(&row).Error; err != nil {
		return row, fmt.Errorf("guard: permit %s: %w", permit, err)
	}
	if row.ID == 0 || !database.ActorOf(ctx).Sees(row.UnitID) {
		return Permit{}, fault.NotFound
	}
	row.Groups = []id.Group{}
	return row, q.Raw("SELECT group_id FROM guard_permit_groups WHERE permit_id = ? ORDER BY group_id", permit).Scan(&row.Groups).Error
}

// PermitFilter narrows a list of permits; zero fields do not. Asked are those
// that wait for a second person and may still be used.
type PermitFilter struct {
	Kind  PermitKind
	Asked bool
}

// ListPermits lists permits without their groups, newest first.
func (s *Service) ListPermits(ctx context.Context, f PermitFilter, page database.Page) (database.Paged[Permit], error) {
	cond, args := database.ActorOf(ctx).Within("unit_id")
	if f.Kind != "" {
		cond, args = cond+" AND kind = ?", append(args, f.Kind)
	}
	if f.Asked {
		cond, args = cond+" AND approved_at = 0 AND revoked_at = 0 AND to_at > ?", append(args, clock.MilliOf(s.DB.Clock.Now()))
	}
	args = append(append([]any{page.Bound()}, args...), page.Fetch())
	var rows []Permit
	err := s.DB.Read(ctx).Raw("SELECT "+permitColumns+" FROM guard_permits WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?", args...).Scan(&rows).Error
	if err != nil {
		return database.Paged[Permit]{}, fmt.Errorf("guard: permits: %w", err)
	}
	for i := range rows {
		rows[i].Groups = []id.Group{}
	}
	return database.Cut(page, rows, func(r Permit) int64 { return int64(r.ID) }), nil
}

// permitRow is a group's permit as a decision reads it.
type permitRow struct {
	group     id.Group
	promotion id.Promotion
	Allowed
	stands bool // it was approved before now and not revoked
	used   bool
}

// permitsRead reads the approved permits that matter around the window. A
// revoked one ended then, and lets nothing more through, wherever the clock
// stands; nor does one whose approval a clock set back has yet to reach.
func (ask question) permitsRead(into *loaded) database.Read {
	return database.Read{
		SQL: `SELECT g.group_id, p.promotion_id, p.id, p.kind, p.from_at, CASE WHEN p.revoked_at > 0 AND p.revoked_at < p.to_at THEN p.revoked_at ELSE p.to_at END,
			p.approved_at, p.revoked_at
			FROM guard_permit_groups g JOIN guard_permits p ON p.id = g.permit_id
			WHERE ` + ask.keys().Of("g.group_id") + ` AND p.approved_at > 0 AND p.to_at > ? AND p.from_at < ? ORDER BY p.from_at, p.id`,
		Args: []any{ask.window.From.Add(-reach - onceIn), ask.window.To},
		Row: func(rows database.Row) error {
			var r permitRow
			var approved, revoked clock.Milli
			err := rows.Scan(&r.group, &r.promotion, &r.ID, &r.Kind, &r.Window.From, &r.Window.To, &approved, &revoked)
			r.stands = approved <= ask.now && revoked == 0
			into.permits = append(into.permits, r)
			return err
		},
	}
}

// permits puts the permits into the groups' states: those that may still be
// used, the silent days after passes, and the ads taken in advance.
func (ask question) permits(q *database.Query, found *loaded, into map[id.Group]*known) error {
	if ask.span { // which reaches groups that nobody asked for
		found.permits = slices.DeleteFunc(found.permits, func(p permitRow) bool { return into[p.group] == nil })
	}
	if len(found.permits) == 0 {
		return nil
	}
	ids := make([]id.Permit, len(found.permits))
	groups := make([]id.Group, len(found.permits))
	for i, p := range found.permits {
		ids[i], groups[i] = p.ID, p.group
	}
	var used []struct {
		PermitID        id.Permit
		GroupID         id.Group
		FirstAt, LastAt clock.Milli
	}
	counts, args := ask.counted(groups, "")
	err := q.Raw("SELECT permit_id, group_id, first_at, last_at"+counts+" AND permit_id IN ? ORDER BY id", append(args, ids)...).Scan(&used).Error
	if err != nil {
		return fmt.Errorf("guard: permits: %w", err)
	}
	for _, p := range found.permits {
		state := &into[p.group].state
		for _, u := range used {
			if u.PermitID == p.ID && u.GroupID == p.group {
				p.used = true
				if p.Kind == PermitAdvance {
					state.Early = append(state.Early, Window{u.FirstAt, u.LastAt})
				}
			}
		}
		if p.Kind == PermitPass && p.Window.To > p.Window.From {
			state.Rest = append(state.Rest, Window{p.Window.To, p.Window.To.Add(passRest)})
		}
		if p.stands && !(p.used && p.Kind.once()) && (p.promotion == 0 || p.promotion == ask.promotion) {
			state.Permits = append(state.Permits, p.Allowed)
		}
	}
	return nil
}
