package access

import (
	"context"
	"fmt"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// First is what `siyu access add` is told.
type First struct {
	Name string // of the staff member
	Role Role
	Unit string // a unit's name or public id; "" is the brand's root
}

// Bootstrap makes a key without being one: only whoever may open the store
// calls it. It creates the brand's root unit when there is none and the staff
// member when nobody of that name and role works in the unit, and returns the
// key's text, once.
func (s *Service) Bootstrap(ctx context.Context, in First) (string, error) {
	var c fault.Check
	checkName(&c, in.Name)
	checkRole(&c, in.Role)
	if err := c.Err(); err != nil {
		return "", err
	}
	text := newKey()
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		unit, err := bootUnit(tx, in.Unit)
		if err != nil {
			return err
		}
		var staff id.Staff
		err = tx.Raw("SELECT id FROM staff WHERE unit_id = ? AND name = ? AND role = ? AND status = ? ORDER BY id LIMIT 1",
			unit, in.Name, in.Role, StaffActive).Scan(&staff).Error
		if err != nil {
			return err
		}
		if staff == 0 {
			if staff, err = addStaffTx(tx, StaffIn{UnitID: unit, Name: in.Name, Role: in.Role}); err != nil {
				return err
			}
		}
		_, err = addKeyTx(tx, KeyIn{StaffID: staff, Name: "access add"}, text)
		return err
	})
	if err != nil {
		return "", err
	}
	return text, nil
}

// bootUnit finds the unit by name or id; the root, named "brand" until it is
// renamed, or by name, is made on an empty store.
func bootUnit(tx *database.Tx, name string) (id.Unit, error) {
	var root id.Unit
	if err := tx.Raw("SELECT id FROM units WHERE parent_id = 0 ORDER BY id LIMIT 1").Scan(&root).Error; err != nil {
		return 0, err
	}
	if root == 0 {
		if name == "" {
			name = "brand"
		}
		return createUnitTx(tx, Unit{Kind: UnitBrand, Name: name})
	}
	if name == "" {
		return root, nil
	}
	var units []id.Unit
	err := tx.Raw("SELECT id FROM units WHERE name = ? ORDER BY id LIMIT 2", name).Scan(&units).Error
	if err != nil {
		return 0, err
	}
	if byID := new(id.Unit); len(units) == 0 && byID.UnmarshalText([]byte(name)) == nil {
		u, err := findUnit(tx.DB, tx.Actor, *byID)
		return u.ID, err
	}
	switch len(units) {
	case 0:
		return 0, fmt.Errorf("access: there is no unit named %q; leave --unit out for the brand's root", name)
	case 1:
		return units[0], nil
	}
	return 0, fmt.Errorf("access: several units are named %q; give the unit's id (unt_…)", name)
}
