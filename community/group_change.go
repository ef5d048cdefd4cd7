package community

import (
	"context"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// GroupChange is an edit; what is nil stays. The charter has its own route.
type GroupChange struct {
	UnitID  *id.Unit     `json:"unit_id"`
	Name    *string      `json:"name"`
	Preset  *Preset      `json:"preset"`
	Zone    *string      `json:"zone"`
	OwnerID *id.Staff    `json:"owner_id"`
	Status  *GroupStatus `json:"status"`
	Reason  *string      `json:"reason"` // why it is dissolved
}

// Validate checks the edit's form.
func (in GroupChange) Validate() error {
	var c fault.Check
	if in.Name != nil {
		c.Required(CleanLine(*in.Name), "name")
		checkName(&c, *in.Name, "name")
	}
	if in.Preset != nil {
		c.OneOf(string(*in.Preset), "preset", presets()...)
	}
	if in.Zone != nil {
		checkZone(&c, *in.Zone, "zone")
	}
	if in.Status != nil {
		c.OneOf(string(*in.Status), "status", string(GroupActive), string(GroupHandover), string(GroupDissolved))
	}
	switch ends := in.Status != nil && *in.Status == GroupDissolved; {
	case ends && in.Reason == nil:
		CheckReason(&c, "")
	case ends:
		CheckReason(&c, *in.Reason)
	default:
		c.That(in.Reason == nil, "reason", "not_allowed", "只在解散群时填写", "is said when a group is dissolved, and only then")
	}
	return c.Err()
}

// apply is the group as it will be.
func (in GroupChange) apply(g Group) Group {
	put(&g.UnitID, in.UnitID)
	put(&g.Preset, in.Preset)
	put(&g.Zone, in.Zone)
	put(&g.OwnerID, in.OwnerID)
	put(&g.Status, in.Status)
	if in.Name != nil {
		g.Name = CleanLine(*in.Name)
	}
	if in.Reason != nil {
		g.EndReason = CleanLine(*in.Reason)
	}
	return g
}

func put[T any](field *T, v *T) {
	if v != nil {
		*field = *v
	}
}

// UpdateGroup edits the version of a group that the caller has read.
func (s *Service) UpdateGroup(ctx context.Context, group id.Group, version int, in GroupChange) (Group, error) {
	if err := in.Validate(); err != nil {
		return Group{}, err
	}
	var after Group
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		before, err := lockGroup(tx, group)
		if err != nil {
			return err
		}
		if before.Version != version {
			return fault.Stale
		}
		if after, err = writeGroup(tx, in.apply(before)); err != nil {
			return err
		}
		if after.Status == GroupDissolved {
			if err := tellClosed(tx, after); err != nil {
				return err
			}
		}
		return database.AuditTx(tx, "group.update", group, before, after)
	})
	return after, err
}

// writeGroup stores the group's editable fields as a new version; its row is
// locked.
func writeGroup(tx *database.Tx, g Group) (Group, error) {
	if !tx.Actor.Sees(g.UnitID) {
		return Group{}, ErrUnitUnknown
	}
	if g.BornAt > tx.Now {
		return Group{}, bornAhead
	}
	err := database.One(tx.Exec(`UPDATE chat_groups SET unit_id = ?, name = ?, preset = ?, zone = ?, owner_id = ?, born_at = ?, status = ?, end_reason = ?,
		version = version + 1 WHERE id = ?`+tx.Only("version = ?"),
		g.UnitID, g.Name, g.Preset, g.Zone, g.OwnerID, g.BornAt, g.Status, g.EndReason, g.ID, g.Version), fault.Stale)
	g.Version++
	return g, err
}
