package community

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// eventGroupClosed tells that a group is over; docs/events.md says when.
const eventGroupClosed webhook.Type = "group.closed"

// tellClosed tells of a group that was dissolved.
func tellClosed(tx *database.Tx, g Group) error {
	return webhook.PublishTx(tx, eventGroupClosed, map[string]any{"group_id": g.ID, "owner_id": g.OwnerID, "reason": g.EndReason, "closed_at": tx.Now})
}

// LockGroupsTx locks groups by id ascending, whoever asks: for a room that
// checks by itself who may. Unknown ids are left out.
func LockGroupsTx(tx *database.Tx, groups ...id.Group) (map[id.Group]Group, error) {
	slices.Sort(groups)
	out := make(map[id.Group]Group, len(groups))
	for _, g := range groups {
		row, err := oneGroup(tx.DB, database.Actor{}, g, tx.Dialect.ForUpdate)
		if errors.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out[g] = row
	}
	return out, nil
}

// EndTx notes when and why a locked group is to end; 0 takes the plan back.
func EndTx(tx *database.Tx, g Group, at clock.Milli, reason string) (Group, error) {
	err := database.One(tx.Exec("UPDATE chat_groups SET ends_at = ?, end_reason = ?, version = version + 1 WHERE id = ?"+tx.Only("version = ?"),
		at, reason, g.ID, g.Version), fault.Stale)
	g.EndsAt, g.EndReason, g.Version = at, reason, g.Version+1
	return g, err
}

// CloseTx ends a locked group for good and tells of it. Its members, what they
// did and what it was sent stay on record.
func CloseTx(tx *database.Tx, g Group, reason string) (Group, error) {
	err := database.One(tx.Exec("UPDATE chat_groups SET status = ?, end_reason = ?, version = version + 1 WHERE id = ?"+tx.Only("status <> ?"),
		GroupDissolved, reason, g.ID, GroupDissolved), ErrGroupClosed.With("status", GroupDissolved))
	if err != nil {
		return g, err
	}
	g.Status, g.EndReason, g.Version = GroupDissolved, reason, g.Version+1
	return g, tellClosed(tx, g)
}

// OwnerTx gives a locked group to another colleague. One that waited for an
// owner goes on.
func OwnerTx(tx *database.Tx, g Group, owner id.Staff) (Group, error) {
	err := database.One(tx.Exec("UPDATE chat_groups SET owner_id = ?, status = ?, version = version + 1 WHERE id = ?"+tx.Only("version = ?"),
		owner, GroupActive, g.ID, g.Version), fault.Stale)
	g.OwnerID, g.Status, g.Version = owner, GroupActive, g.Version+1
	return g, err
}

// SubGroupTx makes the nth sub-group of a locked group: of its unit, kind, zone
// and owner, and promising what it promises now.
func SubGroupTx(tx *database.Tx, parent Group, n int) (Group, error) {
	now, err := CharterOf(tx.DB, parent.ID, tx.Now)
	if err != nil {
		return Group{}, err
	}
	charter := now.again()
	name := []rune(parent.Name)
	name = name[:min(len(name), nameMax-8)]
	return createTx(tx, GroupIn{UnitID: parent.UnitID, Name: fmt.Sprintf("%s · 小组%d", string(name), n), Preset: parent.Preset, Zone: parent.Zone,
		OwnerID: parent.OwnerID, ParentID: parent.ID, Charter: &charter}, false)
}

// Seen refuses a group that the actor may not see as if there were none.
func Seen(ctx context.Context, q *database.Query, group id.Group) error {
	_, err := seenGroup(ctx, q, group)
	return err
}
