package guard

import (
	"context"
	"fmt"
	"slices"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
)

// errRows are groups without a row of their own: there is nothing to lock.
type errRows []id.Group

func (e errRows) Error() string { return fmt.Sprintf("guard: %d groups have no row yet", len(e)) }

// lacking are those of the groups, ascending, that have no row yet.
func lacking(q *database.Query, groups []id.Group, span bool) (out []community.Group, err error) {
	keys := database.Keys[id.Group]{List: groups, Span: span}
	err = database.Read{
		SQL: "SELECT g.id, g.imported FROM chat_groups g LEFT JOIN group_guards v ON v.group_id = g.id WHERE " + keys.Of("g.id") + " AND v.group_id IS NULL ORDER BY g.id",
		Row: func(rows database.Row) error {
			var g community.Group
			err := rows.Scan(&g.ID, &g.Imported)
			if _, asked := slices.BinarySearch(groups, g.ID); asked {
				out = append(out, g)
			}
			return err
		},
	}.On(q)
	if err != nil {
		return nil, fmt.Errorf("guard: groups without a row: %w", err)
	}
	return out, nil
}

// prepare adds the rows of groups that have none, in a transaction of its own,
// so that a reservation finds every row it locks.
func (s *Service) prepare(ctx context.Context, groups []id.Group) error {
	groups = slices.Sorted(slices.Values(groups))
	var missing []community.Group
	for part := range slices.Chunk(groups, chunk) {
		some, err := lacking(s.DB.Read(ctx), part, false)
		if err != nil {
			return err
		}
		missing = append(missing, some...)
	}
	if len(missing) == 0 {
		return nil
	}
	// Not under the caller's key or name: these rows belong to nobody's call.
	err := s.DB.Tx(bare{ctx}, func(tx *database.Tx) error {
		rows := newGuards(tx, missing)
		if err := writeGuards(tx.Defer, rows); err != nil {
			return err
		}
		return tellLater(tx, rows)
	})
	if !database.IsDuplicate(err) {
		return err
	}
	// Somebody else was adding some of them: now they are there to be seen.
	return s.prepare(ctx, groups)
}

// bring inserts the rows of groups that have none, in the message that locks
// the others. Nobody else sees the new rows before the commit, so they need no
// lock. If another transaction inserts one of them first, this one fails as a
// duplicate, and the caller has the rows made by prepare and tries once more.
func bring(tx *database.Tx, groups []community.Group) ([]groupGuard, error) {
	rows := newGuards(tx, groups)
	if err := writeGuards(tx.Ahead, rows); err != nil {
		return nil, fmt.Errorf("guard: rows of groups: %w", err)
	}
	return rows, nil
}

func newGuards(tx *database.Tx, groups []community.Group) []groupGuard {
	rows := make([]groupGuard, len(groups))
	for i, g := range groups {
		rows[i] = newGuard(g, tx.Now)
	}
	return rows
}

// tellLater has it told when the days of observing new rows are over.
func tellLater(tx *database.Tx, rows []groupGuard) error {
	parts, until := observed(rows)
	for _, groups := range parts {
		if err := task.EnqueueTx(tx, tellObserved{groups}, until); err != nil {
			return err
		}
	}
	return nil
}
